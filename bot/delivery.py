"""How a result reaches people: as a message of its own, or as the answer to the command."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import aiohttp
import discord
import stamina
import structlog

from bot.store.schema import Way
from bot.studio.life import Undeliverable
from bot.views.buttons import result_buttons
from bot.views.result import caption, files_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.client import Easel
    from bot.studio.generation import Generation, KeptPicture

log = structlog.get_logger()


class _Original(int):
    """The response to the interaction itself, where a message's id is asked for.

    discord.py would quote the `@` of a string, and offers this path on live interactions only:
    https://discord.com/developers/docs/interactions/receiving-and-responding#followup-messages
    """

    def __format__(self, spec: str, /) -> str:
        return "@original"


_ORIGINAL = _Original()
#: The channel, the message or the token is gone, or the bot's rights are.
_FINAL = (discord.Forbidden, discord.NotFound)


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

    def way_for(self, generation: Generation) -> Way:
        """A message of its own where that is possible.

        Discord tells a bot the text of replies to its ordinary messages, and not of those to
        its responses; and no message of its own hangs on a token of 15 minutes.
        """
        own = generation.place.may_post and not generation.order.private
        return Way.CHANNEL if own else Way.RESPONSE

    async def deliver(self, generation: Generation, pictures: Sequence[KeptPicture]) -> int | None:
        if generation.way is Way.CHANNEL:
            try:
                message_id = await self._post(generation, pictures)
            except _FINAL as error:
                # Nothing was posted, so the other way cannot post it twice.
                log.warning("delivery.channel_shut", id=generation.id, cause=error.text)
            else:
                await self._remove_waiting(generation)
                return message_id
        return await self._answer(generation, pictures)

    async def tell_failure(self, generation: Generation, sentence: str) -> None:
        try:
            async for attempt in stamina.retry_context(on=_transient):
                with attempt:
                    await self._say_failure(generation, sentence)
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            log.warning("delivery.failure_untold", id=generation.id, cause=str(error))

    async def _post(self, generation: Generation, pictures: Sequence[KeptPicture]) -> int:
        async for attempt in stamina.retry_context(on=_transient):
            with attempt:
                message = await self._channel(generation).send(
                    caption(self._client.studio, generation, pictures),
                    files=await self._files(generation, pictures),
                    view=result_buttons(generation.id, pictures),
                    # Within minutes, a second message with this nonce is the first one again:
                    # https://discord.com/developers/docs/resources/message#create-message
                    nonce=f"easel-{generation.id}",
                    allowed_mentions=_the_asker(generation),
                )
                return message.id
        raise AssertionError  # the last attempt returns or raises

    async def _answer(self, generation: Generation, pictures: Sequence[KeptPicture]) -> int | None:
        if not self._token_lives(generation):
            raise Undeliverable("the interaction's token has expired")
        try:
            async for attempt in stamina.retry_context(on=_transient):
                with attempt:
                    message = await self._response(generation).edit_message(
                        _ORIGINAL,
                        content=caption(self._client.studio, generation, pictures),
                        attachments=await self._files(generation, pictures),
                        view=result_buttons(generation.id, pictures),
                    )
                    return message.id
        except _FINAL as error:
            raise Undeliverable(f"the response is gone: {error.text}") from error
        raise AssertionError  # the last attempt returns or raises

    async def _say_failure(self, generation: Generation, sentence: str) -> None:
        if not self._token_lives(generation):
            if generation.place.may_post:
                await self._channel(generation).send(
                    f"<@{generation.person_id}> {sentence}",
                    nonce=f"easel-{generation.id}-no",
                    allowed_mentions=_the_asker(generation),
                )
            return
        response = self._response(generation)
        if generation.order.private:
            await response.edit_message(_ORIGINAL, content=sentence)
            return
        # "Thinking" is public, and the first follow-up would take its place.
        await self._remove_waiting(generation)
        await response.send(sentence, ephemeral=True)

    async def _remove_waiting(self, generation: Generation) -> None:
        if not self._token_lives(generation):
            return
        try:
            await self._response(generation).delete_message(_ORIGINAL)
        except discord.NotFound:
            return
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            log.warning("delivery.waiting_remains", id=generation.id, cause=str(error))

    async def _files(
        self, generation: Generation, pictures: Sequence[KeptPicture]
    ) -> list[discord.File]:
        limit = generation.place.file_limit
        return await files_of(self._client.studio, generation, pictures, file_limit=limit)

    def _channel(self, generation: Generation) -> discord.PartialMessageable:
        place = generation.place
        return self._client.get_partial_messageable(place.channel_id, guild_id=place.server_id)

    def _response(self, generation: Generation) -> discord.Webhook:
        place = generation.place
        return discord.Webhook.partial(
            place.application_id, place.interaction_token, client=self._client
        )

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
