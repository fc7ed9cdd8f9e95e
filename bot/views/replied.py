"""What a reply is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import discord

from bot.views.messages import find_message, gone
from bot.views.pictures_in import pictures_in

if TYPE_CHECKING:
    from bot.views.pictures_in import Found
    from bot.views.spoken import Words


@dataclass(frozen=True, slots=True)
class About:
    """What somebody wants, as far as it can be known.

    Attributes:
        words: what was written.
        shown: the message that was meant; None where nothing was replied to.
        pictures: in that one.
        asked: the messages that have the words, and bring pictures along; the oldest first.
    """

    words: Words
    shown: discord.Message | None
    pictures: list[Found]
    asked: tuple[discord.Message, ...]


async def look_up(message: discord.Message, words: Words, me: discord.abc.User) -> About:
    """Goes from a reply to the picture.

    Raises:
        Refusal: one of the messages is gone, or cannot be had.
    """
    shown = await _replied_to(message)
    return About(words, shown, pictures_in(shown, me) if shown else [], (message,))


async def _replied_to(message: discord.Message) -> discord.Message | None:
    reference = message.reference
    if message.type is not discord.MessageType.reply or not reference or not reference.message_id:
        return None
    match reference.resolved:
        case discord.Message() as shown:
            return shown
        case discord.DeletedReferencedMessage():
            raise gone()
        case None:
            return await find_message(message.channel, reference.message_id)
