"""The command tree: where commands may be used, one path for errors, sync only on change."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import discord
import structlog
from discord import app_commands

from bot.store import facts
from bot.views.base import answer_error

if TYPE_CHECKING:
    from bot.store.database import Database

log = structlog.get_logger()


class Tree(app_commands.CommandTree[Any]):
    """Commands work in servers, in direct messages, and for those who installed the bot."""

    def __init__(self, client: discord.Client) -> None:
        super().__init__(
            client,
            allowed_contexts=app_commands.AppCommandContext(
                guild=True, dm_channel=True, private_channel=True
            ),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        )

    async def on_error(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError, /
    ) -> None:
        await answer_error(interaction, error)


async def sync_if_changed(tree: app_commands.CommandTree[Any], database: Database) -> None:
    """Registers the commands when they differ from what this application registered last.

    Discord takes 200 creates a day and server, and a needless sync slows every start.
    """
    payload = [command.to_dict(tree) for command in tree.get_commands()]
    text = json.dumps(payload, sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode()).hexdigest()
    name = f"commands of {tree.client.application_id}"
    if await database.read(facts.recall, name) == digest:
        log.info("commands.unchanged")
        return
    synced = await tree.sync()
    await database.write(facts.remember, name, digest)
    log.info("commands.synced", count=len(synced))
