"""Messages that ask for something, as commands do: where their answer goes, and what is said."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, TypedDict

import aiohttp
import discord
import structlog

from bot.errors import Refusal
from bot.studio.generation import Place
from bot.views.asking import allows_files
from bot.views.base import sentence_for

if TYPE_CHECKING:
    from bot.client import Easel
    from bot.views.base import Layout

log = structlog.get_logger()

#: Nobody waits for the sign that somebody is being listened to.
_TYPING_MAX_S = 2.0
_AWAY = (discord.HTTPException, discord.RateLimited, aiohttp.ClientError, OSError)
#: In direct messages: https://discord.com/developers/docs/reference#uploading-files
_FILE_LIMIT = 10 * 1024 * 1024


def place_of(message: discord.Message, client: Easel) -> Place:
    """Where the answer to this message goes: there, as a reply, and by no other way."""
    guild = message.guild
    return Place(
        interaction_id=message.id,
        person_id=message.author.id,
        server_id=guild.id if guild else None,
        application_id=client.application_id or 0,
        channel_id=message.channel.id,
        interaction_token="",
        token_expires_at=0,
        may_post=may_post(message),
        file_limit=guild.filesize_limit if guild else _FILE_LIMIT,
        reply_to=message.id if _may_refer(message) else None,
    )


def may_post(message: discord.Message) -> bool:
    """Whether the bot may post a message with files of its own there, judged without trying."""
    if isinstance(message.channel, discord.DMChannel):
        return True
    return allows_files(_allowed(message), message.channel)


def _may_refer(message: discord.Message) -> bool:
    # Else Discord refuses the whole message:
    # https://discord.com/developers/docs/resources/message#create-message
    in_direct = isinstance(message.channel, discord.DMChannel)
    return in_direct or _allowed(message).read_message_history


def _allowed(message: discord.Message) -> discord.Permissions:
    """What the bot may do there; nothing in a channel that it does not know."""
    channel, guild = message.channel, message.guild
    unknown = isinstance(channel, discord.PartialMessageable) or (
        isinstance(channel, discord.Thread) and channel.parent is None
    )
    if guild is None or unknown:
        return discord.Permissions.none()
    return channel.permissions_for(guild.me)


async def find_message(channel: discord.abc.Messageable, message_id: int) -> discord.Message:
    """A message that somebody points at.

    Raises:
        Refusal: it is gone, or cannot be had.
    """
    try:
        return await channel.fetch_message(message_id)
    except discord.NotFound as error:
        raise gone() from error
    except discord.Forbidden as error:
        raise Refusal(
            "I may not read what was written here earlier, so I can't look at that message. "
            "Attach the picture to your words instead."
        ) from error
    except _AWAY as error:
        raise Refusal(
            "Discord doesn't show me that message just now. Please try again in a minute.",
            operator=f"a message on Discord: {error!r}",
        ) from error


def gone() -> Refusal:
    return Refusal(
        "That message is gone, and its picture with it. Reply to another one, or upload the "
        "picture."
    )


async def seem_busy(message: discord.Message) -> None:
    """Shows for some seconds that the message was heard; nothing hangs on it."""
    with suppress(*_AWAY):
        async with asyncio.timeout(_TYPING_MAX_S):
            await message.channel.typing()


class _Extras(TypedDict, total=False):
    """What an answer may be sent with besides."""

    reference: discord.Message
    view: Layout


async def say(message: discord.Message, text: str, view: Layout | None = None) -> discord.Message:
    """Answers in words, and pings nobody but the one who asked.

    A repeated event of the same message gets the same answer, once: it is returned again.
    """
    extras = _Extras()
    if view is not None:
        extras["view"] = view
    if _may_refer(message):
        extras["reference"] = message
    else:
        text = f"{message.author.mention} {text}"
    return await message.channel.send(
        text,
        nonce=f"{'no' if view is None else 'ask'}-{message.id}",
        allowed_mentions=discord.AllowedMentions(
            everyone=False, users=[message.author], roles=False, replied_user=True
        ),
        **extras,
    )


def bears(message: discord.Message, custom_id: str) -> bool:
    """Whether a button of it has this id."""
    rows = [row for row in message.components if isinstance(row, discord.ActionRow)]
    return any(getattr(item, "custom_id", "") == custom_id for row in rows for item in row.children)


async def answer_error(message: discord.Message, error: BaseException) -> None:
    """Tells the person what went wrong; what is ours to mend goes to the log."""
    sentence = sentence_for(error, message=message.id)
    try:
        await say(message, sentence)
    except _AWAY as unsaid:
        log.warning("message.unanswered", message=message.id, cause=repr(unsaid))
