"""The line is fair: over people first, over servers second, and it loses nobody."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bot.studio.line import Line


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


joins = st.tuples(st.integers(1, 4), st.sampled_from([None, 1, 2]))
steps = st.lists(st.one_of(joins, st.just("next")), max_size=80)


@given(steps)
def test_nobody_is_lost_doubled_or_passed_over_twice(steps: list[tuple[int, int] | str]) -> None:
    line, joined, served = Line(), [], []
    passed_by: dict[str, Counter[str]] = {}
    for number, step in enumerate(steps):
        if step != "next":
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
