"""Orders that wait for a yes: for a day, and for nobody but the one who wrote them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert

from bot.store import generations
from bot.store.generations import Accepted
from bot.store.schema import drafts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from bot.store.generations import NewGeneration, NewSource, OverLimit, Replayed
    from bot.store.people import Limits

_KEPT_S = 24 * 60 * 60
#: Of one person; each may keep pictures.
_EACH_MAX = 10

# Statements are built once: to build one takes ten times as long as to run it.
_THE_ONE = (
    drafts.c.id == bindparam("the_id"),
    drafts.c.person_id == bindparam("the_person"),
    drafts.c.created_at >= bindparam("since"),
)
_KEEP = insert(drafts).on_conflict_do_nothing()
_FIND = select(drafts.c.request).where(*_THE_ONE)
_OWNER = select(drafts.c.person_id).where(drafts.c.id == bindparam("the_id"))
_TAKE = delete(drafts).where(*_THE_ONE).returning(drafts.c.request)
_FORGET = (
    delete(drafts)
    .where(drafts.c.created_at < bindparam("since"))
    .returning(drafts.c.id, drafts.c.request)
)


_OF_THE_PERSON = (
    drafts.c.person_id == bindparam("the_person"),
    drafts.c.id != bindparam("the_id"),
)
_NEWEST = (
    select(drafts.c.id)
    .where(*_OF_THE_PERSON)
    .order_by(drafts.c.created_at.desc())
    .limit(_EACH_MAX - 1)
)
_GIVE_WAY = (
    delete(drafts)
    .where(*_OF_THE_PERSON, drafts.c.id.not_in(_NEWEST))
    .returning(drafts.c.id, drafts.c.request)
)


def keep(
    connection: Connection, draft_id: str, person_id: int, request: str, now: float
) -> list[tuple[str, str]]:
    """Writes a draft down, unless it is; the ids and requests of those now gone, unanswered.

    Those are over a day old, or its person has asked much since.
    """
    gone = connection.execute(_FORGET, {"since": now - _KEPT_S}).all()
    values = {"id": draft_id, "person_id": person_id, "request": request, "created_at": now}
    connection.execute(_KEEP, values)
    of_the_person = {"the_person": person_id, "the_id": draft_id}
    gone = [*gone, *connection.execute(_GIVE_WAY, of_the_person)]
    return [(row.id, row.request) for row in gone]


def find(connection: Connection, draft_id: str, person_id: int, now: float) -> str | None:
    """A person's own draft, unless it was answered or is over a day old."""
    return connection.scalar(_FIND, _its(draft_id, person_id, now))


def take(connection: Connection, draft_id: str, person_id: int, now: float) -> str | None:
    """The same, which is gone by this."""
    return connection.scalar(_TAKE, _its(draft_id, person_id, now))


def accept(
    connection: Connection,
    draft_id: str,
    new: NewGeneration,
    limits: Limits,
    now: float,
    *,
    sources: Sequence[NewSource] = (),
) -> Accepted | Replayed | OverLimit | None:
    """Says yes to a draft, once; it stays where a limit has no room.

    None when it was answered before, by another press.
    """
    if find(connection, draft_id, new.person_id, now) is None:
        return generations.replayed(connection, new.interaction_id)
    outcome = generations.accept(connection, new, limits, now, sources=sources)
    if isinstance(outcome, Accepted):
        take(connection, draft_id, new.person_id, now)
    return outcome


def _its(draft_id: str, person_id: int, now: float) -> dict[str, object]:
    return {"the_id": draft_id, "the_person": person_id, "since": now - _KEPT_S}


def owner_of(connection: Connection, draft_id: str) -> int | None:
    """Who wrote a draft that is still there."""
    return connection.scalar(_OWNER, {"the_id": draft_id})
