"""People: they type commands, press buttons, fill in forms, reply, and wait for what comes."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wire.asked import Asked
from wire.files import make_file
from wire.forms import filled
from wire.interactions import AUTOCOMPLETE, COMMAND, COMPONENT, FORM, Interaction
from wire.messages import BUTTON, HAS_SNAPSHOT, REPLY, Message
from wire.options import CommandType, find_command, option_values
from wire.posting import remove

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wire.files import File
    from wire.gateway import Gateway
    from wire.telling import Teller
    from wire.world import Channel, Person, World


class People:
    """What anybody can do. Each returns at once when Discord has told the bot of it."""

    def __init__(self, world: World, gateway: Gateway, teller: Teller) -> None:
        self._world, self._gateway, self._teller = world, gateway, teller
        self._claimed: set[int] = set()

    async def slash(
        self, channel: Channel, person: Person, command: str, /, **options: object
    ) -> Asked:
        """`/imagine`, or with a space `/vote start`; options by name, files as `file(...)`.

        Raises:
            LookupError: no such command is registered, or no such option.
            ValueError: Discord would not let that be typed.
        """
        found = find_command(self._world.commands, command.partition(" ")[0], CommandType.SLASH)
        values, resolved = option_values(self._world, found, command, options)
        data = _head(found) | {"options": values}
        if resolved:
            data["resolved"] = resolved
        prompt = options.get("prompt")
        return await self._ask(
            channel, person, COMMAND, data, words=prompt if isinstance(prompt, str) else None
        )

    async def complete(
        self,
        channel: Channel,
        person: Person,
        command: str,
        /,
        *,
        option: str,
        typed: str,
        **filled_in: object,
    ) -> Asked:
        """Types into an option that completes; the answer has `choices`.

        Of what is filled in already, Discord tells no more than the ids.
        """
        found = find_command(self._world.commands, command.partition(" ")[0], CommandType.SLASH)
        given = filled_in | {option: typed}
        values, _ = option_values(self._world, found, command, given, complete=False)
        inner = values
        while "options" in inner[-1]:
            inner = inner[-1]["options"]
        inner[-1]["focused"] = True
        return await self._ask(channel, person, AUTOCOMPLETE, _head(found) | {"options": values})

    async def menu(self, message: Message, person: Person, command: str, /) -> Asked:
        """An entry of a message's menu."""
        found = find_command(self._world.commands, command, CommandType.MESSAGE)
        target = str(message.id)
        data = _head(found) | {
            "target_id": target,
            "resolved": {"messages": {target: message.wire(self._world)}},
        }
        return await self._ask(message.channel, person, COMMAND, data)

    async def click(self, message: Message, person: Person, button: str, /) -> Asked:
        """Presses a button, by its label or custom id.

        Raises:
            LookupError: it is not there, or greyed out.
        """
        pressed = message.component(button)
        assert pressed["type"] == BUTTON, f"{button!r} is no button"
        return await self._use(message, person, pressed, {})

    async def select(self, message: Message, person: Person, menu: str, /, *values: str) -> Asked:
        """Chooses from a menu, by its placeholder or custom id; values or labels."""
        used = message.component(menu)
        named = {
            name: option["value"]
            for option in used.get("options", [])
            for name in (option["label"], option["value"])
        }
        if not named:
            return await self._use(message, person, used, {"values": list(values)})
        return await self._use(message, person, used, {"values": [named[v] for v in values]})

    async def submit(self, asked: Asked, /, **fields: object) -> Asked:
        """Sends the form that the bot opened; fields by their custom id or label."""
        before = asked.interaction
        form = await asked.form()
        data = filled(self._world, form, fields)
        return await self._ask(
            before.channel, before.person, FORM, data, target=before.target, words=None
        )

    async def say(
        self,
        channel: Channel,
        person: Person,
        text: str,
        *,
        files: Sequence[File] = (),
        mentions: Sequence[Person] = (),
    ) -> Message:
        """An ordinary message; `mentions` ping."""
        message = Message(self._world.ids(), channel, person, time.monotonic(), text)
        return await self._post(message, files, mentions)

    async def reply(
        self,
        to: Message,
        person: Person,
        text: str,
        *,
        files: Sequence[File] = (),
        ping: bool = True,
    ) -> Message:
        """A reply; it pings whom it answers, unless that is switched off.

        The answer to a command pings nobody: https://github.com/discord/discord-api-docs/issues/5395
        """
        message = Message(self._world.ids(), to.channel, person, time.monotonic(), text)
        message.replied_to, message.kind = to, REPLY
        return await self._post(message, files, [to.author] if ping and not to.asked else [])

    async def forward(self, message: Message, person: Person, channel: Channel) -> Message:
        """Passes on what stands there now; who wrote it is not told."""
        copy = replace(message, files=list(message.files), mentions=list(message.mentions))
        made = Message(self._world.ids(), channel, person, time.monotonic(), forwarded=copy)
        made.flags = HAS_SNAPSHOT
        return await self._post(made, (), ())

    async def repeat(self, message: Message) -> None:
        """Discord tells of it once more: https://discord.com/developers/docs/reference#consistency"""
        await self._teller.posted(message)

    async def delete(self, message: Message) -> None:
        """Takes it back, and its files with it."""
        remove(message)
        for file in message.files:
            self._world.files.pop(file.id, None)
        await self._teller.deleted(message)

    def file(self, name: str, data: bytes) -> File:
        """Something to attach; the bot can fetch it."""
        file = make_file(self._world.ids(), self._world.application_id, name, data, keep=True)
        self._world.files[file.id] = file
        return file

    async def _post(
        self, message: Message, files: Sequence[File], mentions: Sequence[Person]
    ) -> Message:
        named = (p for p in self._world.people.values() if p.mention in message.content)
        message.files, message.mentions = list(files), list(dict.fromkeys([*mentions, *named]))
        message.channel.messages[message.id] = message
        message.channel.pulse.beat()
        await self._teller.posted(message)
        return message

    async def _use(
        self, message: Message, person: Person, component: Mapping[str, Any], chosen: dict[str, Any]
    ) -> Asked:
        if message.ephemeral and message.asked and message.asked.person is not person:
            raise ValueError(f"{person.name} cannot see what only {message.asked.person.name} can")
        data = {
            "custom_id": component["custom_id"],
            "component_type": component["type"],
            "id": component.get("id", 1),
            **chosen,
        }
        return await self._ask(message.channel, person, COMPONENT, data, target=message)

    async def _ask(
        self,
        channel: Channel,
        person: Person,
        kind: int,
        data: dict[str, Any],
        *,
        target: Message | None = None,
        words: str | None = None,
    ) -> Asked:
        world = self._world
        number = world.ids()
        made = Interaction(
            id=number,
            token=world.new_token(number),
            kind=kind,
            channel=channel,
            person=person,
            data=data,
            made_at=world.clock(),
            target=target,
        )
        world.interactions[made.token] = made
        event = json.dumps(made.wire(world))
        made.sent_at = time.monotonic()
        await self._gateway.dispatch("INTERACTION_CREATE", event, guild_id=channel.guild_id)
        return Asked(made, self._claimed, words)


def _head(command: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": command["id"], "name": command["name"], "type": command["type"]}
