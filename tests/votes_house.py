"""Two processes with one database of votes; a thing at a time, and time only when it is told."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from contextlib import AsyncExitStack, suppress
from dataclasses import asdict
from enum import Enum
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import Connection, insert, select, update

from bot.errors import AllowanceSpent, Refusal
from bot.store import contests, generations
from bot.store.contests import NewContest
from bot.store.database import Database
from bot.store.generations import Accepted, Lease, NewGeneration, NewPicture, OverLimit
from bot.store.people import Limits
from bot.store.rounds import NewRound
from bot.store.schema import State, Way, servers
from bot.store.schema import generations as generations_table
from bot.store.vote_schema import backings, ballots, candidates, suggestions
from bot.store.vote_schema import contests as contests_table
from bot.store.vote_schema import rounds as rounds_table
from bot.studio.alarm import Alarm
from bot.studio.circuit import PainterOut
from bot.studio.contest import board_of
from bot.studio.generation import Generation, Place
from bot.studio.life import DiscordAway, Undeliverable
from bot.studio.order import Order
from bot.studio.outcomes import Answered, Submitted
from bot.studio.referee import Referee
from bot.studio.scoreboard import Scoreboard
from bot.studio.voting import DAY_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bot.store.rounds import RoundRow
    from bot.studio.contest import Board, Finale
    from bot.studio.order import Order as OrderType
    from bot.studio.voting import Rules

NOON = 20_000.5 * 24 * 60 * 60
ROOMY = Limits(per_day=10_000, per_minute=10_000, waiting=10_000)
RUNNING_MAX = 2
OPENER, SERVER = 1, 5


class Weather(Enum):
    """How the world takes what the house asks of it."""

    FINE = "it is done"
    AWAY = "not now: Discord, or the painter, is away"
    SHUT = "never: it may not be posted, or no allowance is left"


class Ids:
    """Of everything; no two are the same, and later ones are greater."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def number(self) -> int:
        return next(self._numbers)

    def id(self) -> str:
        return f"{self.number():010}"


def message_of(round_id: str) -> int:
    """The message that a round's ballot becomes, however often it is posted: its nonce is one."""
    return 1_000_000_000 + int(round_id)


def generation_for(id_: str, place: Place, order: OrderType) -> NewGeneration:
    return NewGeneration(
        id=id_,
        **asdict(place),
        request=order.to_json(),
        prompt=order.prompt,
        wanted=order.wanted,
        seed=7,
        private=False,
        notes=json.dumps([]),
        price=3000,
    )


class Discord:
    """Where a referee posts; see `bot.studio.referee.Presenter`."""

    def __init__(self) -> None:
        self.weather = Weather.FINE
        #: Of each contest, the rounds whose winner was announced as the last one. However often
        #: that is, its nonce is one.
        self.won: dict[str, set[str]] = defaultdict(set)

    def _fails(self) -> None:
        if self.weather is Weather.AWAY:
            raise DiscordAway("it is away")
        if self.weather is Weather.SHUT:
            raise Undeliverable("it may not be posted")

    async def post_ballot(self, board: Board) -> int:
        self._fails()
        return message_of(board.round.id)

    async def show(self, board: Board) -> None:
        assert board.round.message_id

    async def announce(self, finale: Finale) -> int | None:
        self._fails()
        self.won[finale.last.contest.id].add(finale.last.round.id)
        return 2 * message_of(finale.last.round.id)

    async def count_voters(self, board: Board) -> int | None:
        """It does not tell."""


class Intake:
    """Writes an order down as the real one does, without a look at its pictures."""

    def __init__(self, house: House, database: Database) -> None:
        self._house, self._database = house, database
        self.new_id = house.ids.id

    async def submit(
        self, order: OrderType, place: Place, given: Sequence[Any], *, accept: Any
    ) -> Submitted:
        assert len(given) == 1, "the next round is painted from the winner"
        if self._house.discord.weather is Weather.AWAY:
            raise PainterOut
        limits = ROOMY if self._house.discord.weather is Weather.FINE else Limits(0, 0, 0)
        new = generation_for(self.new_id(), place, order)
        outcome = await self._database.write(
            accept, new=new, limits=limits, now=self._house.now, sources=[]
        )
        match outcome:
            case None:
                raise Answered
            case OverLimit():
                raise AllowanceSpent("None is left today.", free_at=self._house.now + DAY_S)
            case Accepted(row):
                return Submitted(Generation.from_row(row), fresh=True)
            case _:
                raise AssertionError("one message leads to two rounds")

    def begin(self, generation: Generation) -> None:
        assert generation.round_id


