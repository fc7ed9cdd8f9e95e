"""Pictures that were kept a moment ago, in memory until somebody first asks for them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Whatever nobody has asked for by then, nobody may ever ask for.
_FOR_S = 60.0


class Fresh:
    """Spares a disk or a bucket the reading of what it was just given to keep.

    Results reach people in the order in which they came, so what came first stays.
    """

    def __init__(self, most: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        """At most so many bytes."""
        self._most = most
        self._clock = clock
        self._size = 0
        self._held: dict[str, tuple[bytes, float]] = {}

    def add(self, files: Mapping[str, bytes]) -> None:
        """Holds them, as far as there is room."""
        now = self._clock()
        for key in [key for key, (_, until) in self._held.items() if until <= now]:
            self.take(key)
        for key, data in files.items():
            self.take(key)
            if self._size + len(data) <= self._most:
                self._held[key] = data, now + _FOR_S
                self._size += len(data)

    def take(self, key: str) -> bytes | None:
        """The bytes, which are held no longer: a second time, they are read from their place."""
        data, _ = self._held.pop(key, (None, 0.0))
        self._size -= len(data or b"")
        return data
