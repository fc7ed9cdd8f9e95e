"""The line is fair: over people first, over servers second, and it loses nobody."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from bot.studio.line import Line, Ticket

if TYPE_CHECKING:
    from random import Random


def drain(line: Line) -> list[str]:
    order: list[str] = []
    while (got := line.next()) is not None:
        order.append(got)
    return order


def test_one_with_forty_does_not_hold_up_nine_with_one_each() -> None:
    line = Line()
    for number in range(40):
        line.join(f"greedy-{number}", number, person_id=1, server_id=1)
    painting = [line.next() for _ in range(4)]  # what the API bears, before the nine ask
    for number in range(9):
        line.join(f"modest-{number}", 100 + number, person_id=10 + number, server_id=1)
    order = painting + drain(line)
    eighth = order.index("greedy-7")
    assert all(order.index(f"modest-{number}") < eighth for number in range(9))
    assert len(order) == 49


def test_a_person_s_own_requests_keep_their_order() -> None:
    line = Line()
    for number in range(5):
        line.join(str(number), number, person_id=1, server_id=1)
    assert drain(line) == ["0", "1", "2", "3", "4"]


def test_a_large_server_does_not_hold_up_a_small_one() -> None:
    line = Line()
    for number in range(100):
        line.join(f"large-{number}", number, person_id=number, server_id=1)
    line.join("small", 100, person_id=1000, server_id=2)
    assert drain(line).index("small") == 1


def test_one_who_was_away_has_saved_nothing_up() -> None:
    line = Line()
    for number in range(10):
        line.join(f"busy-{number}", number, person_id=1, server_id=1)
    for _ in range(5):
        line.next()
    for number in range(10):
        line.join(f"back-{number}", 100 + number, person_id=2, server_id=1)
    order = drain(line)
    assert order[:4] == ["busy-5", "back-0", "busy-6", "back-1"]


def test_leaving_gives_the_place_to_the_next() -> None:
    line = Line()
    for name in "abc":
        line.join(name, ord(name), person_id=1, server_id=1)
    assert line.leave("b")
    assert not line.leave("b")
    assert [ticket.generation_id for ticket in line.order()] == ["a", "c"]
    assert drain(line) == ["a", "c"]


def test_what_one_cancels_costs_no_place() -> None:
    line = Line()
    for number in range(10):
        line.join(f"cancelled-{number}", number, person_id=1, server_id=1)
    for number in range(10):
        line.leave(f"cancelled-{number}")
    line.join("asked", 10, person_id=1, server_id=1)
    for number in range(11, 41):
        line.join(f"later-{number}", number, person_id=number, server_id=number % 2)
    assert drain(line)[0] == "asked"


def test_what_is_behind_what_one_cancels_moves_up() -> None:
    line = Line()
    for number, name in enumerate(["ann's first", "ann's second", "ann's third"]):
        line.join(name, number, person_id=1, server_id=1)
    others = [f"other {number}" for number in range(3, 6)]
    for number, name in enumerate(others, start=3):
        line.join(name, number, person_id=number, server_id=1)
    line.leave("ann's first")
    assert drain(line) == ["ann's second", *others, "ann's third"]


def test_what_was_painted_elsewhere_has_taken_its_turn() -> None:
    line = Line()
    for name in ("ann's first", "ann's second"):
        line.join(name, 1, person_id=1, server_id=1)
    line.drop("ann's first")
    line.drop("ann's first")
    line.join("bob's", 2, person_id=2, server_id=1)
    assert drain(line) == ["bob's", "ann's second"]


joins = st.tuples(st.integers(1, 4), st.sampled_from([None, 1, 2]))
#: The one so far from the front of the line leaves it.
leaves = st.integers(0, 10)
steps = st.lists(st.one_of(joins, st.just("next"), leaves), max_size=80)


@given(steps)
def test_nobody_is_lost_doubled_or_passed_over_twice(
    steps: list[tuple[int, int | None] | str | int],
) -> None:
    line, joined, served = Line(), [], []
    passed_by: dict[str, Counter[str]] = {}
    for number, step in enumerate(steps):
        assert [line.place(name) for name in joined] == [place_in(line, name) for name in joined]
        if isinstance(step, int):
            for ticket in line.order()[step : step + 1]:
                assert line.leave(ticket.generation_id)
                joined.remove(ticket.generation_id)
                passed_by.pop(ticket.generation_id, None)
        elif isinstance(step, tuple):
            person, server = step
            name = f"{person}:{number}"
            if not any(ticket.person_id == person for ticket in line.order()):
                passed_by[name] = Counter()
            line.join(name, number, person, server)
            line.join(name, number, person, server)
            joined.append(name)
        elif (got := line.next()) is not None:
            served.append(got)
            passed_by.pop(got, None)
            other = got.split(":")[0]
            for name, passed in passed_by.items():
                passed[other] += 1
                assert passed[other] <= 2, (
                    f"{name}, its person's only one, waited for {other} twice"
                )
    assert sorted(served + drain(line)) == sorted(joined)
    assert len(line) == 0


@given(
    before=st.lists(st.one_of(joins, st.just("next")), max_size=30),
    asks=st.lists(st.sampled_from(["ask", "another"]), max_size=10),
    chance=st.randoms(use_true_random=False),
)
def test_who_cancels_might_as_well_never_have_asked(
    before: list[tuple[int, int | None] | str], asks: list[str], chance: Random
) -> None:
    line, without = Line(), Line()
    asked = [f"asked {number}" for number, step in enumerate(asks) if step == "ask"]
    for each in (line, without):
        for number, step in enumerate(before):
            if isinstance(step, tuple):
                each.join(f"before {number}", number, *step)
            else:
                each.next()
        for number, step in enumerate(asks):
            if step == "another":
                each.join(f"another {number}", 100 + number, 10 + number, number % 2)
            elif each is line:
                each.join(f"asked {number}", 100 + number, 1, number % 2)
    chance.shuffle(asked)
    for name in asked:
        assert line.leave(name)
    for each in (line, without):
        each.join("in the end", 200, 1, 1)
    assert [seat(ticket) for ticket in line.order()] == [seat(each) for each in without.order()]
    assert drain(line) == drain(without)


def place_in(line: Line, name: str) -> int | None:
    """By counting."""
    order = [ticket.generation_id for ticket in line.order()]
    return order.index(name) + 1 if name in order else None


def seat(ticket: Ticket) -> tuple[int, int, str]:
    return ticket.turn, ticket.server_turn, ticket.generation_id
