"""The sandbox painter: a real HTTP server on loopback that speaks Together's image API.

Everything can be tried with it and nothing is paid. `python -m bot.demo.painter --help` runs it
alone; its own switches are `POST` and `DELETE /sandbox/faults` and `GET /sandbox/stats`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import time
from random import Random
from typing import TYPE_CHECKING, Self, cast

from aiohttp import web

from bot.demo import canvas
from bot.demo.faults import Faults, Route
from bot.demo.sandbox import answers
from bot.demo.sandbox.answers import Answer, Error, Refused
from bot.demo.sandbox.gallery import Gallery
from bot.demo.sandbox.hand import Hand, Paint
from bot.demo.sandbox.records import Received, Records
from bot.demo.sandbox.service import Service, Terms
from bot.demo.sandbox.spoil import spoil
from bot.demo.sandbox.switches import add_switches
from bot.demo.sandbox.wire import send, whole

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Awaitable, Callable, Mapping
    from types import TracebackType

    from bot.demo.faults import Fault
    from bot.demo.sandbox.wire import Sleep

    Work = Callable[[str], Awaitable[Answer]]
    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_HOST = "127.0.0.1"
_SWITCHES = "/sandbox/"
#: Four references of some megabytes each, as base64.
_BODY_MAX = 96 * 1024 * 1024
#: How long a stop waits for what is under way before it breaks off.
_STOP_S = 0.1


class Painter:
    """The server and its life: `async with Painter() as painter`.

    Attributes:
        faults: what goes wrong next.
        records: every count and the newest requests.
        terms: key, pace and limits; they may be changed while it runs.
    """

    def __init__(
        self,
        *,
        api_key: str | None = "sandbox",
        port: int = 0,
        pace: float = 0.0,
        bears: int | None = None,
        seed: int | None = None,
        pacing: bool = True,
        retry_after: float | None = None,
        data_uris: bool = True,
        url_life: float = 3600.0,
        reuse: bool = False,
        sleep: Sleep = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        paint: Paint = canvas.paint,
    ) -> None:
        """Nothing is bound yet.

        Args:
            api_key: the one key that is let in; None lets everybody in.
            port: 0 picks a free one.
            pace: seconds that a call takes.
            bears: calls at once before 429; None bears any number.
            seed: makes the ids, and the seeds of requests without one, repeatable.
            pacing: whether a resend right after a 400 meets a 429.
            retry_after: the header of a 429 for too many calls at once; None sends none.
            data_uris: whether references may be data URIs; else they are refused with a 400.
            url_life: seconds until the link of a finished picture answers 403.
            reuse: paint once for each size and give that out again: for load tests.
            sleep: how `pace`, and the faults that are slow, pass their time.
            clock: seconds; for `pacing` and `url_life`.
            paint: makes a picture; anything cheaper than landscapes will do for load tests.
        """
        self.terms = Terms(api_key, pace, bears, pacing, retry_after)
        self.faults = Faults()
        self.records = Records()
        self._port = port
        self._sleep = sleep
        self._hand = Hand(paint, reuse=reuse, data_uris=data_uris)
        self._service = Service(
            self.terms,
            self.records,
            Gallery(url_life, clock),
            self._hand,
            rng=Random(seed),  # noqa: S311 - guards nothing
            sleep=sleep,
            clock=clock,
        )
        self._runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=_STOP_S)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, _HOST, self._port).start()
        self._port = cast("int", self._runner.addresses[0][1])
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()
        await self._hand.close()

    @property
    def url(self) -> str:
        """The root, without `/v1`."""
        return f"http://{_HOST}:{self._port}"

    @property
    def requests(self) -> deque[Received]:
        """Generation requests, oldest first, whatever became of them."""
        return self.records.requests

    @property
    def renders(self) -> int:
        """Calls that were worked on and would have been paid for, answered or not."""
        return self.records.renders

    @property
    def pictures(self) -> int:
        """The pictures of those calls."""
        return self.records.pictures

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=_BODY_MAX, middlewares=[self._gate])
        app.router.add_post("/v1/images/generations", self._on_generation)
        app.router.add_get("/v1/models", self._on_models)
        for path in ("/v1/whoami", "/v3/whoami"):
            app.router.add_get(path, self._on_whoami)
        app.router.add_get("/shrt/{name}", self._on_short)
        app.router.add_get("/cdn/{name}.jpg", self._on_cdn)
        add_switches(app, self.faults, self.records)
        return app

    async def _on_generation(self, request: web.Request) -> web.StreamResponse:
        body = _parsed(await request.read())
        headers = {name.lower(): value for name, value in request.headers.items()}
        received = self.records.receive(body or {}, headers)

        async def work(request_id: str) -> Answer:
            readable = body is not None
            return await self._service.generate(received, request_id, self.url, readable=readable)

        answer, fault = await self._answer(Route.GENERATIONS, work, received.model)
        self._service.close(received, answer, fault)
        return await send(request, answer, fault, self._sleep)

    async def _on_models(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(
            request,
            Route.MODELS,
            lambda: self._service.models(request.headers.get("authorization")),
        )

    async def _on_whoami(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(
            request,
            Route.WHOAMI,
            lambda: self._service.whoami(request.headers.get("authorization")),
        )

    async def _on_short(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        return await self._serve(request, Route.SHORT, lambda: self._service.short(name, self.url))

    async def _on_cdn(self, request: web.Request) -> web.StreamResponse:
        name, agent = request.match_info["name"], request.headers.get("user-agent", "")
        return await self._serve(request, Route.CDN, lambda: self._service.picture(name, agent))

    async def _serve(
        self, request: web.Request, route: Route, content: Callable[[], Answer]
    ) -> web.StreamResponse:
        async def work(_: str) -> Answer:
            return content()

        answer, fault = await self._answer(route, work)
        return await send(request, answer, fault, self._sleep)

    async def _answer(
        self, route: Route, work: Work, model: str = ""
    ) -> tuple[Answer, Fault | None]:
        """The answer, and the fault that decides how it is sent."""
        fault = self.faults.take(route, model)
        request_id = self._service.new_id()
        answer = None if fault is None else fault.instead(model, request_id)
        if answer is None:
            try:
                answer = await work(request_id)
            except Refused as refused:
                answer = refused.error.answer(request_id)
            if fault is not None:
                answer = await self._hand.run(spoil, answer, fault)
        return answers.with_headers(answer, x_request_id=request_id), fault

    @web.middleware
    async def _gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """What stands before the service: a wall against odd clients, and errors in its shape."""
        agent = request.headers.get("user-agent", "")
        if agent.startswith("Python-urllib") and not request.path.startswith(_SWITCHES):
            return whole(Answer(403, b"error code: 1010", "text/plain"))
        try:
            return await handler(request)
        except web.HTTPClientError as error:
            request_id = self._service.new_id()
            answer = Error(error.status, error.reason).answer(request_id)
            return whole(answers.with_headers(answer, x_request_id=request_id))


def _parsed(raw: bytes) -> Mapping[str, object] | None:
    """None when the body is no JSON object."""
    try:
        content: object = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, object]", content) if isinstance(content, dict) else None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bot.demo.painter", description=__doc__)
    parser.add_argument("--port", type=int, default=8086, help="0 picks a free one")
    parser.add_argument("--pace", type=float, default=0.5, help="seconds that one call takes")
    parser.add_argument("--bears", type=int, help="calls at once before 429")
    parser.add_argument("--api-key", default="sandbox", help="empty lets everybody in")
    parser.add_argument("--seed", type=int, help="repeatable ids, seeds and trouble")
    parser.add_argument(
        "--trouble", type=float, default=0.0, help="share of calls that fail, from 0 to 1"
    )
    parser.add_argument("--no-pacing", dest="pacing", action="store_false")
    parser.add_argument("--reuse", action="store_true", help="one picture a size, for load tests")
    return parser.parse_args()


async def _run(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with Painter(
        api_key=arguments.api_key or None,
        port=arguments.port,
        pace=arguments.pace,
        bears=arguments.bears,
        seed=arguments.seed,
        pacing=arguments.pacing,
        reuse=arguments.reuse,
    ) as painter:
        painter.faults.at_random(arguments.trouble, Random(arguments.seed))  # noqa: S311 - a sandbox
        print(f"The sandbox painter listens on {painter.url}", flush=True)  # noqa: T201 - its say
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(_run(_arguments()))
