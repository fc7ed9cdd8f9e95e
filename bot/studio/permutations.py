"""`{red|blue} fox`: every combination of what stands in braces."""

from __future__ import annotations

import re
from itertools import islice, product

# Braces without a bar are words as they stand: some models take prompts that are JSON.
_CHOICE = re.compile(r"\{([^{}|]*(?:\|[^{}|]*)+)\}")
_SPACES = re.compile(" {2,}")
#: Beyond any number that is painted; a prompt could spell out millions.
_COUNTED_MAX = 64


def combinations(prompt: str) -> tuple[str, ...]:
    """Each once, the first braces slowest; the prompt itself where there are none.

    No more than 64 of them: whoever asks for so many is told that it is too many.
    """
    words = _CHOICE.split(prompt)
    if len(words) == 1:
        return (prompt,)
    choices = [part.split("|") if number % 2 else [part] for number, part in enumerate(words)]
    spelt = (_SPACES.sub(" ", "".join(chosen)).strip() for chosen in product(*choices))
    return tuple(dict.fromkeys(islice(spelt, _COUNTED_MAX)))
