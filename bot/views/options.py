"""What Discord offers for the options of commands, as one types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from discord import AppCommandOptionType, SelectOption
from discord.app_commands import Choice, Command

from bot.imaging.model import Takes
from bot.imaging.request import Shape
from bot.studio.gathering import split_links
from bot.views.wording import CHOICE_MAX, CHOICES_MAX, clip, plural

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.imaging.catalogue import Catalogue
    from bot.imaging.model import Model
    from bot.views.base import Interaction

SHAPES = [
    Choice(name=f"{shape.replace('-', ' ')} {shape.ratio[0]}:{shape.ratio[1]}", value=shape.value)
    for shape in Shape
]
#: More than there are.
_ALL = 1000


@dataclass(frozen=True, slots=True)
class Offer:
    """A model that can be chosen.

    Attributes:
        why_not: what keeps it from the pictures that are there; empty where nothing does.
    """

    model: Model
    why_not: str


def offer(models: Iterable[Model], pictures: int) -> list[Offer]:
    """As many as Discord shows: those that work from so many pictures, and then the others.

    People look for a model that they know; where it is missing, nobody tells them why.
    """
    offers = [Offer(model, _why_not(model, pictures)) for model in models]
    return sorted(offers, key=lambda each: bool(each.why_not))[:CHOICES_MAX]


def models(catalogue: Catalogue, typed: str, pictures: int) -> list[Choice[str]]:
    """Models by whatever of them is typed, for so many pictures to work from."""
    return [
        Choice(name=_name(each), value=each.model.id)
        for each in offer(catalogue.search(typed, limit=_ALL), pictures)
    ]


def model_menu(catalogue: Catalogue, pictures: int, first: Model | None) -> list[SelectOption]:
    """Models in a form, for so many pictures to work from; none where none here can paint.

    Args:
        catalogue: has them.
        pictures: how many, as far as the form knows.
        first: stands first and is chosen, if it can paint; even if it is away, since another
            paints for it then.
    """
    found = catalogue.search("", limit=_ALL)
    able, chosen = list(catalogue.editors(pictures) if pictures else found), None
    if first is not None and not _why_not(first, pictures):
        able, chosen = [first, *(model for model in able if model.id != first.id)], first.id
    if not able:
        return []
    others = [model for model in found if _why_not(model, pictures)]
    return [_option(each, chosen=chosen) for each in offer([*able, *others], pictures)]


def pictures_so_far(interaction: Interaction) -> int:
    """To work from, in a command that is still being filled in: files, and links in `prompt`."""
    filled, command = interaction.namespace, interaction.command
    if not isinstance(command, Command):
        return 0
    # Discord sends no more of a file yet than an id, of which discord.py makes a bare Object.
    files = [
        each
        for each in command.parameters
        if each.type is AppCommandOptionType.attachment and each.display_name in filled
    ]
    _, links = split_links(filled.prompt or "")
    return len(files) + len(links)


def _name(each: Offer) -> str:
    if not each.why_not:
        return clip(each.model.label, CHOICE_MAX)
    # Whatever else is cut off, the reason is not.
    reason = f" · {each.why_not}"
    return clip(each.model.name, CHOICE_MAX - len(reason)) + reason


def _option(each: Offer, *, chosen: str | None) -> SelectOption:
    model = each.model
    facts = (model.price.words if model.price else "", model.good_for)
    said = each.why_not or " · ".join(fact for fact in facts if fact)
    return SelectOption(
        label=clip(model.name, CHOICE_MAX),
        value=model.id,
        description=clip(said, CHOICE_MAX) or None,
        default=model.id == chosen,
    )


def _why_not(model: Model, pictures: int) -> str:
    """Empty where it can paint."""
    if not pictures or model.works_from(pictures):
        return ""
    match model.takes_references:
        case Takes.YES:
            most = plural(model.max_references or 0, "picture")
            return f"works from {most}, not from {pictures}"
        case Takes.NO:
            return "can't work from pictures"
        case Takes.UNKNOWN:
            return "not known to work from pictures"
