"""Families: random ones against plain Python, and large ones by hand."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert
from store_samples import NOON, ROOMY, new_generation
from store_steps import Steps

from bot.store import generations
from bot.store.families import Edge, family_of
from bot.store.generations import Lease, NewSource
from bot.store.schema import State, sources
from bot.store.schema import generations as table


class Born(NamedTuple):
    """One of a family: what it came of, as numbers and positions; whether it has pictures."""

    parents: tuple[tuple[int, int], ...] = ()
    painted: bool = True
    private: bool = False


def everybody(_row):
    return True


def public(row):
    return not row.private


def name(number):
    return new_generation(number).id


@st.composite
def forests(draw):
    """Of trees that blends tie to one another; a parent is always older than its child."""
    born = []
    for number in range(draw(st.integers(1, 12))):
        earlier = [n for n in range(number) if born[n].painted]
        parents = st.nothing()
        if earlier:
            parents = st.tuples(st.sampled_from(earlier), st.integers(1, 4))
        born.append(
            Born(
                parents=tuple(draw(st.lists(parents, max_size=3))) if earlier else (),
                painted=draw(st.integers(0, 9)) > 0,
                private=draw(st.integers(0, 4)) == 0,
            )
        )
    return born


def write_down(connection, born):
    steps = Steps(connection)
    for number, each in enumerate(born):
        given = [
            NewSource(place, f"{name(parent)}-{position}.png", name(parent), position)
            for place, (parent, position) in enumerate(each.parents, start=1)
        ]
        new = new_generation(number, private=each.private, wanted=1)
        generations.accept(connection, new, ROOMY, NOON, sources=given)
        if each.painted:
            row = steps.claim(new.id)
            steps.keep(new.id, Lease(row.holder, row.attempt), count=1)


def above(born, number):
    found = set()
    for parent, _ in born[number].parents:
        found |= {parent} | above(born, parent)
    return found


def below(born, number):
    return {n for n in range(len(born)) if number in above(born, n)}


def others(born, number):
    cousins = set().union(*(below(born, ancestor) for ancestor in above(born, number)))
    return cousins - above(born, number) - below(born, number) - {number}


def nearest_first(born, number, seen):
    """All that may be shown, in the order in which they are kept."""
    kept = [
        number,
        *sorted(above(born, number), reverse=True),
        *sorted(below(born, number)),
        *sorted(others(born, number)),
    ]
    return [n for n in kept if born[n].painted and seen(born[n])]


def kept_of(born, number, seen, at_most):
    told = nearest_first(born, number, seen)
    line = above(born, number) & {*told}
    roots = [n for n in sorted(line) if not line & {parent for parent, _ in born[n].parents}]
    first = [n for n in (number, *roots[: at_most // 2]) if n in told]
    rest = [n for n in told if n not in first]
    return {*told} if len(told) <= at_most else {*[*first, *rest][:at_most]}


def edges(born, numbers):
    return [
        Edge(name(child), name(parent), position)
        for child in sorted(numbers)
        for parent, position in born[child].parents
        if parent in numbers
    ]


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(born=forests(), at_most=st.integers(1, 15), seen=st.sampled_from([everybody, public]))
def test_families_are_as_plain_python_tells_them(engine, born, at_most, seen):
    with engine.connect() as connection:
        write_down(connection, born)
        for number in range(len(born)):
            found = family_of(connection, name(number), at_most=at_most, sees=seen)
            told = nearest_first(born, number, seen)
            kept = kept_of(born, number, seen, at_most)
            assert [row.id for row in found.rows] == [name(n) for n in sorted(kept)], (
                f"the family of {number}, oldest first"
            )
            assert list(found.edges) == edges(born, kept), f"the ties around {number}"
            assert found.left_out == len(told) - len(kept), f"what is missing around {number}"
        connection.rollback()


@pytest.fixture
def connection(engine):
    with engine.begin() as opened:
        yield opened


def write_down_many(connection, parents):
    """Delivered ones, by hundreds; `parents` gives the numbers of each one's."""
    write_down(connection, [Born()])
    row = connection.execute(table.select()).one()._asdict()
    del row["number"]
    values = [
        row
        | {"id": name(n), "interaction_id": n, "state": State.DELIVERED, "ended_at": NOON}
        | {"holder": None, "interaction_token": None}
        for n in range(1, len(parents))
    ]
    connection.execute(insert(table), values)
    ties = [
        {
            "generation_id": name(n),
            "position": place,
            "key": f"{name(parent)}-1.png",
            "parent_id": name(parent),
            "parent_position": 1,
        }
        for n, given in enumerate(parents)
        for place, parent in enumerate(given, start=1)
    ]
    connection.execute(insert(sources), ties)


