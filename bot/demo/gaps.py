"""What the bot asks of Discord and the simulated one does not know."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from simcord.http.router import route

if TYPE_CHECKING:
    from simcord.http.router import RequestContext


def fill() -> None:
    """Once for all simulated Discords of this process."""
    route("GET", "/gateway/bot")(_gateway)
    route("POST", "/channels/{channel_id}/typing")(_typing)
    route("GET", "/guilds/{guild_id}/roles/member-counts")(_role_member_counts)


def _gateway(_: RequestContext) -> dict[str, object]:
    """One connection is enough, and nobody counts them."""
    limit = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
    return {"url": "wss://gateway.discord.gg", "shards": 1, "session_start_limit": limit}


def _typing(context: RequestContext) -> None:
    """That somebody types is seen for some seconds, and kept nowhere."""
    context.require_channel_permissions(context.int_arg("channel_id"))


def _role_member_counts(context: RequestContext) -> dict[str, int]:
    """Without `@everyone`, as Discord has it."""
    guild = context.backend.get_guild(context.int_arg("guild_id"))
    return Counter(str(role) for member in guild.members.values() for role in member.role_ids)
