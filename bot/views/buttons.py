"""The buttons under a result: choose a picture, reroll, delete."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import discord

from bot.errors import NotAllowed
from bot.views.asking import place_of, submit, viewer_of
from bot.views.base import Button, Layout
from bot.views.editing import EditOne, VaryAll
from bot.views.ids import ID, POSITION
from bot.views.panel import open_panel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.studio.generation import KeptPicture
    from bot.views.base import Interaction


class Pick(Button, template=f"pick:{ID}:{POSITION}"):
    """`1` to `4`: opens the panel of one picture."""

    def __init__(self, generation_id: str, position: str) -> None:
        self.generation_id, self.position = generation_id, int(position)
        super().__init__(f"pick:{generation_id}:{position}", label=position, row=0)

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
            row=1,
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
        super().__init__(f"delete:{generation_id}", label="Delete", row=1)

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
    return Layout(
        *(Pick(generation_id, str(picture.position)) for picture in pictures),
        Reroll(generation_id),
        *([VaryAll(generation_id)] if len(pictures) > 1 else []),
        EditOne(generation_id),
        Delete(generation_id),
    )
