"""What a person may still have painted: the decisions, pure; store/people.py keeps the count."""

from __future__ import annotations

from bot.errors import AllowanceSpent
from bot.store.people import MINUTE_S, Limits, Usage

__all__ = ["Limits", "Usage", "refusal"]


def refusal(usage: Usage, limits: Limits, wanted: int) -> AllowanceSpent:
    """Why `wanted` more pictures do not fit, and when the next one is free.

    The limit that stays shut the longest is named, so that coming back at the time that is
    said does help.
    """
    left_today = limits.per_day - usage.today
    if wanted > left_today:
        return _day_spent(left_today, limits, wanted, usage.day_ends_at)
    left_now = limits.per_minute - usage.this_minute
    if wanted > left_now:
        return _minute_spent(limits, wanted, usage.minute_start + MINUTE_S)
    return AllowanceSpent(
        f"You already have {_plural(usage.waiting, 'request')} under way, and "
        f"{limits.waiting} at once is the most. Your next one is free as soon as one of them "
        "is done."
    )


def _day_spent(left: int, limits: Limits, wanted: int, ends_at: float) -> AllowanceSpent:
    when = _when(ends_at)
    if wanted > limits.per_day:
        sentence = (
            f"That is {_plural(wanted, 'picture')}, and each person here may have "
            f"{limits.per_day} a day. Ask for fewer with `count`."
        )
        return AllowanceSpent(sentence)
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
    return AllowanceSpent(sentence, free_at=ends_at)


def _minute_spent(limits: Limits, wanted: int, ends_at: float) -> AllowanceSpent:
    if wanted > limits.per_minute:
        return AllowanceSpent(
            f"That is {_plural(wanted, 'picture')} at once, and each person here may have "
            f"{limits.per_minute} a minute. Ask for fewer with `count`."
        )
    return AllowanceSpent(
        f"That was quick! Each person here may have {_plural(limits.per_minute, 'picture')} a "
        f"minute; the next one is free {_when(ends_at)}.",
        free_at=ends_at,
    )


def _when(at: float) -> str:
    """Discord shows this as a time in the reader's own zone, and counts down to it."""
    # https://discord.com/developers/docs/reference#message-formatting-timestamp-styles
    return f"<t:{int(-(-at // 1))}:R>"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
