"""What comes of an order at the door: it is taken, it is to be confirmed, or it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import Refusal

if TYPE_CHECKING:
    from bot.studio.generation import Generation
    from bot.studio.order import Order


@dataclass(frozen=True, slots=True)
class Submitted:
    """The order is accepted; `begin` starts it once the person has been answered.

    Attributes:
        fresh: False when Discord told us of this interaction before.
    """

    generation: Generation
    fresh: bool


@dataclass(frozen=True, slots=True)
class Quote:
    """What an order would come to, if it is confirmed.

    Attributes:
        price: estimated, in micro-dollars; None when unknown.
        notes: what the person should know of the choice of the model.
    """

    draft_id: str
    order: Order
    model_name: str
    price: int | None
    notes: tuple[str, ...]


class Answered(Refusal):
    def __init__(self) -> None:
        super().__init__(
            "That question is closed: it was answered, or it is too old. Just ask for the "
            "pictures once more."
        )


class Restarting(Refusal):
    def __init__(self) -> None:
        super().__init__("I'm just being restarted. Please ask again in a minute.")
