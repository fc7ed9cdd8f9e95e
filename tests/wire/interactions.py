"""One use of a command, a button, a menu or a form, and what the bot answered to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wire.world import DIRECT

if TYPE_CHECKING:
    from wire.messages import Message
    from wire.world import Channel, Person, World

COMMAND, COMPONENT, AUTOCOMPLETE, FORM = 2, 3, 4, 5
#: https://discord.com/developers/docs/interactions/receiving-and-responding
ANSWER_WITHIN_S = 3.0
TOKEN_LIFE_S = 15 * 60.0
#: Where the bot came along with a person alone.
FOLLOWUPS_MAX = 5

IN_GUILD, WITH_THE_BOT = 0, 1


@dataclass(eq=False, slots=True)
class Interaction:
    """One of them.

    Attributes:
        data: what was chosen or filled in, as the bot is told.
        target: the message whose component was used.
        made_at: by the world's clock.
        sent_at, answered_at: monotonic seconds: written to the gateway, and acknowledged.
        answer_kind: the type of the first answer; None before it.
        original: the message that the first answer is, or changes.
        form, choices: what the bot opened, or offered for completion.
    """

    id: int
    token: str
    kind: int
    channel: Channel
    person: Person
    data: dict[str, Any]
    made_at: float
    target: Message | None = None
    sent_at: float = 0.0
    answered_at: float | None = None
    answer_kind: int | None = None
    original: Message | None = None
    followups: list[Message] = field(default_factory=list)
    form: dict[str, Any] | None = None
    choices: list[dict[str, Any]] | None = None

    @property
    def brought_along(self) -> bool:
        """Whether the bot is no member there, but an app of the person's."""
        guild = self.channel.guild
        return guild is not None and not guild.joined

    def owners(self) -> dict[str, str]:
        """https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object-authorizing-integration-owners-object"""
        guild = self.channel.guild
        if self.brought_along:
            return {"1": str(self.person.id)}
        return {"0": str(guild.id) if guild else "0"}

    def wire(self, world: World) -> dict[str, Any]:
        """The event INTERACTION_CREATE."""
        channel, guild = self.channel, self.channel.guild
        told: dict[str, Any] = {
            "id": str(self.id),
            "application_id": str(world.application_id),
            "type": self.kind,
            "token": self.token,
            "version": 1,
            "data": self.data,
            "channel_id": str(channel.id),
            "channel": channel.wire(world.bot),
            "app_permissions": str(int(channel.bot_may)),
            "locale": self.person.locale,
            "entitlements": [],
            "authorizing_integration_owners": self.owners(),
            "context": WITH_THE_BOT if channel.kind == DIRECT else IN_GUILD,
            "attachment_size_limit": guild.file_max if guild else 10 * 1024 * 1024,
        }
        if guild is None:
            told["user"] = self.person.wire()
        else:
            member = self.person.member() | {"permissions": str(int(self.person.may))}
            told |= {"guild_id": str(guild.id), "guild_locale": "en-US", "member": member}
            told["guild"] = {"id": str(guild.id), "locale": "en-US", "features": []}
        if self.target is not None:
            told["message"] = self.target.wire(world)
        return told
