"""Small things to remember between starts, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from bot.store.schema import facts

if TYPE_CHECKING:
    from sqlalchemy import Connection


def recall(connection: Connection, name: str) -> str | None:
    found = connection.execute(select(facts.c.value).where(facts.c.name == name))
    return found.scalar_one_or_none()


def remember(connection: Connection, name: str, value: str) -> None:
    connection.execute(
        insert(facts)
        .values(name=name, value=value)
        .on_conflict_do_update(index_elements=["name"], set_={"value": value})
    )
