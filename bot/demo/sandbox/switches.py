"""The sandbox's own switches over HTTP, for processes that know only its address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.demo.faults import Fault, Faults, Kind, Route
from bot.demo.sandbox.answers import ErrorShape

if TYPE_CHECKING:
    from bot.demo.sandbox.records import Records

_SHOWN = 100


class FaultOrder(BaseModel):
    """The body of `POST /sandbox/faults`; the fields are those of `Fault`, and where and when."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    kind: Kind
    route: Route = Route.GENERATIONS
    times: int | None = Field(default=1, ge=1)
    model: str | None = None
    message: str | None = None
    status: int | None = Field(default=None, ge=400, le=599)
    shape: ErrorShape = ErrorShape.TOGETHER
    retry_after: float | None = Field(default=None, ge=0)
    reset: float | None = Field(default=None, ge=0)
    seconds: float = Field(default=0.05, ge=0)
    size: int = Field(default=1, ge=1)

    def fault(self) -> Fault:
        return Fault(**self.model_dump(exclude={"route", "times"}))


def add_switches(app: web.Application, faults: Faults, records: Records) -> None:
    async def order_fault(request: web.Request) -> web.Response:
        try:
            order = FaultOrder.model_validate_json(await request.read())
        except ValidationError as error:
            return web.json_response({"errors": _complaints(error)}, status=400)
        faults.next(order.fault(), times=order.times, on=order.route)
        return web.json_response({"waiting": faults.waiting}, status=201)

    async def clear_faults(_: web.Request) -> web.Response:
        faults.clear()
        return web.json_response({"waiting": 0})

    async def show_stats(_: web.Request) -> web.Response:
        return web.json_response({**records.stats(), "faults_waiting": faults.waiting})

    async def show_requests(_: web.Request) -> web.Response:
        newest = list(records.requests)[-_SHOWN:]
        return web.json_response(
            [{"body": r.body, "status": r.status, "fault": r.fault} for r in newest]
        )

    app.router.add_post("/sandbox/faults", order_fault)
    app.router.add_delete("/sandbox/faults", clear_faults)
    app.router.add_get("/sandbox/stats", show_stats)
    app.router.add_get("/sandbox/requests", show_requests)


def _complaints(error: ValidationError) -> list[dict[str, Any]]:
    return [{"where": e["loc"], "what": e["msg"]} for e in error.errors()]
