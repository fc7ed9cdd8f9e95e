"""How an order comes in: checked, priced, reserved and written down, whatever way it is asked."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, replace
from functools import partial
from random import SystemRandom
from types import MappingProxyType
from typing import TYPE_CHECKING

from bot.errors import NotAllowed, NotFound, Refusal, StoreUnavailable
from bot.imaging.request import SEED_MAX
from bot.store import drafts, generations
from bot.store.generations import Accepted, NewGeneration, NewSource, OverLimit, Replayed
from bot.studio import allowance
from bot.studio.choice import Choice, kept_for
from bot.studio.circuit import Health, PainterOut
from bot.studio.gathering import Ours, split_links, words_and_links
from bot.studio.generation import Generation
from bot.studio.life import log_state
from bot.studio.order import Order
from bot.studio.outcomes import Answered, Quote, Restarting, Submitted
from bot.studio.painters import choose, price_of
from bot.studio.permutations import combinations
from bot.studio.viewing import see

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

    from bot.imaging.catalogue import Catalogue
    from bot.store.contests import Accept
    from bot.store.database import Database
    from bot.store.people import Limits
    from bot.studio.circuit import Circuit
    from bot.studio.gathering import Gatherer, Given
    from bot.studio.generation import Place, Viewer
    from bot.studio.order import Variation
    from bot.studio.shelf import Shelf
    from bot.studio.work import Work

#: Crockford's alphabet: no letters that read alike (https://www.crockford.com/base32.html).
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_ID_LENGTH = 10


def asks_first(order: Order) -> bool:
    """Whether an order is to be confirmed before it is submitted: its words are a choice."""
    words, _ = split_links(order.prompt)
    return order.speaks and len(combinations(words)) > 1


class Intake:
    """The door for orders."""

    def __init__(
        self,
        database: Database,
        catalogue: Catalogue,
        gatherer: Gatherer,
        work: Work,
        circuit: Circuit,
        *,
        shelf: Shelf,
        limits: Limits,
        clock: Callable[[], float] = time.time,
        random: Random | None = None,
    ) -> None:
        self._database = database
        self._catalogue = catalogue
        self._gatherer = gatherer
        self._work = work
        self._circuit = circuit
        self._shelf = shelf
        self._limits = limits
        self._clock = clock
        self._random = random or SystemRandom()
        self._closed = False

    async def submit(
        self,
        order: Order,
        place: Place,
        given: Sequence[Given] = (),
        *,
        accept: Accept = generations.accept,
    ) -> Submitted:
        """Accepts an order: its pictures are reserved and it is written down, at once.

        Args:
            order: what is asked for; sources that it has already were gathered before.
            place: who asks, and where.
            given: pictures to work from besides.
            accept: writes it down, together with what else becomes true by it.

        Raises:
            Refusal: it cannot be painted as asked, or a limit is reached; nothing is charged.
        """
        self._check_open()
        new_id = self.new_id()
        order = await self._with_sources(order, given, new_id, place, order.wanted)
        try:
            return await self._accept(order, place, new_id, accept)
        except Refusal:
            await self._gatherer.let_go(order.sources, new_id)
            raise

    async def _accept(self, order: Order, place: Place, new_id: str, accept: Accept) -> Submitted:
        order, notes = choose(order, self._catalogue)
        seed = self._random.randint(0, SEED_MAX) if order.seed is None else order.seed
        new = NewGeneration(
            id=new_id,
            **asdict(place),
            request=order.to_json(),
            prompt=order.prompt,
            wanted=order.wanted,
            seed=seed,
            private=order.private,
            notes=json.dumps(notes),
            price=price_of(order, seed, self._catalogue),
        )
        sources = [
            NewSource(n, source.key, source.parent_id, source.parent_position)
            for n, source in enumerate(order.sources, start=1)
        ]
        match await self._database.write(
            accept, new=new, limits=self._limits, now=self._clock(), sources=sources
        ):
            case None:
                raise Answered
            case OverLimit(usage):
                raise allowance.refusal(usage, self._limits, new.wanted)
            case Replayed(row):
                await self._gatherer.let_go(order.sources, new_id)
                return Submitted(Generation.from_row(row), fresh=False)
            case Accepted(row):
                accepted = Generation.from_row(row)
                log_state(accepted)
                return Submitted(accepted, fresh=True)

    async def quote(
        self,
        order: Order,
        place: Place,
        given: Sequence[Given] = (),
        *,
        written: Callable[[Order], str] = Order.to_json,
    ) -> Quote:
        """Writes an order down that is to be confirmed first, and says what it would cost.

        Args:
            order: what is asked for.
            place: who asks, and where.
            given: pictures to work from.
            written: how it is written down.

        Raises:
            Refusal: as `submit`, but for the limits.
        """
        self._check_open()
        draft_id = self.new_id()
        # It may be confirmed when there is room for all of it.
        order = await self._with_sources(order, given, draft_id, place, 1)
        try:
            # What is said of the price is to hold for what is painted.
            order, notes = choose(order, self._catalogue)
            price = price_of(order, order.seed or 0, self._catalogue)
        except Refusal:
            await self._gatherer.let_go(order.sources, draft_id)
            raise
        await self.keep(draft_id, place.person_id, written(order))
        name = self._catalogue.get(order.model or "").name
        return Quote(draft_id, order, name, price, notes)

    def estimate(self, order: Order) -> int | None:
        """What an order would cost, in micro-dollars; None when that is unknown.

        Raises:
            Refusal: no model can paint it.
        """
        order, _ = choose(order, self._catalogue)
        return price_of(order, 0, self._catalogue)

    async def draft(self, draft_id: str, person_id: int) -> Order:
        """What `quote` wrote down.

        Raises:
            NotAllowed: it is somebody else's.
            Answered: it was answered, or is over a day old.
        """
        return Order.from_json(await self._draft(draft_id, person_id))

    async def _draft(self, draft_id: str, person_id: int) -> str:
        request = await self._database.read(drafts.find, draft_id, person_id, self._clock())
        if request is not None:
            return request
        raise await self._not_theirs(draft_id, person_id)

    async def _not_theirs(self, draft_id: str, person_id: int) -> NotAllowed | Answered:
        """Why one can't answer it."""
        owner_id = await self._database.read(drafts.owner_of, draft_id)
        if owner_id in (None, person_id):
            return Answered()
        return NotAllowed(
            f"Only <@{owner_id}>, who asked, can choose. Reply to the picture yourself, and I "
            "edit it for you."
        )

    async def confirm(self, draft_id: str, place: Place) -> Submitted:
        """Submits what `quote` wrote down, once; charged to the one who wrote it.

        It can be confirmed later where a limit has no room now.

        Raises:
            Refusal: as `submit`; or there is no such draft any more.
        """
        order = await self.draft(draft_id, place.person_id)
        return await self.submit(order, place, accept=partial(drafts.accept, draft_id=draft_id))

    async def reopen(self, draft_id: str, order: Order, person_id: int) -> None:
        """Lets a draft be confirmed once more whose generation was withdrawn."""
        await self.keep(draft_id, person_id, order.to_json())

    async def discard(self, draft_id: str, person_id: int) -> None:
        """Forgets what `quote` wrote down.

        Raises:
            Answered: as `draft`.
        """
        request = await self._database.write(drafts.take, draft_id, person_id, self._clock())
        if request is None:
            raise await self._not_theirs(draft_id, person_id)
        await self._gatherer.let_go(kept_for(request), draft_id)

    async def put_off(self, choice: Choice, person_id: int) -> str:
        """Writes an order down whose picture is still to be chosen; the draft's id."""
        draft_id = self.new_id()
        await self.keep(draft_id, person_id, choice.to_json())
        return draft_id

    async def choice(self, draft_id: str, person_id: int) -> Choice:
        """What `put_off` wrote down.

        Raises:
            NotAllowed: it is somebody else's.
            Answered: it was answered, or is over a day old.
        """
        return Choice.from_json(await self._draft(draft_id, person_id))

    async def choose(
        self, draft_id: str, choice: Choice, place: Place, given: Sequence[Given]
    ) -> Submitted:
        """Submits what `put_off` wrote down, once, with the pictures that it waited for.

        Raises:
            Refusal: as `confirm`.
        """
        accept = partial(drafts.accept, draft_id=draft_id)
        return await self.submit(choice.order, place, given, accept=accept)

    async def keep(self, draft_id: str, person_id: int, request: str) -> None:
        """Writes something down that is to be confirmed within a day."""
        expired = await self._database.write(
            drafts.keep, draft_id, person_id, request, self._clock()
        )
        for old_id, old_request in expired:
            await self._gatherer.let_go(kept_for(old_request), old_id)

    async def vary(
        self,
        generation_id: str,
        position: int | None,
        variation: Variation,
        place: Place,
        *,
        links: Mapping[int, str] = MappingProxyType({}),
    ) -> Submitted:
        """Variations of one picture, or one of each where `position` is None.

        Args:
            generation_id: whose pictures.
            position: of the one.
            variation: how far from it.
            place: who asks, and where.
            links: of its pictures by position, as far as they are known.

        Raises:
            NotFound: there is no such picture, or it is not the person's to see.
            Refusal: as `submit`.
        """
        shown = await see(self._database, generation_id, place.viewer)
        parent = shown.generation.order
        chosen = [p for p in shown.pictures if position in (None, p.position)]
        if not chosen:
            raise NotFound
        order = Order(
            prompt=parent.prompt if position is None else shown.generation.prompt_of(chosen[0]),
            quality=parent.quality,
            style=parent.style,
            avoid=parent.avoid,
            private=parent.private,
            variation=variation,
            each=position is None,
        )
        given = [Ours(generation_id, one.position, links.get(one.position)) for one in chosen]
        return await self.submit(order, place, given)

    def begin(self, generation: Generation) -> None:
        """Lets a submitted generation be painted, once its asker was answered."""
        self._work.take(generation)

    async def withdraw(self, generation: Generation) -> None:
        """Takes a submitted generation back, whose asker could not be answered."""
        await self._work.cancel(generation, "Discord lost the request before I could answer.")

    def close(self) -> None:
        """From now on, what is submitted is refused with a sentence."""
        self._closed = True

    async def again(self, generation_id: str, viewer: Viewer, place: Place) -> Submitted:
        """The same order with a new seed, charged to the one who asks now.

        Raises:
            NotFound: there is no such generation, or it is not the viewer's to see.
            Refusal: as `submit`.
        """
        shown = await see(self._database, generation_id, viewer)
        return await self.submit(replace(shown.generation.order, seed=None), place)

    def _check_open(self) -> None:
        if self._closed:
            raise Restarting
        if self._circuit.health is Health.RESTS:
            raise PainterOut
        if self._shelf.full:
            raise StoreUnavailable("the archive takes no pictures")

    async def _with_sources(
        self, order: Order, given: Sequence[Given], owner_id: str, place: Place, room_for: int
    ) -> Order:
        prompt, links = words_and_links(order)
        # What can be refused without a look at the pictures is refused before.
        order = replace(order, prompt=prompt).cleaned()
        await self._gatherer.check(order.sources, place.viewer)
        given = (*given, *links)
        if not given:
            return order
        if not all(isinstance(each, Ours) for each in given):
            await self._check_room(room_for, place)
        gathered = await self._gatherer.gather(given, owner_id, place.viewer, private=order.private)
        sources = (*order.sources, *gathered.sources)
        return replace(order, sources=sources, lineage=order.lineage or gathered.lineage).cleaned()

    async def _check_room(self, wanted: int, place: Place) -> None:
        """Fetches nothing for those who have no room for it; what counts is what is written down.

        Raises:
            AllowanceSpent: a limit has none.
        """
        usage = await self._database.read(
            generations.usage_before, place.interaction_id, place.person_id, self._clock()
        )
        if usage is not None and not allowance.has_room(usage, self._limits, wanted):
            raise allowance.refusal(usage, self._limits, wanted)

    def new_id(self) -> str:
        """For whatever people see or press: ten characters, hard to guess."""
        return "".join(self._random.choices(_ALPHABET, k=_ID_LENGTH))
