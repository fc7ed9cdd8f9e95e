"""A reply to a picture edits it: its words are the instruction, its files further pictures."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import discord
import structlog
from discord.ext import commands

from bot.client import Easel
from bot.errors import BadRequest
from bot.studio.intake import asks_first
from bot.studio.order import Order
from bot.views.choosing import ask_which
from bot.views.confirm import ask_under
from bot.views.messages import answer_error, may_post, place_of, say, seem_busy
from bot.views.pictures_in import Attached, Found, attached, bring, pictures_in
from bot.views.replied import About, look_up
from bot.views.spoken import Words
from bot.views.wording import plural

log = structlog.get_logger()

_KINDS = frozenset({discord.MessageType.default, discord.MessageType.reply})
_HINT = (
    "Write what to change, such as `make it night`. Where a message has several pictures, "
    "`#2 make it night` takes the second one."
)
_WHICH = (
    "Which of the {} pictures? Reply with its number before your words, such as `#2 make it night`."
)
_NO_PICTURE = (
    "I can't find a picture in that message. Reply to one that has a picture, or attach it to "
    "your reply."
)
# https://discord.com/developers/docs/events/gateway#message-content-intent
_HIDDEN = (
    "Discord doesn't show me that message, so I can't see a picture in it. Open its menu → "
    "*Apps* → *Edit this picture*, or attach the picture to your reply."
)


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
            await self._hear(message, Words.of(message, me), me)
        except Exception as error:  # noqa: BLE001 - the edge: discord.py would tell nobody
            await answer_error(message, error)

    async def _hear(self, message: discord.Message, words: Words, me: discord.abc.User) -> None:
        # Without any, Discord withholds them, or it is no request.
        if not (words.text or words.called or words.numbers):
            return
        if not may_post(message):
            log.info("message.no_place", message=message.id, channel=message.channel.id)
            return
        about = await look_up(message, words, me, self._client)
        words = about.words
        if about.pictures:
            await self._edit(message, about)
        elif brought := _brought_along(about, me):
            chosen = [_at(brought, number) for number in words.numbers] or brought
            await self._paint(message, replace(words, links=()), chosen)
        elif message.type is discord.MessageType.reply and (
            words.numbers or (words.called and words.text)
        ):
            await say(message, _HIDDEN if self._is_hidden(about.shown) else _NO_PICTURE)

    async def _edit(self, message: discord.Message, about: About) -> None:
        words, pictures = about.words, about.pictures
        if len(pictures) > 1 and words.text and not words.numbers:
            await self._ask_which(message, about)
            return
        chosen = [_at(pictures, number) for number in words.numbers or (1,)]
        files = [file for each in about.asked for file in each.attachments]
        await self._paint(message, words, [*chosen, *attached(*files)])

    async def _ask_which(self, message: discord.Message, about: About) -> None:
        count, order = len(about.pictures), _order(about.words)
        # Those would be forgotten until a button is pressed; and two questions are one too many.
        if any(each.attachments for each in about.asked[:-1]) or asks_first(order):
            raise BadRequest(_WHICH.format(count))
        if about.shown is not None:
            await ask_which(message, order, about.shown, count, self._intake)

    async def _paint(self, message: discord.Message, words: Words, found: Sequence[Found]) -> None:
        if not words.text:
            await say(message, _HINT)
            return
        order = _order(words)
        if asks_first(order):
            await ask_under(message, order, bring(found), self._client)
            return
        place = place_of(message, self._client)
        submitted, _ = await asyncio.gather(
            self._intake.submit(order, place, bring(found)), seem_busy(message)
        )
        if submitted.fresh:
            self._intake.begin(submitted.generation)

    def _is_hidden(self, shown: discord.Message | None) -> bool:
        """Whether Discord withholds what is in it, as far as that can be known."""
        if shown is None:
            return False
        told = (shown.content, shown.attachments, shown.embeds, shown.components, shown.stickers)
        theirs = shown.author != self._client.user and shown.guild is not None
        return theirs and not any(told) and not self._client.intents.message_content


def _concerns(message: discord.Message, me: discord.abc.User) -> bool:
    """Whether somebody speaks to the bot of a picture; nothing is asked or fetched for it."""
    if message.author.bot or message.webhook_id is not None or message.type not in _KINDS:
        return False
    named = any(person.id == me.id for person in message.mentions)
    if not (named or isinstance(message.channel, discord.DMChannel) or _answers(message, me)):
        return False
    is_reply = message.type is discord.MessageType.reply
    return is_reply or bool(message.attachments) or bool(Words.of(message, me).links)


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


def _brought_along(about: About, me: discord.abc.User) -> list[Found]:
    files = [
        each
        for asked in about.asked
        for each in pictures_in(asked, me)
        if isinstance(each, Attached)
    ]
    return [*files, *about.words.links]


def _at(pictures: Sequence[Found], number: int) -> Found:
    if not 1 <= number <= len(pictures):
        raise BadRequest(
            f"There is no picture {number}: I count {plural(len(pictures), 'picture')} there."
        )
    return pictures[number - 1]


def _order(words: Words) -> Order:
    # One, so that the next reply needs no number.
    return Order(prompt=words.prompt, count=1)


async def setup(bot: Easel) -> None:
    await bot.add_cog(Replies(bot))
