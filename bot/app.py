"""The composition root: opens every part, hands each to the ones that need it, closes all."""

from __future__ import annotations

import asyncio
import signal
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import discord
import structlog

from bot.client import Easel
from bot.errors import OwnerNeeded, PaintingFailed
from bot.imaging.archive import Archive
from bot.imaging.catalogue import Catalogue
from bot.imaging.model import Role
from bot.imaging.pacing import Pace
from bot.imaging.together import Together
from bot.settings import SettingsError
from bot.store.database import Database
from bot.studio.allowance import Limits
from bot.studio.life import Life
from bot.studio.painting import Painter
from bot.studio.studio import Studio

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.settings import Settings

log = structlog.get_logger()

_DAY_S = 24 * 60 * 60
#: What running generations get to end in when the process is asked to stop.
_GRACE_S = 25.0
#: Beyond the call itself: waiting for a place, repeats after a 429, writing to the archive.
_LEASE_MARGIN_S = 5 * 60


@asynccontextmanager
async def open_easel(settings: Settings) -> AsyncGenerator[Easel]:
    """The bot with all its parts, not yet connected to Discord."""
    catalogue = await asyncio.to_thread(Catalogue.load, roles=_roles(settings))
    async with (
        Database.open(settings.database_url) as database,
        Archive.open(settings.archive_url) as archive,
        Together.open(
            base_url=settings.together_base_url,
            api_key=settings.together_api_key,
            timeout=settings.call_timeout_seconds,
        ) as together,
    ):
        await archive.check()
        painter = Painter(catalogue, together, Pace(settings.max_concurrent_calls), archive)
        life = Life(database, painter, lease_s=settings.call_timeout_seconds + _LEASE_MARGIN_S)
        studio = Studio(database, archive, catalogue, life, _limits(settings))
        client = Easel(studio, database, shard_count=settings.shard_count)
        await _check_key(together)
        refreshing = asyncio.create_task(_refresh_daily(catalogue, together))
        try:
            yield client
        finally:
            refreshing.cancel()
            await life.close(_GRACE_S)
            await client.close()


async def run(settings: Settings) -> None:
    """The bot on the real Discord, until it is asked to stop.

    Raises:
        SettingsError: Discord or the image API refuses its key.
    """
    async with open_easel(settings) as client:
        connection = asyncio.create_task(client.start(settings.discord_token.get_secret_value()))
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError):  # Windows has no such handlers
                loop.add_signal_handler(name, connection.cancel)
        try:
            await connection
        except discord.LoginFailure:
            raise SettingsError(
                ("DISCORD_TOKEN is refused by Discord. Reset it at Bot → Reset Token.",)
            ) from None
        except asyncio.CancelledError:
            log.info("bot.stopping")


async def migrate(settings: Settings) -> None:
    """Brings the database to the newest schema, as every start does."""
    async with Database.open(settings.database_url):
        log.info("database.newest")


def _roles(settings: Settings) -> dict[Role, str]:
    named = {
        Role.EVERYDAY: settings.default_model,
        Role.DRAFT: settings.draft_model,
        Role.EDIT: settings.edit_model,
    }
    return {role: name for role, name in named.items() if name}


def _limits(settings: Settings) -> Limits:
    return Limits(
        per_day=settings.user_images_per_day,
        per_minute=settings.user_images_per_minute,
        waiting=settings.user_waiting_max,
    )


async def _check_key(together: Together) -> None:
    try:
        account = await together.whoami()
    except OwnerNeeded as error:
        raise SettingsError((f"TOGETHER_API_KEY does not work: {error.operator}",)) from None
    except PaintingFailed as error:
        # Servers of the same shape need not know who asks, and a start needs no API.
        log.warning("api.key_unchecked", cause=error.operator)
    else:
        log.info("api.key_works", organisation=account.organisation, project=account.project)


async def _refresh_daily(catalogue: Catalogue, together: Together) -> None:
    while True:
        try:
            listed = await together.models()
        except PaintingFailed as error:
            log.warning("catalogue.not_refreshed", cause=error.operator)
        else:
            catalogue.refresh(listed)
            log.info("catalogue.refreshed", models=len(listed))
        await asyncio.sleep(_DAY_S)
