"""The REST routes that need the bot's token: itself, its commands, channels and messages."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from aiohttp import web

from wire.bodies import read
from wire.limits import Window, too_many
from wire.posting import NONCE_LIFE_S, compose, remove, revise
from wire.privacy import as_shown
from wire.rejected import Code, Rejected, answer
from wire.world import DIRECT, THREAD, Can, Channel

if TYPE_CHECKING:
    from wire.messages import Message
    from wire.telling import Teller
    from wire.world import World

_HISTORY_MAX = 100


class Rest:
    """Handlers; they raise `Rejected` where Discord refuses."""

    def __init__(self, world: World, teller: Teller) -> None:
        self._world, self._teller = world, teller
        self._overall: Window | None = None

    def hold_back(self) -> web.Response | None:
        """The global limit, which everything but interactions and their webhooks counts to."""
        limit = self._world.overall_limit
        if limit is None:
            return None
        if self._overall is None or self._overall.limit is not limit:
            self._overall = Window(limit, "global")
        now = time.monotonic()
        if self._overall.take(now):
            return None
        return too_many(self._overall.ends - now, everywhere=True)

    async def me(self, _: web.Request) -> web.Response:
        return answer(self._world.bot.wire() | {"verified": True, "mfa_enabled": True})

    async def application(self, _: web.Request) -> web.Response:
        owner = {"id": "1", "username": "owner", "discriminator": "0", "avatar": None}
        return answer(
            {
                "id": str(self._world.application_id),
                "name": "Easel",
                "description": "",
                "icon": None,
                "bot_public": True,
                "bot_require_code_grant": False,
                "owner": owner,
                "team": None,
                "verify_key": "0" * 64,
                "flags": 0,
                "approximate_guild_count": len(self._world.guilds),
                "integration_types_config": {"0": {}, "1": {}},
            }
        )

    async def commands(self, _: web.Request) -> web.Response:
        return answer(self._world.commands)

    async def set_commands(self, request: web.Request) -> web.Response:
        registered = (await read(request)).content
        world, version = self._world, str(self._world.ids())
        known = {(c["type"], c["name"]): c["id"] for c in world.commands}
        facts = {"application_id": str(world.application_id), "version": version}
        world.commands = [
            command
            | facts
            | {"id": known.get((command.get("type", 1), command["name"]), str(world.ids()))}
            | {"type": command.get("type", 1), "description": command.get("description", "")}
            for command in registered
        ]
        return answer(world.commands)

    async def open_direct(self, request: web.Request) -> web.Response:
        person_id = int((await read(request)).fields["recipient_id"])
        if person_id not in self._world.people:
            raise Rejected(Code.UNKNOWN_USER)
        channel = self._world.direct(self._world.people[person_id])
        return answer(channel.wire(self._world.bot))

    async def member_counts(self, request: web.Request) -> web.Response:
        """Without `@everyone`: https://github.com/discord/discord-api-docs/pull/8025"""
        guild = self._world.guilds.get(int(request.match_info["guild"]))
        if guild is None or not guild.joined:
            raise Rejected(Code.MISSING_ACCESS)
        people = self._world.people.values()
        return answer(
            {str(role.id): sum(role in who.roles for who in people) for role in guild.roles}
        )

    async def channel(self, request: web.Request) -> web.Response:
        return answer(self._channel(request).wire(self._world.bot))

    async def typing(self, request: web.Request) -> web.Response:
        self._channel(request, Can.SEND_MESSAGES)
        return web.Response(status=204)

    async def history(self, request: web.Request) -> web.Response:
        channel = self._channel(request)
        # https://discord.com/developers/docs/resources/message#get-channel-messages
        if not channel.bot_may & Can.READ_MESSAGE_HISTORY:
            return answer([])
        limit = min(int(request.query.get("limit", 50)), _HISTORY_MAX)
        before = int(request.query.get("before", 1 << 63))
        after = int(request.query.get("after", 0))
        found = [message for message in channel.shown if after < message.id < before]
        chosen = found[:limit] if "after" in request.query else found[-limit:]
        return answer([self._shown(message) for message in reversed(chosen)])

    async def message(self, request: web.Request) -> web.Response:
        channel = self._channel(request, Can.READ_MESSAGE_HISTORY)
        return answer(self._shown(_message(channel, request)))

    async def post(self, request: web.Request) -> web.Response:
        channel = self._channel(request, None)
        headers: dict[str, str] = {}
        if self._world.channel_limit is not None:
            now = time.monotonic()
            if not channel.window.take(now):
                return channel.window.refusal(now)
            headers = channel.window.headers(now)
        body = await read(request)
        self._may_post(channel, with_files=bool(body.uploads))
        nonce = body.fields.get("nonce")
        message = None
        if nonce is not None and body.fields.get("enforce_nonce"):
            message = self._said_before(channel, nonce)
        if message is None:
            message = compose(self._world, channel, body, self._world.bot)
            message.nonce = nonce
            if nonce is not None:
                channel.nonces[nonce] = (message, self._world.clock())
            await self._teller.posted(message)
        return answer(message.wire(self._world), headers=headers)

    async def edit(self, request: web.Request) -> web.Response:
        message = _message(self._channel(request, None), request)
        if message.author is not self._world.bot:
            raise Rejected(Code.NOT_ITS_AUTHOR)
        revise(self._world, message, await read(request))
        await self._teller.edited(message)
        return answer(message.wire(self._world))

    async def delete(self, request: web.Request) -> web.Response:
        channel = self._channel(request, None)
        message = _message(channel, request)
        if message.author is not self._world.bot and not channel.bot_may & Can.MANAGE_MESSAGES:
            raise Rejected(Code.MISSING_PERMISSIONS)
        remove(message)
        await self._teller.deleted(message)
        return web.Response(status=204)

    def _shown(self, message: Message) -> dict[str, Any]:
        return as_shown(message, self._world, granted=self._world.content_granted)

    def _channel(self, request: web.Request, needs: Can | None = Can.VIEW_CHANNEL) -> Channel:
        channel = self._world.channels.get(int(request.match_info["channel"]))
        if channel is None:
            raise Rejected(Code.UNKNOWN_CHANNEL)
        away = channel.guild is not None and not channel.guild.joined
        if away or not channel.bot_may & Can.VIEW_CHANNEL:
            raise Rejected(Code.MISSING_ACCESS)
        if needs is not None and not channel.bot_may & needs:
            raise Rejected(Code.MISSING_PERMISSIONS)
        return channel

    def _may_post(self, channel: Channel, *, with_files: bool) -> None:
        if channel.kind == DIRECT:
            return
        speaking = Can.SEND_MESSAGES_IN_THREADS if channel.kind == THREAD else Can.SEND_MESSAGES
        needed = speaking | Can.ATTACH_FILES if with_files else speaking
        if channel.bot_may & needed != needed:
            raise Rejected(Code.MISSING_PERMISSIONS)

    def _said_before(self, channel: Channel, nonce: str) -> Message | None:
        """Within minutes, a nonce means the first message that had it."""
        message, since = channel.nonces.get(nonce, (None, 0.0))
        if message is None or self._world.clock() - since > NONCE_LIFE_S:
            return None
        if message.deleted_at is not None:
            raise Rejected(Code.UNKNOWN_MESSAGE)
        return message


def _message(channel: Channel, request: web.Request) -> Message:
    message = channel.messages.get(int(request.match_info["message"]))
    if message is None or message.ephemeral:
        raise Rejected(Code.UNKNOWN_MESSAGE)
    return message
