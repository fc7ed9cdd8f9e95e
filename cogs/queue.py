"""`/queue` and `/cancel`: what one is waiting for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discord import app_commands
from discord.app_commands import Choice
from discord.ext import commands

from bot.views.waiting import queue_text
from bot.views.wording import CHOICE_MAX, CHOICES_MAX, clip, plural

if TYPE_CHECKING:
    from bot.client import Easel
    from bot.studio.studio import Studio
    from bot.views.base import Interaction


class QueueCog(commands.Cog, name="queue"):
    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    @app_commands.command()
    async def queue(self, interaction: Interaction) -> None:
        """See your place in the line, and how busy it is."""
        queue = await self._studio.queue(interaction.user.id, interaction.guild_id)
        await interaction.response.send_message(queue_text(queue), ephemeral=True)

    @app_commands.command()
    async def cancel(self, interaction: Interaction, request: str | None = None) -> None:
        """Cancel what you have waiting in the line.

        Args:
            request: Which one; all that still wait when left out.
        """
        await interaction.response.defer(ephemeral=True, thinking=True)
        if request is None:
            cancelled = await self._studio.cancel_all(interaction.user.id)
        else:
            await self._studio.cancel(request, interaction.user.id)
            cancelled = 1
        await interaction.followup.send(
            f"Cancelled {plural(cancelled, 'request')}; nothing was charged.", ephemeral=True
        )

    @cancel.autocomplete("request")
    async def _requests(self, interaction: Interaction, typed: str) -> list[Choice[str]]:
        queue = await self._studio.queue(interaction.user.id, interaction.guild_id)
        waiting = [queued.generation for queued in queue.own if queued.standing]
        return [
            Choice(name=clip(each.order.prompt, CHOICE_MAX), value=each.id)
            for each in waiting
            if typed.casefold() in each.order.prompt.casefold()
        ][:CHOICES_MAX]


async def setup(bot: Easel) -> None:
    await bot.add_cog(QueueCog(bot.studio))
