"""A generation, what was ordered with it, and where its answer goes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bot.errors import BadRequest
from bot.imaging.pictures import MediaType
from bot.imaging.request import COUNT_MAX, SEED_MAX, Quality, Shape, Size, clean_text
from bot.store.schema import State, Way

if TYPE_CHECKING:
    from collections.abc import Mapping

PROMPT_MAX = 2000


@dataclass(frozen=True, slots=True)
class Order:
    """What a person asked for, option by option, kept whole so that it can be done again.

    Attributes:
        model: as typed, later a model's id; None for the everyday one.
        seed: as typed; None when one is to be drawn.
    """

    prompt: str
    model: str | None = None
    shape: Shape = Shape.SQUARE
    count: int = COUNT_MAX
    quality: Quality | None = None
    style: str | None = None
    avoid: str | None = None
    seed: int | None = None
    private: bool = False

    def cleaned(self) -> Order:
        """With texts that cannot disturb a message.

        Raises:
            BadRequest: nothing is left to paint, it is too long, or the seed cannot be.
        """
        prompt, avoid = clean_text(self.prompt), clean_text(self.avoid or "")
        if not prompt:
            raise BadRequest("Tell me what to paint: that prompt has no words that I can read.")
        for option, text in (("prompt", prompt), ("avoid", avoid)):
            if len(text) > PROMPT_MAX:
                raise BadRequest(
                    f"Your `{option}` is {len(text):,} characters long; I can take "
                    f"{PROMPT_MAX:,}. Keep what matters most and put it first."
                )
        if self.seed is not None and not 0 <= self.seed <= SEED_MAX:
            raise BadRequest(f"A `seed` is a whole number from 0 to {SEED_MAX:,}.")
        return replace(self, prompt=prompt, avoid=avoid or None)

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Order:
        stored: dict[str, Any] = json.loads(text)
        stored["shape"] = Shape(stored["shape"])
        if stored["quality"] is not None:
            stored["quality"] = Quality(stored["quality"])
        return cls(**stored)


@dataclass(frozen=True, slots=True)
class Place:
    """Who asked, and where to answer.

    Attributes:
        server_id: None in a direct message, and where the bot is not a member.
        interaction_token: answers the command without any other right, until it expires.
        token_expires_at: Unix seconds.
        may_post: whether the bot may post a message with files of its own there.
        file_limit: what one file may weigh there, in bytes.
    """

    interaction_id: int
    person_id: int
    server_id: int | None
    application_id: int
    channel_id: int
    interaction_token: str = field(repr=False)
    token_expires_at: float
    may_post: bool
    file_limit: int


@dataclass(frozen=True, slots=True)
class Generation:
    """One accepted order, as the store has it.

    Attributes:
        id: ten characters, hard to guess; what people see and what buttons carry.
        number: the order of acceptance.
        seed: the order's, or the one that was drawn for it.
        attempt: how often painting has begun.
        model: the id of the model that painted it; None before.
        price: estimated, in micro-dollars; None when unknown.
        notes: sentences for the person, such as an option that the model does not take.
        created_at, painting_at, painted_at, ended_at: Unix seconds.
    """

    id: str
    number: int
    order: Order
    seed: int
    place: Place
    state: State
    attempt: int
    model: str | None
    steps: int | None
    price: int | None
    notes: tuple[str, ...]
    way: Way | None
    message_id: int | None
    failure: str | None
    created_at: float
    painting_at: float | None
    painted_at: float | None
    ended_at: float | None

    @property
    def person_id(self) -> int:
        return self.place.person_id

    @classmethod
    def from_row(cls, row: Any) -> Generation:  # noqa: ANN401 - a row's columns are told in schema.py
        columns: Mapping[str, Any] = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
        own = cls.__dataclass_fields__
        kept: dict[str, Any] = {name: columns[name] for name in own if name in columns}
        kept["order"] = Order.from_json(columns["request"])
        kept["place"] = _place(columns)
        kept["state"] = State(columns["state"])
        kept["way"] = Way(columns["way"]) if columns["way"] else None
        kept["notes"] = tuple(json.loads(columns["notes"]))
        return cls(**kept)


def _place(columns: Mapping[str, Any]) -> Place:
    values: dict[str, Any] = {name: columns[name] for name in Place.__dataclass_fields__}
    values["interaction_token"] = columns["interaction_token"] or ""
    values["may_post"] = bool(columns["may_post"])
    return Place(**values)


@dataclass(frozen=True, slots=True)
class KeptPicture:
    """A finished picture in the archive.

    Attributes:
        position: 1 to 4.
        key: its name in the archive.
        seed: that made it.
    """

    position: int
    key: str
    media_type: MediaType
    size: Size
    bytes: int
    seed: int

    @classmethod
    def from_row(cls, row: Any) -> KeptPicture:  # noqa: ANN401 - a row's columns are told in schema.py
        return cls(
            position=row.position,
            key=row.key,
            media_type=MediaType(row.media_type),
            size=Size(row.width, row.height),
            bytes=row.bytes,
            seed=row.seed,
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """A generation and its pictures, for one who may see them."""

    generation: Generation
    pictures: tuple[KeptPicture, ...]
