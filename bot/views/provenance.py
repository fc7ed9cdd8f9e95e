"""What is known of the pictures in a message, whoever posted them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import discord

from bot.errors import BadRequest
from bot.imaging import recipe
from bot.imaging.request import clean_text
from bot.studio.gathering import SOURCES_MAX, Ours
from bot.views.asking import viewer_of
from bot.views.base import Layout, Select
from bot.views.details import Details
from bot.views.ids import ID
from bot.views.pictures_in import Attached, pictures_for, read
from bot.views.wording import CONTENT_MAX, clip, code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.client import Easel
    from bot.imaging.catalogue import Catalogue
    from bot.imaging.recipe import Recipe
    from bot.imaging.turns import Turns
    from bot.views.base import Interaction

_FACTS_SHOWN = 150
#: With what stands around them.
_FACTS_MAX = _FACTS_SHOWN + 20


class WhichDetails(Select, template=f"which-details:{ID}"):
    """Asks which picture of a message the details are wanted of."""

    def __init__(self, generation_id: str, positions: Sequence[int] = ()) -> None:
        self.generation_id = generation_id
        options = [
            discord.SelectOption(label=f"Picture {position}", value=str(position))
            for position in positions
        ]
        super().__init__(
            f"which-details:{generation_id}", placeholder="Which picture?", options=options
        )

    async def press(self, interaction: Interaction) -> None:
        await Details(self.generation_id, self.chosen).press(interaction)


async def tell_details(interaction: Interaction, message: discord.Message) -> None:
    """All that is known of the pictures in a message, to the one who asks.

    Raises:
        Refusal: there is none, or it is not theirs to see.
    """
    found = await pictures_for(viewer_of(interaction), message, interaction.client)
    ours = [each for each in found if isinstance(each, Ours)]
    files = [each for each in found if isinstance(each, Attached)]
    if ours:
        await _tell_of_ours(interaction, ours)
    elif files:
        await interaction.response.defer(ephemeral=True, thinking=True)
        text = await _told_by(files, interaction.client)
        await interaction.followup.send(text, ephemeral=True)
    elif found:
        raise BadRequest("That picture comes from a link, of which I know nothing.")
    else:
        raise BadRequest("I see no picture in that message.")


async def _tell_of_ours(interaction: Interaction, pictures: Sequence[Ours]) -> None:
    generation_id = pictures[0].generation_id
    if len(pictures) == 1:
        await Details(generation_id, str(pictures[0].position)).press(interaction)
        return
    await interaction.client.studio.see(generation_id, viewer_of(interaction))
    menu = WhichDetails(generation_id, [picture.position for picture in pictures])
    await interaction.response.send_message(
        f"There are {len(pictures)} pictures in that message.",
        view=Layout(menu),
        ephemeral=True,
    )


async def _told_by(files: Sequence[Attached], client: Easel) -> str:
    """What the files say of themselves."""
    looked_at = files[:SOURCES_MAX]
    recipes = [
        (number, found)
        for number, file in enumerate(looked_at, start=1)
        if (found := await _written_into(file, client.readings))
    ]
    if not recipes:
        what = "that picture" if len(looked_at) == 1 else "those pictures"
        return (
            f"As far as I can tell, I didn't paint {what}. What I write into my files is lost "
            "where one is saved anew, or sent through an app that makes it smaller."
        )
    said = "I painted this, says the file itself; anybody could have written that into it."
    length = (CONTENT_MAX - len(said)) // len(recipes) - _FACTS_MAX
    lines = (_line(number, each, client.studio.catalogue, length) for number, each in recipes)
    return clip("\n".join([said, *lines]), CONTENT_MAX)


async def _written_into(file: Attached, readings: Turns) -> Recipe | None:
    async with readings.one():
        return await asyncio.to_thread(recipe.read, (await read(file)).data)


def _line(number: int, written: Recipe, catalogue: Catalogue, prompt_shown: int) -> str:
    """Whoever wrote it may have written anything."""
    facts = (
        catalogue.get(written.model).name,
        f"{written.width}×{written.height}",  # noqa: RUF001 - the typographer's times sign
        f"seed {written.seed}",
        f"id {written.id}",
    )
    words = code(clean_text(written.prompt), prompt_shown)
    return f"**{number}** {words}\n-# {code(clean_text(' · '.join(facts)), _FACTS_SHOWN)}"
