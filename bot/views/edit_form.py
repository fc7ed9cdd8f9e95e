"""The form that asks what to make of a picture."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

import discord
from discord import ui

from bot.errors import BadRequest
from bot.imaging.model import Role
from bot.studio.gathering import Linked, Ours
from bot.studio.order import PROMPT_MAX, Order
from bot.views.asking import ask, viewer_of
from bot.views.forms import Form, handing_back
from bot.views.ids import ID
from bot.views.options import model_menu
from bot.views.pictures_in import Attached, attached, bring, links_in
from bot.views.wording import CHOICE_MAX, CHOICES_MAX, clip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.imaging.catalogue import Catalogue
    from bot.views.base import Interaction
    from bot.views.pictures_in import Found

#: Other pictures that a form takes along.
_MORE_MAX = 3


class Purpose(StrEnum):
    """What a picture is wanted for."""

    EDIT = "edit"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class _Wording:
    """What a form says.

    Attributes:
        count: pictures to paint; None for the usual number.
    """

    title: str
    question: str
    example: str
    count: int | None


_WORDING = {
    Purpose.EDIT: _Wording(
        "Edit a picture",
        "What should change?",
        "For example: make it night, and put a lantern in the snow.",
        # Whoever corrects a picture wants that picture, and replies to it go on from it.
        1,
    ),
    Purpose.REFERENCE: _Wording(
        "A new picture from this one",
        "What should the new picture show?",
        "For example: the fox of image 1, asleep on a night train.",
        None,
    ),
}


class EditForm(Form):
    """The words, who paints, and more pictures to work from.

    Args:
        purpose: what for.
        found: the pictures of which one is worked from.
        models: to choose from; None where it was opened before, and one may be chosen already.
        custom_id: that it is known by again; None where nothing but `found` knows the pictures.
    """

    template = re.compile(
        rf"form:(?P<purpose>{'|'.join(Purpose)}):{ID}:(?P<positions>[1-8]+):[0-9]+"
    )

    def __init__(
        self,
        purpose: Purpose,
        found: Sequence[Found],
        models: Sequence[discord.SelectOption] | None = None,
        *,
        custom_id: str | None = None,
    ) -> None:
        super().__init__(_WORDING[purpose].title, custom_id=custom_id)
        self._purpose, self._found = purpose, found
        self._which = ui.Select[Self](custom_id="which", options=_pictures(found))
        self._words = ui.TextInput[Self](
            custom_id="words", style=discord.TextStyle.paragraph, max_length=PROMPT_MAX
        )
        self._model = ui.Select[Self](
            custom_id="model",
            options=list(models or ()),
            min_values=0,
            required=False,
        )
        self._more = ui.FileUpload[Self](
            custom_id="more", min_values=0, max_values=_MORE_MAX, required=False
        )
        # None is left to offer when all that edit are away.
        self._lay_out(asks_for_model=models is None or len(models) > 0)

    @classmethod
    def reopened(cls, match: re.Match[str]) -> Self:
        found = [Ours(match["generation_id"], int(position)) for position in match["positions"]]
        return cls(Purpose(match["purpose"]), found)

    def _lay_out(self, *, asks_for_model: bool) -> None:
        wording = _WORDING[self._purpose]
        if len(self._found) > 1:
            self.add_item(ui.Label(text="Which picture?", component=self._which))
        self.add_item(
            ui.Label(text=wording.question, description=wording.example, component=self._words)
        )
        if asks_for_model:
            self.add_item(ui.Label(text="Who paints it?", component=self._model))
        self.add_item(
            ui.Label(
                text="More pictures to work from",
                description="In your words, they are image 2, image 3 and image 4.",
                component=self._more,
            )
        )

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        with handing_back(self._words.value):
            chosen = self._found[int(self._which.values[0]) if len(self._found) > 1 else 0]
            order = Order(
                prompt=self._words.value,
                model=_asked_for(self._model.values, interaction.client.studio.catalogue),
                count=_WORDING[self._purpose].count,
                private=await _is_private(interaction, chosen),
            )
            await ask(interaction, order, bring([chosen, *attached(*self._more.values)]))


async def open_form(interaction: Interaction, found: Sequence[Found], purpose: Purpose) -> None:
    """Shows the form; it has to be the first answer.

    Raises:
        Refusal: there is nothing to work from, or it is not theirs to work from.
    """
    if not found:
        raise BadRequest(
            "I see no picture in that message. Choose one that holds a picture, or give `/edit` "
            "a file."
        )
    for generation_id in {each.generation_id for each in found if isinstance(each, Ours)}:
        # Nobody should write an instruction in vain.
        await interaction.client.studio.see_to_edit(generation_id, viewer_of(interaction))
    await _show(interaction, found, purpose)


async def open_form_for_one_of(interaction: Interaction, generation_id: str) -> None:
    """Shows the form for the edit of a picture that is chosen there.

    Raises:
        Refusal: they are not theirs to work from.
    """
    studio = interaction.client.studio
    shown = await studio.see_to_edit(generation_id, viewer_of(interaction))
    links = links_in(interaction, generation_id)
    found = [Ours(generation_id, one.position, links.get(one.position)) for one in shown.pictures]
    await _show(interaction, found, Purpose.EDIT)


async def _show(interaction: Interaction, found: Sequence[Found], purpose: Purpose) -> None:
    found = found[:CHOICES_MAX]
    models = _models(interaction.client.studio.catalogue)
    custom_id = _custom_id(found, purpose, interaction.id)
    await interaction.response.send_modal(EditForm(purpose, found, models, custom_id=custom_id))


def _custom_id(found: Sequence[Found], purpose: Purpose, opening: int) -> str | None:
    ours = [each for each in found if isinstance(each, Ours)]
    ids = {each.generation_id for each in ours}
    if len(ours) < len(found) or len(ids) > 1:
        return None
    positions = "".join(str(each.position) for each in ours)
    return f"form:{purpose}:{ids.pop()}:{positions}:{opening}"


def _models(catalogue: Catalogue) -> list[discord.SelectOption]:
    """For the one picture that is sure; first the model that paints where nobody chooses."""
    usual, here = catalogue.for_role(Role.EDIT), catalogue.editors(1)
    return model_menu(catalogue, 1, usual if usual in here else next(iter(here), None))


def _asked_for(chosen: Sequence[str], catalogue: Catalogue) -> str | None:
    """None for the usual one, which gives way to another where that takes fewer pictures."""
    usual = catalogue.for_role(Role.EDIT).id
    return next((model for model in chosen if model != usual), None)


async def _is_private(interaction: Interaction, picture: Found) -> bool:
    """What comes of a private picture is private."""
    if not isinstance(picture, Ours):
        return False
    shown = await interaction.client.studio.see(picture.generation_id, viewer_of(interaction))
    return shown.generation.order.private


def _pictures(found: Sequence[Found]) -> list[discord.SelectOption]:
    return [
        discord.SelectOption(
            label=clip(_name(each, number), CHOICE_MAX), value=str(number - 1), default=number == 1
        )
        for number, each in enumerate(found, start=1)
    ]


def _name(found: Found, number: int) -> str:
    match found:
        case Ours(_, position):
            return f"Picture {position}"
        case Attached(file):
            return f"Picture {number}: {file.filename}"
        case Linked():
            return f"Picture {number}, from a link"
