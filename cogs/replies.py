"""A reply to a picture edits it: its words are the instruction, its files further pictures."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass

import discord
import structlog
from discord.ext import commands

from bot.client import Easel
from bot.errors import BadRequest
from bot.studio.intake import asks_first
from bot.studio.order import Order
from bot.views.choosing import ask_which
from bot.views.messages import answer_error, find_message, gone, may_post, place_of, say, seem_busy
from bot.views.pictures_in import (
    Attached,
    Found,
    attached,
    bring,
    pictures_for,
    pictures_in,
)
from bot.views.wording import plural

log = structlog.get_logger()

_KINDS = frozenset({discord.MessageType.default, discord.MessageType.reply})
_NUMBER = re.compile(r"\s*#([1-9]\d?)(?!\w):?")
#: What people answer a picture with that want no other one: GIFs, and emoji of servers.
_NO_WORDS = re.compile(r"<?https?://\S+>?|<a?:\w+:\d+>")
_HINT = (
    "Write what to change, such as `make it night`. Where a message has several pictures, "
    "`#2 make it night` takes the second one."
)
_NO_PICTURE = (
    "I can't find a picture in that message. Reply to one that has a picture, or attach it to "
    "your reply."
)
_COMBINATIONS = (
    "Words in braces stand for several pictures, and I'd tell you their price before. For that, "
    "ask by `Edit…` under the picture or by `/edit`; here, leave the braces out."
)
# https://discord.com/developers/docs/events/gateway#message-content-intent
_HIDDEN = (
    "Discord doesn't show me that message, so I can't see a picture in it. Open its menu → "
    "*Apps* → *Edit this picture*, or attach the picture to your reply."
)


@dataclass(frozen=True, slots=True)
class _Words:
    """What somebody wrote.

    Attributes:
        text: the instruction alone; empty where there are no letters.
        number: of the picture that it is about, from 1.
        called: the bot was named, and not only replied to.
    """

    text: str
    number: int | None
    called: bool

    @classmethod
    def read(cls, content: str, bot_id: int) -> _Words:
        text, calls = re.subn(rf"<@!?{bot_id}>", " ", content)
        number = _NUMBER.match(text)
        if number:
            text = text[number.end() :]
        if not any(sign.isalnum() for sign in _NO_WORDS.sub("", text)):
            text = ""
        return cls(text.strip(), int(number[1]) if number else None, called=calls > 0)


class Replies(commands.Cog):
    def __init__(self, client: Easel) -> None:
        self._client = client
        self._intake = client.studio.intake

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        me = self._client.user
        if me is None or not _concerns(message, me):
            return
        try:
            await self._hear(message, _Words.read(message.content, me.id))
        except Exception as error:  # noqa: BLE001 - the edge: discord.py would tell nobody
            await answer_error(message, error)

    async def _hear(self, message: discord.Message, words: _Words) -> None:
        # Without any, Discord withholds them, or it is no request.
        if not (words.text or words.called or words.number):
            return
        if not may_post(message):
            log.info("message.no_place", message=message.id, channel=message.channel.id)
            return
        shown = await _replied_to(message)
        viewer = place_of(message, self._client).viewer
        pictures = await pictures_for(viewer, shown, self._client) if shown else []
        if shown is not None and pictures:
            await self._edit(message, words, shown, pictures)
        elif brought := _brought_along(message, self._client.user):
            number = words.number
            await self._paint(message, words, [_at(brought, number)] if number else brought)
        elif shown is not None and words.called and words.text:
            await say(message, _HIDDEN if self._is_hidden(shown) else _NO_PICTURE)

    async def _edit(
        self, message: discord.Message, words: _Words, shown: discord.Message, pictures: list[Found]
    ) -> None:
        if len(pictures) > 1 and words.text and words.number is None:
            await ask_which(message, _order(words), shown, len(pictures), self._intake)
            return
        chosen = _at(pictures, words.number or 1)
        await self._paint(message, words, [chosen, *attached(*message.attachments)])

    async def _paint(self, message: discord.Message, words: _Words, found: Sequence[Found]) -> None:
        if not words.text:
            await say(message, _HINT)
            return
        order = _order(words)
        place = place_of(message, self._client)
        submitted, _ = await asyncio.gather(
            self._intake.submit(order, place, bring(found)), seem_busy(message)
        )
        if submitted.fresh:
            self._intake.begin(submitted.generation)

    def _is_hidden(self, shown: discord.Message) -> bool:
        """Whether Discord withholds what is in it, as far as that can be known."""
        told = (shown.content, shown.attachments, shown.embeds, shown.components, shown.stickers)
        theirs = shown.author != self._client.user and shown.guild is not None
        return theirs and not any(told) and not self._client.intents.message_content


def _concerns(message: discord.Message, me: discord.abc.User) -> bool:
    """Whether somebody speaks to the bot of a picture; nothing is asked or fetched for it."""
    if message.author.bot or message.webhook_id is not None or message.type not in _KINDS:
        return False
    if message.type is not discord.MessageType.reply and not message.attachments:
        return False
    named = any(person.id == me.id for person in message.mentions)
    return named or isinstance(message.channel, discord.DMChannel) or _answers(message, me)


def _answers(message: discord.Message, me: discord.abc.User) -> bool:
    """Whether it is a reply to the bot's answer to a command, which pings nobody.

    https://github.com/discord/discord-api-docs/issues/5395
    """
    answered = message.reference and message.reference.resolved
    return (
        isinstance(answered, discord.Message)
        and answered.author.id == me.id
        and answered.interaction_metadata is not None
    )


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


def _brought_along(message: discord.Message, me: discord.abc.User | None) -> list[Found]:
    return [each for each in pictures_in(message, me) if isinstance(each, Attached)]


def _at(pictures: Sequence[Found], number: int) -> Found:
    if number > len(pictures):
        raise BadRequest(
            f"There is no picture {number}: I count {plural(len(pictures), 'picture')} there."
        )
    return pictures[number - 1]


def _order(words: _Words) -> Order:
    # One, so that the next reply needs no number.
    order = Order(prompt=words.text, count=1)
    if asks_first(order):
        raise BadRequest(_COMBINATIONS)
    return order


async def setup(bot: Easel) -> None:
    await bot.add_cog(Replies(bot))
