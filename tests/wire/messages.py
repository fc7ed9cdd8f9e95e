"""Messages, as they stand and as they are told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from wire.clock import time_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wire.files import File
    from wire.interactions import Interaction
    from wire.world import Channel, Person, World

EPHEMERAL, LOADING, HAS_SNAPSHOT, COMPONENTS_V2 = 1 << 6, 1 << 7, 1 << 14, 1 << 15
DEFAULT, REPLY, COMMAND_ANSWER = 0, 19, 20
_ANSWERED, _FORWARDED = 0, 1
BUTTON = 2
#: https://discord.com/developers/docs/resources/message#message-snapshot-object
_SNAPSHOT = (
    "type",
    "content",
    "embeds",
    "attachments",
    "timestamp",
    "edited_timestamp",
    "flags",
    "mentions",
    "mention_roles",
    "components",
)
_KINDS_WITH_CUSTOM_ID = frozenset({2, 3, 4, 5, 6, 7, 8})


@dataclass(eq=False, slots=True, repr=False)
class Message:
    """One message.

    Attributes:
        posted_at, changed_at: when it came to be, and was edited last; monotonic seconds.
        edited_on: the same for people, by the wall's clock.
        forwarded: another message, as it was when this one passed it on.
        asked: the interaction that it answers, where it does.
        mentions: people whom it pings.
    """

    id: int
    channel: Channel
    author: Person
    posted_at: float
    content: str = ""
    files: list[File] = field(default_factory=list)
    embeds: list[dict[str, Any]] = field(default_factory=list)
    components: list[dict[str, Any]] = field(default_factory=list)
    flags: int = 0
    kind: int = DEFAULT
    nonce: str | None = None
    replied_to: Message | None = None
    forwarded: Message | None = None
    asked: Interaction | None = None
    mentions: list[Person] = field(default_factory=list)
    changed_at: float = 0.0
    edits: int = 0
    edited_on: float | None = None
    deleted_at: float | None = None

    def __repr__(self) -> str:
        seen = "whispered" if self.ephemeral else "said"
        return f"<{self.author.name} {seen} {self.content!r}, {len(self.files)} files>"

    @property
    def ephemeral(self) -> bool:
        return bool(self.flags & EPHEMERAL)

    @property
    def loading(self) -> bool:
        """It says that the bot is thinking."""
        return bool(self.flags & LOADING)

    @property
    def labels(self) -> list[str]:
        return [c["label"] for c in walk(self.components) if c["type"] == BUTTON and "label" in c]

    def component(self, name: str) -> dict[str, Any]:
        """The button, or menu, with this label, placeholder or custom id.

        Raises:
            LookupError: there is none that could be used.
        """
        for component in interactive(self.components):
            if name in (component.get(key) for key in ("label", "placeholder", "custom_id")):
                if component.get("disabled"):
                    raise LookupError(f"{name!r} is greyed out")
                return component
        raise LookupError(f"no {name!r} under the message, only {self.labels}")

    def wire(self, world: World) -> dict[str, Any]:
        now = world.clock()
        told: dict[str, Any] = {
            "id": str(self.id),
            "type": self.kind,
            "channel_id": str(self.channel.id),
            "author": self.author.wire(),
            "content": self.content,
            "timestamp": stamp(time_of(self.id)),
            "edited_timestamp": stamp(self.edited_on) if self.edited_on else None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [person.wire() for person in self.mentions],
            "mention_roles": [],
            "attachments": [file.wire(world.cdn, now) for file in self.files],
            "embeds": self.embeds,
            "components": self.components,
            "pinned": False,
            "flags": self.flags,
        }
        if self.nonce is not None:
            told["nonce"] = self.nonce
        if self.replied_to is not None:
            told |= self._reference(self.replied_to, world)
        if self.forwarded is not None:
            told |= self._snapshot(self.forwarded, world)
        if self.asked is not None:
            told |= self._origin(self.asked, world)
        return told

    def _reference(self, other: Message, world: World) -> dict[str, Any]:
        gone = other.deleted_at is not None
        return {
            "message_reference": other.pointer(_ANSWERED),
            "referenced_message": None
            if gone
            else other.wire(world) | {"referenced_message": None},
        }

    def _snapshot(self, copy: Message, world: World) -> dict[str, Any]:
        told = copy.wire(world)
        return {
            "message_reference": copy.pointer(_FORWARDED),
            "message_snapshots": [{"message": {key: told[key] for key in _SNAPSHOT}}],
        }

    def pointer(self, kind: int) -> dict[str, Any]:
        """What a message that refers to it says of that."""
        told = {"type": kind, "message_id": str(self.id), "channel_id": str(self.channel.id)}
        guild_id = self.channel.guild_id
        return told if guild_id is None else told | {"guild_id": str(guild_id)}

    def _origin(self, asked: Interaction, world: World) -> dict[str, Any]:
        return {
            "application_id": str(world.application_id),
            "webhook_id": str(world.application_id),
            "interaction_metadata": {
                "id": str(asked.id),
                "type": asked.kind,
                "user": asked.person.wire(),
                "authorizing_integration_owners": asked.owners(),
            },
        }


def walk(components: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every component, however deep it stands."""
    for component in components:
        yield component
        yield from walk(component.get("components", []))
        if "accessory" in component:
            yield from walk([component["accessory"]])


def interactive(components: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Those that people can use."""
    return (c for c in walk(components) if c["type"] in _KINDS_WITH_CUSTOM_ID and "custom_id" in c)


def stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
