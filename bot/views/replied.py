"""What a reply is about, also where it answers something that the bot itself asked."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import discord

from bot.errors import BadRequest
from bot.views.messages import find_message, gone, place_of
from bot.views.pictures_in import pictures_for, pictures_in
from bot.views.spoken import Words

if TYPE_CHECKING:
    from bot.client import Easel
    from bot.views.pictures_in import Found

#: How what we say begins where more words make an order of it; it may stand behind a name.
_ASKS = re.compile(
    r"(?:<@!?\d+> )?"
    r"(?:Which of the |Write what |(?P<uncounted>There is no picture \d))"
)
#: The same of a question that buttons answer: whatever is said to it is no order.
_OFFERS = re.compile(r"(?:<@!?\d+> )?\*\*\d+ pictures\*\*, ")
#: Questions upon questions that are gone back over.
_BACK_MAX = 5


@dataclass(frozen=True, slots=True)
class About:
    """What somebody wants, as far as it can be known.

    Attributes:
        words: with what they leave to those that a question of ours was about.
        shown: the message that was meant; None where nothing was replied to.
        pictures: in that one.
        asked: the messages that have the words, and bring pictures along; the oldest first.
    """

    words: Words
    shown: discord.Message | None
    pictures: list[Found]
    asked: tuple[discord.Message, ...]


async def look_up(
    message: discord.Message, words: Words, me: discord.abc.User, client: Easel
) -> About:
    """Goes from an answer to the question, and from there to the picture.

    Raises:
        Refusal: one of the messages is gone, or cannot be had; or it answers buttons.
    """
    asked, shown = [message], await _replied_to(message)
    for _ in range(_BACK_MAX):
        if shown is None or shown.author != me or pictures_in(shown, me):
            break
        if _OFFERS.match(shown.content):
            raise BadRequest(
                "Whoever asked can press a button there. To ask for something else, reply to the "
                "picture itself."
            )
        asks = _ASKS.match(shown.content)
        if asks:
            words = words.as_answer()
        elif not (words.numbers or words.called):
            break
        # Discord hands along what is replied to, and no more.
        before = await _replied_to(shown)
        if before is None:
            break
        if before.author == me:
            shown = before
            continue
        earlier = Words.of(before, me)
        if asks and asks["uncounted"]:
            earlier = replace(earlier, numbers=())
        words = words.after(earlier)
        asked.insert(0, before)
        shown = await _replied_to(before)
    viewer = place_of(message, client).viewer
    pictures = await pictures_for(viewer, shown, client) if shown else []
    return About(words, shown, pictures, tuple(asked))


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
