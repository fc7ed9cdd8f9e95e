"""What another process can ask of this Discord and do to it, over HTTP under `/control/`.

`GET stats`; `POST` and `DELETE faults`; `POST gateway`, `clock` and `slash`, all with JSON.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from wire.faults import Fault, Kind
from wire.rejected import answer

if TYPE_CHECKING:
    from aiohttp import web

    from wire.server import Server

_FAULT_FIELDS = {field.name for field in fields(Fault)}


class Control:
    """The handlers."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def add_to(self, app: web.Application) -> None:
        for method, path, work in (
            ("GET", "stats", self._stats),
            ("POST", "faults", self._add_fault),
            ("DELETE", "faults", self._clear_faults),
            ("POST", "gateway", self._trouble_gateway),
            ("POST", "clock", self._forward_clock),
            ("POST", "slash", self._slash),
        ):
            app.router.add_route(method, f"/control/{path}", work)

    async def _stats(self, _: web.Request) -> web.Response:
        return answer(self._server.stats())

    async def _add_fault(self, request: web.Request) -> web.Response:
        """The fields of `Fault`, and `times`, which may be null."""
        order: dict[str, Any] = await request.json()
        times = order.pop("times", 1)
        strange = sorted(order.keys() - _FAULT_FIELDS)
        kind = order.pop("kind", None)
        if strange or kind not in list(Kind):
            return answer({"error": f"no such kind of fault, or strange: {strange}"}, status=400)
        self._server.faults.add(Fault(Kind(kind), **order), times=times)
        return answer({"left": self._server.faults.left}, status=201)

    async def _clear_faults(self, _: web.Request) -> web.Response:
        self._server.faults.clear()
        return answer({"left": 0})

    async def _trouble_gateway(self, request: web.Request) -> web.Response:
        """`{"do": "drop", "forget": false}`, or `reconnect`, `invalidate`, `twice`."""
        order: dict[str, Any] = await request.json()
        gateway = self._server.gateway
        match order.get("do"):
            case "drop":
                gateway.drop(forget=order.get("forget", False))
            case "reconnect":
                await gateway.ask_to_reconnect()
            case "invalidate":
                await gateway.invalidate()
            case "twice":
                gateway.twice += order.get("times", 1)
            case _:
                return answer({"error": "do: drop, reconnect, invalidate or twice"}, status=400)
        return answer({"ready": gateway.ready})

    async def _forward_clock(self, request: web.Request) -> web.Response:
        """`{"seconds": 900}`."""
        clock = self._server.world.clock
        clock.forward((await request.json())["seconds"])
        return answer({"ahead": clock.ahead})

    async def _slash(self, request: web.Request) -> web.Response:
        return answer(await _slash(self._server, await request.json()))


async def _slash(server: Server, order: dict[str, Any]) -> dict[str, object]:
    """A command by the n-th person in the n-th channel, and how long its steps took.

    `{"command": "imagine", "options": {…}, "person": 0, "channel": 0, "within": 30}`; answers
    with the seconds to `acknowledged` and to `result`, null where one did not come in time.
    """
    world, within = server.world, order.get("within", 30.0)
    people = [person for person in world.people.values() if not person.bot]
    channels = [channel for channel in world.channels.values() if channel.guild is not None]
    asked = await server.people.slash(
        channels[order.get("channel", 0)],
        people[order.get("person", 0)],
        order["command"],
        **order.get("options", {}),
    )
    told: dict[str, object] = {"acknowledged": None, "result": None, "files": 0, "said": None}
    try:
        told["acknowledged"] = await asked.acknowledged(within)
        message = await asked.result(within)
        told |= {"result": asked.took(message), "files": len(message.files)}
    except TimeoutError as late:
        told["said"] = [message.content for message in asked.said] or str(late)
    return told
