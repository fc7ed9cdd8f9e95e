"""What each person may still have painted: reserved, settled and refunded in SQL alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import case, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from bot.store.schema import people

if TYPE_CHECKING:
    from sqlalchemy import Connection

DAY_S = 86_400
MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Limits:
    """Pictures a day (UTC) and a minute, and generations waiting at once, for each person."""

    per_day: int
    per_minute: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What a person has used, as of one moment.

    Attributes:
        today: pictures delivered today or reserved.
        this_minute: pictures asked for in the minute that began at `minute_start`.
        waiting: generations that have not ended.
        day_ends_at: when the day's pictures are free again, in Unix seconds.
    """

    today: int
    this_minute: int
    minute_start: float
    waiting: int
    day_ends_at: float


def reserve(
    connection: Connection, person_id: int, count: int, limits: Limits, now: float
) -> float | None:
    """Sets `count` pictures aside, when every limit has room for them.

    One conditional UPDATE decides: whatever runs beside it, no limit is overrun.

    Returns:
        When the minute began that they are charged to; None when a limit has no room.
    """
    _meet(connection, person_id, limits, now)
    today = int(now // DAY_S)
    # A clock that was set back must not open yesterday's window a second time: `<`, not `!=`.
    day_used = case((people.c.day < today, 0), else_=people.c.day_used)
    minute_over = or_(
        people.c.minute_start <= now - MINUTE_S, people.c.minute_start > now + MINUTE_S
    )
    minute_used = case((minute_over, 0), else_=people.c.minute_used)
    result = connection.execute(
        update(people)
        .where(
            people.c.id == person_id,
            day_used + people.c.day_reserved + count <= limits.per_day,
            minute_used + count <= limits.per_minute,
            people.c.waiting < limits.waiting,
        )
        .values(
            day=case((people.c.day < today, today), else_=people.c.day),
            day_used=day_used,
            day_reserved=people.c.day_reserved + count,
            day_limit=limits.per_day,
            minute_start=case((minute_over, now), else_=people.c.minute_start),
            minute_used=minute_used + count,
            waiting=people.c.waiting + 1,
            waiting_limit=limits.waiting,
        )
        .returning(people.c.minute_start)
    )
    return result.scalar_one_or_none()


def release(
    connection: Connection, person_id: int, *, reserved: int, used: int, minute_start: float
) -> None:
    """Ends a reservation: `used` of the `reserved` pictures were delivered, the rest go back."""
    unused = reserved - used
    connection.execute(
        update(people)
        .where(people.c.id == person_id)
        .values(
            day_reserved=people.c.day_reserved - reserved,
            day_used=people.c.day_used + used,
            minute_used=case(
                (
                    (people.c.minute_start == minute_start) & (people.c.minute_used >= unused),
                    people.c.minute_used - unused,
                ),
                else_=people.c.minute_used,
            ),
            waiting=people.c.waiting - 1,
        )
    )


def usage(connection: Connection, person_id: int, now: float) -> Usage:
    """What the person has used at `now`; nothing, for one who was never seen."""
    today = int(now // DAY_S)
    row = (connection.execute(select(people).where(people.c.id == person_id))).one_or_none()
    if row is None:
        return Usage(0, 0, now, 0, (today + 1) * DAY_S)
    minute_over = not now - MINUTE_S < row.minute_start <= now + MINUTE_S
    return Usage(
        today=(0 if row.day < today else row.day_used) + row.day_reserved,
        this_minute=0 if minute_over else row.minute_used,
        minute_start=now if minute_over else row.minute_start,
        waiting=row.waiting,
        day_ends_at=(max(row.day, today) + 1) * DAY_S,
    )


def _meet(connection: Connection, person_id: int, limits: Limits, now: float) -> None:
    connection.execute(
        insert(people)
        .values(
            id=person_id,
            first_seen_at=now,
            day=int(now // DAY_S),
            day_used=0,
            day_reserved=0,
            day_limit=limits.per_day,
            minute_start=now,
            minute_used=0,
            waiting=0,
            waiting_limit=limits.waiting,
        )
        .on_conflict_do_nothing()
    )
