"""`/imagine`: pictures from words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discord import app_commands
from discord.app_commands import Choice, Range
from discord.ext import commands

from bot.imaging.request import COUNT_MAX, SEED_MAX, Quality, Shape
from bot.studio.order import PROMPT_MAX, Order
from bot.studio.prompts import search_styles
from bot.views.asking import ask
from bot.views.wording import CHOICE_MAX, CHOICES_MAX, clip

if TYPE_CHECKING:
    from bot.client import Easel
    from bot.studio.studio import Studio
    from bot.views.base import Interaction

_SHAPES = [
    Choice(name=f"{shape.replace('-', ' ')} {shape.ratio[0]}:{shape.ratio[1]}", value=shape.value)
    for shape in Shape
]
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
    @app_commands.choices(shape=_SHAPES, quality=_QUALITIES)
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
        private: bool = False,
    ) -> None:
        """Paint pictures from your words.

        Args:
            prompt: What to paint. The most important words come first.
            model: Who paints it; type to search. The everyday model when left out.
            shape: The form of the picture; square when left out.
            count: How many pictures; four when left out.
            quality: How much work each picture gets, where the model lets you choose.
            style: A look to add to your words; type to search.
            avoid: What should not be in the picture, where the model understands that.
            seed: The number that a picture grows from: the same one gives a similar picture.
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
        await ask(interaction, order)

    @imagine.autocomplete("model")
    async def _models(self, _interaction: Interaction, typed: str) -> list[Choice[str]]:
        found = self._studio.catalogue.search(typed, limit=CHOICES_MAX)
        return [Choice(name=clip(m.label, CHOICE_MAX), value=m.id) for m in found]

    @imagine.autocomplete("style")
    async def _styles(self, _interaction: Interaction, typed: str) -> list[Choice[str]]:
        found = search_styles(typed)[:CHOICES_MAX]
        return [Choice(name=clip(f"{s.name}: {s.words}", CHOICE_MAX), value=s.name) for s in found]


async def setup(bot: Easel) -> None:
    await bot.add_cog(Imagine(bot.studio))
