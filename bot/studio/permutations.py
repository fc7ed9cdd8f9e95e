"""`{red|blue} fox`: every combination of what stands in braces."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import islice, product

#: Beyond any number that is painted; a prompt could spell out millions.
LOOKED_AT_MAX = 64
_MARKS = re.compile(r"[{|}]")
_SPACES = re.compile(" {2,}")


@dataclass(slots=True)
class _Brace:
    """A brace that is open, while the prompt is read.

    Attributes:
        before: how many choices were found before it.
        has_bar: whether a bar stands between it and its end.
        has_braces: whether braces do.
    """

    start: int
    before: int
    has_bar: bool = False
    has_braces: bool = False


def combinations(prompt: str) -> tuple[str, ...]:
    """Each once, the first braces slowest; the prompt itself where there are none.

    No more than 64 are looked at, of whatever number there is by `ways`. What is returned has
    no choices any more: it is its own and only combination.
    """
    parts = _parts(prompt)
    if len(parts) == 1:
        return (prompt,)
    spelt = (_SPACES.sub(" ", "".join(chosen)).strip() for chosen in product(*parts))
    return tuple(dict.fromkeys(islice(spelt, LOOKED_AT_MAX)))


def ways(prompt: str) -> int:
    """In how many ways one can choose; some of them may come to the same words."""
    return math.prod(len(part) for part in _parts(prompt))


def _parts(prompt: str) -> list[list[str]]:
    """The prompt from left to right: what stands between choices, and what each offers."""
    parts: list[list[str]] = []
    done = 0
    for start, end in _choices(prompt):
        offered = prompt[start + 1 : end].split("|")
        parts += [[prompt[done:start]], list(dict.fromkeys(offered))]
        done = end + 1
    return [*parts, [prompt[done:]]]


def _choices(prompt: str) -> list[tuple[int, int]]:
    """Where the braces of each choice stand.

    Braces without a bar are words as they stand, since some models take prompts that are JSON,
    and choices within them are choices. Braces with a bar that hold others are words as well,
    with all that is in them: what were left of their bars would be choices once more.
    """
    if "|" not in prompt:
        return []
    found: list[tuple[int, int]] = []
    opened: list[_Brace] = []
    for mark in _MARKS.finditer(prompt):
        if mark[0] == "{":
            opened.append(_Brace(mark.start(), len(found)))
        elif opened and mark[0] == "|":
            opened[-1].has_bar = True
        elif opened:
            brace = opened.pop()
            if brace.has_bar:
                del found[brace.before :]
                if not brace.has_braces:
                    found.append((brace.start, mark.start()))
            if opened:
                opened[-1].has_braces = True
    return found
