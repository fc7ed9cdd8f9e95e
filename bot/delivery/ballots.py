"""How votes come before people: their ballots, how those stand, and who has won."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import structlog

from bot.delivery.posts import Drawing, Post, ballot_post
from bot.delivery.tries import AWAY, UNKNOWN_MESSAGE, Refused, tried
from bot.imaging.archive import PictureMissing
from bot.imaging.ascent import draw_ascent
from bot.store.schema import Way
from bot.studio.life import DiscordAway, Undeliverable
from bot.studio.referee import BallotGone
from bot.views.ballot import ballot_buttons, ballot_text
from bot.views.winner import (
    HowDecided,
    ascent_alt_text,
    ascent_of,
    winner_buttons,
    winner_text,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.client import Easel
    from bot.delivery.results import DiscordDelivery
    from bot.studio.contest import Board, Finale
    from bot.studio.generation import Generation, Place

T = TypeVar("T")

log = structlog.get_logger()

_UNKNOWN_CHANNEL = 10003
#: A message of over an hour was edited too often; or its thread is archived, and any message of
#: ours brings it back: https://discord.com/developers/docs/topics/opcodes-and-status-codes
_NOT_NOW = (30046, 50083)


class DiscordPresenter:
    """See `bot.studio.referee.Presenter`."""

    def __init__(self, client: Easel, delivery: DiscordDelivery) -> None:
        self._client = client
        self._delivery = delivery

    async def post_ballot(self, board: Board) -> int:
        studio, contest = self._client.studio, board.contest
        generation = _in(contest.opening, board.shown.generation)
        message_id = await self._post(generation, ballot_post(studio, board))
        if message_id is None:
            raise Undeliverable("it was posted, and deleted since")
        return message_id

    async def show(self, board: Board) -> None:
        contest, studio = board.contest, self._client.studio
        channel = self._client.get_partial_messageable(
            contest.channel_id, guild_id=contest.server_id
        )
        message = channel.get_partial_message(board.round.message_id or 0)
        text, view = ballot_text(studio, board), ballot_buttons(board)
        try:
            async with self._delivery.crowd.turn():
                await self._tried(lambda: message.edit(content=text, view=view))
        except Refused as refusal:
            if refusal.code in (UNKNOWN_MESSAGE, _UNKNOWN_CHANNEL):
                raise BallotGone from refusal
            if refusal.code in _NOT_NOW:
                raise DiscordAway(str(refusal)) from refusal
            log.warning("ballot.not_editable", round=board.round.id, cause=str(refusal))

    async def announce(self, finale: Finale) -> int | None:
        studio, last = self._client.studio, finale.last
        if last.winner is None or last.round.message_id is None:
            return None
        shown = last.shown
        post = Post(
            key=f"{last.round.id}-won",
            sign=HowDecided(last.round.id).custom_id,
            text=winner_text(studio, finale),
            view=winner_buttons(last.round.id, shown.generation.id, last.winner.position),
            pictures=(last.winner,),
            drawing=await self._ascent(finale),
        )
        place = last.contest.place(last.round.message_id)
        return await self._post(_in(place, shown.generation), post)

    async def count_voters(self, board: Board) -> int | None:
        rules, contest = board.contest.rules, board.contest
        guild = self._client.get_guild(contest.server_id)
        if guild is None or rules.voters_role is None:
            return None
        try:
            # No right is needed: https://github.com/Rapptz/discord.py/pull/10454
            counts = await self._tried(guild.role_member_counts)
            count = {role.id: n for role, n in counts.items()}.get(rules.voters_role, 0)
            if not rules.opener_votes:
                opener = await self._tried(lambda: guild.fetch_member(contest.opener_id))
                count -= opener.get_role(rules.voters_role) is not None
        except Refused as refusal:
            log.warning("ballot.voters_uncounted", round=board.round.id, cause=str(refusal))
            return None
        return count

    async def _post(self, generation: Generation, post: Post) -> int | None:
        try:
            return await self._delivery.bring(generation, post, tried_before=True)
        except (Refused, PictureMissing) as refusal:
            raise Undeliverable(str(refusal)) from refusal

    async def _ascent(self, finale: Finale) -> Drawing | None:
        """How it came to the winner, where that took more than one round."""
        if len(finale.boards) == 1:
            return None
        async with self._client.drawings:
            rounds = await ascent_of(self._client.studio, finale)
            drawn = await asyncio.to_thread(draw_ascent, rounds)
        return Drawing(drawn, "how-we-got-here.jpg", ascent_alt_text(finale))

    async def _tried(self, call: Callable[[], Awaitable[T]]) -> T:
        try:
            return await tried(call, self._delivery.outage)
        except AWAY as error:
            raise DiscordAway(repr(error)) from error


def _in(place: Place, generation: Generation) -> Generation:
    """The same pictures, posted where the vote is held."""
    return replace(generation, place=place, way=Way.CHANNEL)
