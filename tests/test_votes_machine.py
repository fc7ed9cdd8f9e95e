"""Votes under any order of events: two processes, a clock that jumps, and what is told twice."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from structlog.testing import capture_logs
from votes_house import (
    NOON,
    OPENER,
    RUNNING_MAX,
    SERVER,
    House,
    Weather,
    begin,
    begun,
    come_out,
    come_to_nothing,
    contest_for,
    generation_for,
    meet,
    message_of,
    order_of,
    place_for,
    store_result,
)
from votes_model import DAY_S, VOTING, Ballot, Contest

from bot.errors import Refusal
from bot.store import ballots, rounds
from bot.store.rounds import NewRound
from bot.store.schema import State
from bot.store.vote_schema import Stage
from bot.studio import casting, closing
from bot.studio.voting import Rules, Voter

if TYPE_CHECKING:
    from pathlib import Path

    from votes_house import Books

    from bot.store.rounds import RoundRow

ROLE, ABROAD = 7, 3
LEASE_S = 60.0
CONTESTS_MAX, HANDS_MAX = 3, 4
#: No two things happen at the same time.
MOMENT_S = 2**-7
#: More than enough for every vote to end, once all is well.
TURNS_MAX = 60

WHICH = st.integers(0, 100)
#: How many vote, each for another picture, before it is closed; none: it stays open.
VOTES = st.sampled_from([0, 0, 0, 1, 1, 2])
WEATHER = st.sampled_from([Weather.FINE, Weather.FINE, Weather.AWAY, Weather.SHUT])
#: Kinds of people, by what is unusual of them.
PEOPLE: dict[int, dict[str, Any]] = {
    OPENER: {},
    2: {},
    3: {},
    4: {},
    5: {"moderates": True},
    6: {"roles": frozenset()},
    7: {"account_since": NOON - DAY_S + 100},
    8: {"member_since": NOON - DAY_S + 100},
    9: {"is_bot": True},
    10: {"server_id": ABROAD},
}
ANYBODY = st.sampled_from([2, 2, 2, 2, 3, 3, 3, *PEOPLE])


class Press(Enum):
    """What Discord tells of a press."""

    NEW = "that it was made"
    AGAIN = "the same as of the last one"
    LATE = "that it was made before the last one"


#: Who, for which picture.
PRESSES = st.lists(
    st.tuples(
        ANYBODY,
        st.sampled_from([1, 1, 1, 2, 2, 2, *range(3, 9)]),
        st.sampled_from([Press.NEW, Press.NEW, Press.AGAIN, Press.LATE]),
    ),
    min_size=4,
    max_size=8,
)
#: Who, and what: words, or whose.
WORDS = ["make it night", "a hat", "ein größerer Hut", "EIN GRÖSSERER HUT"]
SUGGESTIONS = st.lists(
    st.tuples(ANYBODY, st.sampled_from([*WORDS, *WORDS[2:], 2, 3, 4])), min_size=3, max_size=8
)
#: How much of its time: mostly, as much as there is.
LEFT_S = st.sampled_from([None, None, None, 1, 0, 0])
RULES = st.builds(
    Rules,
    st.sampled_from([30, 600, 600, DAY_S]),
    rounds=st.integers(1, 3),
    secret=st.booleans(),
    voters_role=st.sampled_from([None, None, ROLE]),
    opener_votes=st.booleans(),
    account_days=st.integers(0, 1),
    member_days=st.integers(0, 1),
)


class Votes(RuleBasedStateMachine):
    """Each example has a server of its own."""

    def __init__(self, house: House) -> None:
        super().__init__()
        self.house, self.latest = house, NOON
        house.begin_anew()
        self.server = house.ids.number() + ABROAD
        self.contests: list[Contest] = []
        #: What processes have taken, the last first.
        self.hands: list[tuple[int, RoundRow]] = []
        self.pressed = 0
        house.write(meet, self.server)

    # What it is about

    @property
    def now(self) -> float:
        return self.house.now

    @property
    def ballots(self) -> list[Ballot]:
        return [ballot for contest in self.contests for ballot in contest.ballots]

    @property
    def running(self) -> list[Contest]:
        return [contest for contest in self.contests if contest.ended_at is None]

    @property
    def painting(self) -> list[Ballot]:
        return [ballot for ballot in self.ballots if ballot.painting]

    def ballot(self, which: int) -> Ballot:
        """One of all; mostly, one that is not over."""
        under_way = [each for each in self.ballots if each.stage is not Stage.OVER]
        from_ = under_way if under_way and which % 5 else self.ballots
        return from_[which % len(from_)]

    def one_in(self, which: int, *stages: Stage) -> Ballot:
        """Mostly one in these stages."""
        fitting = [each for each in self.ballots if each.stage in stages]
        return fitting[which % len(fitting)] if fitting and which % 8 else self.ballot(which)

    def until(self, ballot: Ballot, left_s: float | None) -> None:
        if left_s is not None and ballot.closes_at:
            self.time_passes(max(0, ballot.closes_at - left_s - self.now))

    def voter(self, person: int) -> Voter:
        usual = {
            "server_id": self.server,
            "roles": frozenset({ROLE}),
            "account_since": 0.0,
            "member_since": 0.0,
        }
        return Voter(person, **usual | PEOPLE[person])

    def known(self, round_id: str) -> Ballot:
        return next(ballot for ballot in self.ballots if ballot.id == round_id)

    # What people do

    @initialize(rules=RULES, pictures=st.integers(2, 8), painted=st.booleans(), votes=VOTES)
    def the_first(self, rules: Rules, pictures: int, votes: int, *, painted: bool) -> None:
        self.begin(rules, pictures, painted=painted)
        self.a_round_goes_by(0, votes)

    @precondition(lambda self: self.running)
    @rule(which=WHICH, votes=VOTES)
    def a_round_goes_by(self, which: int, votes: int) -> None:
        """As most do: to its ballot, and often on to its winner."""
        contest = self.running[which % len(self.running)]
        ballot = contest.ballots[-1]
        if ballot.painting:
            self.it_is_painted(
                self.painting.index(ballot), ends=State.DELIVERED, posted=True, told=1
            )
        self.take_due(Weather.FINE)
        if votes and ballot.stage in VOTING:
            for person, position in zip((2, 3), ballot.standing[:votes], strict=False):
                self.pressed += 2
                self.press(ballot, position, self.voter(person), self.pressed)
            self.close_by_hand(ballot, self.voter(OPENER))

    @precondition(lambda self: len(self.contests) < CONTESTS_MAX)
    @rule(rules=RULES, pictures=st.integers(2, 8), painted=st.booleans())
    def begin(self, rules: Rules, pictures: int, *, painted: bool) -> None:
        """On pictures that are there, or on an order."""
        ids = self.house.ids
        place, order = place_for(ids, self.server, OPENER), order_of(pictures)
        new = generation_for(ids.id(), place, order)
        if not painted:
            result = generation_for(new.id, place_for(ids, self.server, OPENER), order)
            self.house.write(store_result, result, self.now)
        contest = Contest(ids.id(), self.server, OPENER, rules)
        first = NewRound(ids.id(), contest.id, 1, seed=3 + len(self.contests))
        refused = self.house.refuses(
            begin,
            contest_for(contest.id, place, rules, self.now, reply_to=None),
            first,
            new if painted else new.id,
        )
        assert refused == (len(self.running) >= RUNNING_MAX), "so many at a time, and no more"
        if not refused:
            self.contests.append(contest)
            self.follow(contest, first.id, first.seed, pictures, new.id if painted else None)

    def follow(
        self, contest: Contest, round_id: str, seed: int, pictures: int, painted_for: str | None
    ) -> None:
        positions = tuple(range(1, pictures + 1))
        contest.ballots.append(
            Ballot(round_id, contest, seed, positions, painted_for, painting=bool(painted_for))
        )

    @precondition(lambda self: self.ballots)
    @rule(which=WHICH, presses=PRESSES, left_s=LEFT_S)
    def cast(self, which: int, presses: list[tuple[int, int, Press]], left_s: float | None) -> None:
        """At any time, or when so much is left of it."""
        ballot = self.one_in(which, *VOTING)
        self.until(ballot, left_s)
        for person, position, told in presses:
            last, _ = ballot.presses.get(ballot.stage, {}).get(person, (0, None))
            if told is Press.NEW or last == 0:
                self.pressed += 2
                press_id = self.pressed
            else:
                press_id = last if told is Press.AGAIN else last - 1
            self.press(ballot, position, self.voter(person), press_id)

    def press(self, ballot: Ballot, position: int, voter: Voter, press_id: int) -> None:
        stage, person = ballot.stage, voter.person_id
        counts = ballot.takes(position, voter, self.now)
        _, before = ballot.presses.get(stage, {}).get(person, (0, None))
        if counts:
            ballot.press(position, person, press_id)
        outcome = self.house.try_to(
            casting.cast, ballot.id, position, voter, press_id=press_id, now=self.now
        )
        if isinstance(outcome, Refusal):
            assert not counts, f"{voter} voted in {stage}: {outcome.sentence}"
            return
        assert counts, f"a press in {stage} was counted: {outcome}"
        _, after = ballot.presses[stage][person]
        assert (outcome.before, outcome.position) == (before, after), "what is told of it"
        assert outcome.turnout == sum(ballot.tally(stage).values()), "the votes that are told"

    @precondition(lambda self: self.ballots)
    @rule(which=WHICH, person=ANYBODY)
    def close_one(self, which: int, person: int) -> None:
        self.close_by_hand(self.ballot(which), self.voter(person))

    def close_by_hand(self, ballot: Ballot, voter: Voter) -> None:
        """Or stop, between two rounds."""
        may = ballot.contest.led_by(voter) and ballot.stage in (*VOTING, Stage.BETWEEN)
        refused = self.house.refuses(casting.close, ballot.id, voter, self.now)
        assert refused != may, f"{ballot.stage} closed by {voter}"
        if may and not ballot.end_early(told_why=False):
            ballot.settle(self.now, may_extend=False)

    @precondition(lambda self: self.ballots)
    @rule(which=WHICH, person=ANYBODY)
    def go_on(self, which: int, person: int) -> None:
        ballot, voter = self.ballot(which), self.voter(person)
        may = ballot.contest.led_by(voter) and ballot.stage is Stage.BETWEEN
        refused = self.house.refuses(casting.go_on, ballot.id, voter, self.now)
        assert refused != may, f"{voter} went on from {ballot.stage}"
        if may:
            ballot.closes_at = self.now

    def hears(self, ballot: Ballot, voter: Voter) -> bool:
        in_time = ballot.stage is Stage.BETWEEN and self.now < (ballot.closes_at or 0.0)
        return in_time and ballot.contest.heard(voter, self.now)

    @precondition(lambda self: any(each.stage is Stage.BETWEEN for each in self.ballots))
    @rule(which=WHICH, said=SUGGESTIONS, left_s=LEFT_S)
    def suggest(self, which: int, said: list[tuple[int, str | int]], left_s: float | None) -> None:
        """Words of one's own, or those of somebody else."""
        ballot = self.one_in(which, Stage.BETWEEN)
        self.until(ballot, left_s)
        for person, words in said:
            if isinstance(words, str):
                self.suggest_words(ballot, words, self.voter(person))
            else:
                self.back(ballot, words, self.voter(person))

    def suggest_words(self, ballot: Ballot, words: str, voter: Voter) -> None:
        may = self.hears(ballot, voter)
        refused = self.house.refuses(casting.suggest, ballot.id, words, voter, self.now)
        assert refused != may, f"{voter} suggested something in {ballot.stage}"
        if may:
            ballot.suggest(voter.person_id, words, self.now)

    def back(self, ballot: Ballot, author: int, voter: Voter) -> None:
        may = self.hears(ballot, voter) and author in ballot.suggestions
        refused = self.house.refuses(casting.back, ballot.id, author, voter, self.now)
        assert refused != may, f"{voter} backed {author} in {ballot.stage}"
        if may:
            ballot.backings[voter.person_id] = author

    @precondition(lambda self: any(each.suggestions for each in self.ballots))
    @rule(which=WHICH, person=st.sampled_from(list(PEOPLE)), author=st.integers(0, 9))
    def take_off(self, which: int, person: int, author: int) -> None:
        """A suggestion of one's own, or anybody's by a moderator."""
        suggested = [each for each in self.ballots if each.suggestions]
        ballot = suggested[which % len(suggested)]
        authors, voter = [*ballot.suggestions, author], self.voter(person)
        chosen = authors[author % len(authors)]
        in_time = ballot.stage is Stage.BETWEEN and self.now < (ballot.closes_at or 0.0)
        here = voter.server_id == ballot.contest.server_id
        may = here and in_time and chosen in ballot.suggestions
        may &= voter.moderates or voter.person_id == chosen
        refused = self.house.refuses(casting.take_off, ballot.id, chosen, voter, self.now)
        assert refused != may, f"{voter} took {chosen}'s off in {ballot.stage}"
        if may:
            ballot.take_off(chosen, own=voter.person_id == chosen)

    @precondition(lambda self: self.ballots)
    @rule(which=WHICH, told=st.integers(1, 2))
    def delete_its_message(self, which: int, told: int) -> None:
        ballot = self.ballot(which)
        for _ in range(told):
            self.house.write(casting.forget, ballot.message_id or 1, self.now)
            if ballot.message_id is not None:
                ballot.abandon(self.now)

    # What becomes of what is painted

    @precondition(lambda self: self.painting)
    @rule(
        which=WHICH,
        ends=st.sampled_from(
            [State.DELIVERED] * 4 + [State.FAILED, State.REFUSED, State.CANCELLED]
        ),
        posted=st.sampled_from([True, True, True, False]),
        told=st.integers(1, 2),
        alone=st.sampled_from([False, False, False, True]),
    )
    def it_is_painted(
        self, which: int, ends: State, *, posted: bool, told: int, alone: bool = False
    ) -> None:
        """Or not, or one picture alone; and what is, mostly reaches people."""
        ballot = self.painting[which % len(self.painting)]
        ballot.painting = False
        if alone:
            ballot.candidates = (1,)
        for number in range(told):
            ended = self.painted(ballot, ends, message_of(ballot.id) if posted else None)
            assert ended == (number == 0), "it ends once"
        if ends is State.DELIVERED and posted:
            ballot.open(message_of(ballot.id), self.now)
        else:
            ballot.abandon(self.now)

    def painted(self, ballot: Ballot, ends: State, message_id: int | None) -> bool:
        of = ballot.generation_id
        if ends is State.DELIVERED:
            pictures = len(ballot.candidates)
            return self.house.write(come_out, of, pictures, message_id, self.now)
        return self.house.write(come_to_nothing, of, ends, self.now)

    # What time does, and processes

    @rule(seconds=st.sampled_from([1, 1, 16, 16, 31, 61, 310, DAY_S + 100, -3600]))
    def time_passes(self, seconds: float) -> None:
        """Or the clock is set back."""
        self.house.now += seconds
        self.latest = max(self.latest, self.now)

    @precondition(lambda self: self.ballots)
    @rule(which=WHICH)
    def its_time_comes(self, which: int) -> None:
        closes_at = self.ballot(which).closes_at or self.now
        self.time_passes(max(0, closes_at - self.now))

    @precondition(lambda self: self.ballots)
    @rule(weather=st.none() | WEATHER)
    def take_due(self, weather: Weather | None) -> None:
        """Two processes do at the same time; and then they see to it, or hang."""
        self.time_passes(MOMENT_S)
        by_each = self.house.write_at_once(rounds.take_due, self.now + LEASE_S, self.now)
        taken = sorted((row for rows in by_each for row in rows), key=lambda row: row.id)
        assert len({row.id for row in taken}) == len(taken), "each is taken by one of them"
        # Which of them it was is chance; here each has its share.
        hands = [(number % 2, row) for number, row in enumerate(taken)]
        self.hands = [*hands, *self.hands][:HANDS_MAX]
        for hand in hands if weather else ():
            self.see_to(*hand, weather)

    @precondition(lambda self: self.hands)
    @rule(which=st.integers(0, HANDS_MAX - 1), weather=WEATHER)
    def come_back(self, which: int, weather: Weather) -> None:
        """A process goes on with what it took then, whatever others have done since."""
        self.see_to(*self.hands[which % len(self.hands)], weather)

    @precondition(lambda self: self.ballots)
    @rule(which=WHICH)
    def look_at_one(self, which: int) -> None:
        """Whether it closes is not for the one who looks to say."""
        ballot = self.ballot(which)
        self.house.write(closing.settle, ballot.id, self.now)
        ballot.close(self.now)

    @rule()
    def start_again(self) -> None:
        self.house.write(rounds.look_at_all, self.now)

    def see_to(self, process: int, row: RoundRow, weather: Weather) -> None:
        """With what it knew when it took the round, which may be long ago."""
        ballot = self.known(row.id)
        self.house.discord.weather = weather
        self.house.see_to(process, row)
        self.house.discord.weather = Weather.FINE
        match Stage(row.stage):
            case Stage.WAITING if weather is Weather.FINE:
                ballot.open(message_of(ballot.id), self.now)
            case Stage.WAITING if weather is Weather.SHUT and ballot.stage is Stage.WAITING:
                ballot.abandon(self.now)
            case Stage.OPEN | Stage.RUNOFF if self.now >= row.closes_at:
                ballot.close(self.now)
            case Stage.BETWEEN if self.now >= row.closes_at:
                self.gone_on(ballot, weather)
            case Stage.DECIDED:
                has_winner = any(each.winner for each in ballot.contest.ballots)
                is_old = self.now > row.closes_at + DAY_S
                if weather is not Weather.AWAY or is_old or not has_winner:
                    ballot.announce(self.now)

    def gone_on(self, ballot: Ballot, weather: Weather) -> None:
        if weather is Weather.SHUT:
            ballot.end_early(told_why=True)
        elif weather is Weather.AWAY:
            ballot.wait(self.now)
        elif weather is Weather.FINE and ballot.stage is Stage.BETWEEN:
            ballot.stage = Stage.OVER
            row = max(self.books().rounds.values(), key=lambda each: each.id)
            assert row.contest_id == ballot.contest.id
            [painted_for] = [g.id for g in self.books().generations if g.round_id == row.id]
            pictures = min(4, max(2, len(ballot.candidates)))
            self.follow(ballot.contest, row.id, row.seed, pictures, painted_for)

    # What holds after each step

    def books(self) -> Books:
        return self.house.books(self.server)

    @invariant()
    def the_promises_hold(self) -> None:
        books = self.books()
        self.rounds_are_as_they_should_be(books)
        self.votes_end_once(books)
        self.nothing_stands_still(books)
        self.people_are_counted_once(books)
        self.what_is_accepted_is_painted_for_a_round(books)

    def rounds_are_as_they_should_be(self, books: Books) -> None:
        assert sorted(books.rounds) == sorted(each.id for each in self.ballots)
        for ballot in self.ballots:
            row, told = books.rounds[ballot.id], ballot.as_row()
            assert {name: row._mapping[name] for name in told} == told, "a round"
            if ballot.stage in (*VOTING, Stage.BETWEEN):
                assert row.closes_at == ballot.closes_at, f"when {ballot.stage} closes"
            stands = [each for each in books.candidates if each.round_id == ballot.id]
            if ballot.stage is not Stage.WAITING and ballot.message_id:
                assert [each.position for each in stands] == list(ballot.candidates)
            runoff = tuple(each.position for each in stands if each.in_runoff)
            assert runoff == ballot.runoff, "who stands in the runoff"

    def votes_end_once(self, books: Books) -> None:
        for contest in self.contests:
            row = books.contests[contest.id]
            assert row.ended_at == contest.ended_at, "when it ended"
            assert (row.ending is not None) == contest.ended_early, "why it ended"
            of_it = [each for each in books.rounds.values() if each.contest_id == contest.id]
            under_way = [each.stage for each in of_it if each.stage != Stage.OVER]
            assert len(under_way) == (contest.ended_at is None), "one round at a time, to the end"

    def nothing_stands_still(self, books: Books) -> None:
        painted = {each.round_id for each in books.generations if each.ended_at is None}
        for row in books.rounds.values():
            if row.stage == Stage.OVER or (row.stage == Stage.WAITING and row.id in painted):
                continue
            assert row.due_at is not None, f"nobody will ever see to {row}"
            shown = row.stage in (*VOTING, Stage.BETWEEN)
            soon = self.latest + LEASE_S
            by = max(soon, row.closes_at) if shown else soon
            assert row.due_at <= by, f"{row} is left alone for {row.due_at - self.now} s"

    def people_are_counted_once(self, books: Books) -> None:
        cast = {(b.round_id, b.stage, b.person_id): (b.press_id, b.position) for b in books.ballots}
        expected = {
            (ballot.id, stage, person): press
            for ballot in self.ballots
            for stage, presses in ballot.presses.items()
            for person, press in presses.items()
        }
        assert cast == expected, "everybody's last press of each stage"
        for round_id, tallies in books.tallies.items():
            ballot = self.known(round_id)
            expected = {stage: ballot.tally(stage) for stage in VOTING}
            assert tallies == expected, "the votes of each candidate"
        suggested = {(each.round_id, each.person_id): each.words for each in books.suggestions}
        backed = {(each.round_id, each.person_id): each.backs for each in books.backings}
        for told, of in ((suggested, "suggestions"), (backed, "backings")):
            assert told == {
                (ballot.id, person): what
                for ballot in self.ballots
                for person, what in getattr(ballot, of).items()
            }, of

    def what_is_accepted_is_painted_for_a_round(self, books: Books) -> None:
        accepted = sorted((each.round_id, each.id) for each in books.generations)
        ordered = [(each.id, each.generation_id) for each in self.ballots if each.generation_id]
        assert accepted == sorted(ordered), "one generation for each round that is painted"
        for contest in self.contests:
            assert len(contest.ballots) <= contest.rules.rounds, "no more rounds than asked for"

    # What holds in the end

    def teardown(self) -> None:
        for _ in range(TURNS_MAX):
            if not self.running:
                break
            for ballot in self.painting:
                self.it_is_painted(
                    self.painting.index(ballot), State.DELIVERED, posted=True, told=1
                )
            # The looks in between, at who of a role may vote, lead to nothing new.
            due = [
                max(row.due_at, row.closes_at or 0.0) if Stage(row.stage).votes else row.due_at
                for row in self.books().rounds.values()
                if row.due_at is not None
            ]
            self.time_passes(max(0, min(due, default=self.now) - self.now))
            self.take_due(Weather.FINE)
        self.the_promises_hold()
        assert not self.running, f"they never end: {[each.id for each in self.running]}"
        for contest in self.contests:
            won = self.house.discord.won[contest.id]
            assert len(won) <= 1, f"a vote has one winner, and not those of {won}"


