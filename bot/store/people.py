"""What each person may still have painted: reserved, settled and refunded in SQL alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Float, Integer, bindparam, case, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from bot.store.schema import people

if TYPE_CHECKING:
    from sqlalchemy import Connection, Update

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


def _reservation() -> Update:
    """One conditional UPDATE decides: whatever runs beside it, no limit is overrun."""
    today, count = bindparam("today", type_=Integer), bindparam("count", type_=Integer)
    now = bindparam("now", type_=Float)
    # A clock that was set back must not open yesterday's window a second time: `<`, not `!=`.
    day_used = case((people.c.day < today, 0), else_=people.c.day_used)
    minute_over = or_(
        people.c.minute_start <= now - MINUTE_S, people.c.minute_start > now + MINUTE_S
    )
    minute_used = case((minute_over, 0), else_=people.c.minute_used)
    return (
        update(people)
        .where(
            people.c.id == bindparam("person"),
            day_used + people.c.day_reserved + count <= bindparam("per_day"),
            minute_used + count <= bindparam("per_minute"),
            people.c.waiting < bindparam("at_once"),
        )
        .values(
            day=case((people.c.day < today, today), else_=people.c.day),
            day_used=day_used,
            day_reserved=people.c.day_reserved + count,
            day_limit=bindparam("per_day"),
            minute_start=case((minute_over, now), else_=people.c.minute_start),
            minute_used=minute_used + count,
            waiting=people.c.waiting + 1,
            waiting_limit=bindparam("at_once"),
        )
        .returning(people.c.minute_start)
    )


def _return() -> Update:
    reserved, used = bindparam("reserved", type_=Integer), bindparam("used", type_=Integer)
    unused = reserved - used
    same_minute = people.c.minute_start == bindparam("charged_to")
    return (
        update(people)
        .where(people.c.id == bindparam("person"))
        .values(
            day_reserved=people.c.day_reserved - reserved,
            day_used=people.c.day_used + used,
            minute_used=case(
                (same_minute & (people.c.minute_used >= unused), people.c.minute_used - unused),
                else_=people.c.minute_used,
            ),
            waiting=people.c.waiting - 1,
        )
    )


# Built once: to build a statement takes ten times as long as to run it.
_MEET = insert(people).on_conflict_do_nothing()
_RESERVE = _reservation()
_RELEASE = _return()


def reserve(
    connection: Connection, person_id: int, count: int, limits: Limits, now: float
) -> float | None:
    """Sets `count` pictures aside, when every limit has room for them.

    Returns:
        When the minute began that they are charged to; None when a limit has no room.
    """
    _meet(connection, person_id, limits, now)
    result = connection.execute(
        _RESERVE,
        {
            "person": person_id,
            "count": count,
            "now": now,
            "today": int(now // DAY_S),
            "per_day": limits.per_day,
            "per_minute": limits.per_minute,
            "at_once": limits.waiting,
        },
    )
    return result.scalar_one_or_none()


def release(
    connection: Connection, person_id: int, *, reserved: int, used: int, minute_start: float
) -> None:
    """Ends a reservation: `used` of the `reserved` pictures were delivered, the rest go back."""
    connection.execute(
        _RELEASE,
        {"person": person_id, "reserved": reserved, "used": used, "charged_to": minute_start},
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
        _MEET,
        {
            "id": person_id,
            "first_seen_at": now,
            "day": int(now // DAY_S),
            "day_used": 0,
            "day_reserved": 0,
            "day_limit": limits.per_day,
            "minute_start": now,
            "minute_used": 0,
            "waiting": 0,
            "waiting_limit": limits.waiting,
        },
    )
