"""The bot on Discord: its intents, its commands, its buttons."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import aiohttp
import discord
import structlog
from discord.ext import commands

from bot import restarts
from bot.answers import answers
from bot.delivery import DiscordDelivery, DiscordPresenter
from bot.imaging.turns import Turns
from bot.tree import Tree, sync_if_changed
from bot.views import FORMS, PAGES, PERSISTENT
from bot.views.confirm import Questions
from bot.views.forms import take_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.store.database import Database
    from bot.studio.life import Delivery
    from bot.studio.referee import Presenter
    from bot.studio.studio import Studio
    from bot.views.base import Interaction

log = structlog.get_logger()

# Voice is none of a painter's business; discord.py would warn that it cannot speak.
discord.VoiceClient.warn_nacl = False
discord.VoiceClient.warn_dave = False

_COGS = (
    "cogs.imagine",
    "cogs.edit",
    "cogs.menus",
    "cogs.history",
    "cogs.limits",
    "cogs.queue",
    "cogs.replies",
    "cogs.settings",
    "cogs.vote",
)
#: discord.py would sleep for as long as a 429 says, 15 minutes and more.
_RATE_LIMIT_WAIT_MAX_S = 60.0
#: Without a bound, hundreds of commands at once would shake as many hands with Discord.
_CONNECTIONS_MAX = 64
_DRAWN_AT_ONCE = 2
#: Files of 25 MB each, and for how long one that comes slowly holds the others up.
_READ_AT_ONCE, _PATIENCE_S = 2, 15.0


class Easel(commands.AutoShardedBot):
    """No prefix commands, and no privileged intent but the one that an operator may want."""

    def __init__(
        self,
        studio: Studio,
        database: Database,
        begin_work: Callable[[Delivery, Presenter], None],
        *,
        shard_count: int | None = None,
        message_content: bool = False,
    ) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=Tree,
            intents=discord.Intents(
                guilds=True,
                guild_messages=True,
                dm_messages=True,
                message_content=message_content,
            ),
            # What people say is kept nowhere.
            max_messages=None,
            # Nothing that people type may ping anybody.
            allowed_mentions=discord.AllowedMentions.none(),
            max_ratelimit_timeout=_RATE_LIMIT_WAIT_MAX_S,
            shard_count=shard_count,
            connector=aiohttp.TCPConnector(limit=_CONNECTIONS_MAX),
            http_trace=answers(),
        )
        self.studio = studio
        self.pages = PAGES
        self.questions = Questions()
        # A tree holds dozens of pictures while it is drawn.
        self.drawings = asyncio.Semaphore(_DRAWN_AT_ONCE)
        # What strangers' files say of themselves is read here, each as a whole.
        self.readings = Turns(_READ_AT_ONCE, patience_s=_PATIENCE_S)
        self._database = database
        self._begin_work = begin_work

    async def setup_hook(self) -> None:
        await self._wait_to_start()
        self.add_dynamic_items(*PERSISTENT)
        for cog in _COGS:
            await self.load_extension(cog)
        await sync_if_changed(self.tree, self._database)
        delivery = DiscordDelivery(self)
        self._begin_work(delivery, DiscordPresenter(self, delivery))

    async def _wait_to_start(self) -> None:
        """Where the connections that Discord takes a day would not suffice."""
        recommended, _, day = await self.http.get_bot_gateway()
        # discord.py would ask only after this, and start as many as nobody has counted.
        self.shard_count = shards = self.shard_count or recommended
        wait = await self._database.write(restarts.begin, shards, time.time())
        if day["remaining"] < shards:
            wait = max(wait, day["reset_after"] / 1000)
        if wait:
            log.warning("discord.start_put_off", seconds=round(wait))
            await asyncio.sleep(wait)

    async def on_interaction(self, interaction: Interaction) -> None:
        await take_in(interaction, FORMS)

    async def on_message(self, message: discord.Message, /) -> None:
        """Not discord.py's, which would look for a prefix command: `cogs/replies.py` listens."""
