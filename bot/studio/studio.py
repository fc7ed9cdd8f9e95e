"""What cogs and buttons call: submit, see, page through."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from random import SystemRandom
from typing import TYPE_CHECKING

from bot.errors import NotAllowed, NotFound, Refusal
from bot.imaging.model import Role
from bot.imaging.request import SEED_MAX
from bot.store import generations, people
from bot.store.generations import Accepted, Counts, NewGeneration, OverLimit, Replayed
from bot.studio import allowance
from bot.studio.circuit import Health, PainterOut
from bot.studio.generation import Generation, KeptPicture, Order, Place, Shown
from bot.studio.life import log_state
from bot.studio.painting import away_note
from bot.studio.prompts import compose

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from sqlalchemy import Connection

    from bot.imaging.archive import Archive
    from bot.imaging.catalogue import Catalogue
    from bot.imaging.model import Model
    from bot.store.database import Database
    from bot.store.people import Limits, Usage
    from bot.studio.circuit import Circuit
    from bot.studio.line import Standing
    from bot.studio.work import Work

#: Crockford's alphabet: no letters that read alike (https://www.crockford.com/base32.html).
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_ID_LENGTH = 10


@dataclass(frozen=True, slots=True)
class Submitted:
    """The order is accepted; `begin` starts it once the person has been answered.

    Attributes:
        fresh: False when Discord told us of this interaction before.
    """

    generation: Generation
    fresh: bool


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, and from where."""

    person_id: int
    channel_id: int
    server_id: int | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a person's generations, newest first.

    Attributes:
        before: the number that the page was asked to come before; None for the first page.
        older: the number to ask for next; None when this is the last page.
    """

    shown: tuple[Shown, ...]
    before: int | None
    older: int | None


@dataclass(frozen=True, slots=True)
class Queued:
    """A generation that has not ended, and its place where it waits."""

    generation: Generation
    standing: Standing | None


@dataclass(frozen=True, slots=True)
class Queue:
    """One's own, and the numbers of the server (None where there is no server)."""

    own: tuple[Queued, ...]
    server: Counts | None
    everywhere: Counts


class TooLate(Refusal):
    def __init__(self) -> None:
        super().__init__("Nothing of yours is waiting: painting has begun, or it is done.")