def test_votes_hold_in_any_order_of_events(tmp_path: Path) -> None:
    with House(tmp_path / "easel.db") as house, capture_logs():
        run_state_machine_as_test(
            lambda: Votes(house),
            settings=settings(max_examples=50, stateful_step_count=30, deadline=None),
        )


def test_the_store_alone_keeps_the_last_press(tmp_path: Path) -> None:
    with House(tmp_path / "easel.db") as house:
        _, round_id = begun(house, Rules(600))
        for press_id, position in ((5, 1), (4, 2), (5, 2)):
            house.write(
                ballots.cast, round_id, Stage.OPEN, 2, position, press_id=press_id, now=NOON
            )
        [ballot] = house.books(SERVER).ballots
        assert (ballot.press_id, ballot.position) == (5, 1)


def test_whoever_backs_another_one_still_does_after_suggesting_something(tmp_path: Path) -> None:
    with House(tmp_path / "easel.db") as house:
        _, round_id = begun(house, Rules(600, rounds=2))
        ann, bob = Voter(OPENER, SERVER), Voter(2, SERVER)
        house.look(house.referees[0])
        house.write(casting.cast, round_id, 1, ann, press_id=1, now=house.now)
        house.write(casting.close, round_id, ann, house.now)
        house.write(casting.suggest, round_id, "make it night", ann, house.now)
        house.write(casting.back, round_id, OPENER, bob, house.now)
        house.write(casting.suggest, round_id, "a hat", bob, house.now)
        backed = {each.person_id: each.backs for each in house.books(SERVER).backings}
        assert backed == {OPENER: OPENER, 2: OPENER}
