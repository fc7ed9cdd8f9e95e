"""One generation from its order to the archive: plan, call, check, keep."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from bot.errors import (
    BadAnswer,
    BadRequest,
    ModelGone,
    PaintingFailed,
    ParameterRefused,
    RequestRefused,
)
from bot.imaging.failures import bad_answer
from bot.imaging.model import Parameter
from bot.imaging.pictures import Picture, inspect
from bot.imaging.recipe import Recipe, embed
from bot.store.generations import NewPicture
from bot.studio.carrying import Carrier
from bot.studio.prompts import compose
from bot.studio.salvage import clear_away, kept_before, key_of, price_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

    from bot.imaging.archive import Archive
    from bot.imaging.catalogue import Catalogue
    from bot.imaging.model import Model
    from bot.imaging.pacing import Pace
    from bot.imaging.plan import Call, Plan
    from bot.imaging.references import References
    from bot.imaging.request import ImageRequest
    from bot.imaging.together import Together
    from bot.studio.generation import Generation
    from bot.studio.order import Order, Part
    from bot.studio.shelf import Shelf

T = TypeVar("T")

#: How often a refused parameter or a missing model leads to another plan.
_PLANS = 5
#: What people chose when the API objects to a parameter; they have no part in the others.
_OPTIONS = {
    **dict.fromkeys(("width", "height", "width/height", "dimensions", "aspect_ratio"), "shape"),
    "negative_prompt": "avoid",
    "steps": "quality",
}
_PICTURES = (Parameter.IMAGE_URL, Parameter.REFERENCE_IMAGES)
#: Ends a part and not the others: of several models, one may learn only now that it cannot.
_PARTS_OWN = (PaintingFailed, BadRequest)
#: A resend within the same second after a 400 tends to be answered with 429.
_PAUSE_AFTER_REFUSAL_S = 1.5


@dataclass(frozen=True, slots=True)
class Painted:
    """Pictures that are in the archive, and how they came about."""

    pictures: tuple[NewPicture, ...]
    model: str
    steps: int | None
    price: int | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Made:
    """A picture as the API gave it, and the seed of the call; None where the model takes none."""

    data: bytes
    seed: int | None


@dataclass(frozen=True, slots=True)
class _PaintedPart:
    """What came of a part of an order, and what the person should know of it."""

    number: int
    request: ImageRequest
    planned: Plan
    made: list[_Made]
    notes: tuple[str, ...]


class Painter:
    """Paints generations; knows the API, its pace, and where pictures are kept."""

    def __init__(
        self,
        catalogue: Catalogue,
        together: Together,
        pace: Pace,
        archive: Archive,
        references: References,
        *,
        shelf: Shelf,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._catalogue = catalogue
        self._together = together
        self._pace = pace
        self._archive = archive
        self._shelf = shelf
        self._carrier = Carrier(archive, references)
        self._sleep = sleep

    async def paint(self, generation: Generation) -> Painted:
        """Every picture is in the archive, synced, when this returns.

        Raises:
            PaintingFailed: no picture came of it.
            Refusal: a picture to work from is gone.
            StoreUnavailable: the archive cannot be written to.
        """
        if generation.attempt > 1 and (salvaged := await self._salvaged(generation)):
            return salvaged
        order = generation.order
        async with self._carrier.carry(order.sources) as carried:
            pictures = dict(zip(order.keys, carried, strict=True))
            outcomes = await asyncio.gather(
                *(
                    self._paint_part(generation, number, part, pictures)
                    for number, part in enumerate(order.parts)
                ),
                return_exceptions=True,
            )
        painted = _successes(outcomes)
        return await self._keep(generation, painted, _why_not_all(order, outcomes, self._catalogue))

    async def clear_away(self, generation: Generation, kept: Collection[str]) -> None:
        """See `bot.studio.salvage.clear_away`."""
        await clear_away(self._archive, generation, kept)

    async def _salvaged(self, generation: Generation) -> Painted | None:
        found = await kept_before(self._archive, generation)
        if found is None:
            return None
        pictures, recipes = found
        first, price = recipes[0], price_of(recipes, self._catalogue)
        return Painted(pictures, first.model, first.steps, price, notes=())

    async def _paint_part(
        self, generation: Generation, number: int, part: Part, pictures: Mapping[str, str]
    ) -> _PaintedPart:
        references = tuple(pictures[key] for key in part.keys)
        order = generation.order
        request = compose(order, part, seed=generation.seed, references=references)
        planned = self._catalogue.plan(request)
        notes: list[str] = []
        for plans_left in reversed(range(_PLANS)):
            try:
                made = await self._call_all(planned)
            except (ParameterRefused, RequestRefused) as refusal:
                links = _links_instead(refusal, request, part)
                if not plans_left or not (links or self._learn(refusal, planned)):
                    raise
                await self._sleep(_PAUSE_AFTER_REFUSAL_S)
                request = replace(request, references=links or request.references)
                refused, planned = planned, self._catalogue.plan(request)
                if not links and not set(planned.notes) - set(refused.notes):
                    notes.extend(_changed(refusal, planned))
            except ModelGone:
                self._catalogue.mark_away(planned.model.id)
                substitute = self._catalogue.substitute(
                    planned.model, references=len(references), besides=order.models
                )
                if not plans_left or substitute is None:
                    raise
                notes.append(away_note(planned.model, substitute))
                request = replace(request, model=substitute.id)
                planned = self._catalogue.plan(request)
            else:
                return _PaintedPart(number, request, planned, made, (*planned.notes, *notes))
        raise AssertionError  # the last plan returns or raises

    def _learn(self, refusal: ParameterRefused | RequestRefused, planned: Plan) -> bool:
        if isinstance(refusal, RequestRefused):
            return False
        return self._catalogue.learn(planned.model.id, refusal, since=planned.model)

    async def _call_all(self, planned: Plan) -> list[_Made]:
        """The pictures of every call that succeeded; the first failure when none did."""
        made = await _all_that_succeed(self._call(planned.model, call) for call in planned.calls)
        return [picture for pictures in made for picture in pictures]

    async def _call(self, model: Model, call: Call) -> list[_Made]:
        answer = await self._pace.run(
            lambda: self._together.paint(call.fields, model.id), model=model.id
        )
        seed = call.fields.get("seed")
        return [_Made(data, seed if isinstance(seed, int) else None) for data in answer.pictures]

    async def _keep(
        self, generation: Generation, painted: list[_PaintedPart], why_not_all: list[str]
    ) -> Painted:
        kept = await self._shelf.keep(partial(_finish_all, painted, generation))
        first, wanted = painted[0], generation.order.wanted
        notes = dict.fromkeys(note for part in painted for note in part.notes)
        if len(kept) < wanted:
            came = f"{len(kept)} of {wanted} pictures came back; what is missing was not charged."
            notes |= dict.fromkeys((came, *why_not_all))
        return Painted(
            pictures=kept,
            model=first.planned.model.id,
            steps=first.planned.steps,
            price=_price(painted, kept),
            notes=tuple(notes),
        )


async def _all_that_succeed(works: Iterable[Awaitable[T]]) -> list[T]:
    return _successes(await asyncio.gather(*works, return_exceptions=True))


def _successes(outcomes: Sequence[T | BaseException]) -> list[T]:
    """What came of each; the first failure when nothing did, or when it is no painter's."""
    made = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and (not made or not isinstance(outcome, _PARTS_OWN)):
            raise outcome
    return made


