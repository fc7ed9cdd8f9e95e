"""The waiting line: fair over people, then over servers. Pure, and made anew from the rows."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True, order=True)
class Ticket:
    """A place in the line; the smallest is next.

    Attributes:
        turn: which round of its person's it belongs to. Whoever waits for a first picture
            goes before everybody's second.
        server_turn: within that round, how many of its server come before it, so that a
            large server does not keep a small one waiting.
        number: the order of acceptance.
        server: whose turns it takes; a direct message is a place of its own.
    """

    turn: int
    server_turn: int
    number: int
    generation_id: str = field(compare=False)
    person_id: int = field(compare=False)
    server: int = field(compare=False)


class Line:
    """Start-time fair queuing (https://doi.org/10.1145/248157.248171), one unit a request.

    A person's requests are spread over rounds, one each. The line is always at the round of
    the request that went last, and who joins does so in the next round: one who was away has
    saved nothing up, and one with forty waiting delays nobody by more than one.
    """

    def __init__(self) -> None:
        self._heap: list[Ticket] = []
        self._waiting: dict[str, Ticket] = {}
        self._round = 0
        self._last_turn: dict[int, int] = {}
        self._server_turns: Counter[tuple[int, int]] = Counter()
        self._places: dict[str, int] | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, generation_id: str) -> bool:
        return generation_id in self._waiting

    def join(self, generation_id: str, number: int, person_id: int, server_id: int | None) -> None:
        """Takes a place; one who has a place already keeps it."""
        if generation_id in self._waiting:
            return
        turn = max(self._round, self._last_turn.get(person_id, 0)) + 1
        self._last_turn[person_id] = turn
        server = server_id if server_id is not None else -person_id
        server_turn = self._server_turn(turn, server)
        ticket = Ticket(turn, server_turn, number, generation_id, person_id, server)
        self._waiting[generation_id] = ticket
        self._places = None
        heapq.heappush(self._heap, ticket)

    def leave(self, generation_id: str) -> bool:
        """Gives the place up; False when there was none.

        What else its person waits for moves up, and the last of those places is free again:
        whoever thinks better of it is no further behind than if it had never been asked for.
        """
        left = self._waiting.pop(generation_id, None)
        if left is None:
            return False
        self._places = None
        for later in self._later(left):
            if later.server == left.server:
                server_turn = left.server_turn
            else:
                self._close(left)
                server_turn = self._server_turn(left.turn, later.server)
            moved = replace(later, turn=left.turn, server_turn=server_turn)
            self._waiting[later.generation_id] = moved
            left = later
        self._close(left)
        if left.person_id in self._last_turn:
            self._last_turn[left.person_id] -= 1
        self._heap = list(self._waiting.values())
        heapq.heapify(self._heap)
        return True

    def drop(self, generation_id: str) -> None:
        """Takes one out of the line that was painted elsewhere, for which it took its turn."""
        self._waiting.pop(generation_id, None)
        self._places = None

    def next(self) -> str | None:
        """Whose turn it is, who leaves the line by this; None when nobody waits."""
        while self._heap:
            ticket = heapq.heappop(self._heap)
            if self._waiting.get(ticket.generation_id) is ticket:
                del self._waiting[ticket.generation_id]
                self._places = None
                self._begin_round(ticket.turn)
                return ticket.generation_id
        return None

    def order(self) -> list[Ticket]:
        """Who is next, and next after that."""
        return sorted(self._waiting.values())

    def place(self, generation_id: str) -> int | None:
        """1 is next; None without a place.

        Everybody's is asked for one after the other, so they are counted once for all of them.
        """
        if self._places is None:
            order = enumerate(self.order(), start=1)
            self._places = {ticket.generation_id: place for place, ticket in order}
        return self._places.get(generation_id)

    def _server_turn(self, turn: int, server: int) -> int:
        """The next one of a server's within a round."""
        self._server_turns[turn, server] += 1
        return self._server_turns[turn, server] - 1

    def _later(self, ticket: Ticket) -> list[Ticket]:
        """What else its person waits for after it."""
        return sorted(
            each
            for each in self._waiting.values()
            if each.person_id == ticket.person_id and each.turn > ticket.turn
        )

    def _close(self, left: Ticket) -> None:
        """Lets those of its server move up within the round that one has left."""
        self._server_turns[left.turn, left.server] -= 1
        for key, each in self._waiting.items():
            same = (each.turn, each.server) == (left.turn, left.server)
            if same and each.server_turn > left.server_turn:
                self._waiting[key] = replace(each, server_turn=each.server_turn - 1)

    def _begin_round(self, turn: int) -> None:
        if turn <= self._round:
            return
        self._round = turn
        # What lies behind can matter to nobody who joins from now on.
        self._last_turn = {p: t for p, t in self._last_turn.items() if t > turn}
        for of_server in [key for key in self._server_turns if key[0] < turn]:
            del self._server_turns[of_server]


@dataclass(frozen=True, slots=True)
class Standing:
    """How long the line before one is.

    Attributes:
        place: 1 is next.
        wait_s: an honest guess in seconds; None before anything was painted.
        halted: whether the line waits for the image API to work again.
    """

    place: int
    wait_s: float | None
    halted: bool = False


class Tempo:
    """How fast the line moves, from how long the last paintings took."""

    #: The newest painting weighs a fifth.
    _WEIGHT = 0.2

    def __init__(self) -> None:
        self._painting_s: float | None = None

    def took(self, seconds: float) -> None:
        before = seconds if self._painting_s is None else self._painting_s
        self._painting_s = before + self._WEIGHT * (seconds - before)

    def standing(self, place: int, at_once: int) -> Standing:
        """For the one at `place`, when `at_once` are painted at a time."""
        if self._painting_s is None:
            return Standing(place, None)
        rounds = -(-place // max(1, at_once))
        return Standing(place, rounds * self._painting_s)
