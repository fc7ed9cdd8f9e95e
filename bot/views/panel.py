"""The panel of one picture: post it alone, or see every parameter."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import discord

from bot.errors import NotFound
from bot.views.asking import may_post, viewer_of
from bot.views.base import Button, Layout
from bot.views.ids import ID, POSITION
from bot.views.result import caption, files_of
from bot.views.wording import CONTENT_MAX, code, code_block, dollars, one_line, seconds

if TYPE_CHECKING:
    from bot.studio.generation import KeptPicture, Shown
    from bot.studio.studio import Studio
    from bot.views.base import Interaction

_PROMPT_SHOWN = 150
#: The rest of a message of details is well under 600 characters.
_COMMAND_SHOWN = CONTENT_MAX - 600


_ORDINARY = (discord.TextChannel, discord.Thread, discord.VoiceChannel)


class PostAlone(Button, template=f"post:{ID}:{POSITION}"):
    """Puts one picture into the conversation, by itself."""

    def __init__(self, generation_id: str, position: str) -> None:
        self.generation_id, self.position = generation_id, int(position)
        super().__init__(
            f"post:{generation_id}:{position}",
            label="Post alone",
            style=discord.ButtonStyle.primary,
        )

    async def press(self, interaction: Interaction) -> None:
        studio = interaction.client.studio
        shown, picture = await _find(interaction, self.generation_id, self.position)
        # Without "thinking", whose place and privacy the first follow-up would take over.
        await interaction.response.defer()
        text = caption(studio, shown.generation, [picture])
        made, limit = len(shown.pictures), interaction.filesize_limit
        async with files_of(
            studio, shown.generation, [picture], file_limit=limit, made=made
        ) as files:
            if not may_post(interaction) or not isinstance(interaction.channel, _ORDINARY):
                await interaction.followup.send(text, files=files)
                return
            # A repeated event of the same press is the same message.
            await interaction.channel.send(text, files=files, nonce=interaction.id)
        await interaction.followup.send("Posted.", ephemeral=True)


class Details(Button, template=f"details:{ID}:{POSITION}"):
    """Every parameter of a picture, and a command line that paints it again."""

    def __init__(self, generation_id: str, position: str) -> None:
        self.generation_id, self.position = generation_id, int(position)
        super().__init__(f"details:{generation_id}:{position}", label="Details")

    async def press(self, interaction: Interaction) -> None:
        shown, picture = await _find(interaction, self.generation_id, self.position)
        text, files = details(interaction.client.studio, shown, picture)
        await interaction.response.send_message(text, files=files, ephemeral=True)


async def open_panel(interaction: Interaction, generation_id: str, position: int) -> None:
    """Shows the panel to the one who pressed, and to nobody else."""
    studio = interaction.client.studio
    shown, picture = await _find(interaction, generation_id, position)
    await interaction.response.defer(ephemeral=True, thinking=True)
    generation = shown.generation
    made = len(shown.pictures)
    limit = interaction.filesize_limit
    async with files_of(studio, generation, [picture], file_limit=limit, made=made) as files:
        await interaction.followup.send(
            f"Picture {position} of {made} · {code(generation.order.prompt, _PROMPT_SHOWN)}",
            files=files,
            view=panel_buttons(generation_id, position),
            ephemeral=True,
        )


def panel_buttons(generation_id: str, position: int) -> Layout:
    return Layout(PostAlone(generation_id, str(position)), Details(generation_id, str(position)))


async def _find(
    interaction: Interaction, generation_id: str, position: int
) -> tuple[Shown, KeptPicture]:
    shown = await interaction.client.studio.see(generation_id, viewer_of(interaction))
    for picture in shown.pictures:
        if picture.position == position:
            return shown, picture
    raise NotFound


def details(studio: Studio, shown: Shown, picture: KeptPicture) -> tuple[str, list[discord.File]]:
    generation, order = shown.generation, shown.generation.order
    rows = [
        ("Model", studio.model_name(generation)),
        ("Size", f"{picture.size} ({order.shape})" if order.shape else str(picture.size)),
        ("Seed", str(picture.seed)),
        ("Quality", order.quality),
        ("Steps", generation.steps),
        ("Style", order.style),
        ("Price", f"about {dollars(generation.price)} in all" if generation.price else None),
        ("Painted in", _painted_in(shown)),
        ("Asked by", f"<@{generation.person_id}> <t:{int(generation.created_at)}:f>"),
        ("Id", f"`{generation.id}`, for `/show`"),
    ]
    lines = [f"**{name}:** {value}" for name, value in rows if value is not None]
    command = command_line(shown, picture)
    if len(command) <= _COMMAND_SHOWN:
        lines += ["Paste this to paint it again:", code_block(command)]
        return "\n".join(lines), []
    lines.append("The command that paints it again is in the file, since it is long.")
    return "\n".join(lines), [discord.File(BytesIO(command.encode()), f"{generation.id}.txt")]


def command_line(shown: Shown, picture: KeptPicture) -> str:
    """An `/imagine` line that gives this picture's order again, seed included."""
    order = shown.generation.order
    options = [
        ("prompt", one_line(shown.generation.prompt_of(picture))),
        ("model", shown.generation.model),
        ("shape", order.shape),
        ("count", order.parts[picture.part].count),
        ("quality", order.quality),
        ("style", order.style),
        ("avoid", order.avoid and one_line(order.avoid)),
        ("seed", picture.seed),
    ]
    return "/imagine " + " ".join(f"{name}:{value}" for name, value in options if value is not None)


def _painted_in(shown: Shown) -> str | None:
    began, painted = shown.generation.painting_at, shown.generation.painted_at
    return seconds(painted - began) if began and painted else None
