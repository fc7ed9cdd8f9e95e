"""`Remix…`: a result's order as a form, to be changed and painted anew."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self

import discord
from discord import ui

from bot.errors import BadRequest, Refusal
from bot.imaging.request import SEED_MAX, Shape
from bot.studio.order import PROMPT_MAX
from bot.studio.remixing import Wishes, remixed
from bot.views.asking import ask, viewer_of
from bot.views.base import Button
from bot.views.forms import Form, handing_back
from bot.views.ids import ID
from bot.views.options import SHAPES, model_menu

if TYPE_CHECKING:
    from bot.imaging.catalogue import Catalogue
    from bot.studio.generation import Generation
    from bot.studio.order import Order
    from bot.views.base import Interaction

#: Stands for the shape of the first picture to work from.
_SAME_SHAPE = "same"
#: `2,147,483,647`, as people write it.
_SEED_LENGTH = 13
_GROUPING = re.compile(r"[\s,.'_]")


class Remix(Button, template=f"remix:{ID}"):
    """Opens the form; for everybody who sees the result."""

    def __init__(self, generation_id: str) -> None:
        self.generation_id = generation_id
        super().__init__(f"remix:{generation_id}", label="Remix…")

    async def press(self, interaction: Interaction) -> None:
        studio = interaction.client.studio
        shown = await studio.see(self.generation_id, viewer_of(interaction))
        form = RemixForm(f"remix-form:{self.generation_id}:{interaction.id}")
        form.fill_in(shown.generation, studio.catalogue)
        await interaction.response.send_modal(form)


class RemixForm(Form):
    """What can be changed of an order; the rest stays, and whoever sends it is charged."""

    template = re.compile(rf"remix-form:{ID}:[0-9]+")

    def __init__(self, custom_id: str) -> None:
        super().__init__("Remix", custom_id=custom_id)
        self._prompt = ui.TextInput[Self](
            custom_id="prompt", style=discord.TextStyle.paragraph, max_length=PROMPT_MAX
        )
        self._avoid = ui.TextInput[Self](
            custom_id="avoid",
            style=discord.TextStyle.paragraph,
            max_length=PROMPT_MAX,
            required=False,
        )
        self._seed = ui.TextInput[Self](custom_id="seed", max_length=_SEED_LENGTH, required=False)
        self._model = ui.Select[Self](custom_id="model", required=True)
        self._shape = ui.Select[Self](custom_id="shape", required=True)
        for text, description, component in (
            ("Prompt", None, self._prompt),
            ("Avoid", "What should not be in it, where the model follows that.", self._avoid),
            ("Seed", "The same one gives a similar picture. Empty: a new one.", self._seed),
            ("Who paints it?", None, self._model),
            ("Shape", None, self._shape),
        ):
            self.add_item(ui.Label(text=text, description=description, component=component))

    @classmethod
    def reopened(cls, match: re.Match[str]) -> Self:
        return cls(match[0])

    def fill_in(self, generation: Generation, catalogue: Catalogue) -> None:
        order = generation.order
        self._prompt.default, self._avoid.default = order.prompt, order.avoid
        self._seed.default = str(generation.seed)
        self._model.options = _models(order, catalogue)
        self._shape.options = _shapes(order)

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        with handing_back(self._prompt.value, self._avoid.value):
            await ask(interaction, await self._order(interaction))

    async def _order(self, interaction: Interaction) -> Order:
        # Read again, and by the one who sends it: much may have changed since it was opened.
        generation_id = self.custom_id.split(":")[1]
        shown = await interaction.client.studio.see(generation_id, viewer_of(interaction))
        order, shape = shown.generation.order, self._shape.values[0]
        wishes = Wishes(
            prompt=self._prompt.value,
            avoid=self._avoid.value or None,
            seed=_seed(self._seed.value),
            model=self._model.values[0],
            shape=order.shape if shape == _shape_of(order) else _shape(shape),
        )
        return remixed(order, wishes)


def _seed(typed: str) -> int | None:
    """None when it was left empty.

    Raises:
        BadRequest: it is no number.
    """
    digits = _GROUPING.sub("", typed)
    if digits and not digits.isdecimal():
        raise BadRequest(
            f"A seed is a whole number from 0 to {SEED_MAX:,}. Leave it empty for a new one."
        )
    return int(digits) if digits else None


def _models(order: Order, catalogue: Catalogue) -> list[discord.SelectOption]:
    """Its own first; if that is gone, or can't paint it any more, none is chosen yet.

    Raises:
        Refusal: none can paint it.
    """
    own = next((model for model in catalogue.offered() if model.id == order.model), None)
    pictures = max(len(part.sources) for part in order.parts)
    if menu := model_menu(catalogue, pictures, own):
        return menu
    raise Refusal(
        "None of the models that could paint this is here just now. Please try again later."
    )


def _shapes(order: Order) -> list[discord.SelectOption]:
    choices = {choice.value: choice.name for choice in SHAPES}
    if order.sources:
        choices = {_SAME_SHAPE: "that of the picture it is made from"} | choices
    own = _shape_of(order)
    return [
        discord.SelectOption(label=label, value=value, default=value == own)
        for value, label in choices.items()
    ]


def _shape_of(order: Order) -> str:
    """As the form has it."""
    return order.shape or (_SAME_SHAPE if order.sources else Shape.SQUARE)


def _shape(chosen: str) -> Shape | None:
    return None if chosen == _SAME_SHAPE else Shape(chosen)
