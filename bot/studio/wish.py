"""A vote that somebody wants to open, before it is confirmed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from bot.studio.order import Order
from bot.studio.voting import Rules

#: What tells it from other drafts.
_MARK = "vote"


@dataclass(frozen=True, slots=True)
class Wish:
    """By which rules, and on what.

    Attributes:
        order: what is painted for it; None where it is on pictures that are there.
        about: the generation that those are of.
    """

    rules: Rules
    order: Order | None = None
    about: str | None = None

    def to_json(self) -> str:
        order = None if self.order is None else self.order.to_json()
        return json.dumps({_MARK: asdict(self.rules), "order": order, "about": self.about})

    @classmethod
    def from_json(cls, text: str) -> Wish:
        stored: dict[str, Any] = json.loads(text)
        order = stored["order"]
        return cls(
            Rules(**stored[_MARK]),
            None if order is None else Order.from_json(order),
            stored["about"],
        )


def is_wish(request: str) -> bool:
    """Whether a draft is one."""
    return _MARK in json.loads(request)
