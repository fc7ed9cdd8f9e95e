"""What people can do with votes: open one, cast, suggest, close."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from functools import partial
from random import SystemRandom
from typing import TYPE_CHECKING

from bot.errors import BadRequest, NotAllowed
from bot.imaging.request import COUNT_MAX, Size, clean_text
from bot.store import ballots, contests, drafts, people, rounds, servers
from bot.store.contests import NewContest
from bot.studio import casting
from bot.studio.contest import blank_board, finale_of, standing_in
from bot.studio.gathering import see_to_edit
from bot.studio.order import Order, Source, Variation
from bot.studio.outcomes import Answered
from bot.studio.viewing import see
from bot.studio.voting import Rules, check_rules
from bot.studio.wish import About, Wish

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from sqlalchemy import Connection

    from bot.store.database import Database
    from bot.store.people import Limits
    from bot.store.rounds import NewRound
    from bot.store.servers import VoterRules
    from bot.store.vote_schema import Stage
    from bot.studio.casting import Cast, TakenOff
    from bot.studio.contest import Board, Finale, Listed
    from bot.studio.generation import Place, Shown
    from bot.studio.intake import Intake
    from bot.studio.outcomes import Quote, Submitted
    from bot.studio.referee import Referee
    from bot.studio.voting import Voter

#: Votes that one person may have under way in a server.
RUNNING_MAX = 3
SUGGESTION_MAX = 300


@dataclass(frozen=True, slots=True)
class Proposal:
    """A vote as it would be, if it is confirmed.

    Attributes:
        on: an offer for the pictures of the first round, or those that are there.
        wanted: pictures that are painted in all, at most.
        price: of all of them, estimated, in micro-dollars; None when unknown.
        left_today: pictures that the opener may still have painted today.
    """

    draft_id: str
    wish: Wish
    on: Quote | Shown
    wanted: int
    price: int | None
    left_today: int


class Votes:
    """The door for votes."""

    def __init__(
        self,
        database: Database,
        intake: Intake,
        referee: Referee,
        *,
        limits: Limits,
        clock: Callable[[], float] = time.time,
        random: Random | None = None,
    ) -> None:
        self._database = database
        self._intake = intake
        self._referee = referee
        self._random = random or SystemRandom()
        self._limits = limits
        self._clock = clock

    async def propose(self, wish: Wish, place: Place) -> Proposal:
        """Writes down what is to be voted on, and says what it would come to.

        Raises:
            Refusal: no such vote can be held there.
        """
        if place.server_id is None:
            raise NotAllowed("Votes are held in servers, where others can vote.")
        if not place.may_post:
            raise NotAllowed(
                "I may not post pictures in this channel, and a ballot is a message of mine. "
                "Open the vote in another one, or ask those who manage the server to let me."
            )
        check_rules(wish.rules)
        # The role that everyone has goes by the server's own id.
        everyone = wish.rules.voters_role == place.server_id
        wish = replace(wish, rules=replace(wish.rules, voters_role=None)) if everyone else wish
        voters = await self._database.read(servers.voters_in, place.server_id)
        rules = _with(wish.rules, voters)
        match wish.on:
            case Order() as order:
                return await self._on_order(order, rules, place)
            case About() as about:
                return await self._on_shown(about, rules, place)

    async def _on_order(self, order: Order, rules: Rules, place: Place) -> Proposal:
        # In the order in which they were named, whoever named them would know who is who.
        order = replace(order, models=tuple(self._random.sample(order.models, len(order.models))))
        quote = await self._intake.quote(
            order, place, written=lambda priced: Wish(rules, priced).to_json()
        )
        wanted, price = quote.order.wanted, quote.price
        if wanted < 2:  # noqa: PLR2004 - a choice
            raise _too_few()
        later, later_price = self._of_later_rounds(rules, wanted)
        return Proposal(
            quote.draft_id,
            Wish(rules, quote.order),
            quote,
            wanted + later,
            None if price is None or later_price is None else price + later_price,
            await self._left_today(place.person_id),
        )

    async def _on_shown(self, about: About, rules: Rules, place: Place) -> Proposal:
        see_it = see if rules.rounds == 1 else see_to_edit
        shown = await see_it(self._database, about.generation_id, place.viewer)
        if shown.generation.order.private:
            raise NotAllowed("A private picture is nobody else's to vote on.")
        if len(shown.pictures) < 2:  # noqa: PLR2004 - a choice
            raise _too_few()
        wish, draft_id = Wish(rules, about), self._intake.new_id()
        wanted, price = self._of_later_rounds(rules, len(shown.pictures))
        await self._intake.keep(draft_id, place.person_id, wish.to_json())
        left = await self._left_today(place.person_id)
        return Proposal(draft_id, wish, shown, wanted, price, left)

    def _of_later_rounds(self, rules: Rules, candidates: int) -> tuple[int, int | None]:
        """How many pictures those are, and what they cost."""
        if not (later := rules.rounds - 1):
            return 0, 0
        following = _following(candidates)
        price = self._intake.estimate(following)
        return later * following.wanted, None if price is None else later * price

    async def _left_today(self, person_id: int) -> int:
        used = await self._database.read(people.usage, person_id, self._clock())
        return max(0, self._limits.per_day - used.today)

    async def wish(self, draft_id: str, person_id: int) -> Wish:
        """What `propose` wrote down.

        Raises:
            Answered: it is somebody else's, was answered, or is over a day old.
        """
        request = await self._database.read(drafts.find, draft_id, person_id, self._clock())
        if request is None:
            raise Answered
        return Wish.from_json(request)

    async def start(self, draft_id: str, order: Order, rules: Rules, place: Place) -> Submitted:
        """Begins a vote whose pictures are still to be painted; its ballot is their message.

        Raises:
            Refusal: as `Intake.submit`; or it was begun before, or those are too many.
        """
        contest, first = self._new(rules, place, None)
        accept = partial(
            contests.accept_first,
            accept=partial(drafts.accept, draft_id=draft_id),
            contest=contest,
            first=first,
            most=RUNNING_MAX,
        )
        return await self._intake.submit(order, place, accept=accept)

    async def open_on(self, draft_id: str, about: About, rules: Rules, place: Place) -> None:
        """Begins a vote on pictures that are there; its ballot is posted soon.

        Raises:
            Refusal: it was begun before, or those are too many.
        """
        shown = await see(self._database, about.generation_id, place.viewer)
        asked_here = shown.generation.place.channel_id == place.channel_id
        reply_to = shown.generation.message_id if asked_here else None
        contest, first = self._new(rules, place, reply_to)
        await self._database.write(
            _open_on, draft_id, contest, first, about=about, now=self._clock()
        )
        self._referee.moved()

    async def cast(self, round_id: str, position: int, voter: Voter, press_id: int) -> Cast:
        """Votes for a candidate, or takes the vote for it back.

        Args:
            round_id: of which ballot.
            position: the candidate's.
            voter: who votes.
            press_id: of the press; what is told twice, or late, changes nothing.

        Raises:
            Refusal: nothing was counted: it is closed, or this one or that candidate is out.
        """
        outcome = await self._database.write(
            casting.cast, round_id, position, voter, press_id=press_id, now=self._clock()
        )
        self._referee.counted(round_id)
        if outcome.for_role and outcome.position is not None:
            self._referee.close_when_all_voted(round_id, outcome.turnout)
        return outcome

    async def close(self, round_id: str, voter: Voter) -> Stage:
        """Closes a ballot before its time, or ends a vote between two rounds; what it leads to.

        Raises:
            Refusal: it is not open, or this one may not.
        """
        closed = await self._database.write(casting.close, round_id, voter, self._clock())
        self._referee.moved()
        return closed

    async def go_on(self, round_id: str, voter: Voter) -> None:
        """Has the next round begin now, with what was suggested so far.

        Raises:
            Refusal: it has begun, or this one may not.
        """
        await self._database.write(casting.go_on, round_id, voter, self._clock())
        self._referee.moved()

    async def suggestion(self, round_id: str, voter: Voter) -> str | None:
        """What somebody has suggested so far.

        Raises:
            Refusal: they may suggest nothing now.
        """
        return await self._database.read(_suggestion, round_id, voter, self._clock())

    async def suggest(self, round_id: str, words: str, voter: Voter) -> bool:
        """Suggests what the next round should change, in place of an earlier suggestion.

        Returns:
            Whether they back it themselves, and not another one.

        Raises:
            Refusal: it is too late for it, or too early; or there are no words in it.
        """
        cleaned = clean_text(words)
        if not cleaned:
            raise BadRequest("Write what should change, such as: make it night.")
        if len(cleaned) > SUGGESTION_MAX:
            raise BadRequest(f"A suggestion has at most {SUGGESTION_MAX} characters.")
        backed = await self._database.write(
            casting.suggest, round_id, cleaned, voter, self._clock()
        )
        self._referee.counted(round_id)
        return backed

    async def back(self, round_id: str, author_id: int, voter: Voter) -> str:
        """Backs somebody's suggestion, and no other one; its words.

        Raises:
            Refusal: it is too late for it, or it is not there any more.
        """
        words = await self._database.write(casting.back, round_id, author_id, voter, self._clock())
        self._referee.counted(round_id)
        return words

    async def take_off(self, round_id: str, author_id: int, voter: Voter) -> TakenOff:
        """Takes a suggestion off the list.

        Raises:
            Refusal: it is too late for it, it is not there any more, or this one may not.
        """
        taken_off = await self._database.write(
            casting.take_off, round_id, author_id, voter, self._clock()
        )
        self._referee.counted(round_id)
        return taken_off

    async def finale(self, round_id: str, server_id: int | None) -> Finale | None:
        """The rounds of its vote that had a winner; None where there is none."""
        return await self._database.read(_finale, round_id, server_id)

    async def blank_board(self, round_id: str, shown: Shown) -> Board | None:
        """The ballot that freshly painted pictures are to become; None where it has ended."""
        return await self._database.read(blank_board, round_id, shown, self._clock())

    async def standing(self, server_id: int) -> list[Listed]:
        """What is under way in a server, and what was decided last; the newest first."""
        return await self._database.read(standing_in, server_id)

    async def let_vote(
        self,
        server_id: int,
        *,
        opener_votes: bool | None = None,
        account_days: int | None = None,
        member_days: int | None = None,
    ) -> VoterRules:
        """Decides who may vote in a server, for whoever manages it; all of its rules then.

        What is None stays as it is. Votes under way keep the rules that they began with.
        """
        told = {
            "opener_votes": opener_votes,
            "voter_account_days": account_days,
            "voter_member_days": member_days,
        }
        changes = {name: int(value) for name, value in told.items() if value is not None}
        return await self._database.write(servers.let_vote, server_id, changes, self._clock())

    async def forget(self, message_id: int) -> None:
        """A message was deleted: if it was a ballot, its vote is over."""
        # Of all messages that are deleted anywhere, the fewest are.
        if self._referee.idle:
            return
        if await self._database.read(rounds.by_message, message_id) is not None:
            await self._database.write(casting.forget, message_id, self._clock())
            self._referee.moved()

    def _new(self, rules: Rules, place: Place, reply_to: int | None) -> tuple[NewContest, NewRound]:
        contest = NewContest(
            id=self._intake.new_id(),
            interaction_id=place.interaction_id,
            person_id=place.person_id,
            server_id=place.server_id or 0,
            channel_id=place.channel_id,
            application_id=place.application_id,
            file_limit=place.file_limit,
            reply_to=reply_to,
            created_at=self._clock(),
            **asdict(rules),
        )
        return contest, self._referee.new_round(contest.id, 1)


def _with(rules: Rules, voters: VoterRules) -> Rules:
    return replace(
        rules,
        opener_votes=voters.opener_votes,
        account_days=voters.voter_account_days,
        member_days=voters.voter_member_days,
    )


def _too_few() -> BadRequest:
    return BadRequest(
        "A vote needs at least two pictures to choose from. Ask for more of them, or vary this "
        "one first."
    )


def _following(candidates: int) -> Order:
    """What a further round will be like, to be priced; of which picture, the vote decides."""
    source = Source("", Size(1024, 1024))
    count = min(max(1, candidates), COUNT_MAX)
    return Order("a variation", variation=Variation.STRONG, count=count, sources=(source,))


def _open_on(
    connection: Connection,
    draft_id: str,
    contest: NewContest,
    first: NewRound,
    *,
    about: About,
    now: float,
) -> None:
    if contests.known(connection, contest.interaction_id) is not None:
        return
    if drafts.take(connection, draft_id, contest.person_id, now) is None:
        raise Answered
    contests.open_on(connection, contest, first, about.generation_id, RUNNING_MAX)


def _suggestion(connection: Connection, round_id: str, voter: Voter, now: float) -> str | None:
    casting.check_suggesting(connection, round_id, voter, now)
    return ballots.words_of(connection, round_id, voter.person_id)


def _finale(connection: Connection, round_id: str, server_id: int | None) -> Finale | None:
    row = rounds.get(connection, round_id)
    finale = None if row is None else finale_of(connection, row.contest_id)
    return finale if finale and finale.last.contest.server_id == server_id else None
