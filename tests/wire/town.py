"""Everything that is needed to use the bot: this Discord, the painter, and the bot between."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wire.launch import Bot, Child, painter_process, settings_for
from wire.server import Server

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from pathlib import Path

    from wire.asked import Asked
    from wire.members import Role
    from wire.world import Channel, Guild, Person

KEY = "canary-together-key-0123456789"
_OPEN = (None, "waiting", "painting", "painted")
_POLL_S = 0.02


@dataclass(eq=False, slots=True, repr=False)
class Town:
    """One server with many channels, and the bot in it; Discord runs in this very process."""

    discord: Server
    bot: Bot
    painter: Child
    guild: Guild
    folder: Path
    painter_url: str
    _quiet: list[Channel] = field(default_factory=list)

    def channel(self) -> Channel:
        """One in which nothing was said yet."""
        return self._quiet.pop()

    def person(self, name: str) -> Person:
        return self.discord.world.person(name)

    async def role(self, name: str) -> Role:
        """A new one of its server, that the bot is told of."""
        role = self.discord.world.role(self.guild, name)
        told = json.dumps({"guild_id": str(self.guild.id), "role": role.wire()})
        await self.discord.gateway.dispatch("GUILD_ROLE_CREATE", told, guild_id=self.guild.id)
        return role

    def posts(self, channel: Channel) -> list[int]:
        """How each try to post in the channel ended."""
        path = f"/channels/{channel.id}/messages"
        calls = self.discord.calls
        return [call.status for call in calls if (call.method, call.path) == ("POST", path)]

    async def imagine(self, channel: Channel, **options: object) -> Asked:
        """`/imagine` by somebody new, who has all of their allowance."""
        options = {"prompt": "a red fox in fresh snow", "count": 1, **options}
        somebody = self.person("ann")
        return await self.discord.people.slash(channel, somebody, "imagine", **options)

    def state(self, asked: Asked) -> str | None:
        """How far the bot has written down that it came."""
        address = f"file:{self.folder}/easel.db?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as reader:
            sql = "SELECT state FROM generations WHERE interaction_id = ?"
            row = reader.execute(sql, (asked.interaction.id,)).fetchone()
        return row[0] if row else None

    async def ended(self, asked: Asked, within: float = 10.0) -> str | None:
        """The end that a generation came to.

        Raises:
            TimeoutError: it is on its way still, and its allowance reserved.
        """
        await self.until(lambda: self.state(asked) not in _OPEN, "an end", within)
        return self.state(asked)

    async def until(self, reached: Callable[[], bool], what: str, within: float = 10.0) -> None:
        """For what nobody tells: it is looked at again and again."""
        ends = time.monotonic() + within
        while not reached():
            if time.monotonic() > ends:
                raise TimeoutError(f"in {within:g} s there was not {what}\n{self.bot.tail}")
            await asyncio.sleep(_POLL_S)

    def let_leases_end(self) -> None:
        """As if a dead process had been dead for longer."""
        with closing(sqlite3.connect(self.folder / "easel.db", isolation_level=None)) as other:
            other.execute("UPDATE generations SET lease_until = 0 WHERE lease_until IS NOT NULL")
            other.execute("UPDATE generations SET tell_at = 0 WHERE tell_at IS NOT NULL")
            other.execute("UPDATE rounds SET due_at = 0 WHERE due_at IS NOT NULL")

    def second_bot(self) -> Bot:
        """Another process, on the same database, archive and Discord."""
        folder = self.folder / "second"
        folder.mkdir()
        discord, painter = self.discord, self.painter_url
        environ = settings_for(self.folder, token=discord.token, painter=painter, key=KEY)
        return Bot(discord.url, discord.id, folder, environ)

    def secrets(self) -> list[str]:
        """What must be in no log: the token, the key, and every token of an interaction."""
        return [self.discord.token, KEY, *self.discord.world.interactions]

    @contextmanager
    def locked_store(self) -> Generator[None]:
        """Somebody else writes to the database, and takes their time."""
        with closing(sqlite3.connect(self.folder / "easel.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")


@asynccontextmanager
async def open_town(
    folder: Path,
    *,
    pace: float = 0.1,
    bears: int | None = None,
    channels: int = 30,
    trouble: float = 0.0,
    **settings: object,
) -> AsyncGenerator[Town]:
    """Started and ready; `settings` are the bot's."""
    async with (
        painter_process(folder, key=KEY, pace=pace, bears=bears, trouble=trouble) as (
            painter,
            address,
        ),
        Server() as discord,
    ):
        guild = discord.world.guild()
        quiet = [discord.world.channel(guild, f"studio-{n}") for n in range(channels)]
        environ = settings_for(folder, token=discord.token, painter=address, key=KEY, **settings)
        async with Bot(discord.url, discord.id, folder, environ) as bot:
            await bot.wait_ready()
            yield Town(discord, bot, painter, guild, folder, address, quiet)
