"""Which picture came of which: up to the roots, and down to the last edit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import literal, select

from bot.store.schema import State, generations, sources

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from bot.store.generations import GenerationRow

#: Steps up or down; a family that is deeper is shown in part.
_DEPTH_MAX = 60


@dataclass(frozen=True, slots=True)
class Edge:
    """A picture of `parent_id` was worked from in `child_id`."""

    child_id: str
    parent_id: str
    parent_position: int


def family_of(
    connection: Connection, generation_id: str, *, at_most: int
) -> tuple[Sequence[GenerationRow], Sequence[Edge]]:
    """All relatives that have pictures, oldest first, and what leads from one to the other.

    Relatives are the ancestors, whatever descends from the oldest of them, and itself. A larger
    family is cut: its newest members are left out, but never itself.
    """
    above = _ancestors(connection, generation_id)
    ids = _descendants(connection, above)
    rows = connection.execute(
        select(generations)
        .where(
            generations.c.id.in_(ids | above | {generation_id}),
            generations.c.state.in_((State.PAINTED, State.DELIVERED)),
        )
        .order_by(generations.c.number)
    ).all()
    if len(rows) > at_most:
        kept = above | {generation_id}
        others = [row for row in rows if row.id not in kept][: max(0, at_most - len(kept))]
        chosen = kept | {row.id for row in others}
        rows = [row for row in rows if row.id in chosen][-at_most:]
    return rows, _edges(connection, {row.id for row in rows})


def _ancestors(connection: Connection, generation_id: str) -> set[str]:
    start = select(literal(generation_id).label("id"), literal(0).label("depth"))
    line = start.cte("line", recursive=True)
    step = (
        select(sources.c.parent_id, line.c.depth + 1)
        .join(line, sources.c.generation_id == line.c.id)
        .where(sources.c.parent_id.is_not(None), line.c.depth < _DEPTH_MAX)
    )
    line = line.union(step)
    return {row.id for row in connection.execute(select(line.c.id).distinct())}


def _descendants(connection: Connection, of: set[str]) -> set[str]:
    start = select(generations.c.id, literal(0).label("depth")).where(generations.c.id.in_(of))
    line = start.cte("line", recursive=True)
    step = (
        select(sources.c.generation_id, line.c.depth + 1)
        .join(line, sources.c.parent_id == line.c.id)
        .where(line.c.depth < _DEPTH_MAX)
    )
    line = line.union(step)
    return {row.id for row in connection.execute(select(line.c.id).distinct())}


def _edges(connection: Connection, among: set[str]) -> Sequence[Edge]:
    found = connection.execute(
        select(sources.c.generation_id, sources.c.parent_id, sources.c.parent_position)
        .where(sources.c.generation_id.in_(among), sources.c.parent_id.in_(among))
        .order_by(sources.c.generation_id, sources.c.position)
    )
    return [Edge(row.generation_id, row.parent_id, row.parent_position) for row in found]
