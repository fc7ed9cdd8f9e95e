"""`/edit` and `/blend`: pictures from pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.app_commands import Choice, Range
from discord.ext import commands

from bot.imaging.request import COUNT_MAX, SEED_MAX, Shape
from bot.studio.order import PROMPT_MAX, Order
from bot.views import options
from bot.views.asking import ask
from bot.views.pictures_in import attached, bring

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.client import Easel
    from bot.studio.studio import Studio
    from bot.views.base import Interaction
    from bot.views.pictures_in import Attached


class Edit(commands.Cog):
    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    @app_commands.command()
    @app_commands.choices(shape=options.SHAPES)
    async def edit(
        self,
        interaction: Interaction,
        prompt: Range[str, 1, PROMPT_MAX],
        image: discord.Attachment,
        image2: discord.Attachment | None = None,
        image3: discord.Attachment | None = None,
        image4: discord.Attachment | None = None,
        model: str | None = None,
        shape: str | None = None,
        count: Range[int, 1, COUNT_MAX] = 1,
        seed: Range[int, 0, SEED_MAX] | None = None,
        private: bool = False,
    ) -> None:
        """Change a picture of yours by your words.

        Args:
            prompt: What should change, such as: make it night, and put on the hat of image 2.
            image: The picture to change.
            image2: Another picture to work from; your words may call it image 2.
            image3: Another one; image 3 in your words.
            image4: Another one; image 4 in your words.
            model: Who paints it; type to search. One that edits when left out.
            shape: The form of the result; that of your picture when left out.
            count: How many pictures; one when left out.
            seed: The number that a picture grows from: the same one gives a similar picture.
            private: Show the result to you alone.
        """
        order = Order(
            prompt=prompt,
            model=model,
            shape=Shape(shape) if shape else None,
            count=count,
            seed=seed,
            private=private,
        )
        await ask(interaction, order, bring(attached(image, image2, image3, image4)))

    @app_commands.command()
    @app_commands.choices(shape=options.SHAPES)
    async def blend(
        self,
        interaction: Interaction,
        image1: discord.Attachment,
        image2: discord.Attachment,
        image3: discord.Attachment | None = None,
        image4: discord.Attachment | None = None,
        prompt: Range[str, 1, PROMPT_MAX] | None = None,
        shape: str | None = None,
    ) -> None:
        """Make one picture out of two to four.

        Args:
            image1: The first picture.
            image2: The second picture.
            image3: A third picture.
            image4: A fourth picture.
            prompt: How, such as: the cat of image 1 in the kitchen of image 2; evenly if left out.
            shape: The form of the result; that of the first picture when left out.
        """
        pictures = attached(image1, image2, image3, image4)
        order = Order(prompt=prompt or _evenly(pictures), shape=Shape(shape) if shape else None)
        await ask(interaction, order, bring(pictures))

    @edit.autocomplete("model")
    async def _models(self, interaction: Interaction, typed: str) -> list[Choice[str]]:
        # One will be there, though it may be given last.
        pictures = max(1, options.pictures_so_far(interaction))
        return options.models(self._studio.catalogue, typed, pictures)


def _evenly(pictures: Sequence[Attached]) -> str:
    """By number, as the models were taught to tell pictures apart."""
    names = [f"image {number}" for number in range(1, len(pictures) + 1)]
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    # People read it, too, under the result.
    return f"Blend {listed} into one scene, in a style between theirs"


async def setup(bot: Easel) -> None:
    await bot.add_cog(Edit(bot.studio))
