"""How a result reaches people: as a message of its own, or as the answer to the command."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING

import discord
import structlog

from bot.answers import until_answered
from bot.crowd import LONG_S, Crowd, Outage
from bot.delivery.posts import Post, ballot_post
from bot.delivery.routes import ORIGINAL, Routes, the_asker
from bot.delivery.tries import AWAY, UNKNOWN_MESSAGE, Refused, tried
from bot.delivery.words import Words
from bot.store.schema import Way
from bot.studio.generation import Shown
from bot.studio.life import DiscordAway, Undeliverable
from bot.views.buttons import Reroll, result_buttons
from bot.views.messages import bears
from bot.views.result import caption

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from bot.client import Easel
    from bot.studio.generation import Generation, KeptPicture

log = structlog.get_logger()

#: Results on their way to Discord at a time.
_AT_ONCE = 6
#: Longer than that, nobody should wait for a crowded channel.
_CROWD_WAIT_MAX_S = 2.0
#: Messages to look through for a result that an earlier try may have posted.
_LOOK_BACK = 200
#: What any place takes: https://discord.com/developers/docs/reference#uploading-files
_SMALLEST_FILE_LIMIT = 10 * 1024 * 1024


class DiscordDelivery(Words):
    """See `bot.studio.life.Delivery`."""

    def __init__(self, client: Easel, *, clock: Callable[[], float] = time.time) -> None:
        super().__init__(Routes(client, clock), Crowd(), Outage(clock))
        self._client = client
        self._clock = clock
        # Files wait on the disk for their turn, and not in memory.
        self._turns = asyncio.Semaphore(_AT_ONCE)

    def way_for(self, generation: Generation) -> Way:
        """A message of its own where that is possible, and soon.

        Discord tells a bot the text of replies to its ordinary messages, and not of those to
        its responses; and no message of its own hangs on a token of 15 minutes. But a channel
        bears few messages at a time, and responses are bound by no such limit.
        """
        if not self._routes.may_post(generation):
            return Way.RESPONSE
        channel_id = generation.place.channel_id
        crowded = self.crowd.wait_s(channel_id) > _CROWD_WAIT_MAX_S
        if crowded and self._routes.token_lives(generation):
            return Way.RESPONSE
        self.crowd.book(channel_id)
        return Way.CHANNEL

    async def deliver(
        self, generation: Generation, pictures: Sequence[KeptPicture], *, tried_before: bool
    ) -> int | None:
        post = await self._post_of(generation, pictures)
        try:
            return await self.bring(generation, post, tried_before=tried_before)
        except Refused as refused:
            refusal = refused
        except DiscordAway as away:
            if (breaks := self._breaks_alone(generation, away)) is None:
                raise
            refusal = breaks
        await self.tell_kept(generation, refusal)
        raise Undeliverable(str(refusal)) from refusal

    def _breaks_alone(self, generation: Generation, away: DiscordAway) -> Refused | None:
        """What to make of an upload that Discord answers with its own errors, as no other one."""
        cause, now = away.__cause__, self._clock()
        if not (isinstance(cause, discord.HTTPException) and cause.status >= 500):  # noqa: PLR2004 - HTTP's own number
            return None
        long_tried = now > (generation.painted_at or now) + LONG_S
        return Refused(cause) if long_tried and self.outage.is_long_over else None

    async def _post_of(self, generation: Generation, pictures: Sequence[KeptPicture]) -> Post:
        """As a result, or as the ballot of the vote that it was painted for."""
        studio = self._client.studio
        if generation.round_id is not None:
            shown = Shown(generation, tuple(pictures))
            board = await studio.votes.blank_board(generation.round_id, shown)
            if board is not None:
                return ballot_post(studio, board)
        return Post(
            key=generation.id,
            sign=Reroll(generation.id).custom_id,
            text=caption(studio, generation, pictures),
            view=result_buttons(generation, pictures),
            pictures=tuple(pictures),
        )

    async def bring(self, generation: Generation, post: Post, *, tried_before: bool) -> int | None:
        """Posts what came of a generation, in its place and by its way; the message's id.

        Raises:
            Refused: Discord takes it by no way.
            DiscordAway: it cannot be posted now.
        """
        try:
            way, message_id = await self._bring(generation, post, unsure=tried_before)
        except AWAY as error:
            # A limit of one channel's says that Discord is there.
            if not isinstance(error, discord.RateLimited):
                self.outage.met(repr(error))
            raise DiscordAway(repr(error)) from error
        self.outage.over()
        if way is Way.CHANNEL:
            await self.try_to_remove_waiting(generation)
        return message_id

    async def _bring(
        self, generation: Generation, post: Post, *, unsure: bool
    ) -> tuple[Way, int | None]:
        """The way it went, and the message's id; None for one that was deleted since."""
        refusal = Refused("the interaction's token has expired")
        for refused, way in enumerate(ways := self._ways(generation)):
            try:
                async with self._turn(way, generation):
                    # The response alone can be edited once more without a second message.
                    if unsure and (refused or way is Way.CHANNEL):
                        unsure = False
                        if found := await self._posted_before(generation, post):
                            return found
                    return way, await self._fitted(way, generation, post)
            except discord.RateLimited as busy:
                if way is ways[-1]:
                    raise
                refusal = Refused(str(busy), unsure=True)
            except Refused as again:
                refusal = again
            log.warning("delivery.refused", id=generation.id, way=way, cause=str(refusal))
            if refusal.too_large:
                break
            unsure = unsure or refusal.unsure
        raise refusal

    @asynccontextmanager
    async def _turn(self, way: Way, generation: Generation) -> AsyncGenerator[None]:
        """Waits until its files may be read; those who wait for one channel keep none waiting."""
        by_channel = way is Way.CHANNEL
        async with self.crowd.line(generation.place.channel_id) if by_channel else nullcontext():
            await self._turns.acquire()
            with until_answered(self._turns.release):
                if self.outage.hinders(generation.created_at):
                    raise DiscordAway("it was away a moment ago")
                yield

    def _ways(self, generation: Generation) -> list[Way]:
        """The one that is written down comes first, and the other where it is refused."""
        ways: list[Way] = []
        if self._routes.token_lives(generation):
            ways.append(Way.RESPONSE)
        if self._routes.may_post(generation):
            ways.append(Way.CHANNEL)
        return sorted(ways, key=lambda way: way is not generation.way)

    async def _fitted(self, way: Way, generation: Generation, post: Post) -> int | None:
        """Sends the pictures, smaller where the place takes less than Discord had told us."""
        send = self._send if way is Way.CHANNEL else self._edit
        limit = generation.place.file_limit
        try:
            return await tried(lambda: send(generation, post, limit), self.outage)
        except Refused as refusal:
            if not refusal.too_large:
                raise
        heaviest = max(picture.bytes for picture in post.pictures)
        smaller = min(min(heaviest, limit) // 2, _SMALLEST_FILE_LIMIT)
        log.info("delivery.made_smaller", id=generation.id, told=limit, limit=smaller)
        return await tried(lambda: send(generation, post, smaller), self.outage)

    async def _posted_before(self, generation: Generation, post: Post) -> tuple[Way, int] | None:
        """The message of an earlier try, whose nonce Discord has forgotten after minutes."""
        message = await tried(lambda: self._find(generation, post), self.outage)
        if message is None:
            return None
        # The waiting response may itself have become the result.
        answers = message.interaction_metadata is not None
        return Way.RESPONSE if answers else Way.CHANNEL, message.id

    async def _find(self, generation: Generation, post: Post) -> discord.Message | None:
        # By Discord's own clock: nothing that was made for a command is older than it.
        since = discord.Object(generation.place.interaction_id)
        # What a vote leads to may be days younger than the message that it follows from: where
        # more was said since than is read, it is looked for from the newest backwards, too.
        for oldest_first in (True, False):
            seen = 0
            async with self.crowd.turn():
                async for message in self._routes.channel(generation).history(
                    after=since, limit=_LOOK_BACK, oldest_first=oldest_first
                ):
                    seen += 1
                    if bears(message, post.sign):
                        return message
            if seen < _LOOK_BACK:
                break
        return None

    async def _send(self, generation: Generation, post: Post, limit: int) -> int | None:
        try:
            async with (
                post.files(self._client.studio, generation, limit) as files,
                self.crowd.turn(),
            ):
                message = await self._routes.channel(generation).send(
                    post.text,
                    files=files,
                    view=post.view,
                    # Within minutes, a second message with this nonce is the first one again:
                    # https://discord.com/developers/docs/resources/message#create-message
                    nonce=f"easel-{post.key}",
                    allowed_mentions=the_asker(generation),
                    **self._routes.in_reply(generation),
                )
        except discord.NotFound as error:
            if error.code != UNKNOWN_MESSAGE:
                raise
            # An earlier try had posted it, and somebody has deleted it since.
            return None
        return message.id

    async def _edit(self, generation: Generation, post: Post, limit: int) -> int:
        async with post.files(self._client.studio, generation, limit) as files:
            # Once more, since time has passed with every try before.
            if not self._routes.token_lives(generation):
                raise Refused("the interaction's token has expired", unsure=True)
            message = await self._routes.response(generation).edit_message(
                ORIGINAL, content=post.text, attachments=files, view=post.view
            )
        return message.id
