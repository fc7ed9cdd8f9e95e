"""A generation, where its answer goes, and the pictures that it becomes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bot.errors import EaselError
from bot.imaging.pictures import MediaType
from bot.imaging.request import Size
from bot.store.schema import State, Way
from bot.studio.order import Order

if TYPE_CHECKING:
    from collections.abc import Mapping


class Unreadable(EaselError):
    """A newer version of this program has written it down, or something broke it."""

    def __init__(self, generation_id: str, cause: Exception) -> None:
        super().__init__(
            "I can't read any more what was asked for here, so nothing comes of it. Nothing was "
            "charged; please ask again.",
            operator=f"the row of {generation_id} cannot be read: {cause!r}",
        )


@dataclass(frozen=True, slots=True)
class Place:
    """Who asked, and where to answer.

    Attributes:
        server_id: None in a direct message, and where the bot is not a member.
        interaction_token: answers the command without any other right, until it expires.
        token_expires_at: Unix seconds.
        may_post: whether the bot may post a message with files of its own there.
        file_limit: what one file may weigh there, in bytes.
        reply_to: the message that asked, where it was no command; it has no token then, and its
            id stands in place of the interaction's.
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
    reply_to: int | None = None

    @property
    def viewer(self) -> Viewer:
        return Viewer(self.person_id, self.channel_id, self.server_id)


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
        round_id: of a vote, whose ballot it becomes; None otherwise.
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
    round_id: str | None = None

    @property
    def person_id(self) -> int:
        return self.place.person_id

    def prompt_of(self, picture: KeptPicture) -> str:
        """The words that the picture was painted from, of all combinations."""
        return self.order.parts[picture.part].prompt

    def order_of(self, picture: KeptPicture) -> Order:
        """What asks for this picture alone, where others came about in another way."""
        if not self.order.changes:
            return self.order
        part = self.order.parts[picture.part]
        own = {"prompt": part.prompt, "variation": part.variation}
        return replace(self.order, **own, changes=(), count=1)

    def model_of(self, picture: KeptPicture) -> str | None:
        """The id of the model that painted the picture."""
        return picture.model or self.model

    @classmethod
    def from_row(cls, row: Any) -> Generation:  # noqa: ANN401 - a row's columns are told in schema.py
        """As it is written down.

        Raises:
            Unreadable: that cannot be read.
        """
        try:
            return cls._of(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise Unreadable(row.id, error) from error

    @classmethod
    def known_of(cls, row: Any) -> Generation:  # noqa: ANN401 - as above
        """The same, or what is known besides the order: enough to end it, and to say so."""
        try:
            return cls.from_row(row)
        except Unreadable:
            order = Order(row.prompt, private=bool(row.private)).to_json()
            return cls._of({**row._mapping, "request": order, "notes": "[]"})  # noqa: SLF001 - as above

    @classmethod
    def _of(cls, columns: Mapping[str, Any]) -> Generation:
        own = cls.__dataclass_fields__
        kept: dict[str, Any] = {name: columns[name] for name in own if name in columns}
        kept["order"] = _attributed(Order.from_json(columns["request"]), columns)
        kept["place"] = _place(columns)
        kept["state"] = State(columns["state"])
        kept["way"] = Way(columns["way"]) if columns["way"] else None
        kept["notes"] = tuple(json.loads(columns["notes"]))
        return cls(**kept)


def _attributed(order: Order, columns: Mapping[str, Any]) -> Order:
    """Orders did not always say who brought a picture along: its key may, of the first of all."""
    sources = tuple(
        replace(source, brought_by=columns["person_id"])
        if not (source.parent_id or source.brought_by) and columns["id"] in source.key
        else source
        for source in order.sources
    )
    return replace(order, sources=sources) if sources != order.sources else order


def _place(columns: Mapping[str, Any]) -> Place:
    values: dict[str, Any] = {name: columns[name] for name in Place.__dataclass_fields__}
    values["interaction_token"] = columns["interaction_token"] or ""
    values["may_post"] = bool(columns["may_post"])
    return Place(**values)


@dataclass(frozen=True, slots=True)
class KeptPicture:
    """A finished picture in the archive.

    Attributes:
        position: from 1.
        key: its name in the archive.
        seed: that made it.
        part: of the order, from 0.
        model: the id of the one that painted it; None for the generation's.
    """

    position: int
    key: str
    media_type: MediaType
    size: Size
    bytes: int
    seed: int
    part: int = 0
    model: str | None = None

    @classmethod
    def from_row(cls, row: Any) -> KeptPicture:  # noqa: ANN401 - a row's columns are told in schema.py
        return cls(
            position=row.position,
            key=row.key,
            media_type=MediaType(row.media_type),
            size=Size(row.width, row.height),
            bytes=row.bytes,
            seed=row.seed,
            part=row.part,
            model=row.model,
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """A generation and its pictures, for one who may see them."""

    generation: Generation
    pictures: tuple[KeptPicture, ...]


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, and from where."""

    person_id: int
    channel_id: int
    server_id: int | None

    def may_see(self, generation: Generation) -> bool:
        """A private one is seen by its asker alone.

        Others by those of the same server, or of the same conversation where there is no server.
        """
        place, private = generation.place, generation.order.private
        return self._may_see(place.person_id, place.server_id, place.channel_id, private=private)

    def may_see_row(self, row: Any) -> bool:  # noqa: ANN401 - a row's columns are told in schema.py
        """The same, of a generation as it lies in the store."""
        return self._may_see(row.person_id, row.server_id, row.channel_id, private=row.private)

    def _may_see(
        self, person_id: int, server_id: int | None, channel_id: int, *, private: bool
    ) -> bool:
        if person_id == self.person_id:
            return True
        if private:
            return False
        same_server = server_id is not None and server_id == self.server_id
        return same_server or channel_id == self.channel_id
