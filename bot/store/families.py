"""Which picture came of which: up to the roots, and down to the last edit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, bindparam, select

from bot.store.schema import State, generations, sources

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from sqlalchemy import Connection

    from bot.store.generations import GenerationRow

#: Relatives that are looked at, each way; of a family that is larger, the nearest.
_LOOKED_AT = 1000


@dataclass(frozen=True, slots=True)
class Edge:
    """A picture of `parent_id` was worked from in `child_id`."""

    child_id: str
    parent_id: str
    parent_position: int


@dataclass(frozen=True, slots=True)
class Relatives:
    """Generations that have pictures, oldest first, and what leads from one to the other.

    Attributes:
        left_out: how many more there are.
    """

    rows: Sequence[GenerationRow]
    edges: Sequence[Edge]
    left_out: int


def _line(*, upwards: bool) -> Select[str]:
    """Some generations and their ancestors, or their descendants, each once, the nearest first.

    A recursive query goes level by level, and no further than its reader asks
    (https://www.sqlite.org/lang_with.html#recursive_common_table_expressions).
    """
    here, there = sources.c.generation_id, sources.c.parent_id
    if not upwards:
        here, there = there, here
    start = select(generations.c.id).where(generations.c.id.in_(bindparam("of", expanding=True)))
    line = start.cte("line", recursive=True)
    step = select(there).join(line, here == line.c.id).where(there.is_not(None))
    line = line.union(step)
    return select(line.c.id).limit(bindparam("most"))


# Statements are built once: to build one takes longer than to run it.
_ANCESTORS, _DESCENDANTS = _line(upwards=True), _line(upwards=False)
_SEEN = select(
    generations.c.id,
    generations.c.number,
    generations.c.person_id,
    generations.c.server_id,
    generations.c.channel_id,
    generations.c.private,
).where(
    generations.c.id.in_(bindparam("of", expanding=True)),
    generations.c.state.in_((State.PAINTED, State.DELIVERED)),
)
_WHOLE = (
    select(generations)
    .where(generations.c.id.in_(bindparam("of", expanding=True)))
    .order_by(generations.c.number)
)
_EDGES = (
    select(sources.c.generation_id, sources.c.parent_id, sources.c.parent_position)
    .where(
        sources.c.generation_id.in_(bindparam("of", expanding=True)),
        sources.c.parent_id.in_(bindparam("of", expanding=True)),
    )
    .order_by(sources.c.generation_id, sources.c.position)
)


def family_of(
    connection: Connection,
    generation_id: str,
    *,
    at_most: int,
    sees: Callable[[Any], bool],
) -> Relatives:
    """A generation's ancestors, what descends from it or from any of them, and itself.

    A family that is too large is cut: the generation itself stays, and what its line began
    with; of many such roots the oldest, which take half of the room. Then come the nearest of
    its ancestors, then of its descendants, then the oldest of the others.

    Args:
        connection: to read with.
        generation_id: whose family it is.
        at_most: how many may be returned.
        sees: whether one may be shown, by `id`, `number`, `person_id`, `server_id`,
            `channel_id` and `private`.
    """
    above = _read_line(connection, _ANCESTORS, [generation_id]) - {generation_id}
    below = _read_line(connection, _DESCENDANTS, [generation_id]) - {generation_id}
    others = _read_line(connection, _DESCENDANTS, above) - above - below - {generation_id}
    ids = [generation_id, *above, *below, *others]
    seen = {row.id: row.number for row in connection.execute(_SEEN, {"of": ids}) if sees(row)}
    # A child is accepted after its parents, so the numbers tell who is nearer.
    itself = {generation_id} & seen.keys()
    nearest_first = [
        *itself,
        *sorted(above & seen.keys(), key=seen.__getitem__, reverse=True),
        *sorted(below & seen.keys(), key=seen.__getitem__),
        *sorted(others & seen.keys(), key=seen.__getitem__),
    ]
    kept = nearest_first[:at_most]
    if len(kept) < len(nearest_first):
        roots = sorted(_roots(connection, above & seen.keys()), key=seen.__getitem__)
        first = dict.fromkeys((*itself, *roots[: at_most // 2], *nearest_first))
        kept = [*first][:at_most]
    rows = connection.execute(_WHOLE, {"of": kept}).all()
    edges = [Edge(*row) for row in connection.execute(_EDGES, {"of": kept})]
    return Relatives(rows, edges, len(nearest_first) - len(kept))


def _roots(connection: Connection, above: Collection[str]) -> set[str]:
    """Those of some ancestors that came of none of the others."""
    edges = connection.execute(_EDGES, {"of": list(above)})
    return {*above} - {edge.generation_id for edge in edges}


def _read_line(connection: Connection, line: Select[str], of: Collection[str]) -> set[str]:
    parameters = {"of": list(of), "most": len(of) + _LOOKED_AT}
    return set(connection.scalars(line, parameters))
