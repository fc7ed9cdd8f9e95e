"""What a person may still have painted: the decisions, pure; store/people.py keeps the count."""

from __future__ import annotations

from bot.errors import AllowanceSpent
from bot.store.people import MINUTE_S, Limits, Usage

__all__ = ["Limits", "Usage", "has_room", "refusal"]


def has_room(usage: Usage, limits: Limits, wanted: int) -> bool:
    """Whether every limit has room for so many more pictures."""
    return (
        usage.today + wanted <= limits.per_day
        and usage.this_minute + wanted <= limits.per_minute
        and usage.waiting < limits.waiting
    )


def refusal(usage: Usage, limits: Limits, wanted: int) -> AllowanceSpent:
    """Why `wanted` more pictures do not fit, and when they will.

    What is above a limit itself never will, so that is said first. Of limits that are shut,
    the one that stays so the longest is named, so that coming back at the time that is said
    does help.
    """
    if wanted > limits.per_day:
        return _too_many(wanted, limits.per_day, "a day")
    if wanted > limits.per_minute:
        return _too_many(wanted, limits.per_minute, "a minute")
    left_today = limits.per_day - usage.today
    left_now = limits.per_minute - usage.this_minute
    minute_ends_at = usage.minute_start + MINUTE_S
    if wanted > left_today:
        # A minute that began just before midnight is still shut when the day opens.
        shut_until = max(usage.day_ends_at, minute_ends_at if wanted > left_now else 0)
        return _day_spent(left_today, limits, wanted, shut_until)
    if wanted > left_now:
        return _minute_spent(left_now, limits, wanted, minute_ends_at)
    return AllowanceSpent(
        f"You already have {_plural(usage.waiting, 'request')} under way, and "
        f"{limits.waiting} at once is the most. Your next one is free as soon as one of them "
        "is done."
    )


def _too_many(wanted: int, limit: int, period: str) -> AllowanceSpent:
    return AllowanceSpent(
        f"That is {_plural(wanted, 'picture')}, and each person here may have {limit} {period}. "
        "Ask for fewer with `count`."
    )


def _day_spent(left: int, limits: Limits, wanted: int, free_at: float) -> AllowanceSpent:
    when = _when(free_at)
    if left <= 0:
        sentence = (
            f"Your {_plural(limits.per_day, 'picture')} for today are spent. The next one is "
            f"free {when}."
        )
    else:
        sentence = (
            f"You have {_plural(left, 'picture')} left today, and that asks for {wanted}. Ask "
            f"for fewer with `count`, or wait: you have all {limits.per_day} again {when}."
        )
    return AllowanceSpent(sentence, free_at=free_at)


def _minute_spent(left: int, limits: Limits, wanted: int, free_at: float) -> AllowanceSpent:
    when = _when(free_at)
    if left <= 0:
        sentence = (
            f"That was quick! Each person here may have {_plural(limits.per_minute, 'picture')} "
            f"a minute; the next one is free {when}."
        )
    else:
        sentence = (
            f"You have {_plural(left, 'picture')} left this minute, and that asks for {wanted}. "
            f"Ask for fewer with `count`, or wait: you have all {limits.per_minute} again {when}."
        )
    return AllowanceSpent(sentence, free_at=free_at)


def _when(at: float) -> str:
    """Discord shows this as a time in the reader's own zone, and counts down to it."""
    # https://discord.com/developers/docs/reference#message-formatting-timestamp-styles
    return f"<t:{int(-(-at // 1))}:R>"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
