"""Time, and the ids that are made of it."""

from __future__ import annotations

import time

#: The first second of 2015: https://discord.com/developers/docs/reference#snowflakes
_EPOCH_MS = 1_420_070_400_000
_TIME_SHIFT = 22


class Clock:
    """Wall time that can be put forward: tokens, nonces and deadlines age by it, ids do not."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead

    def forward(self, seconds: float) -> None:
        self.ahead += seconds


class Ids:
    """Snowflakes of now, each greater than the one before."""

    def __init__(self) -> None:
        self._last = self._last_guild = 0

    def __call__(self) -> int:
        self._last = max(_snowflake_now(), self._last + 1)
        return self._last

    def guild(self) -> int:
        """A millisecond after the last one's, so that servers spread over the shards."""
        self._last_guild = max(_snowflake_now(), self._last_guild + (1 << _TIME_SHIFT))
        return self._last_guild


def _snowflake_now() -> int:
    return (time.time_ns() // 1_000_000 - _EPOCH_MS) << _TIME_SHIFT


def time_of(snowflake: int) -> float:
    """When it was made, in Unix seconds."""
    return ((snowflake >> _TIME_SHIFT) + _EPOCH_MS) / 1000
