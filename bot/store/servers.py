"""What each server has decided for itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert

from bot.store.schema import Editors, servers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class VoterRules:
    """Who may vote in a server.

    Attributes:
        opener_votes: whether whoever opens a vote has one, too.
        voter_account_days, voter_member_days: how old accounts and memberships must be.
    """

    opener_votes: bool = True
    voter_account_days: int = 0
    voter_member_days: int = 0


def editors_in(connection: Connection, server_id: int) -> Editors:
    """Who may work on with the pictures of others there."""
    found = connection.execute(select(servers.c.editors).where(servers.c.id == server_id))
    return Editors(found.scalar_one_or_none() or Editors.EVERYONE)


def let_edit(connection: Connection, server_id: int, editors: Editors, now: float) -> None:
    _decide(connection, server_id, now, editors=editors)


def voters_in(connection: Connection, server_id: int) -> VoterRules:
    """Who may vote there."""
    own = (servers.c.opener_votes, servers.c.voter_account_days, servers.c.voter_member_days)
    row = connection.execute(select(*own).where(servers.c.id == server_id)).one_or_none()
    if row is None:
        return VoterRules()
    return VoterRules(bool(row.opener_votes), row.voter_account_days, row.voter_member_days)


def let_vote(
    connection: Connection, server_id: int, changes: Mapping[str, int], now: float
) -> VoterRules:
    """Changes some of the rules, by the names that they have in `VoterRules`; all of them then."""
    if changes:
        _decide(connection, server_id, now, **changes)
    return voters_in(connection, server_id)


def _decide(connection: Connection, server_id: int, now: float, **decided: object) -> None:
    connection.execute(
        insert(servers)
        .values(id=server_id, first_seen_at=now, **decided)
        .on_conflict_do_update(index_elements=["id"], set_=decided)
    )
