"""How long a message to a channel would wait for Discord's own limit."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: What a channel bears in practice; Discord tells it in headers, and discord.py obeys those.
_MESSAGES, _IN_S = 5, 5.0
_CHANNELS_KEPT = 10_000


class Crowd:
    """Messages that were sent, or will be as soon as they may, by channel."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sent: dict[int, deque[float]] = {}

    def wait_s(self, channel_id: int) -> float:
        """How long the next message would wait."""
        return max(0.0, self._next_at(channel_id) - self._clock())

    def book(self, channel_id: int) -> None:
        """Takes the next place."""
        at = self._next_at(channel_id)
        sent = self._sent.pop(channel_id, None) or deque(maxlen=_MESSAGES)
        sent.append(at)
        self._sent[channel_id] = sent
        if len(self._sent) > _CHANNELS_KEPT:
            del self._sent[next(iter(self._sent))]

    def _next_at(self, channel_id: int) -> float:
        sent, now = self._sent.get(channel_id), self._clock()
        if sent is None or len(sent) < _MESSAGES:
            return now
        return max(now, sent[0] + _IN_S)
