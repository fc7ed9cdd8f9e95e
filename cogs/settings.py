"""`/settings`: what a server decides for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discord import app_commands
from discord.app_commands import Choice
from discord.ext import commands

from bot.errors import NotAllowed
from bot.studio.gathering import Editors

if TYPE_CHECKING:
    from bot.client import Easel
    from bot.studio.studio import Studio
    from bot.views.base import Interaction

_EDITORS = {
    Editors.EVERYONE: (
        "Everybody here can edit and vary everybody's pictures; whoever began is always named."
    ),
    Editors.AUTHOR: (
        "Only whoever asked for a picture can edit and vary it here. `Remix…`, which starts anew "
        "from the words, stays for everybody."
    ),
}


@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
@app_commands.allowed_installs(guilds=True, users=False)
@app_commands.default_permissions(manage_guild=True)
class Settings(commands.GroupCog, name="settings"):
    """Decide how Easel works in this server."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    @app_commands.command()
    @app_commands.choices(
        who=[
            Choice(name="everyone", value=Editors.EVERYONE.value),
            Choice(name="the author", value=Editors.AUTHOR.value),
        ]
    )
    async def edits(self, interaction: Interaction, who: str | None = None) -> None:
        """Decide who may edit and vary the pictures of others here.

        Args:
            who: Everyone, or only the author of a picture; shows how it is when left out.
        """
        if interaction.guild_id is None:
            raise NotAllowed("That is decided in each server, and this is none.")
        if who is None:
            said = _EDITORS[await self._studio.editors(interaction.guild_id)]
            said += "\n-# `/settings edits` with `who` changes that."
        else:
            await self._studio.let_edit(interaction.guild_id, Editors(who))
            said = f"Saved. {_EDITORS[Editors(who)]}"
        await interaction.response.send_message(said, ephemeral=True)


async def setup(bot: Easel) -> None:
    await bot.add_cog(Settings(bot.studio))
