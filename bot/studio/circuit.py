"""Whether the image API works at all: after long trouble people read so at once."""

from __future__ import annotations

from enum import Enum
from math import inf
from typing import TYPE_CHECKING

from bot.errors import AnswerLost, Busy, Overloaded, Refusal, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

#: The API's own trouble; whatever else fails is about one request.
TROUBLE = (Busy, Overloaded, Unreachable, AnswerLost)
#: Requests in a row that failed after all their tries.
_OPENS_AFTER = 3
_FIRST_REST_S, _LONGEST_REST_S = 15.0, 120.0


class Health(Enum):
    """What may be tried just now."""

    WORKS = "works"
    RESTS = "rests"
    MAY_BE_TRIED = "may be tried"


class PainterOut(Refusal):
    """Said at once instead of a wait that would end in a failure."""

    def __init__(self) -> None:
        super().__init__(
            "The painter is out of order just now, so I'd rather not take your request. I keep "
            "trying by myself; please ask again in a few minutes. Nothing was charged."
        )


class Circuit:
    """Opens after trouble in a row, then lets one request at a time try, less and less often.

    The pattern is Nygard's circuit breaker
    (https://martinfowler.com/bliki/CircuitBreaker.html).
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._rest_s = _FIRST_REST_S
        self._rests_since = 0.0
        self._rests_until: float | None = None

    def now(self) -> float:
        """The time by which `failed` is told when a request went off."""
        return self._clock()

    @property
    def health(self) -> Health:
        if self._rests_until is None:
            return Health.WORKS
        return Health.RESTS if self._clock() < self._rests_until else Health.MAY_BE_TRIED

    @property
    def rest_s(self) -> float:
        """How long until one may try; 0 when one may now."""
        return max(0.0, (self._rests_until or 0.0) - self._clock())

    def succeeded(self) -> bool:
        """A picture came: everything works. True when that is news."""
        was_open = self._rests_until is not None
        self._failures, self._rest_s, self._rests_until = 0, _FIRST_REST_S, None
        return was_open

    def failed(self, asked_at: float = inf) -> bool:
        """A request, which went off at `asked_at`, ended in trouble. True when that opened it.

        Those that were under way when it opened tell nothing new.
        """
        was_closed = self._rests_until is None
        is_probe = self.health is Health.MAY_BE_TRIED and asked_at > self._rests_since
        if not (was_closed or is_probe):
            return False
        self._failures += 1
        if self._failures < _OPENS_AFTER:
            return False
        if not was_closed:
            self._rest_s = min(self._rest_s * 2, _LONGEST_REST_S)
        self._rests_since = self._clock()
        self._rests_until = self._rests_since + self._rest_s
        return was_closed
