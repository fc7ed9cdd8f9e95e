"""What there is on this Discord: servers, channels, people, messages, and interactions."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wire.clock import Clock, Ids
from wire.limits import Limit, Window
from wire.members import BOT_MAY, PEOPLE_MAY, Can, Person, Role
from wire.pulse import Pulse

if TYPE_CHECKING:
    from wire.files import File
    from wire.interactions import Interaction
    from wire.messages import Message

TEXT, DIRECT, THREAD = 0, 1, 11
MIB = 1024 * 1024
#: Of nobody else: whoever owns a server may do everything in it.
_OWNER_ID = 1


@dataclass(eq=False, slots=True)
class Guild:
    """A server.

    Attributes:
        joined: whether the bot is a member; where it is not, it came along with a person.
        file_max: what one file may weigh there, in bytes.
    """

    id: int
    name: str
    joined: bool = True
    file_max: int = 10 * MIB
    channels: list[Channel] = field(default_factory=list, repr=False)
    roles: list[Role] = field(default_factory=list, repr=False)

    def wire(self, bot: Person) -> dict[str, Any]:
        everyone = Role(self.id, "@everyone", PEOPLE_MAY)
        return {
            "id": str(self.id),
            "name": self.name,
            "owner_id": str(_OWNER_ID),
            "unavailable": False,
            "large": False,
            "member_count": 100,
            "joined_at": "2024-01-01T00:00:00+00:00",
            "preferred_locale": "en-US",
            "verification_level": 0,
            "default_message_notifications": 0,
            "explicit_content_filter": 0,
            "premium_tier": 0,
            "nsfw_level": 0,
            "mfa_level": 0,
            "features": [],
            "roles": [role.wire() for role in (everyone, *self.roles)],
            "emojis": [],
            "stickers": [],
            "members": [bot.member()],
            "channels": [c.wire(bot) for c in self.channels if c.kind == TEXT],
            "threads": [c.wire(bot) for c in self.channels if c.kind == THREAD],
            "voice_states": [],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
        }


@dataclass(eq=False, slots=True, repr=False)
class Channel:
    """Where messages stand.

    Attributes:
        bot_may: the bot's permissions, with all roles and overwrites counted.
        guild: None for a direct message.
        nonces: the messages that were sent with one, and when.
    """

    id: int
    name: str
    kind: int
    bot_may: Can
    guild: Guild | None
    window: Window
    parent: Channel | None = None
    person: Person | None = None
    nsfw: bool = False
    messages: dict[int, Message] = field(default_factory=dict)
    nonces: dict[str, tuple[Message, float]] = field(default_factory=dict)
    pulse: Pulse = field(default_factory=Pulse)

    def __repr__(self) -> str:
        return f"<Channel {self.name!r}, {len(self.messages)} messages>"

    @property
    def guild_id(self) -> int | None:
        return self.guild.id if self.guild else None

    @property
    def shown(self) -> list[Message]:
        """What everybody sees there, oldest first."""
        return [m for m in self.messages.values() if not m.ephemeral]

    @property
    def results(self) -> list[Message]:
        """Those of the shown ones that have pictures."""
        return [message for message in self.shown if message.files]

    def wire(self, bot: Person) -> dict[str, Any]:
        told: dict[str, Any] = {"id": str(self.id), "type": self.kind, "last_message_id": None}
        if self.guild is None:
            return told | {"recipients": [self.person.wire()] if self.person else []}
        told |= {"guild_id": str(self.guild.id), "name": self.name, "rate_limit_per_user": 0}
        if self.parent is not None:
            return told | _thread_facts(self)
        denied = int(PEOPLE_MAY & ~self.bot_may)
        granted = int(self.bot_may & ~PEOPLE_MAY)
        overwrite = {"id": str(bot.id), "type": 1, "allow": str(granted), "deny": str(denied)}
        return told | {
            "position": 0,
            "topic": None,
            "nsfw": self.nsfw,
            "parent_id": None,
            "permission_overwrites": [overwrite],
        }


def _thread_facts(thread: Channel) -> dict[str, Any]:
    parent = thread.parent
    return {
        "parent_id": str(parent.id) if parent else None,
        "owner_id": str(thread.id),
        "message_count": 0,
        "member_count": 2,
        "thread_metadata": {
            "archived": False,
            "auto_archive_duration": 1440,
            "archive_timestamp": "2024-01-01T00:00:00+00:00",
            "locked": False,
        },
    }


class World:
    """Everything, by its id.

    Attributes:
        commands: as the bot registered them last.
        keep_bytes: whether the bytes of the bot's uploads stay; sizes and digests always do.
        cdn: where files are fetched; known once the server listens.
        channel_limit, overall_limit: None lifts it.
        content_granted: whether the bot's owner has switched on the intent to read messages.
        mourns_thinking: whether follow-ups fail once "thinking" was deleted as it stood. Discord
            did so in 2021 and said that it would be mended:
            https://github.com/discord/discord-api-docs/issues/2739
    """

    def __init__(self, *, keep_bytes: bool = False) -> None:
        self.clock = Clock()
        self.ids = Ids()
        self.keep_bytes = keep_bytes
        self.cdn = ""
        self.channel_limit: Limit | None = Limit(5, 5.0)
        self.overall_limit: Limit | None = Limit(50, 1.0)
        self.content_granted = False
        self.mourns_thinking = False
        self.application_id = self.ids()
        self.bot = Person(self.ids(), "easel", BOT_MAY, bot=True)
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.people: dict[int, Person] = {self.bot.id: self.bot}
        self.interactions: dict[str, Interaction] = {}
        self.files: dict[int, File] = {}
        self.commands: list[dict[str, Any]] = []

    def guild(self, name: str = "Painters", *, joined: bool = True) -> Guild:
        guild = Guild(self.ids.guild(), name, joined)
        self.guilds[guild.id] = guild
        return guild

    def channel(
        self, guild: Guild, name: str = "studio", *, bot_may: Can = BOT_MAY, nsfw: bool = False
    ) -> Channel:
        made = self._open(name, TEXT, bot_may, guild)
        made.nsfw = nsfw
        guild.channels.append(made)
        return made

    def thread(self, parent: Channel, name: str = "thread") -> Channel:
        made = self._open(name, THREAD, parent.bot_may, parent.guild)
        made.parent = parent
        if parent.guild:
            parent.guild.channels.append(made)
        return made

    def role(self, guild: Guild, name: str) -> Role:
        role = Role(self.ids(), name)
        guild.roles.append(role)
        return role

    def person(self, name: str, *, may: Can = PEOPLE_MAY) -> Person:
        person = Person(self.ids(), name, may)
        self.people[person.id] = person
        return person

    def direct(self, person: Person) -> Channel:
        """The direct messages between the bot and a person."""
        for channel in self.channels.values():
            if channel.person is person:
                return channel
        made = self._open("", DIRECT, BOT_MAY, None)
        made.person = person
        return made

    def new_token(self, interaction_id: int) -> str:
        secret = f"interaction:{interaction_id}:{secrets.token_urlsafe(80)}"
        return base64.urlsafe_b64encode(secret.encode()).decode().rstrip("=")

    def _open(self, name: str, kind: int, bot_may: Can, guild: Guild | None) -> Channel:
        window = Window(self.channel_limit or Limit(5, 5.0), "channel-messages")
        made = Channel(self.ids(), name, kind, bot_may, guild, window)
        self.channels[made.id] = made
        return made
