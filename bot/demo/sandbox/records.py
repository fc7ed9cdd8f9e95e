"""What the sandbox painter remembers of its day: requests, renderings, how busy it was."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.demo.faults import Kind

_KEPT = 10_000
#: Only the newest requests keep their inputs whole: a day of references would fill the memory.
_WHOLE = 100
_LONG = 1_000


@dataclass(slots=True)
class Received:
    """One generation request.

    Attributes:
        body: the parsed JSON; empty when it was none.
        headers: with lower-case names.
        status: what was answered; None while it is under way.
        fault: the fault that it met.
    """

    body: Mapping[str, object]
    headers: Mapping[str, str]
    status: int | None = None
    fault: Kind | None = None

    @property
    def model(self) -> str:
        model = self.body.get("model")
        return model if isinstance(model, str) else ""

    @property
    def key(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ").strip()


@dataclass(slots=True)
class Records:
    """Counts and the newest requests; one for each painter."""

    requests: deque[Received] = field(default_factory=lambda: deque[Received](maxlen=_KEPT))
    statuses: Counter[int] = field(default_factory=Counter[int])
    renders: int = 0
    pictures: int = 0
    in_flight: int = 0
    peak: int = 0

    def receive(self, body: Mapping[str, object], headers: Mapping[str, str]) -> Received:
        received = Received(body, headers)
        self.requests.append(received)
        if len(self.requests) > _WHOLE:
            old = self.requests[-_WHOLE - 1]
            old.body = {name: _shortened(value) for name, value in old.body.items()}
        return received

    def stats(self) -> dict[str, object]:
        return {
            "requests": sum(self.statuses.values()),
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "renders": self.renders,
            "pictures": self.pictures,
            "in_flight": self.in_flight,
            "peak": self.peak,
        }


def _shortened(value: object) -> object:
    match value:
        case str() if len(value) > _LONG:
            return f"{value[:_LONG]}…"
        case list():
            return [_shortened(item) for item in cast("list[object]", value)]
        case _:
            return value
