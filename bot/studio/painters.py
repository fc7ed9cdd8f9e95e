"""Who paints an order, and for how much."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.errors import BadRequest
from bot.imaging.model import Role, total
from bot.studio.painting import away_note
from bot.studio.prompts import compose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.imaging.catalogue import Catalogue
    from bot.imaging.model import Model
    from bot.studio.order import Order


def choose(order: Order, catalogue: Catalogue) -> tuple[Order, tuple[str, ...]]:
    """With the ids of those who will paint, and what the person should know of the choice.

    Raises:
        UnknownModel: there is no model of such a name.
        BadRequest: one is named twice.
    """
    references = max(len(part.sources) for part in order.parts)
    names = order.models or ((order.model,) if order.model is not None else ())
    if not names:
        return replace(order, model=_usual(references, catalogue).id), ()
    named = [catalogue.find(name) for name in names]
    _check_different(named)
    ids, notes = [model.id for model in named], list[str]()
    for place, model in enumerate(named):
        if catalogue.is_away(model.id) and (
            substitute := catalogue.substitute(model, references=references, besides=ids)
        ):
            ids[place] = substitute.id
            notes.append(away_note(model, substitute))
    several = tuple(ids) if order.compares_models else ()
    return replace(order, model=ids[0], models=several), tuple(notes)


def price_of(order: Order, seed: int, catalogue: Catalogue) -> int | None:
    """Estimated, in micro-dollars; None when that of one part is unknown.

    Raises:
        BadRequest: a model cannot paint it.
    """
    return total(
        catalogue.plan(compose(order, part, seed=seed, references=part.keys)).price
        for part in order.parts
    )


def _check_different(named: Sequence[Model]) -> None:
    for place, model in enumerate(named):
        if model in named[:place]:
            raise BadRequest(
                f"You named {model.name} twice, which would paint the same picture twice. Name "
                "each model once."
            )


def _usual(references: int, catalogue: Catalogue) -> Model:
    """The everyday model, or the one that edits; another where that takes fewer pictures."""
    if not references:
        return catalogue.for_role(Role.EVERYDAY)
    model = catalogue.for_role(Role.EDIT)
    if model.works_from(references):
        return model
    return next(iter(catalogue.editors(references)), model)
