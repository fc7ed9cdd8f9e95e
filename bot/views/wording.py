"""How things are written wherever people read them; Discord's limits on texts stand here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

CONTENT_MAX = 2000
ALT_TEXT_MAX = 1024
LABEL_MAX = 80
CHOICE_MAX = 100
CHOICES_MAX = 25
CUSTOM_ID_MAX = 100
#: https://discord.com/developers/docs/resources/message#create-message: 25 MiB a request.
REQUEST_BYTES_MAX = 24 * 1024 * 1024
_SOME_MISSING = "…"
#: It looks like a backtick and does nothing.
_LIKE_A_BACKTICK = "\u02cb"


def clip(text: str, limit: int) -> str:
    """At most `limit` characters, with an ellipsis where some are missing."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def code(text: str, limit: int) -> str:
    """What somebody typed, on one line, so that nothing in it acts.

    Inside code, Discord shows no links, mentions or markdown; a backtick would end it.
    """
    return f"`{clip(one_line(text).replace('`', _LIKE_A_BACKTICK), limit)}`"


def code_block(text: str) -> str:
    """The same over several lines; for what is to be copied."""
    return f"```\n{text.replace('```', 3 * _LIKE_A_BACKTICK)}\n```"


def one_line(text: str) -> str:
    return " ".join(text.split())


def dollars(micros: int) -> str:
    """An estimate, to two digits that matter: $0.12, $0.0027."""
    amount = micros / 1_000_000
    return f"${amount:.2f}" if amount >= 0.1 else f"${amount:.2g}"  # noqa: PLR2004 - ten cents


def seconds(duration: float) -> str:
    return f"{duration:.1f} s" if duration < 100 else f"{duration:.0f} s"  # noqa: PLR2004


def duration(seconds_: int) -> str:
    """In full words: 90 seconds, 10 minutes, 1 hour and 30 minutes."""
    parts: list[str] = []
    for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, seconds_ = divmod(seconds_, length)
        if count:
            parts.append(plural(count, unit))
    return listed(parts)


def whole_lines(lines: Sequence[str], limit: int = CONTENT_MAX) -> str:
    """As many of the lines as there is room for, the first ones first, and none in part.

    A line that is cut could lose the end of a code, and what was in it would act. Where some
    are missing, the last one is an ellipsis.
    """
    if len(whole := "\n".join(lines)) <= limit:
        return whole
    kept: list[str] = []
    room = limit - len(_SOME_MISSING)
    for line in lines:
        if len(line) < room:
            kept.append(line)
            room -= len(line) + 1
    return "\n".join((*kept, _SOME_MISSING))


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def listed(parts: Sequence[str], at_most: int | None = None) -> str:
    """“a”, “a and b”, “a, b and c”; “a and 2 more” where one at most is named."""
    if at_most is not None and (unnamed := len(parts) - at_most) > 0:
        parts = [*parts[:at_most], f"{unnamed} more"]
    return " and ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)
