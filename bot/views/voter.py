"""Who presses in a vote, as Discord tells of them with each press."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import discord

from bot.studio.voting import Voter

if TYPE_CHECKING:
    from bot.views.base import Interaction


def voter_of(interaction: Interaction) -> Voter:
    """Of a vote that is held in the channel where it is pressed, as its buttons are."""
    user = interaction.user
    member = user if isinstance(user, discord.Member) else None
    joined_at = member.joined_at if member else None
    return Voter(
        person_id=user.id,
        server_id=interaction.guild_id,
        is_bot=user.bot,
        roles=frozenset(role.id for role in member.roles) if member else frozenset(),
        account_since=user.created_at.timestamp(),
        member_since=joined_at.timestamp() if joined_at else None,
        moderates=interaction.permissions.manage_messages,
    )


def voter_there(interaction: Interaction, channel_id: int | None) -> Voter:
    """The same, of a vote that is held in another channel, or in one that is not known."""
    there = channel_id is not None and moderates(interaction, channel_id)
    return replace(voter_of(interaction), moderates=there)


def moderates(interaction: Interaction, channel_id: int) -> bool:
    """Whether the one who asks may manage messages in a channel; not in what they do not see."""
    if channel_id == interaction.channel_id:
        return interaction.permissions.manage_messages
    member, guild = interaction.user, interaction.guild
    channel = guild.get_channel_or_thread(channel_id) if guild else None
    if channel is None or not isinstance(member, discord.Member):
        return False
    return sees(interaction, channel_id) and channel.permissions_for(member).manage_messages


def sees(interaction: Interaction, channel_id: int) -> bool:
    """Whether the one who asks can look into a channel of the server; not what is unknown."""
    member, guild = interaction.user, interaction.guild
    channel = guild.get_channel_or_thread(channel_id) if guild else None
    if channel_id == interaction.channel_id:
        return True
    if channel is None or not isinstance(member, discord.Member):
        return False
    if isinstance(channel, discord.Thread) and channel.is_private():
        return channel.permissions_for(member).manage_threads
    return channel.permissions_for(member).view_channel
