"""Orders that wait for a yes: for a day, and for nobody but the one who wrote them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert

from bot.store.schema import drafts

if TYPE_CHECKING:
    from sqlalchemy import Connection

_KEPT_S = 24 * 60 * 60


def keep(
    connection: Connection, draft_id: str, person_id: int, request: str, now: float
) -> list[tuple[str, str]]:
    """Writes a draft down; the ids and requests of those that nobody came back to, now gone."""
    expired = connection.execute(
        delete(drafts)
        .where(drafts.c.created_at < now - _KEPT_S)
        .returning(drafts.c.id, drafts.c.request)
    ).all()
    connection.execute(
        insert(drafts),
        {"id": draft_id, "person_id": person_id, "request": request, "created_at": now},
    )
    return [(row.id, row.request) for row in expired]


def take(connection: Connection, draft_id: str, person_id: int) -> str | None:
    """A person's own draft, which is gone by this: it is said yes to once."""
    taken = connection.execute(
        delete(drafts)
        .where(drafts.c.id == draft_id, drafts.c.person_id == person_id)
        .returning(drafts.c.request)
    )
    return taken.scalar_one_or_none()
