"""`python -m bot` as an operator types it: exit codes, and sentences instead of tracebacks."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sqlite3
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from PIL import Image
from world import KEY, TOKEN

from bot.demo.faults import Fault, Kind, Route
from bot.demo.painter import Painter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOT = Path(__file__).resolve().parent.parent
#: Runs the program against another Discord.
ELSEWHERE = (
    "import runpy, sys, yarl, discord.gateway, discord.http;"
    "address = discord.http.Route.BASE = sys.argv.pop(1);"
    "discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(address) / 'gateway';"
    "runpy.run_module('bot', run_name='__main__', alter_sys=True)"
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it said."""

    code: int | None
    out: str
    err: str

    def check(self, code: int) -> None:
        said = f"{self.out}\n{self.err}"
        assert self.code == code, said
        assert "Traceback" not in said, said
        for secret in (TOKEN, KEY):
            assert secret not in said


async def begin(folder: Path, *arguments: str, **environ: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def end(process: asyncio.subprocess.Process) -> Ended:
    try:
        async with asyncio.timeout(40):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    return Ended(process.returncode, out.decode(), err.decode())


async def run(folder: Path, *arguments: str, **environ: str) -> Ended:
    return await end(await begin(folder, "-m", "bot", *arguments, **environ))


def keys(painter: Painter | None = None) -> dict[str, str]:
    given = {"DISCORD_TOKEN": TOKEN, "TOGETHER_API_KEY": KEY}
    return given | ({"TOGETHER_BASE_URL": painter.url} if painter else {})


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_without_settings_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    ended = await run(
        tmp_path,
        "run",
        CALL_TIMEOUT_SECONDS="1",
        LOG_LEVEL="loud",
        DATABASE_URL="mysql://somewhere",
        TOGETHER_BASE_URL="not an address",
    )
    ended.check(2)
    for name in (
        "DISCORD_TOKEN is missing",
        "TOGETHER_API_KEY is missing",
        "CALL_TIMEOUT_SECONDS must be a whole number, 5 to 850",
        "LOG_LEVEL must be",
        "DATABASE_URL must begin with",
        "TOGETHER_BASE_URL must be a web address",
        "copy .env.example",
    ):
        assert name in ended.err
    assert "6 settings need your attention" in ended.err
    assert names_in(tmp_path) == [], "it left something behind"


async def test_a_key_that_the_api_refuses(tmp_path: Path) -> None:
    wrong = "canary-wrong-key-0123456789"
    async with Painter(api_key=KEY) as painter:
        ended = await run(tmp_path, "run", **keys(painter) | {"TOGETHER_API_KEY": wrong})
    ended.check(2)
    assert "TOGETHER_API_KEY" in ended.err
    assert "put in a valid key and restart" in ended.err
    assert wrong not in ended.err + ended.out


async def test_an_api_that_repeats_the_key(tmp_path: Path) -> None:
    async with Painter(api_key=KEY) as painter:
        painter.faults.next(
            Fault(Kind.UNAUTHORISED, message=f"No such key: {KEY}"), on=Route.WHOAMI
        )
        ended = await run(tmp_path, "run", **keys(painter))
    ended.check(2)
    assert "(the key)" in ended.err


async def test_migrate_makes_the_database(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "down" / "easel.db"
    for _ in range(2):
        ended = await run(tmp_path, "migrate", **keys(), DATABASE_URL=f"sqlite+aiosqlite:///{file}")
        ended.check(0)
    with sqlite3.connect(file) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_schema")}
    database.close()
    assert {"generations", "people", "ledger", "pictures"} <= tables


@pytest.mark.parametrize("command", ["run", "migrate"])
async def test_a_database_that_cannot_be_written(tmp_path: Path, command: str) -> None:
    (tmp_path / "a file").touch()
    async with Painter(api_key=KEY) as painter:
        ended = await run(
            tmp_path,
            command,
            **keys(painter),
            DATABASE_URL=f"sqlite+aiosqlite:///{tmp_path}/a file/easel.db",
        )
    ended.check(1)
    assert "database" in ended.err
    assert "a file" in ended.err


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "easel.db").write_text("this is not what you are looking for" * 100)
    ended = await run(tmp_path, "migrate", **keys(), DATABASE_URL="sqlite+aiosqlite:///easel.db")
    ended.check(1)
    assert "not a database" in ended.err


async def test_an_archive_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    async with Painter(api_key=KEY) as painter:
        ended = await run(tmp_path, "run", **keys(painter), ARCHIVE_URL=f"{tmp_path}/a file/x")
    ended.check(1)
    assert "ARCHIVE_URL" in ended.err


#: Both the bot's user and its application, as far as discord.py looks at them.
PERSON = {"id": "1", "username": "easel", "discriminator": "0", "avatar": None}
ME = {
    **PERSON,
    "name": "Easel",
    "description": "",
    "icon": None,
    "bot_public": True,
    "bot_require_code_grant": False,
    "owner": PERSON,
    "verify_key": "",
}


GATEWAY = {
    "url": "wss://gateway.discord.gg",
    "shards": 1,
    "session_start_limit": {
        "total": 1000,
        "remaining": 1000,
        "reset_after": 0,
        "max_concurrency": 1,
    },
}


@asynccontextmanager
async def discord(status: int) -> AsyncIterator[str]:
    """As much of Discord as a start meets: who am I, what am I, and where is the gateway."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/gateway":
            await asyncio.sleep(30)
        said = [] if request.method == "PUT" else ME if status == 200 else {"message": ""}
        if request.path == "/gateway/bot":
            said = GATEWAY
        # discord.py reads no other content type as JSON, not even with a charset.
        headers = {"content-type": "application/json"}
        return web.Response(body=json.dumps(said).encode(), status=status, headers=headers)

    server = web.Application()
    server.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_a_token_that_discord_refuses(tmp_path: Path) -> None:
    async with Painter(api_key=KEY) as painter, discord(401) as address:
        ended = await end(await begin(tmp_path, "-c", ELSEWHERE, address, "run", **keys(painter)))
    ended.check(2)
    assert "DISCORD_TOKEN is refused by Discord" in ended.err


async def test_discord_out_of_reach(tmp_path: Path) -> None:
    async with Painter(api_key=KEY) as painter:
        async with discord(200) as address:
            pass
        ended = await end(await begin(tmp_path, "-c", ELSEWHERE, address, "run", **keys(painter)))
    ended.check(1)
    assert "Discord can't be reached" in ended.err


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
async def test_asked_to_stop_it_stops(tmp_path: Path, name: str) -> None:
    async with Painter(api_key=KEY) as painter, discord(200) as address:
        process = await begin(tmp_path, "-c", ELSEWHERE, address, "run", **keys(painter))
        assert process.stderr is not None
        seen = b""
        async with asyncio.timeout(20):
            while b"commands.synced" not in seen:
                line = await process.stderr.readline()
                assert line, seen.decode()
                seen += line
        process.send_signal(signal.Signals[name])
        ended = await end(process)
    ended.check(0)
    assert "bot.stopping" in ended.err


async def test_the_demo_plays_its_tour_without_a_key(tmp_path: Path) -> None:
    ended = await run(tmp_path, "demo", "--once")
    ended.check(0)
    output = tmp_path / "demo-output"
    pictures = sorted(output.glob("*.jpg"))
    assert len(pictures) >= 8
    for picture in pictures:
        with Image.open(picture) as image:
            image.load()
    text = (output / "transcript.md").read_text()
    assert text.startswith("# ")
    for part in ("/imagine prompt: a red fox in fresh snow", "> **Easel**", "only they see this"):
        assert part in text
    for file in pictures:
        assert f"]({file.name})" in text, "a picture that the transcript does not show"
    turns = said_and_answered(text)
    [edit] = [answer for said, answer in turns if said.endswith(": #1 make it night")]
    assert ("**bob** replies to the picture: #1 make it night", edit) in turns
    assert "`make it night`" in edit
    assert edit.count("](") == 1, "one is enough where one is corrected"
    [(said, blend)] = [turn for turn in turns if " /blend " in turn[0]]
    assert said.startswith("**cleo** /blend ")
    assert said.count(".jpg") == 2, "it blends two pictures"
    assert blend.count("](") == 4
    assert "<@" not in text
    assert f"{len(pictures)} pictures" in ended.out


def said_and_answered(transcript: str) -> list[tuple[str, str]]:
    """What people did, each with what Easel answered."""
    people = re.split(r"^(?=\*\*\w+\*\* )", transcript, flags=re.MULTILINE)[1:]
    return [(said, answer) for said, _, answer in (turn.partition("\n") for turn in people)]


async def test_a_tour_that_goes_wrong_says_so(tmp_path: Path) -> None:
    async with Painter(api_key=KEY) as painter:
        painter.faults.next(Kind.NO_CREDIT, times=None)
        given = {"TOGETHER_API_KEY": KEY, "TOGETHER_BASE_URL": painter.url}
        ended = await run(tmp_path, "demo", "--once", **given)
    ended.check(1)
    assert "The tour went wrong" in ended.err
    assert "add credit" in ended.err, "whoever pays reads why"
    assert not (tmp_path / "demo-output").exists()
