"""The buttons under a result: choose a picture, go on from it, delete."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING

import discord

from bot.errors import NotAllowed
from bot.views.asking import place_of, submit, viewer_of
from bot.views.base import Button, Layout
from bot.views.editing import EditOne, VaryAll
from bot.views.ids import ID, POSITION
from bot.views.panel import open_panel
from bot.views.remix import Remix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.studio.generation import KeptPicture
    from bot.views.base import Interaction


#: https://discord.com/developers/docs/components/reference#action-row
_ROW_MAX = 5


class Pick(Button, template=f"pick:{ID}:{POSITION}"):
    """`1` to `8`: opens the panel of one picture."""

    def __init__(self, generation_id: str, position: str) -> None:
        self.generation_id, self.position = generation_id, int(position)
        super().__init__(f"pick:{generation_id}:{position}", label=position)

    async def press(self, interaction: Interaction) -> None:
        await open_panel(interaction, self.generation_id, self.position)


class Reroll(Button, template=f"reroll:{ID}"):
    """The same order with a new seed, charged to whoever presses."""

    def __init__(self, generation_id: str) -> None:
        self.generation_id = generation_id
        super().__init__(
            f"reroll:{generation_id}",
            label="Reroll",
            style=discord.ButtonStyle.primary,
        )

    async def press(self, interaction: Interaction) -> None:
        studio, viewer = interaction.client.studio, viewer_of(interaction)
        shown = await studio.see(self.generation_id, viewer)
        again = studio.intake.again(self.generation_id, viewer, place_of(interaction))
        await submit(interaction, again, private=shown.generation.order.private)


class Delete(Button, template=f"delete:{ID}"):
    """Takes the message away; for the asker, and for those who may manage messages."""

    def __init__(self, generation_id: str) -> None:
        self.generation_id = generation_id
        super().__init__(f"delete:{generation_id}", label="Delete")

    async def press(self, interaction: Interaction) -> None:
        shown = await interaction.client.studio.see(self.generation_id, viewer_of(interaction))
        asker = shown.generation.person_id
        if interaction.user.id != asker and not interaction.permissions.manage_messages:
            raise NotAllowed(
                f"Only <@{asker}>, who asked for it, and people who may manage messages here "
                "can delete it."
            )
        await interaction.response.defer()
        with suppress(discord.NotFound):  # somebody was quicker
            await interaction.delete_original_response()


def result_buttons(generation_id: str, pictures: Sequence[KeptPicture]) -> Layout:
    """A number for each picture, and below them what concerns all."""
    picks = [Pick(generation_id, str(picture.position)) for picture in pictures]
    below = [
        Reroll(generation_id),
        Remix(generation_id),
        *([VaryAll(generation_id)] if len(pictures) > 1 else []),
        EditOne(generation_id),
        Delete(generation_id),
    ]
    # Rows of about the same length; discord.py would fill each before it begins the next.
    length = max(1, math.ceil(len(picks) / (2 if len(picks) > _ROW_MAX else 1)))
    for place, pick in enumerate(picks):
        pick.row = place // length
    for button in below:
        button.row = math.ceil(len(picks) / length)
    return Layout(*picks, *below)
