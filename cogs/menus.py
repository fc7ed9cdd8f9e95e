"""The menus of messages: edit the picture in one, or see its details."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.views.asking import viewer_of
from bot.views.edit_form import Purpose, open_form
from bot.views.pictures_in import pictures_for
from bot.views.provenance import tell_details

if TYPE_CHECKING:
    from bot.client import Easel
    from bot.views.base import Interaction


async def edit_this_picture(interaction: Interaction, message: discord.Message) -> None:
    found = await pictures_for(viewer_of(interaction), message, interaction.client)
    await open_form(interaction, found, Purpose.EDIT)


async def picture_details(interaction: Interaction, message: discord.Message) -> None:
    await tell_details(interaction, message)


async def setup(bot: Easel) -> None:
    for name, callback in (
        ("Edit this picture", edit_this_picture),
        ("Picture details", picture_details),
    ):
        bot.tree.add_command(app_commands.ContextMenu(name=name, callback=callback))