def _why_not_all(order: Order, outcomes: Sequence[object], catalogue: Catalogue) -> list[str]:
    """Which parts came to nothing: each has something of its own that may be why."""
    told: list[str] = []
    for number, (part, outcome) in enumerate(zip(order.parts, outcomes, strict=True), start=1):
        if isinstance(outcome, _PARTS_OWN):
            told.append(f"{_named_by(part, number, order, catalogue)}: {outcome.sentence}")
    return told


def _named_by(part: Part, number: int, order: Order, catalogue: Catalogue) -> str:
    """What tells a part from the others."""
    if part.model is not None:
        return catalogue.get(part.model).name
    if order.changes:
        return f"Change {number}" if part.variation is None else "The variations"
    of = part.sources[0].parent_position if order.each else None
    return f"Combination {number}" if of is None else f"From picture {of}"


def _price(painted: list[_PaintedPart], kept: tuple[NewPicture, ...]) -> int | None:
    """Of what was kept; None where a part has no known price."""
    total = 0
    for part in painted:
        if part.planned.price is None:
            return None
        made = sum(picture.part == part.number for picture in kept)
        total += part.planned.price * made // part.request.count
    return total


def _finish_all(
    painted: list[_PaintedPart], generation: Generation
) -> tuple[tuple[NewPicture, ...], dict[str, bytes]]:
    """Whole pictures with their recipes; what is broken is left out, unless all are.

    Raises:
        BadAnswer: not one is a whole picture.
    """
    finished: list[NewPicture] = []
    files: dict[str, bytes] = {}
    broken: BadAnswer | None = None
    for part in painted:
        for item in part.made[: part.request.count]:
            try:
                picture = _finish(item, generation.id, part)
            except BadAnswer as error:
                broken = error
                continue
            finished.append(_named(picture, generation, len(finished) + 1, part, item))
            files[finished[-1].key] = picture.data
        # They wait for the disk, or for a bucket, once and not twice over.
        part.made.clear()
    if not finished:
        raise broken or bad_answer("no whole picture in it", painted[0].planned.model.id)
    return tuple(finished), files


