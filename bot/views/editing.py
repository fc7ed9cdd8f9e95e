"""The buttons that lead on from a picture: its edit, a new one from it, its variations."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.studio.gathering import Ours
from bot.studio.order import Variation
from bot.views.asking import place_of, submit, viewer_of
from bot.views.base import Button
from bot.views.edit_form import Purpose, open_form, open_form_for_one_of
from bot.views.ids import ID, POSITION
from bot.views.pictures_in import links_in

if TYPE_CHECKING:
    from bot.views.base import Interaction

_VARY = {Variation.SUBTLE: "Vary subtly", Variation.STRONG: "Vary strongly"}


class EditOne(Button, template=f"edit-one:{ID}"):
    """Under a result: the form, which asks for the picture too."""

    def __init__(self, generation_id: str) -> None:
        self.generation_id = generation_id
        super().__init__(f"edit-one:{generation_id}", label="Edit…")

    async def press(self, interaction: Interaction) -> None:
        await open_form_for_one_of(interaction, self.generation_id)


class Edit(Button, template=f"edit:{ID}:{POSITION}"):
    """In the panel of a picture: the form for that one."""

    def __init__(self, generation_id: str, position: str) -> None:
        self.picture = Ours(generation_id, int(position))
        super().__init__(f"edit:{generation_id}:{position}", label="Edit…", row=0)

    async def press(self, interaction: Interaction) -> None:
        await open_form(interaction, [_linked(interaction, self.picture)], Purpose.EDIT)


class UseAsReference(Button, template=f"reference:{ID}:{POSITION}"):
    """Likewise, for a picture that need not be like it."""

    def __init__(self, generation_id: str, position: str) -> None:
        self.picture = Ours(generation_id, int(position))
        super().__init__(f"reference:{generation_id}:{position}", label="Use as reference", row=0)

    async def press(self, interaction: Interaction) -> None:
        await open_form(interaction, [_linked(interaction, self.picture)], Purpose.REFERENCE)


class Vary(Button, template=rf"vary:{ID}:{POSITION}:(?P<variation>{'|'.join(Variation)})"):
    """More pictures like this one."""

    def __init__(self, generation_id: str, position: str, variation: str) -> None:
        self.picture = Ours(generation_id, int(position))
        self.variation = Variation(variation)
        custom_id = f"vary:{generation_id}:{position}:{variation}"
        super().__init__(custom_id, label=_VARY[self.variation], row=0)

    async def press(self, interaction: Interaction) -> None:
        await _vary(interaction, self.picture.generation_id, self.picture.position, self.variation)


class VaryAll(Button, template=f"vary-all:{ID}"):
    """One more picture like each of a result."""

    def __init__(self, generation_id: str) -> None:
        self.generation_id = generation_id
        super().__init__(f"vary-all:{generation_id}", label="Vary all")

    async def press(self, interaction: Interaction) -> None:
        await _vary(interaction, self.generation_id, None, Variation.STRONG)


def _linked(interaction: Interaction, picture: Ours) -> Ours:
    link = links_in(interaction, picture.generation_id).get(picture.position)
    return replace(picture, link=link)


async def _vary(
    interaction: Interaction, generation_id: str, position: int | None, variation: Variation
) -> None:
    studio = interaction.client.studio
    shown = await studio.see(generation_id, viewer_of(interaction))
    links = links_in(interaction, generation_id)
    place = place_of(interaction)
    varied = studio.intake.vary(generation_id, position, variation, place, links=links)
    await submit(interaction, varied, private=shown.generation.order.private)
