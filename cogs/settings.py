"""`/settings`: what a server decides for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discord import app_commands
from discord.app_commands import Choice, Range
from discord.ext import commands

from bot.errors import NotAllowed
from bot.studio.gathering import Editors
from bot.views.standing import voters_text

if TYPE_CHECKING:
    from bot.client import Easel
    from bot.studio.studio import Studio
    from bot.views.base import Interaction

#: Ten years, which no account of Discord's was old for long.
_DAYS_MAX = 3650
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
            raise _nowhere()
        if who is None:
            said = _EDITORS[await self._studio.editors(interaction.guild_id)]
            said += "\n-# `/settings edits` with `who` changes that."
        else:
            await self._studio.let_edit(interaction.guild_id, Editors(who))
            said = f"Saved. {_EDITORS[Editors(who)]}"
        await interaction.response.send_message(said, ephemeral=True)

    @app_commands.command()
    async def votes(
        self,
        interaction: Interaction,
        account_days: Range[int, 0, _DAYS_MAX] | None = None,
        member_days: Range[int, 0, _DAYS_MAX] | None = None,
        opener: bool | None = None,
    ) -> None:
        """Decide who may vote in this server.

        Args:
            account_days: How many days old an account must be; 0 for any.
            member_days: For how many days one must have been a member here; 0 for any.
            opener: Whether whoever opens a vote can vote in it, too.
        """
        if interaction.guild_id is None:
            raise _nowhere()
        voters = await self._studio.votes.let_vote(
            interaction.guild_id,
            opener_votes=opener,
            account_days=account_days,
            member_days=member_days,
        )
        if (account_days, member_days, opener) == (None, None, None):
            said = f"{voters_text(voters)}\n-# `/settings votes` with its options changes that."
        else:
            said = f"Saved; votes that are open keep their rules. {voters_text(voters)}"
        await interaction.response.send_message(said, ephemeral=True)


def _nowhere() -> NotAllowed:
    return NotAllowed("That is decided in each server, and this is none.")


async def setup(bot: Easel) -> None:
    await bot.add_cog(Settings(bot.studio))
