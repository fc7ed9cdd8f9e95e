"""`make demo`: the whole bot, a simulated Discord in the browser, and a painter without keys."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TextIO

import simcord

from bot import logs, settings
from bot.app import open_easel
from bot.demo import gaps
from bot.demo.painter import Painter
from bot.demo.tour import Tour, TourFailed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

_PORT = 8765
_OUTPUT = Path("demo-output")
#: How long a step may take; with the sandbox, less than an idle connection to it lives, which
#: would look like work to wait for.
_SANDBOX_S, _REAL_API_S = 3.5, 120.0
#: There is no other process that could take over; and its rounds would look like work, too.
_LEASE_S = 60 * 60.0
#: There are no limits here to keep to.
_EDIT_EVERY_S = 0.02


async def demo(*, once: bool, port: int | None) -> int:
    """Plays the tour, then serves the page until it is interrupted; the exit code."""
    async with _stage() as tour:
        try:
            await tour.play()
            if once:
                count = await tour.write(_OUTPUT)
                _say(f"The tour left {count} pictures and transcript.md in {_OUTPUT}/.")
                return 0
        except TourFailed as failure:
            _say(f"The tour went wrong: {failure}", file=sys.stderr)
            return 1
        await _serve(tour, port)
    return 0


@asynccontextmanager
async def _stage() -> AsyncGenerator[Tour]:
    """A server with one channel and three people, the bot in it, nothing kept afterwards."""
    gaps.fill()
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="easel-demo-"))
        chosen = await _settings(stack, folder)
        logs.configure("WARNING", "console", chosen.secrets)
        real = "TOGETHER_API_KEY" in os.environ
        client = await stack.enter_async_context(
            open_easel(chosen, lease_s=_LEASE_S, edit_every_s=_EDIT_EVERY_S)
        )
        env = await stack.enter_async_context(
            simcord.run(client, shard_count=1, settle_timeout=_REAL_API_S if real else _SANDBOX_S)
        )
        if client.user is not None:
            await client.user.edit(username="Easel")
        guild = env.create_guild("The Easel demo")
        ann, bob, cleo = (guild.add_member(env.create_user(n)) for n in ("ann", "bob", "cleo"))
        yield Tour(env, guild.create_text_channel("studio"), ann, bob, cleo)


async def _settings(stack: AsyncExitStack, folder: str) -> settings.Settings:
    environ = dict(os.environ) | {
        "DISCORD_TOKEN": "of-a-simulated-Discord",
        "DATABASE_URL": f"sqlite+aiosqlite:///{folder}/easel.db",
        "ARCHIVE_URL": f"{folder}/pictures",
        "SHARD_COUNT": "1",
    }
    if not environ.get("TOGETHER_API_KEY"):
        painter = await stack.enter_async_context(Painter(api_key="sandbox"))
        environ |= {"TOGETHER_API_KEY": "sandbox", "TOGETHER_BASE_URL": painter.url}
    return settings.load(environ, env_file=None)


async def _serve(tour: Tour, port: int | None) -> None:
    async with AsyncExitStack() as stack:
        people = [tour.ann, tour.bob, tour.cleo]
        for wanted in (_PORT if port is None else port or None, None):
            page = tour.env.preview(
                tour.channel,
                viewers=people,
                layout="channel",
                # The bot lives today, and the simulated Discord on New Year's Day of 2026.
                presentation_time=datetime.now(UTC),
                port=wanted,
            )
            try:
                await stack.enter_async_context(page)
            except simcord.SetupError:
                if wanted is None:
                    raise
                continue  # the port is taken: any free one will do
            _say(
                "Type /imagine into the page, press the buttons, and change who you are at the "
                "top.\nCtrl+C ends it, and nothing is kept.\n\n"
                f"    Easel's demo is at {page.url}\n"
            )
            await asyncio.Event().wait()


def _say(text: str, file: TextIO | None = None) -> None:
    print(text, file=file or sys.stdout, flush=True)