class House:
    """What the machine acts with. All examples share it, each with a server of its own."""

    def __init__(self, file: Path) -> None:
        self.now, self.ids, self.discord = NOON, Ids(), Discord()
        self._runner, self._stack = asyncio.Runner(), AsyncExitStack()
        self._url = f"sqlite+aiosqlite:///{file}"
        self.databases: list[Database] = []
        self.referees: list[Referee] = []

    def __enter__(self) -> Self:
        for number in (0, 1):
            opening = self._stack.enter_async_context(Database.open(self._url))
            database = self._runner.run(opening)
            self.databases.append(database)
            self.referees.append(self._referee(database, number))
        return self

    def __exit__(self, *_: object) -> None:
        for referee in self.referees:
            self._runner.run(referee.close())
        self._runner.run(self._stack.aclose())
        self._runner.close()

    def _referee(self, database: Database, number: int) -> Referee:
        async def show(_round_id: str) -> bool:
            return False

        # Nobody connects the alarm: what is due is taken when a rule says so.
        alarm, scoreboard = Alarm(database, every_s=60.0), Scoreboard(every_s=0.0)
        scoreboard.connect(show)
        intake: Any = Intake(self, database)
        return Referee(
            database, intake, alarm, scoreboard, clock=lambda: self.now, random=Random(number)
        )

    def begin_anew(self) -> None:
        """At noon, and so that the same happens again in the same order of events."""
        self.now, self.discord.weather = NOON, Weather.FINE
        for number, referee in enumerate(self.referees):
            referee._random = Random(number)

    def write(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self._runner.run(self.databases[0].write(work, *args, **kwargs))

    def write_at_once(self, work: Callable[..., Any], *args: Any) -> list[Any]:
        """In both processes at the same moment."""

        async def both() -> list[Any]:
            return await asyncio.gather(*(each.write(work, *args) for each in self.databases))

        return self._runner.run(both())

    def try_to(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """What it returns, or its refusal."""
        try:
            return self.write(work, *args, **kwargs)
        except Refusal as refusal:
            return refusal

    def refuses(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> bool:
        """Whether it is refused; else it is done."""
        return isinstance(self.try_to(work, *args, **kwargs), Refusal)

    def see_to(self, process: int, row: RoundRow) -> None:
        """As a process does whose task is about to begin, however long ago it took the round."""

        async def see_to() -> None:
            with suppress(AllowanceSpent, PainterOut, DiscordAway):
                await self.referees[process]._see_to(row, self.discord)

        self._runner.run(see_to())

    def look(self, referee: Referee, *, waits: bool = True) -> None:
        """A moment later, it begins to see to what is due; and mostly, it is waited for."""
        self.now += 1

        async def look() -> None:
            await referee._see_to_all(self.discord)
            if tasks := referee._tasks.values():
                await asyncio.wait(tasks, timeout=20 if waits else 0.2)

        self._runner.run(look())

    def books(self, server_id: int) -> Books:
        """As the other process reads them."""

        return self._runner.run(self.databases[1].read(Books, server_id))


def meet(connection: Connection, server_id: int) -> None:
    """So that whatever was left of earlier examples is no more, and a server is there."""
    connection.execute(update(rounds_table).values(due_at=None))
    connection.execute(insert(servers).values(id=server_id, first_seen_at=NOON))


def paint(connection: Connection, generation_id: str, pictures: int, now: float) -> None:
    """From `waiting` to `painted`."""
    row = generations.claim(connection, generation_id, "somebody", now + 60, now)
    assert row is not None, "it waits, as long as the vote does"
    finished = [
        NewPicture(n, f"{generation_id}-{n}.png", "image/png", 1024, 1024, 1000, seed=n)
        for n in range(1, pictures + 1)
    ]
    generations.keep(
        connection,
        generation_id,
        Lease("somebody", row.attempt),
        finished,
        model="m",
        steps=4,
        price=3000,
        notes=(),
        way=Way.CHANNEL,
        now=now,
    )


def store_result(connection: Connection, new: NewGeneration, now: float) -> None:
    """Pictures that were painted and shown before anybody thought of a vote."""
    generations.accept(connection, new, ROOMY, now)
    paint(connection, new.id, new.wanted, now)
    generations.deliver(connection, new.id, int(new.id), now)


def come_out(
    connection: Connection, generation_id: str, pictures: int, message_id: int | None, now: float
) -> bool:
    """It is painted and delivered; whether it had not ended before."""
    if generations.get(connection, generation_id).state == State.WAITING:
        paint(connection, generation_id, pictures, now)
    return generations.deliver(connection, generation_id, message_id, now) is not None


def come_to_nothing(connection: Connection, generation_id: str, becomes: State, now: float) -> bool:
    failed = generations.fail(
        connection,
        generation_id,
        found=State.WAITING,
        becomes=becomes,
        sentence="That did not work.",
        now=now,
    )
    return failed is not None


def begin(
    connection: Connection, contest: NewContest, first: NewRound, on: str | NewGeneration
) -> None:
    """A vote on pictures that are there, or on an order."""
    if isinstance(on, str):
        contests.open_on(connection, contest, first, on, RUNNING_MAX)
        return
    accepted = contests.accept_first(
        connection,
        generations.accept,
        contest,
        first,
        RUNNING_MAX,
        new=on,
        limits=ROOMY,
        now=contest.created_at,
    )
    assert isinstance(accepted, Accepted)


def begun(house: House, rules: Rules) -> tuple[str, str]:
    """The ids of a vote on two pictures that are there, and of its first round."""
    ids = house.ids
    place, contest_id, first_id = place_for(ids, SERVER, OPENER), ids.id(), ids.id()
    result = generation_for(ids.id(), place_for(ids, SERVER, OPENER), order_of(2))
    house.write(meet, SERVER)
    house.write(store_result, result, house.now)
    contest = contest_for(contest_id, place, rules, house.now, reply_to=None)
    house.write(begin, contest, NewRound(first_id, contest_id, 1, seed=0), result.id)
    return contest_id, first_id


def contest_for(
    id_: str, place: Place, rules: Rules, now: float, *, reply_to: int | None
) -> NewContest:
    return NewContest(
        id=id_,
        interaction_id=place.interaction_id,
        person_id=place.person_id,
        server_id=place.server_id or 0,
        channel_id=place.channel_id,
        application_id=place.application_id,
        file_limit=place.file_limit,
        reply_to=reply_to,
        created_at=now,
        **asdict(rules),
    )


class Books:
    """All that is written down of the votes of one server."""

    def __init__(self, connection: Connection, server_id: int) -> None:
        def rows(table: Any, **where: Any) -> list[Any]:
            conditions = [table.c[name].in_(values) for name, values in where.items()]
            return list(connection.execute(select(table).where(*conditions)))

        self.contests = {row.id: row for row in rows(contests_table, server_id=[server_id])}
        self.rounds = {row.id: row for row in rows(rounds_table, contest_id=self.contests)}
        self.ballots = rows(ballots, round_id=self.rounds)
        self.candidates = rows(candidates, round_id=self.rounds)
        self.suggestions = rows(suggestions, round_id=self.rounds)
        self.backings = rows(backings, round_id=self.rounds)
        self.generations = rows(generations_table, round_id=self.rounds)
        boards = ((id_, board_of(connection, id_)) for id_ in self.rounds)
        self.tallies = {id_: board.tallies for id_, board in boards if board is not None}


def place_for(ids: Ids, server_id: int, person_id: int) -> Place:
    return Place(
        interaction_id=ids.number(),
        person_id=person_id,
        server_id=server_id,
        application_id=1,
        channel_id=2,
        interaction_token="",
        token_expires_at=0,
        may_post=True,
        file_limit=10 * 2**20,
    )


def order_of(pictures: int) -> Order:
    """For as many, which may be more than one asks for of the same words."""
    words = "|".join(f"fox {n}" for n in range(pictures))
    return Order(f"{{{words}}}" if pictures > 1 else "a fox", count=1)
