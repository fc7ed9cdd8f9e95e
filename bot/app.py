"""The composition root: opens every part, hands each to the ones that need it, closes all."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import TYPE_CHECKING
from uuid import uuid4

import aiohttp
import discord
import structlog

from bot.client import Easel
from bot.errors import EaselError, OwnerNeeded, PaintingFailed
from bot.imaging.archive import Archive
from bot.imaging.catalogue import Catalogue
from bot.imaging.links import Links
from bot.imaging.model import Role
from bot.imaging.pacing import Pace
from bot.imaging.references import References
from bot.imaging.together import Together
from bot.settings import SettingsError
from bot.store.database import Database
from bot.studio.alarm import Alarm
from bot.studio.allowance import Limits
from bot.studio.announcer import Announcer
from bot.studio.circuit import Circuit
from bot.studio.gathering import Gatherer
from bot.studio.intake import Intake
from bot.studio.life import Life
from bot.studio.painting import Painter
from bot.studio.recovery import Recovery
from bot.studio.referee import Referee
from bot.studio.scoreboard import EVERY_S, Scoreboard
from bot.studio.shelf import Shelf
from bot.studio.studio import Studio
from bot.studio.votes import Votes
from bot.studio.work import Work

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.settings import Settings
    from bot.studio.life import Delivery
    from bot.studio.referee import Presenter

log = structlog.get_logger()

_DAY_S = 24 * 60 * 60
#: What running generations get to end in when the process is asked to stop.
_GRACE_S = 25.0
#: Renewed three times before it is over; a dead process's work is taken over after it.
_LEASE_S = 60.0
_NOT_GRANTED = (
    "MESSAGE_CONTENT_INTENT is on, but Discord doesn't grant it. Switch it on at "
    "https://discord.com/developers/applications → Bot → Message Content Intent, or take the "
    "setting out."
)
#: What discord.py gives up at; once connected, it mends other breaks by itself.
_NO_CONNECTION = (
    discord.ConnectionClosed,
    discord.DiscordServerError,
    discord.GatewayNotFound,
    aiohttp.ClientError,
    OSError,
)


@asynccontextmanager
async def open_easel(
    settings: Settings, *, lease_s: float = _LEASE_S, edit_every_s: float = EVERY_S
) -> AsyncGenerator[Easel]:
    """The bot with all its parts, not yet connected to Discord."""
    catalogue = await asyncio.to_thread(Catalogue.load, roles=_roles(settings))
    async with (
        Database.open(settings.database_url) as database,
        Archive.open(settings.archive_url) as archive,
        _image_api(settings) as together,
        Links() as links,
    ):
        await archive.check()
        await _check_key(together)
        holder, pace = uuid4().hex, Pace(settings.max_concurrent_calls)
        circuit, references = Circuit(time.monotonic), References()
        shelf = Shelf(archive)
        painter = Painter(catalogue, together, pace, archive, references, shelf=shelf)
        alarm = Alarm(database, every_s=lease_s)
        life = Life(database, painter, circuit, alarm, holder=holder, lease_s=lease_s)
        work = Work(life, pace, circuit, Announcer(), shelf=shelf)
        recovery = Recovery(database, life, work, holder=holder, lease_s=lease_s)
        gatherer, limits = Gatherer(database, archive, references, links), _limits(settings)
        intake = Intake(database, catalogue, gatherer, work, circuit, shelf=shelf, limits=limits)
        referee = Referee(database, intake, alarm, Scoreboard(every_s=edit_every_s))
        votes = Votes(database, intake, referee, limits=limits)
        studio = Studio(database, archive, catalogue, intake, work, votes=votes, limits=limits)

        def begin_work(delivery: Delivery, presenter: Presenter) -> None:
            work.connect(delivery)
            recovery.start(delivery)
            referee.start(presenter)

        # Not closed by hand: discord.py cannot close a client that it never set up.
        async with Easel(
            studio,
            database,
            begin_work,
            shard_count=settings.shard_count,
            message_content=settings.message_content_intent,
        ) as client:
            refreshing = asyncio.create_task(_refresh_daily(catalogue, together))
            try:
                yield client
            finally:
                intake.close()
                refreshing.cancel()
                await referee.close()
                await work.close(_GRACE_S)
                await shelf.close()
                await recovery.close()


async def run(settings: Settings) -> None:
    """The bot on the real Discord, until it is asked to stop.

    It stays connected while running work ends, so that people who ask meanwhile get an answer.

    Raises:
        SettingsError: Discord or the image API refuses its key, or Discord the intent.
        EaselError: there is no connection to Discord, and none can be expected.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows has no such handlers
            loop.add_signal_handler(name, stop.set)
    async with open_easel(settings) as client:
        connection = asyncio.create_task(client.start(settings.discord_token.get_secret_value()))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({connection, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        log.info("bot.stopping")
        if not client.is_ready():
            # discord.py would take its end for a failure to connect, and tell of that at length.
            connection.cancel()
            await asyncio.wait({connection})
    if stop.is_set():
        connection.cancel()
        await asyncio.gather(connection, return_exceptions=True)
        return
    try:
        await connection
    except discord.LoginFailure:
        raise SettingsError(
            ("DISCORD_TOKEN is refused by Discord. Reset it at Bot → Reset Token.",)
        ) from None
    except discord.PrivilegedIntentsRequired:
        raise SettingsError((_NOT_GRANTED,)) from None
    except _NO_CONNECTION as error:
        raise EaselError(
            f"Discord can't be reached ({error}). Is this machine online, and is Discord? "
            "https://discordstatus.com"
        ) from error


async def migrate(settings: Settings) -> None:
    """Brings the database to the newest schema, as every start does."""
    async with Database.open(settings.database_url):
        log.info("database.newest")


def _image_api(settings: Settings) -> AbstractAsyncContextManager[Together]:
    return Together.open(
        base_url=settings.together_base_url,
        api_key=settings.together_api_key,
        timeout=settings.call_timeout_seconds,
    )


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
        raise SettingsError((f"TOGETHER_API_KEY or its address fails: {error.operator}",)) from None
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
