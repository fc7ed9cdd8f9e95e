"""Discord on loopback: REST, gateway, files and control in one server.

`python -m wire.server` serves it alone, for benchmarks; it prints its address first.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import signal
import time
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, Self, cast

from aiohttp import web

from wire.control import Control
from wire.faults import Faults
from wire.gateway import Gateway
from wire.people import People
from wire.rejected import Code, Rejected, answer
from wire.rest import Rest
from wire.telling import Teller
from wire.webhooks import Webhooks
from wire.world import World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    Work = Callable[[web.Request], Awaitable[web.Response]]

_HOST = "127.0.0.1"
_API = "/api/v10"
#: More than a request may have, so that the refusal is Discord's and not aiohttp's.
_BODY_MAX = 64 * 1024 * 1024
_REMEMBERED = 20_000
#: What Discord counts towards a ban: https://discord.com/developers/docs/topics/rate-limits
_INVALID = frozenset({401, 403, 429})


class Call(NamedTuple):
    """One request to the API, as it ended."""

    method: str
    path: str
    status: int
    at: float


class Server:
    """The server and its life: `async with Server() as server`.

    Attributes:
        id: of this very server; it answers it under `/control/`.
        calls: the requests to the API, oldest first.
        world, gateway, faults, people: what there is, and what can be done to it.
    """

    def __init__(
        self,
        *,
        token: str = "canary-discord-token-0123456789",
        port: int = 0,
        keep_bytes: bool = False,
        server_id: str | None = None,
    ) -> None:
        self.id = server_id or secrets.token_hex(16)
        self.token = token
        self.world = World(keep_bytes=keep_bytes)
        self.gateway = Gateway(self.world, token)
        self.faults = Faults()
        self.calls: list[Call] = []
        teller = Teller(self.world, self.gateway)
        self.people = People(self.world, self.gateway, teller)
        self._rest, self._webhooks = Rest(self.world, teller), Webhooks(self.world, teller)
        self._port = port
        self._runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=0.1)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, _HOST, self._port, backlog=1024).start()
        self._port = cast("int", self._runner.addresses[0][1])
        self.world.cdn = f"{self.url}/cdn"
        self.gateway.url = f"ws://{_HOST}:{self._port}/gateway"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.gateway.drop(forget=True)
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        return f"http://{_HOST}:{self._port}"

    def stats(self) -> dict[str, object]:
        statuses = Counter(call.status for call in self.calls)
        return {
            "id": self.id,
            "identifies": self.gateway.identifies,
            "resumes": self.gateway.resumes,
            "ready": self.gateway.ready,
            "calls": len(self.calls),
            "statuses": {str(status): count for status, count in sorted(statuses.items())},
            "invalid": sum(count for status, count in statuses.items() if status in _INVALID),
            "faults_met": self.faults.met,
            "faults_left": self.faults.left,
            "cpu_s": time.process_time(),
        }

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=_BODY_MAX)
        rest, hooks = self._rest, self._webhooks
        channel, message = "/channels/{channel}", "/channels/{channel}/messages/{message}"
        webhook = "/webhooks/{application}/{token}"
        answered = f"{webhook}/messages/{{message}}"
        for method, path, work in (
            ("GET", "/gateway/bot", self._gateway_bot),
            ("GET", "/users/@me", rest.me),
            ("POST", "/users/@me/channels", rest.open_direct),
            ("GET", "/oauth2/applications/@me", rest.application),
            ("GET", "/applications/@me", rest.application),
            ("GET", "/applications/{application}/commands", rest.commands),
            ("PUT", "/applications/{application}/commands", rest.set_commands),
            ("GET", "/guilds/{guild}/roles/member-counts", rest.member_counts),
            ("GET", channel, rest.channel),
            ("POST", f"{channel}/typing", rest.typing),
            ("GET", f"{channel}/messages", rest.history),
            ("POST", f"{channel}/messages", rest.post),
            ("GET", message, rest.message),
            ("PATCH", message, rest.edit),
            ("DELETE", message, rest.delete),
        ):
            app.router.add_route(method, _API + path, self._guarded(work, public=False))
        for method, path, work in (
            ("POST", "/interactions/{interaction}/{token}/callback", hooks.callback),
            ("POST", webhook, hooks.followup),
            ("GET", answered, hooks.message),
            ("PATCH", answered, hooks.edit),
            ("DELETE", answered, hooks.delete),
        ):
            app.router.add_route(method, _API + path, self._guarded(work, public=True))
        app.router.add_get("/gateway", self.gateway.serve)
        app.router.add_get("/gateway/", self.gateway.serve)
        app.router.add_get("/cdn/attachments/{channel}/{file}/{name}", self._file)
        Control(self).add_to(app)
        app.router.add_route("*", "/{path:.*}", self._guarded(_nowhere, public=True))
        return app

    def _guarded(self, work: Work, *, public: bool) -> Work:
        async def handle(request: web.Request) -> web.Response:
            path = request.path.removeprefix(_API)
            fault = self.faults.take(request.method, path)
            answered = None
            if fault is not None and not fault.after:
                await request.read()
                answered = await fault.spoil(request)
            if answered is None:
                answered = await self._work(work, request, public=public)
            if fault is not None and fault.after:
                answered = await fault.spoil(request) or answered
            self._remember(request.method, path, answered.status)
            return answered

        return handle

    async def _work(self, work: Work, request: web.Request, *, public: bool) -> web.Response:
        try:
            if not public:
                self._authorise(request)
                if (held_back := self._rest.hold_back()) is not None:
                    return held_back
            return await work(request)
        except Rejected as rejected:
            return rejected.response()

    def _authorise(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Bot {self.token}":
            raise Rejected(Code.UNAUTHORISED)

    def _remember(self, method: str, path: str, status: int) -> None:
        self.calls.append(Call(method, path, status, time.monotonic()))
        if len(self.calls) > 2 * _REMEMBERED:
            del self.calls[:_REMEMBERED]

    async def _gateway_bot(self, _: web.Request) -> web.Response:
        gateway, limit = self.gateway, self.gateway.start_limit()
        told = {"url": gateway.url, "shards": gateway.shards, "session_start_limit": limit}
        return answer(told)

    async def _file(self, request: web.Request) -> web.Response:
        file = self.world.files.get(int(request.match_info["file"]))
        expires = int(request.query.get("ex", "0"), 16)
        if file is None or file.data is None or expires < self.world.clock():
            return web.Response(status=404, text="This content is no longer available.")
        return web.Response(body=file.data, content_type=file.media_type)


async def _nowhere(_: web.Request) -> web.Response:
    raise Rejected(Code.NO_ROUTE)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m wire.server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--id", help="what it answers when asked who it is")
    parser.add_argument("--token", default="canary-discord-token-0123456789")
    parser.add_argument("--channels", type=int, default=50)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--keep-bytes", action="store_true", help="of what the bot uploads")
    parser.add_argument("--no-limits", action="store_true", help="no rate limits")
    return parser.parse_args()


async def _run(chosen: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    server = Server(
        token=chosen.token, port=chosen.port, keep_bytes=chosen.keep_bytes, server_id=chosen.id
    )
    if chosen.no_limits:
        server.world.channel_limit = server.world.overall_limit = None
    guild = server.world.guild()
    for number in range(chosen.channels):
        server.world.channel(guild, f"studio-{number}")
    for number in range(chosen.people):
        server.world.person(f"person-{number}")
    async with server:
        print(f"Discord listens on {server.url}", flush=True)  # noqa: T201 - its say
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(_run(_arguments()))
