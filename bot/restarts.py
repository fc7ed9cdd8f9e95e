"""A process that dies again and again must not use up the day's connections to Discord."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from bot.store import facts

if TYPE_CHECKING:
    from sqlalchemy import Connection

# Discord takes 1,000 IDENTIFYs a day over all shards, and resets the token beyond:
# https://discord.com/developers/docs/events/gateway#identifying
_AT_ONCE = 150
_A_DAY = 750
_DAY_S = 24 * 60 * 60
_NAME = "starts left"


@dataclass(frozen=True, slots=True)
class Budget:
    """Starts that may follow without a pause, as of `at` (Unix seconds)."""

    left: float
    at: float

    def spend(self, starts: int, now: float) -> tuple[Budget, float]:
        """What is left after `starts` more, and how long to wait before them, in seconds."""
        earned = max(0.0, now - self.at) * _A_DAY / _DAY_S
        left = min(_AT_ONCE, self.left + earned) - starts
        return Budget(left, now), max(0.0, -left) * _DAY_S / _A_DAY


def begin(connection: Connection, shards: int, now: float) -> float:
    """Writes a start of that many shards down; how long to wait before it, in seconds."""
    known = facts.recall(connection, _NAME)
    budget = Budget(**json.loads(known)) if known else Budget(_AT_ONCE, now)
    after, wait = budget.spend(shards, now)
    facts.remember(connection, _NAME, json.dumps(asdict(after)))
    return wait
