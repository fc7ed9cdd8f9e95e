"""`/limits`: what one may still have painted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discord import app_commands
from discord.ext import commands

from bot.views.limits import limits_text

if TYPE_CHECKING:
    from bot.client import Easel
    from bot.studio.studio import Studio
    from bot.views.base import Interaction


class Limits(commands.Cog):
    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    @app_commands.command()
    async def limits(self, interaction: Interaction) -> None:
        """See how many pictures you may still have painted."""
        usage = await self._studio.usage(interaction.user.id)
        text = limits_text(usage, self._studio.limits)
        await interaction.response.send_message(text, ephemeral=True)


async def setup(bot: Easel) -> None:
    await bot.add_cog(Limits(bot.studio))
