"""`/history` and `/show`: what one has painted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discord import app_commands
from discord.app_commands import Range
from discord.ext import commands

from bot.views.history import history_page, show

if TYPE_CHECKING:
    from bot.client import Easel
    from bot.studio.studio import Studio
    from bot.views.base import Interaction


class History(commands.Cog):
    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    @app_commands.command()
    async def history(self, interaction: Interaction) -> None:
        """Look through your own pictures, newest first."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        text, sheet, layout = await history_page(self._studio, interaction.user.id, None)
        await interaction.edit_original_response(
            content=text, attachments=[sheet] if sheet else [], view=layout
        )

    @app_commands.command()
    async def show(self, interaction: Interaction, id: Range[str, 10, 10]) -> None:  # noqa: A002 - the option's name
        """Bring a result back, with its pictures, buttons and family.

        Args:
            id: The ten characters that a picture's details show.
        """
        await show(interaction, id.lower())


async def setup(bot: Easel) -> None:
    await bot.add_cog(History(bot.studio))
