"""Pictures that wait in memory for their first reader: as they were put, and never too many."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.imaging.fresh import Fresh


def test_a_picture_is_given_out_once():
    fresh = Fresh(10)
    fresh.add({"a": b"one", "b": b"two"})
    assert fresh.take("a") == b"one"
    assert fresh.take("a") is None
    assert fresh.take("b") == b"two"


def test_the_newest_version_counts():
    fresh = Fresh(10)
    fresh.add({"a": b"old"})
    fresh.add({"a": b"new"})
    assert fresh.take("a") == b"new"
    fresh.add({"a": b"old"})
    fresh.add({"a": b"larger than all the room"})
    assert fresh.take("a") is None, "that would be another picture"


def test_what_came_first_stays_until_nobody_can_be_waiting_for_it():
    now = 0.0
    fresh = Fresh(6, clock=lambda: now)
    fresh.add({"a": b"1234"})
    fresh.add({"b": b"5678"})
    now = 61.0
    fresh.add({"c": b"9012"})
    assert [fresh.take(key) for key in "abc"] == [None, None, b"9012"]
    fresh.add({"a": b"1234"})
    fresh.add({"b": b"5678"})
    assert [fresh.take(key) for key in "ab"] == [b"1234", None]


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.binary(max_size=9) | st.none(), st.floats(0, 50)),
        max_size=40,
    )
)
def test_it_never_holds_too_much_nor_anything_else(steps: list[tuple[str, bytes | None, float]]):
    now, latest = 0.0, {}
    fresh = Fresh(20, clock=lambda: now)
    for key, data, pause in steps:
        now += pause
        if data is None:
            assert fresh.take(key) in (None, latest.get(key))
            assert fresh.take(key) is None
        else:
            latest[key] = data
            fresh.add({key: data})
        held = [held for held, _ in fresh._held.values()]
        assert fresh._size == sum(map(len, held)) <= 20
