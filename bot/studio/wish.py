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
class About:
    """Pictures that are there, of one generation."""

    generation_id: str


@dataclass(frozen=True, slots=True)
class Wish:
    """By which rules, and on what: an order is painted for it first."""

    rules: Rules
    on: Order | About

    def to_json(self) -> str:
        match self.on:
            case Order() as order:
                told = {"order": order.to_json()}
            case About(generation_id):
                told = {"about": generation_id}
        return json.dumps({_MARK: asdict(self.rules)} | told)

    @classmethod
    def from_json(cls, text: str) -> Wish:
        stored: dict[str, Any] = json.loads(text)
        rules = Rules(**stored[_MARK])
        if "order" in stored:
            return cls(rules, Order.from_json(stored["order"]))
        return cls(rules, About(stored["about"]))


def is_wish(request: str) -> bool:
    """Whether a draft is one."""
    return _MARK in json.loads(request)
