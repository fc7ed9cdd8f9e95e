"""What one may see: a generation, a page of them, a family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import NotFound, Refusal
from bot.store import families, generations, rounds
from bot.store.vote_schema import Stage
from bot.studio.generation import Generation, KeptPicture, Shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from bot.store.database import Database
    from bot.store.families import Edge
    from bot.studio.generation import Viewer


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a person's generations, newest first.

    Attributes:
        before: the number that the page was asked to come before; None for the first page.
        older: the number to ask for next; None when this is the last page.
    """

    shown: tuple[Shown, ...]
    before: int | None
    older: int | None


@dataclass(frozen=True, slots=True)
class Family:
    """What a picture came of and what came of it, oldest first, as far as one may see it.

    Attributes:
        left_out: how many more there are than were asked for.
    """

    members: tuple[Shown, ...]
    edges: tuple[Edge, ...]
    left_out: int


class StillSecret(Refusal):
    def __init__(self) -> None:
        super().__init__(
            "Which model painted which of these stays secret until the vote is closed, so nothing "
            "is told of them before."
        )


async def see(database: Database, generation_id: str, viewer: Viewer) -> Shown:
    """A generation, where the viewer may see it.

    Raises:
        NotFound: there is none, or it is not the viewer's to see.
        StillSecret: it is voted on which model painted best.
    """
    shown = await database.read(shown_of, generation_id)
    if shown is None or not viewer.may_see(shown.generation):
        raise NotFound
    round_id = shown.generation.round_id
    if round_id is not None and shown.generation.order.compares_models:
        row = await database.read(rounds.get, round_id)
        if row is not None and Stage(row.stage).undecided:
            raise StillSecret
    return shown


def shown_of(connection: Connection, generation_id: str) -> Shown | None:
    row = generations.get(connection, generation_id)
    if row is None:
        return None
    found = generations.pictures_of(connection, generation_id)
    return Shown(Generation.from_row(row), tuple(KeptPicture.from_row(r) for r in found))


def page_of(connection: Connection, person_id: int, before: int | None, size: int) -> Page:
    rows = generations.page_of(connection, person_id, before=before, size=size + 1)
    older = rows[size - 1].number if len(rows) > size else None
    return Page(_with_pictures(connection, rows[:size]), before, older)


def family_of(connection: Connection, generation_id: str, viewer: Viewer, at_most: int) -> Family:
    found = families.family_of(connection, generation_id, at_most=at_most, sees=viewer.may_see_row)
    members = _with_pictures(connection, found.rows)
    return Family(members, tuple(found.edges), found.left_out)


def _with_pictures(
    connection: Connection, rows: Sequence[generations.GenerationRow]
) -> tuple[Shown, ...]:
    pictures: dict[str, list[KeptPicture]] = {row.id: [] for row in rows}
    for found in generations.pictures_of(connection, *pictures):
        pictures[found.generation_id].append(KeptPicture.from_row(found))
    return tuple(Shown(Generation.from_row(row), tuple(pictures[row.id])) for row in rows)
