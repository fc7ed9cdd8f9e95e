"""What each server has decided for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from bot.store.schema import Editors, servers

if TYPE_CHECKING:
    from sqlalchemy import Connection


def editors_in(connection: Connection, server_id: int) -> Editors:
    """Who may work on with the pictures of others there."""
    found = connection.execute(select(servers.c.editors).where(servers.c.id == server_id))
    return Editors(found.scalar_one_or_none() or Editors.EVERYONE)


def let_edit(connection: Connection, server_id: int, editors: Editors, now: float) -> None:
    connection.execute(
        insert(servers)
        .values(id=server_id, first_seen_at=now, editors=editors)
        .on_conflict_do_update(index_elements=["id"], set_={"editors": editors})
    )
