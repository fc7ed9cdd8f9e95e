"""What one may still have painted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.views.wording import plural

if TYPE_CHECKING:
    from bot.store.people import Limits, Usage


def limits_text(usage: Usage, limits: Limits) -> str:
    """Three lines: today, this minute, under way."""
    today = max(0, limits.per_day - usage.today)
    minute = max(0, limits.per_minute - usage.this_minute)
    return (
        f"**Today:** {plural(today, 'picture')} of {limits.per_day} left; all of them again "
        f"<t:{int(usage.day_ends_at)}:R>.\n"
        f"**This minute:** {minute} of {limits.per_minute} left.\n"
        f"**Under way:** {plural(usage.waiting, 'request')}; at most {limits.waiting} at once.\n"
        "-# Pictures that fail, and those that a filter refuses, don't count."
    )
