"""Pictures that an earlier holder kept, and did not live to write down: paid for once."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from bot.errors import BadAnswer
from bot.imaging import recipe
from bot.imaging.archive import key_for
from bot.imaging.model import total
from bot.imaging.pictures import MediaType, inspect
from bot.imaging.request import Size
from bot.store.generations import NewPicture

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bot.imaging.archive import Archive
    from bot.imaging.catalogue import Catalogue
    from bot.imaging.recipe import Recipe
    from bot.studio.generation import Generation


async def kept_before(
    archive: Archive, generation: Generation
) -> tuple[tuple[NewPicture, ...], tuple[Recipe, ...]] | None:
    """Every picture of the newest attempt that kept them all, and the recipe of each."""
    # Of as many pictures as were wanted, each is where its part has it.
    parts = [
        number for number, part in enumerate(generation.order.parts) for _ in range(part.count)
    ]
    for attempt in reversed(range(1, generation.attempt)):
        found = [
            await _find(archive, generation.id, attempt, *where)
            for where in enumerate(parts, start=1)
        ]
        whole = [each for each in found if each is not None]
        if len(whole) == len(found):
            return tuple(picture for picture, _ in whole), tuple(written for _, written in whole)
    return None


def price_of(recipes: Sequence[Recipe], catalogue: Catalogue) -> int | None:
    """Estimated, in micro-dollars; None where the price of one is unknown."""
    alike = Counter((each.model, Size(each.width, each.height), each.steps) for each in recipes)
    return total(
        catalogue.price(catalogue.get(model), size, count, steps)
        for (model, size, steps), count in alike.items()
    )


def key_of(generation_id: str, attempt: int, position: int, media_type: MediaType) -> str:
    """Each attempt has names of its own: who comes too late overwrites nobody's pictures."""
    return key_for(generation_id, 100 * (attempt - 1) + position, media_type)


async def clear_away(archive: Archive, generation: Generation, kept: Collection[str]) -> None:
    """Forgets what attempts up to this one have left, and no row names.

    Raises:
        StoreUnavailable: the archive cannot be written to.
    """
    for attempt in range(1, generation.attempt + 1):
        for position in range(1, generation.order.wanted + 1):
            for media_type in MediaType:
                key = key_of(generation.id, attempt, position, media_type)
                if key not in kept:
                    await archive.delete(key)


async def _find(
    archive: Archive, generation_id: str, attempt: int, position: int, part: int
) -> tuple[NewPicture, Recipe] | None:
    for media_type in MediaType:
        key = key_of(generation_id, attempt, position, media_type)
        if await archive.exists(key):
            [data] = await archive.get(key)
            return await asyncio.to_thread(_read, data, key, position, part)
    return None


def _read(data: bytes, key: str, position: int, part: int) -> tuple[NewPicture, Recipe] | None:
    written = recipe.read(data)
    try:
        picture = inspect(data)
    except BadAnswer:
        return None
    if written is None:
        return None
    kept = NewPicture(
        position=position,
        key=key,
        media_type=picture.media_type,
        width=picture.width,
        height=picture.height,
        bytes=len(data),
        seed=written.seed,
        part=part,
        model=written.model,
    )
    return kept, written
