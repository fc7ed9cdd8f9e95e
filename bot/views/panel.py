"""The panel of one picture: go on from it, post it alone, or see every parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord

from bot.studio.order import Variation
from bot.views.asking import may_post
from bot.views.base import Button, Layout
from bot.views.details import Details
from bot.views.editing import Edit, UseAsReference, Vary
from bot.views.family import FamilyTree
from bot.views.ids import ID, POSITION
from bot.views.result import caption, files_of, find
from bot.views.wording import code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.views.base import Interaction

_PROMPT_SHOWN = 150

_ORDINARY = (discord.TextChannel, discord.Thread, discord.VoiceChannel)


class PostAlone(Button, template=f"post:{ID}:{POSITION}"):
    """Puts one picture into the conversation, by itself."""

    def __init__(self, generation_id: str, position: str) -> None:
        self.generation_id, self.position = generation_id, int(position)
        super().__init__(
            f"post:{generation_id}:{position}",
            label="Post alone",
            style=discord.ButtonStyle.primary,
            row=1,
        )

    async def press(self, interaction: Interaction) -> None:
        studio = interaction.client.studio
        shown, picture = await find(interaction, self.generation_id, self.position)
        # Without "thinking", whose place and privacy the first follow-up would take over.
        await interaction.response.defer()
        text = caption(studio, shown.generation, [picture])
        made, limit = len(shown.pictures), interaction.filesize_limit
        async with files_of(
            studio, shown.generation, [picture], file_limit=limit, made=made
        ) as files:
            if shown.generation.order.private:
                _make_anonymous(files)
            if not may_post(interaction) or not isinstance(interaction.channel, _ORDINARY):
                await interaction.followup.send(text, files=files)
                return
            # A repeated event of the same press is the same message.
            await interaction.channel.send(text, files=files, nonce=interaction.id)
        await interaction.followup.send("Posted.", ephemeral=True)


def _make_anonymous(files: Sequence[discord.File]) -> None:
    """A private generation is closed to others; by its name, they would be led there."""
    for file in files:
        file.filename = f"easel-{file.filename.rpartition('-')[2]}"


async def open_panel(interaction: Interaction, generation_id: str, position: int) -> None:
    """Shows the panel to the one who pressed, and to nobody else."""
    studio = interaction.client.studio
    shown, picture = await find(interaction, generation_id, position)
    await interaction.response.defer(ephemeral=True, thinking=True)
    generation = shown.generation
    made = len(shown.pictures)
    limit = interaction.filesize_limit
    async with files_of(studio, generation, [picture], file_limit=limit, made=made) as files:
        told = (
            f"Picture {position} of {made} · {code(generation.prompt_of(picture), _PROMPT_SHOWN)}"
        )
        if generation.order.compares_models:
            told += f" · {studio.model_name(generation, picture)}"
        await interaction.followup.send(
            told,
            files=files,
            view=panel_buttons(generation_id, position),
            ephemeral=True,
        )


def panel_buttons(generation_id: str, position: int) -> Layout:
    one = generation_id, str(position)
    return Layout(
        *(Vary(*one, variation) for variation in Variation),
        Edit(*one),
        UseAsReference(*one),
        PostAlone(*one),
        Details(*one),
        FamilyTree(generation_id, row=1),
    )
