"""How a result reaches people: as a message of its own, or as the answer to the command."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import aiohttp
import discord
import stamina
import structlog

from bot.crowd import Crowd
from bot.store.schema import Way
from bot.studio.life import DiscordAway, Undeliverable
from bot.views.base import NOTHING_CAME
from bot.views.buttons import result_buttons
from bot.views.result import caption, files_of
from bot.views.waiting import standing_text, waiting_buttons

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from bot.client import Easel
    from bot.studio.generation import Generation, KeptPicture
    from bot.studio.line import Standing

log = structlog.get_logger()


class _Original(int):
    """The response to the interaction itself, where a message's id is asked for.

    discord.py would quote the `@` of a string, and offers this path on live interactions only:
    https://discord.com/developers/docs/interactions/receiving-and-responding#followup-messages
    """

    def __format__(self, spec: str, /) -> str:
        return "@original"


_ORIGINAL = _Original()
#: To a nonce that is known, of a message that is no more.
_UNKNOWN_MESSAGE = 10008
#: What may pass: Discord's own trouble, its limits, and the way to it.
_AWAY = (discord.HTTPException, discord.RateLimited, aiohttp.ClientError, OSError)
#: Results on their way to Discord at a time.
_AT_ONCE = 6
#: Longer than that, nobody should wait for a crowded channel.
_CROWD_WAIT_MAX_S = 2.0
#: Messages to look through for a result that an earlier try may have posted.
_LOOK_BACK = 200


def _transient(error: Exception) -> bool:
    """discord.py repeats some of these by itself, but neither a 503 nor a reset on Linux."""
    if isinstance(error, discord.HTTPException):
        return error.status >= 500 or error.status == 429  # noqa: PLR2004 - server's side, or busy
    return isinstance(error, aiohttp.ClientError | TimeoutError | OSError)


class DiscordDelivery:
    """See `bot.studio.life.Delivery`."""

    def __init__(self, client: Easel, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock
        self._crowd = Crowd(clock)
        # Files wait on the disk for their turn, and not in memory.
        self._turns = asyncio.Semaphore(_AT_ONCE)

    def way_for(self, generation: Generation) -> Way:
        """A message of its own where that is possible, and soon.

        Discord tells a bot the text of replies to its ordinary messages, and not of those to
        its responses; and no message of its own hangs on a token of 15 minutes. But a channel
        bears few messages at a time, and responses are bound by no such limit.
        """
        place = generation.place
        if generation.order.private or not place.may_post:
            return Way.RESPONSE
        crowded = self._crowd.wait_s(place.channel_id) > _CROWD_WAIT_MAX_S
        if crowded and self._token_lives(generation):
            return Way.RESPONSE
        self._crowd.book(place.channel_id)
        return Way.CHANNEL

    async def deliver(
        self, generation: Generation, pictures: Sequence[KeptPicture], *, tried_before: bool
    ) -> int | None:
        async with self._turns:
            try:
                return await self._deliver(generation, pictures, tried_before=tried_before)
            except (discord.Forbidden, discord.NotFound) as error:
                raise Undeliverable(f"the channel is gone or shut: {error.text}") from error
            except _AWAY as error:
                raise DiscordAway(str(error)) from error

    async def _deliver(
        self, generation: Generation, pictures: Sequence[KeptPicture], *, tried_before: bool
    ) -> int | None:
        if generation.way is Way.CHANNEL:
            try:
                earlier = await self._posted_before(generation) if tried_before else None
                message_id = earlier or await self._post(generation, pictures)
            except (discord.HTTPException, discord.RateLimited) as error:
                if _transient(error) or not self._token_lives(generation):
                    raise
                # Nothing was posted, so the other way cannot post it twice.
                log.warning("delivery.channel_shut", id=generation.id, cause=str(error))
            else:
                await self.remove_waiting(generation)
                return message_id
        return await self._answer(generation, pictures)

    async def _posted_before(self, generation: Generation) -> int | None:
        """The message of an earlier try, whose nonce Discord has forgotten after minutes."""
        # By Discord's own clock: nothing that was made for a command is older than it.
        since = discord.Object(generation.place.interaction_id)
        button = result_buttons(generation.id, ()).children[0]
        try:
            async for message in self._channel(generation).history(after=since, limit=_LOOK_BACK):
                if _has_button(message, getattr(button, "custom_id", "")):
                    return message.id
        except discord.Forbidden:
            log.info("delivery.history_shut", id=generation.id)
        return None

    async def tell_standing(self, generation: Generation, standing: Standing) -> None:
        if not self._token_lives(generation):
            return
        try:
            await self._response(generation).edit_message(
                _ORIGINAL,
                content=standing_text(generation, standing),
                view=waiting_buttons(generation.id),
            )
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            log.info("delivery.standing_untold", id=generation.id, cause=str(error))

    async def tell_failure(self, generation: Generation, sentence: str) -> None:
        try:
            async for attempt in stamina.retry_context(on=_transient):
                with attempt:
                    await self._say_failure(generation, sentence)
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            log.warning("delivery.failure_untold", id=generation.id, cause=str(error))

    async def _post(self, generation: Generation, pictures: Sequence[KeptPicture]) -> int | None:
        try:
            async for attempt in stamina.retry_context(on=_transient):
                with attempt:
                    return await self._send(generation, pictures)
        except discord.NotFound as error:
            if error.code != _UNKNOWN_MESSAGE:
                raise
            # An earlier try had posted it, and somebody has deleted it since.
            return None
        raise AssertionError  # the last attempt returns or raises

    async def _send(self, generation: Generation, pictures: Sequence[KeptPicture]) -> int:
        async with self._files(generation, pictures) as files:
            message = await self._channel(generation).send(
                caption(self._client.studio, generation, pictures),
                files=files,
                view=result_buttons(generation.id, pictures),
                # Within minutes, a second message with this nonce is the first one again:
                # https://discord.com/developers/docs/resources/message#create-message
                nonce=f"easel-{generation.id}",
                allowed_mentions=_the_asker(generation),
            )
        return message.id

    async def _answer(self, generation: Generation, pictures: Sequence[KeptPicture]) -> int | None:
        if not self._token_lives(generation):
            raise Undeliverable("the interaction's token has expired")
        try:
            async for attempt in stamina.retry_context(on=_transient):
                with attempt:
                    return await self._fill_in(generation, pictures)
        except discord.HTTPException as error:
            if _transient(error):
                raise
            # Among them 401, which is how Discord also says that the token has expired.
            raise Undeliverable(f"the response is gone: {error.text}") from error
        raise AssertionError  # the last attempt returns or raises

    async def _fill_in(self, generation: Generation, pictures: Sequence[KeptPicture]) -> int:
        async with self._files(generation, pictures) as files:
            message = await self._response(generation).edit_message(
                _ORIGINAL,
                content=caption(self._client.studio, generation, pictures),
                attachments=files,
                view=result_buttons(generation.id, pictures),
            )
        return message.id

    async def _say_failure(self, generation: Generation, sentence: str) -> None:
        if self._token_lives(generation):
            try:
                await self._whisper(generation, sentence)
            except discord.HTTPException as error:
                if _transient(error):
                    raise
            else:
                return
        # What was asked for in private is nobody else's business, its failure included.
        if generation.order.private or not generation.place.may_post:
            log.warning("delivery.failure_untold", id=generation.id, cause="no way is left")
            return
        await self._channel(generation).send(
            f"<@{generation.person_id}> {sentence}",
            nonce=f"easel-{generation.id}-no",
            allowed_mentions=_the_asker(generation),
        )

    async def _whisper(self, generation: Generation, sentence: str) -> None:
        """Says it to the asker alone, instead of the response that everybody saw waiting."""
        response = self._response(generation)
        if generation.order.private:
            await response.edit_message(_ORIGINAL, content=sentence)
            return
        # In this order for the reason that bot.views.base.answer_error has.
        await response.edit_message(_ORIGINAL, content=NOTHING_CAME)
        await response.send(sentence, ephemeral=True)
        await self.remove_waiting(generation)

    async def remove_waiting(self, generation: Generation) -> None:
        if not self._token_lives(generation):
            return
        try:
            with suppress(discord.NotFound):
                await self._response(generation).delete_message(_ORIGINAL)
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            log.warning("delivery.waiting_remains", id=generation.id, cause=str(error))

    def _files(
        self, generation: Generation, pictures: Sequence[KeptPicture]
    ) -> AbstractAsyncContextManager[list[discord.File]]:
        limit = generation.place.file_limit
        return files_of(self._client.studio, generation, pictures, file_limit=limit)

    def _channel(self, generation: Generation) -> discord.PartialMessageable:
        place = generation.place
        return self._client.get_partial_messageable(place.channel_id, guild_id=place.server_id)

    def _response(self, generation: Generation) -> discord.Webhook:
        place = generation.place
        webhook = discord.Webhook.partial(
            place.application_id, place.interaction_token, client=self._client
        )
        # It is the application's own, and so may whisper; discord.py takes it for a channel's.
        webhook.type = discord.WebhookType.application
        return webhook

    def _token_lives(self, generation: Generation) -> bool:
        # By the stored time and not by trying: Discord counts refused tokens towards a ban.
        return self._clock() < generation.place.token_expires_at


def _the_asker(generation: Generation) -> discord.AllowedMentions:
    return discord.AllowedMentions(
        everyone=False,
        roles=False,
        replied_user=False,
        users=[discord.Object(generation.person_id)],
    )


def _has_button(message: discord.Message, custom_id: str) -> bool:
    rows = [row for row in message.components if isinstance(row, discord.ActionRow)]
    items = [item for row in rows for item in row.children]
    return any(getattr(item, "custom_id", None) == custom_id for item in items)
