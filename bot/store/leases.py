"""Who works on a generation, for how long, and what is found when a holder is gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, bindparam, select, update

from bot.store.schema import State, generations

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from sqlalchemy import Connection

    from bot.store.generations import Lease

#: Painting is begun again after this many holders were lost over it, and then no more.
ORPHANED_MAX = 2
#: Rows that are read or taken at a time; whoever wants more comes again.
PAGE = 200
#: Discord takes an acknowledgement within three seconds; work must not overtake it.
_ACKNOWLEDGED_AFTER_S = 5.0

_WAITING = (
    select(generations)
    .where(
        generations.c.ended_at.is_(None),
        generations.c.state == State.WAITING,
        generations.c.number > bindparam("after"),
        (generations.c.attempt > 0)
        | (generations.c.created_at <= bindparam("answered_before"))
        # From before the clock was set back.
        | (generations.c.created_at > bindparam("ahead")),
    )
    .order_by(generations.c.number)
    .limit(bindparam("most"))
)
_WAITING_IDS = select(generations.c.id).where(
    generations.c.ended_at.is_(None), generations.c.state == State.WAITING
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a sweep took over.

    Attributes:
        painted: to be delivered, now held by the sweeper.
        hopeless: still `painting`, but begun too often; now held by the sweeper, to be failed.
        untold: ended without a picture, and their askers may not know.
        more: whether there may be more to take over.
    """

    painted: Sequence[Row[Any]]
    hopeless: Sequence[Row[Any]]
    untold: Sequence[Row[Any]]
    more: bool


def renew(connection: Connection, holder: str, ids: Collection[str], until: float) -> None:
    """Lengthens the leases of what a living holder really works on.

    What it holds and has stopped working on, since its disk was full perhaps, is let go by this.
    """
    connection.execute(
        update(generations)
        .where(generations.c.id.in_(ids), generations.c.holder == holder)
        .values(lease_until=until)
    )


def sweep(connection: Connection, holder: str, lease_s: float, clock: Callable[[], float]) -> Found:
    """Takes over what no living holder works on.

    The clock is read in here: a process that stood still before its turn to write would take
    leases for too long, or for over, that others have renewed meanwhile.
    """
    now = clock()
    until = now + lease_s
    _shorten(connection, until)
    _orphan(connection, now)
    painted = _take(connection, State.PAINTED, holder, until, now)
    hopeless = _take(connection, State.PAINTING, holder, until, now)
    untold = _untold(connection, until, now)
    return Found(painted, hopeless, untold, more=PAGE in (len(painted), len(hopeless)))


def waiting(connection: Connection, now: float, after: int) -> Sequence[Row[Any]]:
    """A page of those to be painted, whoever accepted them, the oldest first, after number `after`.

    Their askers have been answered: they were begun before, or that must have been done by now.
    """
    which = {
        "after": after,
        "answered_before": now - _ACKNOWLEDGED_AFTER_S,
        "ahead": now + _ACKNOWLEDGED_AFTER_S,
        "most": PAGE,
    }
    return connection.execute(_WAITING, which).all()


def waiting_ids(connection: Connection) -> frozenset[str]:
    """Of all that wait to be painted."""
    return frozenset(connection.scalars(_WAITING_IDS))


def put_off(connection: Connection, generation_id: str, holder: str, until: float) -> None:
    """Lets a painted generation rest until it is time to try its delivery again."""
    connection.execute(
        update(generations)
        .where(
            generations.c.id == generation_id,
            generations.c.state == State.PAINTED,
            generations.c.holder == holder,
        )
        .values(holder=None, lease_until=until)
    )


def give_back(connection: Connection, generation_id: str, lease: Lease) -> None:
    """Puts a generation back in line whose painting was claimed, and not begun after all."""
    connection.execute(
        update(generations)
        .where(
            generations.c.id == generation_id,
            generations.c.state == State.PAINTING,
            generations.c.holder == lease.holder,
            generations.c.attempt == lease.attempt,
        )
        .values(
            state=State.WAITING,
            holder=None,
            lease_until=None,
            attempt=generations.c.attempt - 1,
        )
    )


def release(connection: Connection, holder: str) -> None:
    """Gives back what a process that ends did not finish, for the next to take at once."""
    held = (generations.c.ended_at.is_(None), generations.c.holder == holder)
    connection.execute(
        update(generations)
        .where(*held, generations.c.state == State.PAINTING)
        .values(state=State.WAITING, holder=None, lease_until=None)
    )
    connection.execute(
        update(generations)
        .where(*held, generations.c.state == State.PAINTED)
        .values(holder=None, lease_until=None)
    )


def _shorten(connection: Connection, until: float) -> None:
    """What lasts for longer than any lease is from before the clock was set back.

    A living holder renews it before it is over; the dead one's is over as soon as any other.
    """
    lease, tell_at = generations.c.lease_until, generations.c.tell_at
    leased = (generations.c.ended_at.is_(None), lease > until)
    connection.execute(update(generations).where(*leased).values(lease_until=until))
    connection.execute(update(generations).where(tell_at > until).values(tell_at=until))


def _orphan(connection: Connection, now: float) -> None:
    """Back into the line with what was being painted when its holder was lost."""
    connection.execute(
        update(generations)
        .where(
            generations.c.state == State.PAINTING,
            generations.c.lease_until <= now,
            generations.c.orphaned < ORPHANED_MAX,
        )
        .values(
            state=State.WAITING,
            holder=None,
            lease_until=None,
            orphaned=generations.c.orphaned + 1,
        )
    )


def _take(
    connection: Connection, state: State, holder: str, until: float, now: float
) -> Sequence[Row[Any]]:
    """Those in `state` whose lease is over, or that have none."""
    lease = generations.c.lease_until
    over = lease.is_(None) | (lease <= now)
    ids = [
        row.id
        for row in connection.execute(
            select(generations.c.id)
            .where(generations.c.ended_at.is_(None), generations.c.state == state, over)
            .order_by(generations.c.number)
            .limit(PAGE)
        )
    ]
    taken = connection.execute(
        update(generations)
        .where(generations.c.id.in_(ids))
        .values(holder=holder, lease_until=until)
        .returning(*generations.c)
    )
    return taken.all()


def _untold(connection: Connection, until: float, now: float) -> Sequence[Row[Any]]:
    """Whoever sweeps next after `until` tries again, unless they are told by then."""
    found = connection.execute(
        update(generations)
        .where(generations.c.tell_at <= now)
        .values(tell_at=until)
        .returning(*generations.c)
    )
    return found.all()
