"""The bot on Discord: its intents, its commands, its buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord.ext import commands

from bot.delivery import DiscordDelivery
from bot.tree import Tree, sync_if_changed
from bot.views import PERSISTENT

if TYPE_CHECKING:
    from bot.store.database import Database
    from bot.studio.studio import Studio

_COGS = ("cogs.imagine", "cogs.history", "cogs.limits")
#: discord.py would sleep for as long as a 429 says, 15 minutes and more.
_RATE_LIMIT_WAIT_MAX_S = 60.0


class Easel(commands.AutoShardedBot):
    """No privileged intent, and no prefix commands."""

    def __init__(
        self, studio: Studio, database: Database, *, shard_count: int | None = None
    ) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=Tree,
            intents=discord.Intents(guilds=True),
            # Nothing that people type may ping anybody.
            allowed_mentions=discord.AllowedMentions.none(),
            max_ratelimit_timeout=_RATE_LIMIT_WAIT_MAX_S,
            shard_count=shard_count,
        )
        self.studio = studio
        self._database = database

    async def setup_hook(self) -> None:
        self.add_dynamic_items(*PERSISTENT)
        for cog in _COGS:
            await self.load_extension(cog)
        await sync_if_changed(self.tree, self._database)
        self.studio.open(DiscordDelivery(self))
