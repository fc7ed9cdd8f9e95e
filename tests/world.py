"""A world to act in: the simulated Discord, the sandbox painter, and the whole bot between."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import simcord

from bot import settings
from bot.app import open_easel
from bot.demo import gaps
from bot.demo.painter import Painter
from bot.errors import EaselError
from bot.store.schema import generations, ledger, people

if TYPE_CHECKING:
    import io
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.client import Easel

TOKEN = "canary-discord-token-0123456789"
#: This Discord does not mind, and no test need wait.
EDIT_EVERY_S = 0.02
KEY = "canary-together-key-0123456789"

gaps.fill()


def settings_for(tmp_path: Path, painter_url: str, **changed: object) -> settings.Settings:
    """Settings as a person would write them, with a folder of their own."""
    environ = {
        "DISCORD_TOKEN": TOKEN,
        "TOGETHER_API_KEY": KEY,
        "TOGETHER_BASE_URL": painter_url,
        "DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/easel.db",
        "ARCHIVE_URL": str(tmp_path / "pictures"),
        "SHARD_COUNT": "1",
    }
    environ |= {name.upper(): str(value) for name, value in changed.items()}
    return settings.load(environ, env_file=None)


@dataclass
class World:
    """One server with one channel and two people, and the bot in it."""

    env: simcord.Env
    painter: Painter
    settings: settings.Settings
    house: AsyncExitStack
    client: Easel
    guild: simcord.GuildHandle
    channel: simcord.ChannelHandle
    ann: simcord.MemberActor
    bob: simcord.MemberActor
    tmp_path: Path
    #: Errors that a test provokes, and that nobody needs to be told of.
    provoked: tuple[type[BaseException], ...] = ()

    async def restart(self) -> None:
        """The process ends and another one begins, on the same database and archive."""
        await self.env.settle()
        old, self.house = self.house, AsyncExitStack()
        self.client = await self.house.enter_async_context(
            open_easel(self.settings, edit_every_s=EDIT_EVERY_S)
        )
        await self.env.restart_bot(self.client)
        await old.aclose()

    async def close(self) -> None:
        await self.house.aclose()

    async def imagine(self, who: simcord.MemberActor | None = None, **options: object) -> Any:
        """`/imagine` with a prompt, and the result's message once it is there."""
        options.setdefault("prompt", "a red fox in fresh snow")
        return await (who or self.ann).slash(self.channel, "imagine", **options)

    def results(self) -> list[Any]:
        """Messages with pictures in the channel, oldest first."""
        return [message for message in self.channel.history() if message.attachments]

    async def rows(self, table: Any) -> list[Any]:
        """Everything in a table, as the bot's own store has it."""

        return await self.client._database.read(
            lambda connection: list(connection.execute(table.select()).all())
        )

    async def usage(self, who: simcord.MemberActor) -> Any:
        return next((row for row in await self.rows(people) if row.id == who.id), None)

    async def generations(self) -> list[Any]:
        return await self.rows(generations)

    async def ledger(self) -> list[Any]:
        return await self.rows(ledger)


@asynccontextmanager
async def open_world(tmp_path: Path, **changed: object) -> AsyncIterator[World]:
    async with Painter(api_key=KEY) as painter, AsyncExitStack() as houses:
        chosen = settings_for(tmp_path, painter.url, **changed)
        house = await houses.enter_async_context(AsyncExitStack())
        client = await house.enter_async_context(open_easel(chosen, edit_every_s=EDIT_EVERY_S))
        # Less than an idle connection to the painter lives, which would look like work to wait for.
        env = simcord.Env(client, shard_count=1, settle_timeout=3.5)
        await env.start()
        houses.push_async_callback(env.shutdown)
        guild = env.create_guild("Painters")
        world = World(
            env=env,
            painter=painter,
            settings=chosen,
            house=house,
            client=client,
            guild=guild,
            channel=guild.create_text_channel("studio"),
            ann=guild.add_member(env.create_user("ann")),
            bob=guild.add_member(env.create_user("bob")),
            tmp_path=tmp_path,
        )
        houses.push_async_callback(world.close)
        yield world
    left = unexpected(env.errors, world.provoked)
    assert not left, "the bot raised what nobody was told"


def unexpected(
    errors: list[BaseException], provoked: tuple[type[BaseException], ...] = ()
) -> list[BaseException]:
    """Without refusals, which are answers."""
    causes = [getattr(error, "original", error) for error in errors]
    return [cause for cause in causes if not isinstance(cause, (EaselError, *provoked))]


@dataclass(frozen=True, slots=True)
class Log:
    """Everything that was logged, at DEBUG."""

    stream: io.StringIO

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def states(self) -> list[dict[str, Any]]:
        """The lines that tell which state a generation has entered."""
        return [line for line in self.lines if line["event"] == "generation"]

    def check(self) -> None:
        """No secret has come through: neither ours nor a live interaction's token."""
        for secret in (TOKEN, KEY, "simcord_interaction_"):
            assert secret not in self.text, f"{secret} is in the log:\n{self.text}"
