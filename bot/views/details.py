"""The details of one picture: every parameter, what it came of, and how to paint it again."""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import TYPE_CHECKING

import discord

from bot.imaging.family import MEMBERS_MAX, draw_pair
from bot.views.asking import viewer_of
from bot.views.base import Button
from bot.views.family import relatives_buttons
from bot.views.ids import ID, POSITION
from bot.views.lineage import chain
from bot.views.result import find
from bot.views.wording import (
    ALT_TEXT_MAX,
    CONTENT_MAX,
    clip,
    code,
    code_block,
    dollars,
    one_line,
    seconds,
)

if TYPE_CHECKING:
    from bot.studio.generation import Generation, KeptPicture, Shown
    from bot.studio.studio import Studio
    from bot.views.base import Interaction

#: The rest of a message of details is well under a thousand characters.
_WORDS_SHOWN = CONTENT_MAX - 1000
_AVOID_SHOWN = 200
_BEFORE_SHOWN = 400


class Details(Button, template=f"details:{ID}:{POSITION}"):
    """Every parameter of a picture, what it came of, and how to paint it again."""

    def __init__(self, generation_id: str, position: str) -> None:
        self.generation_id, self.position = generation_id, int(position)
        super().__init__(f"details:{generation_id}:{position}", label="Details", row=1)

    async def press(self, interaction: Interaction) -> None:
        studio, viewer = interaction.client.studio, viewer_of(interaction)
        shown, picture = await find(interaction, self.generation_id, self.position)
        await interaction.response.defer(ephemeral=True, thinking=True)
        family = await studio.family(self.generation_id, viewer, at_most=MEMBERS_MAX)
        text, files = details(studio, shown, picture)
        if before := await studio.before(shown, picture, viewer):
            files.insert(0, await _pair(studio, before, shown, picture))
        buttons = relatives_buttons(family, shown.generation, picture)
        await interaction.followup.send(text, files=files, view=buttons, ephemeral=True)


def details(studio: Studio, shown: Shown, picture: KeptPicture) -> tuple[str, list[discord.File]]:
    """The text, and a file where it would be too long."""
    generation, order = shown.generation, shown.generation.order
    edited = bool(order.sources)
    rows = [
        ("Model", studio.model_name(generation, picture)),
        ("Size", f"{picture.size} ({order.shape})" if order.shape else str(picture.size)),
        ("Seed", str(picture.seed)),
        ("Quality", order.quality),
        ("Steps", _steps(generation, picture)),
        ("Style", order.style),
        ("Avoid", code(order.avoid, _AVOID_SHOWN) if edited and order.avoid else None),
        ("Price", f"about {dollars(generation.price)} in all" if generation.price else None),
        ("Painted in", _painted_in(shown)),
        ("Asked by", f"<@{generation.person_id}> <t:{int(generation.created_at)}:f>"),
        ("Id", f"`{generation.id}`, for `/show`"),
    ]
    lines = [f"**{name}:** {value}" for name, value in rows if value is not None]
    if origin := chain(generation, picture):
        lines.insert(0, origin)
    words = generation.prompt_of(picture) if edited else command_line(shown, picture)
    files: list[discord.File] = []
    if len(words) > _WORDS_SHOWN:
        files.append(discord.File(BytesIO(words.encode()), f"{generation.id}.txt"))
    return "\n".join((*lines, *_again(words, edited=edited, in_file=bool(files)))), files


def _again(words: str, *, edited: bool, in_file: bool) -> list[str]:
    """How to have it painted once more."""
    if edited:
        way = "-# A command can't bring its pictures along: `Reroll` under the result repeats it."
        told = ["**Words:** in the file"] if in_file else ["**Words:**", code_block(words)]
        return [*told, way]
    if in_file:
        return ["The command that paints it again is in the file, since it is long."]
    return ["Paste this to paint it again:", code_block(words)]


def command_line(shown: Shown, picture: KeptPicture) -> str:
    """An `/imagine` line that gives this picture's order again, seed included."""
    order = shown.generation.order
    options = [
        ("prompt", one_line(shown.generation.prompt_of(picture))),
        ("model", shown.generation.model_of(picture)),
        ("shape", order.shape),
        ("count", order.parts[picture.part].count),
        ("quality", order.quality),
        ("style", order.style),
        ("avoid", order.avoid and one_line(order.avoid)),
        ("seed", picture.seed),
    ]
    return "/imagine " + " ".join(f"{name}:{value}" for name, value in options if value is not None)


def _steps(generation: Generation, picture: KeptPicture) -> int | None:
    """They are written down for the generation's model alone; another takes its own, or none."""
    return generation.steps if generation.model_of(picture) == generation.model else None


async def _pair(studio: Studio, before: bytes, shown: Shown, picture: KeptPicture) -> discord.File:
    [after] = await studio.files([picture])
    drawn = await asyncio.to_thread(draw_pair, before, after)
    return discord.File(BytesIO(drawn), "before-and-after.jpg", description=_aloud(shown, picture))


def _aloud(shown: Shown, picture: KeptPicture) -> str:
    source = shown.generation.order.parts[picture.part].sources[0]
    before = clip(source.prompt or "a picture brought along", _BEFORE_SHOWN)
    words = shown.generation.prompt_of(picture)
    return clip(f"On the left, before: {before}. On the right, AI-generated: {words}", ALT_TEXT_MAX)


def _painted_in(shown: Shown) -> str | None:
    began, painted = shown.generation.painting_at, shown.generation.painted_at
    return seconds(painted - began) if began and painted else None
