"""`/imagine`: pictures from words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.app_commands import Choice, Range
from discord.ext import commands

from bot.imaging.request import COUNT_MAX, SEED_MAX, Quality, Shape
from bot.studio.order import PROMPT_MAX, Order
from bot.studio.prompts import search_styles
from bot.views import options
from bot.views.asking import ask
from bot.views.pictures_in import attached, bring
from bot.views.wording import CHOICE_MAX, CHOICES_MAX, clip

if TYPE_CHECKING:
    from bot.client import Easel
    from bot.studio.studio import Studio
    from bot.views.base import Interaction

_QUALITIES = [
    Choice(name="preview, the fastest", value=Quality.PREVIEW.value),
    Choice(name="good", value=Quality.GOOD.value),
    Choice(name="high", value=Quality.HIGH.value),
    Choice(name="best, the slowest", value=Quality.BEST.value),
]


class Imagine(commands.Cog):
    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    @app_commands.command()
    @app_commands.choices(shape=options.SHAPES, quality=_QUALITIES)
    async def imagine(
        self,
        interaction: Interaction,
        prompt: Range[str, 1, PROMPT_MAX],
        model: str | None = None,
        shape: str | None = None,
        count: Range[int, 1, COUNT_MAX] | None = None,
        quality: str | None = None,
        style: str | None = None,
        avoid: Range[str, 1, PROMPT_MAX] | None = None,
        seed: Range[int, 0, SEED_MAX] | None = None,
        reference: discord.Attachment | None = None,
        reference2: discord.Attachment | None = None,
        reference3: discord.Attachment | None = None,
        reference4: discord.Attachment | None = None,
        private: bool = False,
    ) -> None:
        """Paint pictures from your words.

        Args:
            prompt: What to paint. The most important words come first.
            model: Who paints it; type to search. The everyday model when left out.
            shape: The form of the picture; when left out, that of your reference, else square.
            count: How many pictures; four when left out.
            quality: How much work each picture gets, where the model lets you choose.
            style: A look to add to your words; type to search.
            avoid: What should not be in the picture, where the model understands that.
            seed: The number that a picture grows from: the same one gives a similar picture.
            reference: A picture to paint after; your words may call it image 1.
            reference2: Another one; image 2 in your words.
            reference3: Another one; image 3 in your words.
            reference4: Another one; image 4 in your words.
            private: Show the result to you alone.
        """
        order = Order(
            prompt=prompt,
            model=model,
            shape=Shape(shape) if shape else None,
            count=count,
            quality=Quality(quality) if quality else None,
            style=style,
            avoid=avoid,
            seed=seed,
            private=private,
        )
        references = attached(reference, reference2, reference3, reference4)
        await ask(interaction, order, bring(references))

    @imagine.autocomplete("model")
    async def _models(self, interaction: Interaction, typed: str) -> list[Choice[str]]:
        pictures = options.pictures_so_far(interaction)
        return options.models(self._studio.catalogue, typed, pictures)

    @imagine.autocomplete("style")
    async def _styles(self, _interaction: Interaction, typed: str) -> list[Choice[str]]:
        found = search_styles(typed)[:CHOICES_MAX]
        return [Choice(name=clip(f"{s.name}: {s.words}", CHOICE_MAX), value=s.name) for s in found]


async def setup(bot: Easel) -> None:
    await bot.add_cog(Imagine(bot.studio))
