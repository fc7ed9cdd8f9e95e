"""An order once more, with what somebody changed of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.imaging.request import clean_text
from bot.store.schema import PICTURES_MAX

if TYPE_CHECKING:
    from bot.imaging.request import Shape
    from bot.studio.order import Order


@dataclass(frozen=True, slots=True)
class Wishes:
    """What can be changed.

    Attributes:
        avoid: None for nothing.
        seed: None when one is to be drawn.
        shape: as in an order.
    """

    prompt: str
    avoid: str | None
    seed: int | None
    model: str
    shape: Shape | None


def remixed(order: Order, wishes: Wishes) -> Order:
    """Style, quality, count, privacy and the pictures to work from stay.

    One model paints, and these words alone: the form shows no others.
    """
    remix = replace(
        order,
        prompt=wishes.prompt,
        avoid=wishes.avoid,
        seed=wishes.seed,
        model=wishes.model,
        models=(),
        changes=(),
        shape=wishes.shape,
    )
    if clean_text(wishes.prompt) != order.prompt:
        # A variation has the words of its source, and so has a picture of each source.
        sources = tuple(replace(source, prompt=None) for source in order.sources)
        remix = replace(remix, variation=None, sources=sources if order.each else order.sources)
    if remix.wanted > PICTURES_MAX:
        # Where the words became a choice, the number may have been meant for fewer.
        remix = replace(remix, count=None)
    return remix
