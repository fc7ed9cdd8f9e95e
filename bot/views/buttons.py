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
from bot.views.vote_form import OpenVote, votable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.studio.generation import Generation, KeptPicture
    from bot.views.base import Interaction


#: https://discord.com/developers/docs/components/reference#action-row
ROW_MAX = 5


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


def result_buttons(generation: Generation, pictures: Sequence[KeptPicture]) -> Layout:
    """A number for each picture, and below them what concerns all."""
    picks = [Pick(generation.id, str(picture.position)) for picture in pictures]
    # One place beside them is for the vote.
    rows = in_rows(picks, ROW_MAX - 1)
    voting = [OpenVote(generation.id)] if votable(generation, pictures) else []
    for button in voting:
        button.row = rows - 1
    below = [
        Reroll(generation.id),
        Remix(generation.id),
        *([VaryAll(generation.id)] if len(pictures) > 1 else []),
        EditOne(generation.id),
        Delete(generation.id),
    ]
    for button in below:
        button.row = rows
    return Layout(*picks, *voting, *below)


def in_rows(buttons: Sequence[Button], at_most: int) -> int:
    """Puts buttons in rows of about the same length; how many rows those are.

    discord.py would fill each before it begins the next.
    """
    rows = math.ceil(len(buttons) / at_most)
    length = max(1, math.ceil(len(buttons) / max(1, rows)))
    for place, button in enumerate(buttons):
        button.row = place // length
    return rows
