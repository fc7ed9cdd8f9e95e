"""One generation from its order to the archive: plan, call, check, keep."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import BadAnswer, ModelGone, PaintingFailed, ParameterRefused
from bot.imaging.archive import key_for
from bot.imaging.failures import bad_answer
from bot.imaging.pictures import Picture, inspect
from bot.imaging.recipe import Recipe, embed
from bot.imaging.request import Size
from bot.store.generations import NewPicture
from bot.studio.prompts import compose
from bot.studio.salvage import kept_before

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.imaging.archive import Archive
    from bot.imaging.catalogue import Catalogue
    from bot.imaging.model import Model
    from bot.imaging.pacing import Pace
    from bot.imaging.plan import Call, Plan
    from bot.imaging.request import ImageRequest
    from bot.imaging.together import Together
    from bot.studio.generation import Generation

#: How often a refused parameter or a missing model leads to another plan.
_PLANS = 5
#: What people chose when the API objects to a parameter; they have no part in the others.
_OPTIONS = {
    **dict.fromkeys(("width", "height", "width/height", "dimensions", "aspect_ratio"), "shape"),
    "negative_prompt": "avoid",
    "steps": "quality",
}
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


class Painter:
    """Paints generations; knows the API, its pace, and where pictures are kept."""

    def __init__(
        self,
        catalogue: Catalogue,
        together: Together,
        pace: Pace,
        archive: Archive,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._catalogue = catalogue
        self._together = together
        self._pace = pace
        self._archive = archive
        self._sleep = sleep

    async def paint(self, generation: Generation) -> Painted:
        """Every picture is in the archive, synced, when this returns.

        Raises:
            PaintingFailed: no picture came of it.
            StoreUnavailable: the archive cannot be written to.
        """
        if generation.attempt > 1 and (salvaged := await self._salvaged(generation)):
            return salvaged
        request = self._request(generation, generation.order.model or "")
        planned = self._catalogue.plan(request)
        notes: list[str] = []
        for plans_left in reversed(range(_PLANS)):
            try:
                made = await self._call_all(planned)
            except ParameterRefused as refusal:
                wiser = self._catalogue.learn(planned.model.id, refusal, since=planned.model)
                if not plans_left or not wiser:
                    raise
                await self._sleep(_PAUSE_AFTER_REFUSAL_S)
                refused, planned = planned, self._catalogue.plan(request)
                if not set(planned.notes) - set(refused.notes):
                    notes.extend(_changed(refusal, planned))
            except ModelGone:
                self._catalogue.mark_away(planned.model.id)
                substitute = self._catalogue.substitute(planned.model)
                if not plans_left or substitute is None:
                    raise
                notes.append(away_note(planned.model, substitute))
                request = self._request(generation, substitute.id)
                planned = self._catalogue.plan(request)
            else:
                return await self._keep(generation, request, planned, made, notes)
        raise AssertionError  # the last plan returns or raises

    async def _salvaged(self, generation: Generation) -> Painted | None:
        found = await kept_before(self._archive, generation)
        if found is None:
            return None
        pictures, written = found
        model = self._catalogue.get(written.model)
        size = Size(written.width, written.height)
        price = self._catalogue.price(model, size, len(pictures), written.steps)
        return Painted(pictures, model.id, written.steps, price, notes=())

    def _request(self, generation: Generation, model_id: str) -> ImageRequest:
        return compose(generation.order, model=model_id, seed=generation.seed)

    async def _call_all(self, planned: Plan) -> list[_Made]:
        """The pictures of every call that succeeded; the first failure when none did."""
        answers = await asyncio.gather(
            *(self._call(planned.model, call) for call in planned.calls), return_exceptions=True
        )
        made: list[_Made] = []
        failures: list[BaseException] = []
        for answer in answers:
            if isinstance(answer, BaseException):
                failures.append(answer)
            else:
                made.extend(answer)
        for failure in failures:
            if not made or not isinstance(failure, PaintingFailed):
                raise failure
        return made

    async def _call(self, model: Model, call: Call) -> list[_Made]:
        answer = await self._pace.run(
            lambda: self._together.paint(call.fields, model.id), model=model.id
        )
        seed = call.fields.get("seed")
        return [_Made(data, seed if isinstance(seed, int) else None) for data in answer.pictures]

    async def _keep(
        self,
        generation: Generation,
        request: ImageRequest,
        planned: Plan,
        made: list[_Made],
        notes: list[str],
    ) -> Painted:
        finished = await asyncio.to_thread(
            _finish_all, made[: request.count], generation.id, request, planned.steps
        )
        # They wait for the disk, or for a bucket, once and not twice over.
        made.clear()
        if not finished:
            raise bad_answer("no whole picture in it", planned.model.id)
        await self._archive.put({picture.key: data for picture, data in finished})
        kept = [picture for picture, _ in finished]
        missing = request.count - len(kept)
        if missing:
            notes.append(
                f"{len(kept)} of {request.count} pictures came back; what is missing was not "
                "charged."
            )
        price = None if planned.price is None else planned.price * len(kept) // request.count
        return Painted(
            pictures=tuple(kept),
            model=planned.model.id,
            steps=planned.steps,
            price=price,
            notes=(*planned.notes, *notes),
        )


def _finish_all(
    made: list[_Made], generation_id: str, request: ImageRequest, steps: int | None
) -> list[tuple[NewPicture, bytes]]:
    """Whole pictures with their recipes; what is broken is left out, unless all are.

    Raises:
        BadAnswer: not one is a whole picture.
    """
    finished: list[tuple[NewPicture, bytes]] = []
    broken: BadAnswer | None = None
    for item in made:
        try:
            picture = _finish(item, generation_id, request, steps)
        except BadAnswer as error:
            broken = error
            continue
        position = len(finished) + 1
        kept = NewPicture(
            position=position,
            key=key_for(generation_id, position, picture.media_type),
            media_type=picture.media_type,
            width=picture.width,
            height=picture.height,
            bytes=len(picture.data),
            seed=request.seed if item.seed is None else item.seed,
        )
        finished.append((kept, picture.data))
    if broken is not None and not finished:
        raise broken
    return finished


def _finish(item: _Made, generation_id: str, request: ImageRequest, steps: int | None) -> Picture:
    picture = inspect(item.data)
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
            steps=steps,
        ),
    )


def away_note(model: Model, substitute: Model) -> str:
    return f"{model.name} is away just now, so {substitute.name} paints instead."


def _changed(refusal: ParameterRefused, planned: Plan) -> tuple[str, ...]:
    """What the person should know of a refusal; nothing where they had no part in it."""
    name, option = planned.model.name, _OPTIONS.get(refusal.parameter)
    if refusal.sizes is not None and planned.size is not None:
        return (f"{name} has sizes of its own; the nearest is {planned.size}.",)
    if option is None:
        return ()
    if option == "quality" and refusal.maximum and planned.steps:
        most, got = refusal.maximum, planned.steps
        return (f"{name} takes at most {most} steps, so this was painted with {got}.",)
    return (f"{name} turned down `{option}`, so this was painted without it.",)
