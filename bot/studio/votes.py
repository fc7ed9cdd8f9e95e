"""What people can do with votes: open one, cast, suggest, close."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from bot.errors import BadRequest, NotAllowed
from bot.imaging.request import COUNT_MAX, Size, clean_text
from bot.store import ballots, contests, drafts, people, rounds, servers
from bot.store.contests import NewContest
from bot.studio import casting
from bot.studio.contest import blank_board, board_of, standing_in
from bot.studio.gathering import see_to_edit
from bot.studio.intake import Answered
from bot.studio.order import Order, Source, Variation
from bot.studio.viewing import see
from bot.studio.voting import Rules, check_rules
from bot.studio.wish import Wish

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from bot.store.database import Database
    from bot.store.people import Limits
    from bot.store.rounds import NewRound
    from bot.store.servers import VoterRules
    from bot.store.vote_schema import Stage
    from bot.studio.casting import Cast
    from bot.studio.contest import Board, Running
    from bot.studio.generation import Place, Shown
    from bot.studio.intake import Intake, Quote, Submitted
    from bot.studio.referee import Referee
    from bot.studio.voting import Voter

#: Votes that one person may have under way in a server.
RUNNING_MAX = 3
SUGGESTION_MAX = 300


@dataclass(frozen=True, slots=True)
class Proposal:
    """A vote as it would be, if it is confirmed.

    Attributes:
        quote: of the first round; None where its pictures are there.
        shown: those pictures.
        wanted: pictures that are painted in all, at most.
        price: of all of them, estimated, in micro-dollars; None when unknown.
        left_today: pictures that the opener may still have painted today.
    """

    draft_id: str
    wish: Wish
    quote: Quote | None
    shown: Shown | None
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
    ) -> None:
        self._database = database
        self._intake = intake
        self._referee = referee
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
        voters = await self._database.read(servers.voters_in, place.server_id)
        wish = replace(wish, rules=_with(wish.rules, voters))
        return await (self._on_order(wish, place) if wish.order else self._on_shown(wish, place))

    async def _on_order(self, wish: Wish, place: Place) -> Proposal:
        order = wish.order
        if order is None:
            raise AssertionError
        quote = await self._intake.quote(
            order, place, written=lambda priced: replace(wish, order=priced).to_json()
        )
        if quote.order.wanted < 2:  # noqa: PLR2004 - a choice
            raise _too_few()
        return await self._priced(quote.draft_id, wish, place, quote=quote)

    async def _on_shown(self, wish: Wish, place: Place) -> Proposal:
        see_it = see if wish.rules.rounds == 1 else see_to_edit
        shown = await see_it(self._database, wish.about or "", place.viewer)
        if shown.generation.order.private:
            raise NotAllowed("A private picture is nobody else's to vote on.")
        if len(shown.pictures) < 2:  # noqa: PLR2004 - a choice
            raise _too_few()
        draft_id = self._intake.new_id()
        await self._intake.keep(draft_id, place.person_id, wish.to_json())
        return await self._priced(draft_id, wish, place, shown=shown)

    async def _priced(
        self,
        draft_id: str,
        wish: Wish,
        place: Place,
        *,
        quote: Quote | None = None,
        shown: Shown | None = None,
    ) -> Proposal:
        candidates = len(shown.pictures) if shown else quote.order.wanted if quote else 0
        later, following = wish.rules.rounds - 1, _following(candidates)
        first_price = quote.price if quote else 0
        later_price = self._intake.estimate(following) if later else 0
        used = await self._database.read(people.usage, place.person_id, self._clock())
        return Proposal(
            draft_id,
            wish,
            quote,
            shown,
            wanted=(quote.order.wanted if quote else 0) + later * following.wanted,
            price=_in_all(first_price, later, later_price),
            left_today=max(0, self._limits.per_day - used.today),
        )

    async def wish(self, draft_id: str, person_id: int) -> Wish:
        """What `propose` wrote down.

        Raises:
            Answered: it is somebody else's, was answered, or is over a day old.
        """
        request = await self._database.read(drafts.find, draft_id, person_id, self._clock())
        if request is None:
            raise Answered
        return Wish.from_json(request)

    async def start(self, draft_id: str, wish: Wish, place: Place) -> Submitted:
        """Begins a vote whose pictures are still to be painted; its ballot is their message.

        Raises:
            Refusal: as `Intake.submit`; or it was begun before, or those are too many.
        """
        if wish.order is None:
            raise AssertionError
        contest, first = self._new(wish, place, None)
        accept = partial(
            contests.accept_first,
            accept=partial(drafts.accept, draft_id=draft_id),
            contest=contest,
            first=first,
            most=RUNNING_MAX,
        )
        return await self._intake.submit(wish.order, place, accept=accept)

    async def open_on(self, draft_id: str, wish: Wish, place: Place) -> None:
        """Begins a vote on pictures that are there; its ballot is posted soon.

        Raises:
            Refusal: it was begun before, or those are too many.
        """
        about = wish.about or ""
        shown = await see(self._database, about, place.viewer)
        contest, first = self._new(wish, place, shown.generation.message_id)
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
        return outcome

    async def close_if_all_voted(self, round_id: str, cast: Cast) -> None:
        """Closes a ballot when everybody of the role that may vote has voted."""
        if cast.for_role and cast.position is not None:
            await self._referee.close_if_all_voted(round_id, cast.turnout)

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

    async def suggest(self, round_id: str, words: str, voter: Voter) -> None:
        """Suggests what the next round should change, in place of an earlier suggestion.

        Raises:
            Refusal: it is too late for it, or too early; or there are no words in it.
        """
        cleaned = clean_text(words)
        if not cleaned:
            raise BadRequest("Write what should change, such as: make it night.")
        if len(cleaned) > SUGGESTION_MAX:
            raise BadRequest(f"A suggestion has at most {SUGGESTION_MAX} characters.")
        await self._database.write(casting.suggest, round_id, cleaned, voter, self._clock())
        self._referee.counted(round_id)

    async def back(self, round_id: str, author_id: int, voter: Voter) -> str:
        """Backs somebody's suggestion, and no other one; its words.

        Raises:
            Refusal: it is too late for it, or it is not there any more.
        """
        words = await self._database.write(casting.back, round_id, author_id, voter, self._clock())
        self._referee.counted(round_id)
        return words

    async def suggestion(self, round_id: str, person_id: int) -> str | None:
        """What somebody has suggested so far."""
        return await self._database.read(ballots.words_of, round_id, person_id)

    async def board(self, round_id: str) -> Board | None:
        """A ballot as it stands; None where there is none."""
        return await self._database.read(board_of, round_id)

    async def blank_board(self, round_id: str, shown: Shown) -> Board | None:
        """The ballot that freshly painted pictures are to become; None where it has ended."""
        return await self._database.read(blank_board, round_id, shown, self._clock())

    async def standing(self, server_id: int) -> list[Running]:
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
        if await self._database.read(rounds.by_message, message_id) is not None:
            await self._database.write(casting.forget, message_id, self._clock())
            self._referee.moved()

    def _new(self, wish: Wish, place: Place, reply_to: int | None) -> tuple[NewContest, NewRound]:
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
            **asdict(wish.rules),
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


def _in_all(first: int | None, later: int, each: int | None) -> int | None:
    return None if first is None or each is None else first + later * each


def _open_on(
    connection: Connection,
    draft_id: str,
    contest: NewContest,
    first: NewRound,
    *,
    about: str,
    now: float,
) -> None:
    if contests.known(connection, contest.interaction_id) is not None:
        return
    if drafts.take(connection, draft_id, contest.person_id, now) is None:
        raise Answered
    contests.open_on(connection, contest, first, about, RUNNING_MAX)
