"""Canaries are planted in whatever gets logged; none may come out, and the rest must."""

from __future__ import annotations

import asyncio
import base64
import gc
import io
import json
import logging
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import aiosqlite
import discord
import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestServer
from discord.http import HTTPClient, Route
from discord.webhook.async_ import async_context, interaction_message_response_params
from multidict import CIMultiDict
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.logs import REDACTED, configure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent

# Given to `configure`.
BOT_TOKEN = "MTE5ODY4NzU0MzIxOTg3NjU0Mw.GcAnRy.b0t-Tok3n_canary-b0t-Tok3n_canary"
API_KEY = "api/key+canary&with=every%kind'of\"sign\\é~42"
# Unknown to `configure`: to be found by form or place alone.
INTERACTION_TOKEN = base64.urlsafe_b64encode(
    b"interaction:1198687543219876543:" + b"l1veInteracti0nCanary" * 6
).decode()
WEBHOOK_TOKEN = "w3bhook-Can4ry_" * 4 + "w3bhook8"
CANARIES = (BOT_TOKEN, API_KEY, INTERACTION_TOKEN, WEBHOOK_TOKEN)
#: Every run of 12 characters; tests/test_redaction.py looks for encodings.
PIECES = {canary[at : at + 12] for canary in CANARIES for at in range(len(canary) - 11)}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@dataclass
class Log:
    stream: io.StringIO
    form: str

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def entries(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def check(self, *remains: str) -> None:
        found = sorted(piece for piece in PIECES if piece in self.text)
        assert not found, f"secrets came through, such as {found[0]}:\n{self.text}"
        for part in remains:
            assert part in self.text, f"{part!r} is gone from the log:\n{self.text}"
        if self.form == "json":
            assert self.entries


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root, shown = logging.getLogger(), structlog.get_config()
    hooks = sys.excepthook, threading.excepthook
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    sys.excepthook, threading.excepthook = hooks
    logging.captureWarnings(capture=False)
    structlog.configure(**shown)


KINDS = ["console", "json", "terminal"]


def open_log(kind: str) -> Log:
    stream = Terminal() if kind == "terminal" else io.StringIO()
    form = "json" if kind == "json" else "console"
    configure("DEBUG", form, [BOT_TOKEN, API_KEY], stream)
    return Log(stream, form)


@pytest.fixture(params=KINDS)
def log(request: pytest.FixtureRequest) -> Log:
    return open_log(request.param)


@dataclass
class Answer:
    token: str
    key: str = API_KEY


def log_exception(ours: structlog.stdlib.BoundLogger, theirs: logging.Logger) -> None:
    for canary in CANARIES[:3]:
        cause = KeyError({"headers": {"Authorization": f"Bot {canary}"}})
        try:
            raise RuntimeError(canary) from cause  # noqa: TRY301 - its traceback is the subject
        except RuntimeError:
            ours.exception("before failed after")
            theirs.exception("before failed after")


HEADERS = {"Authorization": f"Bot {WEBHOOK_TOKEN}", "X-Other": "after"}
PAYLOAD = {
    "t": "INTERACTION_CREATE",
    "d": {"token": INTERACTION_TOKEN, "before": "x", "id": "5", "name": "after"},
    "hooks": [{"id": "1", "token": WEBHOOK_TOKEN, "api_key": API_KEY, "password": WEBHOOK_TOKEN}],
}
CARRIERS: dict[str, Callable[[structlog.stdlib.BoundLogger, logging.Logger], object]] = {
    "event": lambda ours, _: [ours.info(f"before {c} after") for c in CANARIES[:3]],
    "value": lambda ours, _: ours.info("before", a=CANARIES[:3], b="after"),
    "named value": lambda ours, _: ours.info("before", token=WEBHOOK_TOKEN, z="after"),
    "positional": lambda ours, _: ours.warning("before %s after", BOT_TOKEN),
    "library": lambda _, theirs: theirs.debug("before %s %r after", API_KEY, BOT_TOKEN),
    "object": lambda ours, _: ours.info("before", answer=Answer(WEBHOOK_TOKEN), z="after"),
    "object text": lambda _, theirs: theirs.info("before %r after", Answer(WEBHOOK_TOKEN)),
    "payload": lambda _, theirs: theirs.debug("before %s", PAYLOAD),
    "payload value": lambda ours, _: ours.debug("before", payload=PAYLOAD),
    "JSON": lambda _, theirs: theirs.debug("before %s", json.dumps(PAYLOAD)),
    "repr of JSON": lambda ours, _: ours.debug("before", data=repr(json.dumps(PAYLOAD))),
    "headers": lambda _, theirs: theirs.debug("before %s", HEADERS),
    "multidict": lambda _, theirs: theirs.debug("before %s", CIMultiDict(HEADERS)),
    "exception": log_exception,
}


@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS)
def test_no_canary_comes_out(carrier, log: Log) -> None:
    carrier(structlog.stdlib.get_logger("ours"), logging.getLogger("theirs"))
    log.check("before", "after", REDACTED)


