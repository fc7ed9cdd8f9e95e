"""What Discord shows a bot of what people write, with and without the privileged intent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wire.messages import Message
    from wire.world import World

MESSAGE_CONTENT = 1 << 15
_CONTENT = ("content", "embeds", "attachments", "components")


def as_shown(message: Message, world: World, *, granted: bool) -> dict[str, Any]:
    """A message, and the one that it answers, each with what the bot may read of it."""
    told = message.wire(world)
    _veil(told, message, world, granted=granted)
    if message.replied_to is not None and told["referenced_message"] is not None:
        _veil(told["referenced_message"], message.replied_to, world, granted=granted)
    return told


def _veil(told: dict[str, Any], message: Message, world: World, *, granted: bool) -> None:
    """https://discord.com/developers/docs/events/gateway#message-content-intent"""
    own = message.author is world.bot or message.channel.guild is None
    if not (granted or own or world.bot in message.mentions):
        for held in (told, *(each["message"] for each in told.get("message_snapshots", ()))):
            held |= {part: "" if part == "content" else [] for part in _CONTENT}
