"""What the bot asks of Discord and the simulated one does not know."""

from __future__ import annotations

from simcord.http.router import RequestContext, route


def fill() -> None:
    """Once for all simulated Discords of this process."""
    route("POST", "/channels/{channel_id}/typing")(_typing)


def _typing(context: RequestContext) -> None:
    """That somebody types is seen for some seconds, and kept nowhere."""
    context.require_channel_permissions(context.int_arg("channel_id"))