def _named(
    picture: Picture, generation: Generation, position: int, part: _PaintedPart, item: _Made
) -> NewPicture:
    return NewPicture(
        position=position,
        key=key_of(generation.id, generation.attempt, position, picture.media_type),
        media_type=picture.media_type,
        width=picture.width,
        height=picture.height,
        bytes=len(picture.data),
        seed=part.request.seed if item.seed is None else item.seed,
        part=part.number,
        model=part.planned.model.id,
    )


def _finish(item: _Made, generation_id: str, part: _PaintedPart) -> Picture:
    picture, request = inspect(item.data), part.request
    return embed(
        picture,
        Recipe(
            id=generation_id,
            prompt=request.prompt,
            model=request.model,
            seed=request.seed if item.seed is None else item.seed,
            width=picture.width,
            height=picture.height,
            avoid=request.avoid,
            steps=part.planned.steps,
        ),
    )


def _links_instead(
    refusal: ParameterRefused | RequestRefused, request: ImageRequest, part: Part
) -> tuple[str, ...]:
    """Where a server may not take pictures in the request itself, but fetch them; none else.

    What lies behind a link was not made clean, so it takes a refusal that speaks of pictures.
    """
    if isinstance(refusal, ParameterRefused):
        about_pictures = refusal.parameter in _PICTURES and not refusal.maximum
    else:
        about_pictures = refusal.about_pictures
    if not about_pictures:
        return ()
    links = tuple(source.link for source in part.sources if source.link)
    return links if len(links) == len(part.sources) and links != request.references else ()


def away_note(model: Model, substitute: Model) -> str:
    return f"{model.name} is away just now, so {substitute.name} paints instead."


def _changed(refusal: ParameterRefused | RequestRefused, planned: Plan) -> tuple[str, ...]:
    """What the person should know of a refusal; nothing where they had no part in it."""
    if isinstance(refusal, RequestRefused):
        return ()
    name, option = planned.model.name, _OPTIONS.get(refusal.parameter)
    if refusal.sizes is not None and planned.size is not None:
        return (f"{name} has sizes of its own; the nearest is {planned.size}.",)
    if option is None:
        return ()
    if option == "quality" and refusal.maximum and planned.steps:
        most, got = refusal.maximum, planned.steps
        return (f"{name} takes at most {most} steps, so this was painted with {got}.",)
    return (f"{name} turned down `{option}`, so this was painted without it.",)
