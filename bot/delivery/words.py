"""What is told of a generation besides its result: how long it waits, and why nothing came."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import discord
import structlog

from bot.delivery.routes import ORIGINAL, the_asker
from bot.delivery.tries import AWAY, UNKNOWN_MESSAGE, Refused, transient, tried
from bot.studio.life import DiscordAway
from bot.views.base import NOTHING_CAME
from bot.views.waiting import standing_text, waiting_buttons

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.crowd import Crowd, Outage
    from bot.delivery.routes import Routes
    from bot.studio.generation import Generation
    from bot.studio.line import Standing

log = structlog.get_logger()

_WORD_MAX_S = 15.0
_KEPT = (
    "What you asked for is painted, but {why}. It is kept for you: `/show id:{id}` brings it, "
    "and `/history` lists it."
)


@asynccontextmanager
async def _quietly(untold: str, generation: Generation) -> AsyncGenerator[None]:
    """For words that nothing hangs on: what keeps them from people goes to the log."""
    try:
        async with asyncio.timeout(_WORD_MAX_S):
            yield
    except (Refused, *AWAY) as error:
        log.warning(untold, id=generation.id, cause=repr(error))


class Words:
    """Short messages to people; none of them is tried for as long as a result is."""

    def __init__(self, routes: Routes, crowd: Crowd, outage: Outage) -> None:
        self._routes = routes
        self.crowd = crowd
        self.outage = outage

    async def is_awaited(self, generation: Generation) -> bool:
        """Whether the asker sees that it is worked on; False where Discord knows of no answer."""
        if self._routes.may_post(generation) or not self._routes.token_lives(generation):
            return True
        try:
            await self._routes.response(generation).fetch_message(ORIGINAL)
        except discord.NotFound:
            return False
        except AWAY as error:
            log.info("delivery.unsure_if_awaited", id=generation.id, cause=repr(error))
        return True

    async def tell_standing(self, generation: Generation, standing: Standing) -> None:
        if not self._routes.token_lives(generation):
            return
        async with _quietly("delivery.standing_untold", generation):
            await self._routes.response(generation).edit_message(
                ORIGINAL,
                content=standing_text(generation, standing),
                view=waiting_buttons(generation.id),
            )

    async def tell_failure(self, generation: Generation, sentence: str) -> None:
        try:
            await tried(lambda: self._say_failure(generation, sentence), self.outage)
        except Refused as refusal:
            log.warning("delivery.failure_untold", id=generation.id, cause=repr(refusal))
        except AWAY as error:
            raise DiscordAway(repr(error)) from error

    async def _say_failure(self, generation: Generation, sentence: str) -> None:
        if self._routes.token_lives(generation):
            try:
                await self._whisper(generation, sentence)
            except discord.HTTPException as error:
                if transient(error):
                    raise
            else:
                return
        # What was asked for in private is nobody else's business, its failure included.
        if not self._routes.may_post(generation):
            raise Refused("no way is left")
        await self._call_out(generation, sentence)

    async def _whisper(self, generation: Generation, sentence: str) -> None:
        """Says it to the asker alone, instead of the response that everybody saw waiting."""
        response, private = self._routes.response(generation), generation.order.private
        try:
            # In this order for the reason that bot.views.base.answer_error has.
            shown = sentence if private else NOTHING_CAME
            await response.edit_message(ORIGINAL, content=shown, view=None)
        except discord.NotFound as error:
            # Whoever deleted the response has not taken the answer from the asker.
            if error.code != UNKNOWN_MESSAGE:
                raise
        else:
            if private:
                return
        await response.send(sentence, ephemeral=True)
        await self.try_to_remove_waiting(generation)

    async def _call_out(self, generation: Generation, sentence: str) -> None:
        async with self.crowd.line(generation.place.channel_id), self.crowd.turn():
            await self._routes.channel(generation).send(
                f"<@{generation.person_id}> {sentence}",
                nonce=f"easel-{generation.id}-no",
                allowed_mentions=the_asker(generation),
                **self._routes.in_reply(generation),
            )

    async def tell_kept(self, generation: Generation, refusal: Refused) -> None:
        """Says where the pictures are, if there is a way that Discord has not refused yet."""
        response, lives = self._routes.response(generation), self._routes.token_lives(generation)
        too_large = "it is too large for this place, even made smaller"
        why = too_large if refusal.too_large else "I couldn't post it here"
        sentence = _KEPT.format(why=why, id=generation.id)
        async with _quietly("delivery.kept_untold", generation):
            if lives and refusal.code == UNKNOWN_MESSAGE:
                await response.send(sentence, ephemeral=True)
            elif lives and (refusal.too_large or refusal.status == 400):  # noqa: PLR2004 - HTTP's
                await response.edit_message(ORIGINAL, content=sentence, view=None)
            elif self._routes.may_speak(generation):
                await self._call_out(generation, sentence)

    async def try_to_remove_waiting(self, generation: Generation) -> None:
        """Where something else was said already, and must not be said again for its sake."""
        try:
            await self.remove_waiting(generation)
        except DiscordAway as reason:
            log.warning("delivery.waiting_remains", id=generation.id, cause=str(reason))

    async def remove_waiting(self, generation: Generation) -> None:
        try:
            async with asyncio.timeout(_WORD_MAX_S):
                await tried(lambda: self._delete_response(generation), self.outage)
        except Refused as refusal:
            log.warning("delivery.waiting_remains", id=generation.id, cause=str(refusal))
        except AWAY as error:
            raise DiscordAway(repr(error)) from error

    async def _delete_response(self, generation: Generation) -> None:
        if self._routes.token_lives(generation):
            with suppress(discord.NotFound):
                await self._routes.response(generation).delete_message(ORIGINAL)