class Studio:
    """The front door: what people can do with pictures, whatever the way they ask."""

    def __init__(
        self,
        database: Database,
        archive: Archive,
        catalogue: Catalogue,
        work: Work,
        circuit: Circuit,
        *,
        limits: Limits,
        clock: Callable[[], float] = time.time,
        random: Random | None = None,
    ) -> None:
        self.catalogue = catalogue
        self.limits = limits
        self._work = work
        self._circuit = circuit
        self._closing = False
        self._database = database
        self._archive = archive
        self._clock = clock
        self._random = random or SystemRandom()

    async def submit(self, order: Order, place: Place) -> Submitted:
        """Accepts an order: its pictures are reserved and it is written down, at once.

        Raises:
            Refusal: it cannot be painted as asked, or a limit is reached; nothing is charged.
        """
        if self._closing:
            raise Refusal("I'm just being restarted. Please ask again in a minute.")
        if self._circuit.health is Health.RESTS:
            raise PainterOut
        order = order.cleaned()
        model, notes = self._model_for(order)
        order = replace(order, model=model.id)
        seed = self._random.randint(0, SEED_MAX) if order.seed is None else order.seed
        planned = self.catalogue.plan(compose(order, model=model.id, seed=seed))
        new = NewGeneration(
            id="".join(self._random.choices(_ALPHABET, k=_ID_LENGTH)),
            **asdict(place),
            request=order.to_json(),
            prompt=order.prompt,
            wanted=order.count,
            seed=seed,
            private=order.private,
            notes=json.dumps(notes),
            price=planned.price,
        )
        now = self._clock()
        match await self._database.write(generations.accept, new, self.limits, now):
            case OverLimit(usage):
                raise allowance.refusal(usage, self.limits, new.wanted)
            case Replayed(row):
                return Submitted(Generation.from_row(row), fresh=False)
            case Accepted(row):
                accepted = Generation.from_row(row)
                log_state(accepted)
                return Submitted(accepted, fresh=True)

    def begin(self, generation: Generation) -> None:
        """Lets a submitted generation be painted, once its asker was answered."""
        self._work.take(generation)

    async def withdraw(self, generation: Generation) -> None:
        """Takes a submitted generation back, whose asker could not be answered."""
        await self._work.cancel(generation, "Discord lost the request before I could answer.")

    def stop_intake(self) -> None:
        """From now on, what is submitted is refused with a sentence."""
        self._closing = True

    async def cancel(self, generation_id: str, person_id: int) -> Generation:
        """Takes one's own generation out of the line; its allowance goes back.

        Raises:
            NotFound: there is none.
            NotAllowed: it is somebody else's.
            TooLate: it is being painted, or done.
        """
        row = await self._database.read(generations.get, generation_id)
        if row is None:
            raise NotFound
        generation = Generation.from_row(row)
        if generation.person_id != person_id:
            raise NotAllowed(f"Only <@{generation.person_id}>, who asked for it, can cancel it.")
        if not await self._work.cancel(generation, "You cancelled it."):
            raise TooLate
        return generation

    async def cancel_all(self, person_id: int) -> int:
        """Takes whatever a person has in line out of it; how many that were.

        Raises:
            TooLate: none was still waiting.
        """
        cancelled = 0
        for queued in (await self.queue(person_id, None)).own:
            with suppress(TooLate):
                await self.cancel(queued.generation.id, person_id)
                cancelled += 1
        if not cancelled:
            raise TooLate
        return cancelled

    async def queue(self, person_id: int, server_id: int | None) -> Queue:
        """What one has under way, and how much the server has."""
        return await self._database.read(_queue, person_id, server_id, self._work.standing)

    def model_name(self, generation: Generation) -> str:
        """How the model that painted, or will paint, is called."""
        model_id = generation.model or generation.order.model or ""
        return self.catalogue.get(model_id).name

    async def again(self, generation_id: str, viewer: Viewer, place: Place) -> Submitted:
        """The same order with a new seed, charged to the one who asks now.

        Raises:
            NotFound: there is no such generation, or it is not the viewer's to see.
            Refusal: as `submit`.
        """
        shown = await self.see(generation_id, viewer)
        return await self.submit(replace(shown.generation.order, seed=None), place)

    async def see(self, generation_id: str, viewer: Viewer) -> Shown:
        """A generation, where the viewer may see it.

        A private one is seen by its asker alone; others by those of the same server, or of
        the same conversation where there is no server.

        Raises:
            NotFound: there is none, or it is not the viewer's to see.
        """
        shown = await self._database.read(_shown, generation_id)
        if shown is None or not _may_see(shown.generation, viewer):
            raise NotFound
        return shown

    async def page(self, person_id: int, *, before: int | None, size: int) -> Page:
        """A page of a person's own generations."""
        return await self._database.read(_page, person_id, before, size)

    async def usage(self, person_id: int) -> Usage:
        """What the person has used of the limits."""
        return await self._database.read(people.usage, person_id, self._clock())

    async def files(self, pictures: Sequence[KeptPicture]) -> list[bytes]:
        """The files of pictures.

        Raises:
            PictureMissing: one is no longer in the archive.
        """
        return await self._archive.get(*(picture.key for picture in pictures))

    def _model_for(self, order: Order) -> tuple[Model, list[str]]:
        """The model that will paint, and what the person should know of the choice."""
        if order.model is None:
            return self.catalogue.for_role(Role.EVERYDAY), []
        model = self.catalogue.find(order.model)
        if not self.catalogue.is_away(model.id):
            return model, []
        substitute = self.catalogue.substitute(model) or model
        return substitute, [away_note(model, substitute)]


def _may_see(generation: Generation, viewer: Viewer) -> bool:
    place = generation.place
    if place.person_id == viewer.person_id:
        return True
    if generation.order.private:
        return False
    same_server = place.server_id is not None and place.server_id == viewer.server_id
    return same_server or place.channel_id == viewer.channel_id


def _shown(connection: Connection, generation_id: str) -> Shown | None:
    row = generations.get(connection, generation_id)
    if row is None:
        return None
    found = generations.pictures_of(connection, generation_id)
    return Shown(Generation.from_row(row), tuple(KeptPicture.from_row(r) for r in found))


def _page(connection: Connection, person_id: int, before: int | None, size: int) -> Page:
    rows = generations.page_of(connection, person_id, before=before, size=size + 1)
    pictures: dict[str, list[KeptPicture]] = {row.id: [] for row in rows[:size]}
    for found in generations.pictures_of(connection, *pictures):
        pictures[found.generation_id].append(KeptPicture.from_row(found))
    shown = [Shown(Generation.from_row(row), tuple(pictures[row.id])) for row in rows[:size]]
    older = rows[size - 1].number if len(rows) > size else None
    return Page(tuple(shown), before, older)


def _queue(
    connection: Connection,
    person_id: int,
    server_id: int | None,
    standing: Callable[[str], Standing | None],
) -> Queue:
    own = [Generation.from_row(row) for row in generations.open_of(connection, person_id)]
    server = None if server_id is None else generations.count_open(connection, server_id)
    return Queue(
        tuple(Queued(generation, standing(generation.id)) for generation in own),
        server,
        generations.count_open(connection),
    )
