"""What Discord offers for the options of commands, as one types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discord import SelectOption
from discord.app_commands import Choice

from bot.imaging.model import Takes
from bot.imaging.request import Shape
from bot.views.wording import CHOICE_MAX, CHOICES_MAX, clip

if TYPE_CHECKING:
    from bot.imaging.catalogue import Catalogue
    from bot.imaging.model import Model

SHAPES = [
    Choice(name=f"{shape.replace('-', ' ')} {shape.ratio[0]}:{shape.ratio[1]}", value=shape.value)
    for shape in Shape
]
#: More than there are.
_ALL = 1000


def models(catalogue: Catalogue, typed: str) -> list[Choice[str]]:
    """Models by whatever of them is typed."""
    return [_choice(model, model.label) for model in catalogue.search(typed, limit=CHOICES_MAX)]


def editors(catalogue: Catalogue, typed: str) -> list[Choice[str]]:
    """The same, with those that work from pictures first, and the others marked."""
    found = catalogue.search(typed, limit=_ALL)
    able = [model for model in found if model.works_from(1)]
    rest = [model for model in found if not model.works_from(1)]
    choices = [_choice(model, model.label) for model in able]
    choices += [_choice(model, f"{model.name} · {_why_not(model)}") for model in rest]
    return choices[:CHOICES_MAX]


def model_option(model: Model, *, default: bool) -> SelectOption:
    """A model in the menu of a form."""
    facts = (model.price.words if model.price else "", model.good_for)
    return SelectOption(
        label=clip(model.name, CHOICE_MAX),
        value=model.id,
        description=clip(" · ".join(fact for fact in facts if fact), CHOICE_MAX) or None,
        default=default,
    )


def _choice(model: Model, name: str) -> Choice[str]:
    return Choice(name=clip(name, CHOICE_MAX), value=model.id)


def _why_not(model: Model) -> str:
    refuses = model.takes_references is Takes.NO
    return "can't work from pictures" if refuses else "may not work from pictures"