@asynccontextmanager
async def fake_discord(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[str | None]]:
    """Repeats what it is told, 429 the first time; collects what came as Authorization."""
    seen: list[str | None] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        status, body = 200, {"id": "5", "username": "after", "token": WEBHOOK_TOKEN}
        if "missing" in request.path:
            status, body = 404, {"code": 10015, "path": request.path}
        elif "limited" in request.path and len(seen) < 3:
            status, body = 429, {"retry_after": 0.01, "global": False}
        # discord.py reads JSON only from exactly this type, and obeys a 429 only with a Via.
        headers = {"Content-Type": "application/json", "X-Ratelimit-Bucket": "b", "Via": "1"}
        return web.Response(body=json.dumps(body).encode(), status=status, headers=headers)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        monkeypatch.setattr(Route, "BASE", str(server.make_url("")).rstrip("/"))
        yield seen


async def test_discord_py_at_debug(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = {"webhook_id": 1198687543219876543, "webhook_token": WEBHOOK_TOKEN}
    async with fake_discord(monkeypatch) as seen:
        http = HTTPClient(asyncio.get_running_loop())
        try:
            await http.static_login(BOT_TOKEN)
            path = "/webhooks/{webhook_id}/{webhook_token}"
            await http.request(Route("GET", f"{path}/limited", **hook))
            with pytest.raises(discord.NotFound) as missing:
                await http.request(Route("GET", f"{path}/missing", **hook))
            structlog.get_logger().error("gave up", exc_info=missing.value)
        finally:
            await http.close()
    assert seen[0] == f"Bot {BOT_TOKEN}", "the server was not asked with the token"
    log.check("GET", "/webhooks/1198687543219876543/", "has received", "after", "major parameters")


async def test_a_webhook_and_an_interaction_at_debug(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fake_discord(monkeypatch), aiohttp.ClientSession() as session:
        hook = discord.Webhook.partial(1198687543219876543, WEBHOOK_TOKEN, session=session)
        await hook.delete_message(42)
        answer = discord.Webhook.partial(1198687543219876543, INTERACTION_TOKEN, session=session)
        await answer.delete_message(42)
        await async_context.get().create_interaction_response(
            1198687543219876543,
            INTERACTION_TOKEN,
            session=session,
            params=interaction_message_response_params(type=4, content="hello"),
        )
    log.check("DELETE", "/messages/42", "/interactions/1198687543219876543/", "200")


async def test_aiohttp_with_an_authorization_header(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fake_discord(monkeypatch), aiohttp.ClientSession() as session:
        for key in (WEBHOOK_TOKEN, BOT_TOKEN):
            link = f"{Route.BASE}/missing?key={key if key == BOT_TOKEN else 'x'}"
            headers = {"Authorization": f"Bearer {key}"}
            with pytest.raises(aiohttp.ClientResponseError) as refused:
                await session.get(link, headers=headers, raise_for_status=True)
            structlog.get_logger().error("no models", error=refused.value, exc_info=refused.value)
            logging.getLogger("theirs").error("%r", refused.value)
    log.check("no models", "404", "127.0.0.1")


async def test_what_asyncio_reports(log: Log) -> None:
    loop = asyncio.get_running_loop()

    async def fail() -> None:
        raise ValueError(f"before {BOT_TOKEN} after")

    forgotten = loop.create_task(fail(), name=f"to {API_KEY}")
    await asyncio.sleep(0)
    del forgotten
    gc.collect()
    loop.set_debug(True)
    loop.slow_callback_duration = 0.0
    await loop.create_task(asyncio.sleep(0), name=f"slow {BOT_TOKEN}")
    await asyncio.sleep(0)
    loop.set_debug(False)
    log.check("Task exception was never retrieved", "before", "after", "Executing", "took")


async def test_databases_keep_parameters_to_themselves(log: Log) -> None:
    said = "a prompt that nobody else may read"
    async with aiosqlite.connect(":memory:") as connection:
        await connection.execute("SELECT ?", (said,))
    engine = create_async_engine("sqlite+aiosqlite:///:memory:")
    async with engine.connect() as connection:
        await connection.execute(text("SELECT :said"), {"said": said})
    await engine.dispose()
    structlog.get_logger().info("done")
    log.check("done")
    assert said not in log.text


def test_the_last_words_of_a_process() -> None:
    script = (
        "import sys, threading, warnings; from bot.logs import configure\n"
        "secret = sys.stdin.read()\n"
        "configure('INFO', 'json', [secret])\n"
        "warnings.warn(f'careful with {secret}')\n"
        "thread = threading.Thread(target=lambda: int(f'thread {secret}'))\n"
        "thread.start(); thread.join()\n"
        "raise RuntimeError(f'died of {secret}')\n"
    )
    command = [sys.executable, "-c", script]
    ran = subprocess.run(
        command, input=BOT_TOKEN, capture_output=True, text=True, cwd=ROOT, check=False
    )
    log = Log(io.StringIO(ran.stderr), "json")
    log.check("careful with", "thread.died", "process.died", "died of", "Traceback")
    assert ran.returncode == 1


class Unspeakable:
    def __repr__(self) -> str:
        raise ValueError(BOT_TOKEN)


# These open their log themselves: pytest's own handlers, which come after the fixtures, raise.


@pytest.mark.parametrize("kind", KINDS)
def test_a_line_that_cannot_be_rendered(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    log = open_log(kind)
    ours, theirs = structlog.stdlib.get_logger("ours"), logging.getLogger("theirs")
    loop: list[object] = []
    loop.append(loop)
    theirs.info("%d pictures", BOT_TOKEN)
    theirs.info("%s", Unspeakable())
    ours.info("%d pictures", BOT_TOKEN)
    ours.info("value", bad=Unspeakable())
    ours.info("keys", bad={(1, 2): BOT_TOKEN, "loop": loop})
    log.check("log.unreadable", "TypeError", "ValueError", "test_logs.py:", "theirs", "ours")
    assert not capfd.readouterr().err, "logging's own report went to stderr"


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_too_deep_to_draw(kind: str) -> None:
    log = open_log(kind)
    deep: object = BOT_TOKEN
    for _ in range(sys.getrecursionlimit() * 2):
        deep = [deep]
    structlog.get_logger().info("deep", value=deep)
    logging.getLogger("theirs").info("%s", deep)
    log.check("RecursionError")


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_that_is_gone(kind: str) -> None:
    log = open_log(kind)
    log.stream.close()
    structlog.get_logger().info("into the void")
    logging.getLogger().info("into the void")


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_characters_that_the_stream_cannot_write(encoding: str) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    configure("INFO", "console", [API_KEY], stream)
    structlog.get_logger().info(f"été \ud83d {API_KEY} after")
    written = raw.getvalue().decode(encoding)
    assert "\\ud83d" in written
    assert "after" in written
    assert "canary" not in written


def test_many_threads_write_whole_lines() -> None:
    stream = io.StringIO()
    configure("INFO", "json", [BOT_TOKEN], stream)
    logger = structlog.get_logger()

    def write(number: int) -> None:
        with structlog.contextvars.bound_contextvars(thread=number):
            for line in range(50):
                logger.info("line", line=line, secret=BOT_TOKEN)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    log = Log(stream, "json")
    log.check()
    seen = sorted((int(str(e["thread"])), int(str(e["line"]))) for e in log.entries)
    assert seen == [(thread, line) for thread in range(8) for line in range(50)]


def test_nothing_typed_can_pass_for_a_line_of_its_own() -> None:
    stream = io.StringIO()
    configure("INFO", "console", [], stream)
    structlog.get_logger().info("prompt\n2026-01-01 00:00:00 [info] forged\r\x1b[2J\u202egone")
    first, second = stream.getvalue().splitlines()
    assert "prompt" in first
    assert second.startswith("    2026-01-01 00:00:00")
    assert r"\u000d\u001b[2J\u202egone" in second


def test_colours_are_for_terminals() -> None:
    plain, terminal = io.StringIO(), Terminal()
    for stream in (plain, terminal):
        configure("INFO", "console", [], stream)
        structlog.get_logger().info("hello")
    assert "\x1b[" in terminal.getvalue()
    assert "\x1b[" not in plain.getvalue()


def test_a_line_carries_its_context_whoever_writes_it() -> None:
    stream = io.StringIO()
    configure("INFO", "json", [], stream)
    with structlog.contextvars.bound_contextvars(generation="g7"):
        structlog.get_logger("ours").info("painted %s", "é", seconds=1.5)
        logging.getLogger("discord.http").warning("limited for %.1f s", 2)
    ours, theirs = Log(stream, "json").entries
    assert ours["timestamp"]
    assert "painted é" in stream.getvalue()
    expected = {"event": "painted é", "seconds": 1.5, "level": "info", "logger": "ours"}
    assert expected.items() <= ours.items()
    expected = {"event": "limited for 2.0 s", "level": "warning", "logger": "discord.http"}
    assert expected.items() <= theirs.items()
    assert ours["generation"] == theirs["generation"] == "g7"


def test_the_level_counts_for_all() -> None:
    stream = io.StringIO()
    configure("ERROR", "json", [], stream)
    for name in ("ours", "discord", "sqlalchemy.engine", "aiosqlite"):
        logging.getLogger(name).warning("no")
        logging.getLogger(name).error("yes")
    structlog.get_logger().warning("no")
    assert [entry["event"] for entry in Log(stream, "json").entries] == ["yes"] * 4


def test_the_last_configuration_counts() -> None:
    first, second = io.StringIO(), io.StringIO()
    logger = structlog.get_logger()
    configure("INFO", "json", [], first)
    logger.info("one")
    configure("DEBUG", "console", [BOT_TOKEN], second)
    logger.debug("two", said=BOT_TOKEN)
    assert "two" not in first.getvalue()
    assert second.getvalue().count("two") == 1
