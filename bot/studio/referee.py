"""Closes ballots at their time, announces winners, and has the next round painted."""

from __future__ import annotations

import asyncio
import sys
import time
from functools import partial
from random import SystemRandom
from typing import TYPE_CHECKING, Protocol

import structlog

from bot.errors import AllowanceSpent, EaselError, Refusal, StoreUnavailable
from bot.store import contests, generations, rounds
from bot.store.rounds import NewRound
from bot.store.vote_schema import Stage
from bot.studio import closing
from bot.studio.circuit import PainterOut
from bot.studio.contest import Board, board_of, finale_due, once_there
from bot.studio.gathering import Ours
from bot.studio.life import DiscordAway, Undeliverable
from bot.studio.outcomes import Answered, Restarting
from bot.studio.voting import SEED_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from bot.store.database import Database
    from bot.store.rounds import RoundRow
    from bot.studio.alarm import Alarm
    from bot.studio.contest import Finale
    from bot.studio.intake import Intake
    from bot.studio.scoreboard import Scoreboard

log = structlog.get_logger()

#: For as long, nobody else sees to a round that is due; and after it, it is tried again.
_LEASE_S = 60.0
_TRIED_FOR_S = 24 * 60 * 60
#: The limit of a minute, or requests of the opener's that are under way, are over by then.
_SOON_S = 5 * 60
#: For so long a round waits for what hinders it.
_WAITS_S = 60 * 60
#: From then on, Discord lets a message be edited rarely.
_OLD_S = 55 * 60
_NOT_NOW = (StoreUnavailable, PainterOut, Restarting)


class BallotGone(Exception):
    """Somebody has deleted the message."""


class Presenter(Protocol):
    """Brings votes before people; the Discord side implements it.

    Each raises DiscordAway where that cannot be now, and may do so later.
    """

    async def post_ballot(self, board: Board) -> int:
        """Posts a ballot whose pictures were there before, once; the message's id.

        Raises:
            Undeliverable: it cannot be posted, now or later.
        """
        ...

    async def show(self, board: Board) -> None:
        """Shows on its message how a ballot stands.

        Raises:
            BallotGone: there is no such message any more.
        """
        ...

    async def announce(self, finale: Finale) -> int | None:
        """Posts the last winner, once; the message's id.

        Raises:
            Undeliverable: it cannot be posted, now or later.
        """
        ...

    async def count_voters(self, board: Board) -> int | None:
        """How many have the role that may vote; None where Discord does not tell."""
        ...


