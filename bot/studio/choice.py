"""An order that waits until its picture is pointed out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.studio.order import Order
from bot.studio.wish import Wish, is_wish

if TYPE_CHECKING:
    from bot.studio.order import Source

_ORDER = "chosen_for"


@dataclass(frozen=True, slots=True)
class Choice:
    """What was asked for, and where its pictures are looked for once one is chosen.

    Attributes:
        order: without pictures yet.
        shown_in: the message that has the pictures to choose from.
        asked_in: the message that asked.
        brought: how many pictures that one brought along, which come after the chosen one.
    """

    order: Order
    shown_in: int
    asked_in: int
    brought: int

    def to_json(self) -> str:
        told = {_ORDER: self.order.to_json(), "shown_in": self.shown_in}
        return json.dumps(told | {"asked_in": self.asked_in, "brought": self.brought})

    @classmethod
    def from_json(cls, text: str) -> Choice:
        stored: dict[str, Any] = json.loads(text)
        return cls(Order.from_json(stored.pop(_ORDER)), **stored)


def kept_for(request: str) -> tuple[Source, ...]:
    """The pictures that a draft keeps in the archive; only an order brings some."""
    if _ORDER in json.loads(request):
        return ()
    asked = Wish.from_json(request).on if is_wish(request) else Order.from_json(request)
    return asked.sources if isinstance(asked, Order) else ()
