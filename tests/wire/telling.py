"""Events about messages, for the sessions whose intents ask for them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from wire.privacy import MESSAGE_CONTENT, as_shown

if TYPE_CHECKING:
    from wire.gateway import Gateway
    from wire.messages import Message
    from wire.world import World

#: https://discord.com/developers/docs/events/gateway#gateway-intents
GUILD_MESSAGES, DIRECT_MESSAGES = 1 << 9, 1 << 12


class Teller:
    """Says what became of a message; costs nothing where nobody listens."""

    def __init__(self, world: World, gateway: Gateway) -> None:
        self._world, self._gateway = world, gateway

    async def posted(self, message: Message) -> None:
        await self._tell("MESSAGE_CREATE", message)

    async def edited(self, message: Message) -> None:
        await self._tell("MESSAGE_UPDATE", message)

    async def deleted(self, message: Message) -> None:
        intent = _intent(message)
        if message.ephemeral or not self._gateway.listens(intent):
            return
        told = {"id": str(message.id), "channel_id": str(message.channel.id)}
        await self._send("MESSAGE_DELETE", told, message)

    async def _tell(self, event: str, message: Message) -> None:
        if message.ephemeral or not self._gateway.listens(_intent(message)):
            return
        granted = self._gateway.listens(MESSAGE_CONTENT)
        told = as_shown(message, self._world, granted=granted)
        if message.channel.guild_id is not None and not message.author.bot:
            member = message.author.member()
            del member["user"]
            told["member"] = member
        await self._send(event, told, message)

    async def _send(self, event: str, told: dict[str, Any], message: Message) -> None:
        guild_id = message.channel.guild_id
        if guild_id is not None:
            told["guild_id"] = str(guild_id)
        await self._gateway.dispatch(
            event, json.dumps(told), guild_id=guild_id, intent=_intent(message)
        )


def _intent(message: Message) -> int:
    return GUILD_MESSAGES if message.channel.guild is not None else DIRECT_MESSAGES
