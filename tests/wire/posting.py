"""Messages from bodies: posted, edited, deleted, and told to those who listen."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from wire.files import make_file
from wire.messages import COMPONENTS_V2, EPHEMERAL, LOADING, REPLY, Message
from wire.rejected import Code, Rejected, invalid
from wire.rules import check_message
from wire.world import MIB, Can

if TYPE_CHECKING:
    from wire.bodies import Body
    from wire.files import File
    from wire.world import Channel, Person, World

_MENTION = re.compile(r"<@!?(\d+)>")
_SETTABLE_FLAGS = EPHEMERAL | COMPONENTS_V2 | 1 << 2 | 1 << 12
#: "The past few minutes": https://discord.com/developers/docs/resources/message#create-message
NONCE_LIFE_S = 5 * 60.0


def compose(world: World, channel: Channel, body: Body, author: Person) -> Message:
    """A new message, checked and in its channel.

    Raises:
        Rejected: as Discord would; nothing is posted.
    """
    fields = body.fields
    check_message(fields, body.uploads, kept=0, file_max=_file_max(channel))
    message = Message(world.ids(), channel, author, time.monotonic())
    message.flags = (fields.get("flags") or 0) & _SETTABLE_FLAGS
    message.replied_to = _replied_to(channel, fields)
    message.kind = REPLY if message.replied_to else message.kind
    _fill(world, message, fields)
    message.files = _new_files(world, channel, body)
    if not (message.content or message.files or message.embeds or _is_v2(message)):
        raise Rejected(Code.EMPTY_MESSAGE)
    _keep(world, message)
    return message


def revise(world: World, message: Message, body: Body) -> None:
    """An edit: what is not named stays, and files that `attachments` leaves out go.

    Raises:
        Rejected: as Discord would; nothing is changed.
    """
    fields = body.fields
    named = fields.get("attachments")
    kept = message.files
    if named is not None:
        ids = {int(told["id"]) for told in named}
        kept = [file for file in message.files if file.id in ids]
    file_max = _file_max(message.channel)
    check_message(fields, body.uploads, kept=len(kept), file_max=file_max)
    files = [*kept, *_new_files(world, message.channel, body)]
    content = fields.get("content", message.content)
    if not (content or files or fields.get("embeds", message.embeds) or _is_v2(message)):
        raise Rejected(Code.EMPTY_MESSAGE)
    _fill(world, message, fields)
    message.files = files
    _keep(world, message)
    message.flags = (message.flags | (fields.get("flags") or 0) & COMPONENTS_V2) & ~LOADING
    message.edits += 1
    message.changed_at, message.edited_on = time.monotonic(), world.clock()
    message.channel.pulse.beat()


def remove(message: Message) -> None:
    message.deleted_at = time.monotonic()
    message.channel.messages.pop(message.id, None)
    message.channel.pulse.beat()


def loading(world: World, channel: Channel, *, ephemeral: bool) -> Message:
    """The message that says that the bot is thinking."""
    message = Message(world.ids(), channel, world.bot, time.monotonic())
    message.flags = LOADING | (EPHEMERAL if ephemeral else 0)
    _keep(world, message)
    return message


def _fill(world: World, message: Message, fields: dict[str, Any]) -> None:
    if "content" in fields:
        message.content = fields["content"] or ""
        ids = map(int, _MENTION.findall(message.content))
        message.mentions = [world.people[i] for i in ids if i in world.people]
    message.embeds = fields["embeds"] or [] if "embeds" in fields else message.embeds
    if "components" in fields:
        message.components = fields["components"] or []


def _keep(world: World, message: Message) -> None:
    for file in message.files:
        if file.data is not None:
            world.files[file.id] = file
    message.channel.messages[message.id] = message
    message.channel.pulse.beat()


def _new_files(world: World, channel: Channel, body: Body) -> list[File]:
    told = {str(entry["id"]): entry for entry in body.fields.get("attachments") or ()}
    return [
        make_file(
            world.ids(),
            channel.id,
            told.get(str(number), {}).get("filename") or upload.name,
            upload.data,
            description=told.get(str(number), {}).get("description"),
            keep=world.keep_bytes,
        )
        for number, upload in sorted(body.uploads.items())
    ]


def _replied_to(channel: Channel, fields: dict[str, Any]) -> Message | None:
    reference = fields.get("message_reference")
    if not reference:
        return None
    if not channel.bot_may & Can.READ_MESSAGE_HISTORY:
        raise Rejected(Code.NO_HISTORY)
    found = channel.messages.get(int(reference["message_id"]))
    if found is None and reference.get("fail_if_not_exists", True):
        raise invalid("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
    return found


def _is_v2(message: Message) -> bool:
    return bool(message.flags & COMPONENTS_V2 and message.components)


def _file_max(channel: Channel) -> int:
    return channel.guild.file_max if channel.guild else 10 * MIB