class Referee:
    """Every step is written down before it is shown, and is taken once, by whatever process."""

    def __init__(
        self,
        database: Database,
        intake: Intake,
        alarm: Alarm,
        scoreboard: Scoreboard,
        *,
        clock: Callable[[], float] = time.time,
        random: Random | None = None,
    ) -> None:
        self._database = database
        self._intake = intake
        self._alarm = alarm
        self._scoreboard = scoreboard
        self._clock = clock
        self._random = random or SystemRandom()
        self._presenter: Presenter | None = None
        self._is_new = True
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._expected: dict[str, int] = {}
        #: The stage of each ballot that was seen to, and until when that is.
        self._seen: dict[str, tuple[str, float]] = {}
        self._counts: set[asyncio.Task[None]] = set()

    def start(self, presenter: Presenter) -> None:
        """From now on, ballots close at their time; those of before are looked at now."""
        self._presenter = presenter
        self._scoreboard.connect(partial(self._show, presenter))
        self._alarm.connect(partial(self._see_to_all, presenter))

    async def close(self) -> None:
        """Begins nothing more; what is under way is taken up again by whoever is next."""
        await self._alarm.close()
        tasks = [*self._tasks.values(), *self._counts]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._scoreboard.close()

    @property
    def idle(self) -> bool:
        """Whether no vote is under way, for all that is known here."""
        return self._alarm.idle

    def new_round(self, contest_id: str, number: int) -> NewRound:
        seed = self._random.randrange(SEED_LIMIT)
        return NewRound(self._intake.new_id(), contest_id, number, seed)

    def counted(self, round_id: str) -> None:
        """Somebody has voted, or suggested something: the ballot shows it."""
        self._scoreboard.touch(round_id)

    def moved(self) -> None:
        """A round has come to another stage."""
        self._alarm.look()

    def close_when_all_voted(self, round_id: str, turnout: int) -> None:
        """Closes a ballot when everybody of the role that may vote has voted.

        How many they are is asked when it is unknown, once more when that many have voted, and
        from time to time.
        """
        if turnout >= self._expected.get(round_id, 0):
            self._begin_count(round_id)

    def _begin_count(self, round_id: str) -> None:
        if (presenter := self._presenter) is None:
            return
        # One asks for all who vote meanwhile; where it is not told, no vote asks again.
        self._expected[round_id] = sys.maxsize
        task = asyncio.create_task(self._count(round_id, presenter), name=f"voters {round_id}")
        self._counts.add(task)
        task.add_done_callback(self._counts.discard)

    async def _count(self, round_id: str, presenter: Presenter) -> None:
        try:
            board = await self._database.read(board_of, round_id)
            if board is None or not board.round.stage.votes:
                return
            expected = await presenter.count_voters(board)
            if expected:
                self._expected[round_id] = expected
                if await self._database.write(
                    closing.close_if_all_voted, round_id, expected, self._clock()
                ):
                    self.moved()
        except (EaselError, DiscordAway) as reason:
            log.info("ballot.voters_uncounted", round=round_id, cause=str(reason))
            self._expected.pop(round_id, None)

    async def _show(self, presenter: Presenter, round_id: str) -> bool:
        """Whether its message is old."""
        board = await self._database.read(board_of, round_id)
        if board is None or board.round.message_id is None:
            return False
        try:
            await presenter.show(board)
        except BallotGone:
            log.info("ballot.gone", round=round_id)
            await self._database.write(rounds.abandon, round_id, closing.DELETED, self._clock())
            self.moved()
        # Another process may have shown something newer before this came through.
        if await self._database.read(board_of, round_id) != board:
            self._scoreboard.touch(round_id)
        return self._clock() > (board.round.opened_at or 0.0) + _OLD_S

    async def _see_to_all(self, presenter: Presenter) -> None:
        now = self._clock()
        if self._is_new:
            await self._database.write(rounds.look_at_all, now)
            self._is_new = False
        busy = tuple(self._tasks)
        for row in await self._database.write(rounds.take_due, now + _LEASE_S, now, busy):
            task = asyncio.create_task(self._guarded(row, presenter), name=f"round {row.id}")
            self._tasks[row.id] = task

    async def _guarded(self, row: RoundRow, presenter: Presenter) -> None:
        try:
            await self._see_to(row, presenter)
        except (EaselError, DiscordAway) as error:
            log.warning("round.put_off", id=row.id, stage=row.stage, cause=str(error))
        except Exception:  # a task's edge: the row is there, and is due again
            log.exception("round.stuck", id=row.id, stage=row.stage)
        finally:
            del self._tasks[row.id]
            self.moved()

    async def _see_to(self, row: RoundRow, presenter: Presenter) -> None:
        round_id, stage = row.id, Stage(row.stage)
        match stage:
            case Stage.WAITING:
                await self._post(round_id, presenter)
            case Stage.OPEN | Stage.RUNOFF | Stage.BETWEEN if self._clock() < row.closes_at:
                self._show_if_new(row)
                if await self._database.write(closing.rest, row, self._clock()):
                    self._begin_count(round_id)
            case Stage.OPEN | Stage.RUNOFF:
                await self._database.write(closing.settle, round_id, self._clock())
            case Stage.BETWEEN:
                await self._go_on(row)
            case Stage.DECIDED:
                await self._announce(row, presenter)
            case Stage.OVER:
                if await self._show_last(row):
                    await self._database.write(rounds.put_off, row, None)

    def _show_if_new(self, row: RoundRow) -> None:
        """Whatever else its message shows is shown when it is counted."""
        if self._seen.get(row.id) != (told := (row.stage, row.closes_at)):
            self._seen[row.id] = told
            self._scoreboard.touch(row.id)

    async def _post(self, round_id: str, presenter: Presenter) -> None:
        board = await self._database.read(board_of, round_id)
        if board is None or board.round.stage is not Stage.WAITING:
            return
        try:
            message_id = await presenter.post_ballot(once_there(board, self._clock()))
        except Undeliverable as reason:
            log.warning("ballot.not_posted", round=round_id, cause=str(reason))
            await self._database.write(rounds.abandon, round_id, closing.NOT_POSTED, self._clock())
            return
        generation_id = board.shown.generation.id
        await self._database.write(
            rounds.opened, round_id, generation_id, message_id, self._clock()
        )

    async def _go_on(self, row: RoundRow) -> None:
        """Has the next round painted from the winner, in one transaction with this one's end."""
        board = await self._database.read(board_of, row.id)
        if board is None or board.winner is None or board.round.message_id is None:
            return
        following = self.new_round(board.contest.id, board.round.number + 1)
        accept = partial(
            contests.accept_next, accept=generations.accept, before_id=row.id, following=following
        )
        source = Ours(board.shown.generation.id, board.winner.position)
        place, order = board.contest.place(board.round.message_id), closing.next_order(board)
        try:
            submitted = await self._intake.submit(order, place, [source], accept=accept)
        except Answered:
            log.info("round.gone_on_before", id=row.id)
        except Refusal as refusal:
            now = self._clock()
            if (again_at := _again_at(refusal, now)) and now < _patience_ends_at(board):
                log.info("round.waits", id=row.id, cause=refusal.sentence)
                await self._database.write(closing.wait_on, row.id, again_at)
                self._scoreboard.touch(row.id)
                return
            why = closing.why_no_round(refusal, following.number, board.contest.opener_id)
            await self._database.write(closing.end_early, row.id, why, now)
        else:
            if submitted.fresh:
                self._intake.begin(submitted.generation)

    async def _announce(self, row: RoundRow, presenter: Presenter) -> None:
        """Posts the last winner, even where the ballot cannot be edited just now."""
        shown = await self._show_last(row)
        finale = await self._database.read(finale_due, row.id)
        message_id = None
        try:
            if finale is not None:
                message_id = await presenter.announce(finale)
        except Undeliverable as reason:
            log.warning("winner.not_posted", round=row.id, cause=str(reason))
        except DiscordAway:
            if not self._is_old(row):
                raise
        await self._database.write(closing.end, row.id, message_id, self._clock(), shown=shown)

    async def _show_last(self, row: RoundRow) -> bool:
        """Whether that was possible, or need not be tried again."""
        self._expected.pop(row.id, None)
        self._seen.pop(row.id, None)
        try:
            await self._scoreboard.show(row.id)
        except DiscordAway as reason:
            log.info("ballot.not_shown", round=row.id, cause=str(reason))
            return self._is_old(row)
        return True

    def _is_old(self, row: RoundRow) -> bool:
        """Whether nobody waits any more for what Discord could not be told."""
        return self._clock() > (row.closes_at or 0.0) + _TRIED_FOR_S


def _patience_ends_at(board: Board) -> float:
    """Well after its ballot was closed, even if that was extended and run off."""
    return (board.round.opened_at or 0.0) + 3 * board.contest.rules.duration_s + _WAITS_S


def _again_at(refusal: Refusal, now: float) -> float | None:
    """When a refused round may be painted all the same; None where no time will help."""
    if isinstance(refusal, _NOT_NOW):
        return now + _LEASE_S
    if not isinstance(refusal, AllowanceSpent):
        return None
    free_at = refusal.free_at or now + _LEASE_S
    return free_at if free_at < now + _SOON_S else None