def numbers(found):
    return [int(row.id[1:]) for row in found.rows]


def test_a_chain_of_hundreds_is_a_family_from_either_end(connection):
    write_down_many(connection, [[], *([n] for n in range(300))])
    for number in (0, 150, 300):
        found = family_of(connection, name(number), at_most=1000, sees=everybody)
        assert numbers(found) == list(range(301)), f"seen from {number}"
        assert len(found.edges) == 300


def test_in_a_long_chain_the_root_and_the_nearest_ancestors_are_kept(connection):
    write_down_many(connection, [[], *([n] for n in range(300))])
    found = family_of(connection, name(200), at_most=24, sees=everybody)
    assert numbers(found) == [0, *range(178, 201)]
    assert found.left_out == 301 - 24


def test_what_a_line_that_is_seen_in_part_began_with_is_kept(connection):
    write_down_many(connection, [[], [], *([n, 0] for n in range(1, 100))])
    found = family_of(connection, name(100), at_most=10, sees=lambda row: row.id != name(0))
    assert numbers(found) == [1, *range(92, 101)]


def test_of_many_roots_the_oldest_are_kept_beside_the_parents(connection):
    blends = [[n, n + 8, n + 16] for n in range(8)]
    write_down_many(connection, [*([] for _ in range(24)), *blends, [*range(24, 32)]])
    found = family_of(connection, name(32), at_most=24, sees=everybody)
    assert numbers(found) == [*range(12), *range(21, 33)]


def test_one_that_came_of_hundreds_knows_them(connection):
    """Eight pictures blended from eight each, and so on: more than a query may name one by one."""
    layers = [list(range(8 * layer, 8 * layer + 8)) for layer in range(80)]
    parents = [[] for _ in layers[0]]
    for layer in layers[:-1]:
        parents += [layer for _ in range(8)]
    write_down_many(connection, parents)
    found = family_of(connection, name(639), at_most=1000, sees=everybody)
    assert len(found.rows) == 640
    assert len(found.edges) == 79 * 64


def test_a_huge_family_is_looked_at_in_part(connection):
    write_down_many(connection, [[], *([0] for _ in range(3000))])
    found = family_of(connection, name(0), at_most=24, sees=everybody)
    assert numbers(found)[0] == 0, "the one asked for is there"
    assert len(found.rows) == 24
    assert 900 < found.left_out < 1100, "it counts no further than it looks"


def test_what_has_no_picture_is_in_no_family(connection):
    write_down(connection, [Born(), Born(((0, 1),), painted=False), Born(((0, 1),))])
    for number in range(3):
        found = family_of(connection, name(number), at_most=24, sees=everybody)
        assert numbers(found) == [0, 2], f"seen from {number}"


def test_of_one_that_is_not_there_there_is_no_family(connection):
    found = family_of(connection, "nobody", at_most=24, sees=everybody)
    assert (list(found.rows), list(found.edges), found.left_out) == ([], [], 0)


@pytest.mark.parametrize(
    ("column", "index"),
    [
        ("parent_id", "ix_sources_parent_id (parent_id=?)"),
        ("generation_id", "sqlite_autoindex_sources_1 (generation_id=?)"),
    ],
)
def test_both_ways_go_by_an_index(connection, column, index):
    other = {"parent_id": "generation_id", "generation_id": "parent_id"}[column]
    plan = connection.exec_driver_sql(
        "EXPLAIN QUERY PLAN WITH RECURSIVE line(id) AS (SELECT id FROM generations WHERE id = 'x'"
        f" UNION SELECT sources.{other} FROM sources JOIN line ON sources.{column} = line.id)"
        " SELECT id FROM line LIMIT 9"
    ).all()
    told = " ".join(row[-1] for row in plan)
    assert index in told
    assert "SCAN sources" not in told
