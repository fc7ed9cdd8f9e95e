"""The message that a generation becomes: what it says, and its files."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, asynccontextmanager
from io import BytesIO
from typing import TYPE_CHECKING

import discord

from bot.errors import NotFound
from bot.imaging.pictures import conceal, fit, inspect
from bot.views.asking import viewer_of
from bot.views.lineage import aloud, came_of
from bot.views.wording import (
    ALT_TEXT_MAX,
    CONTENT_MAX,
    REQUEST_BYTES_MAX,
    clip,
    code,
    dollars,
    listed,
    seconds,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from bot.imaging.pictures import Picture
    from bot.studio.generation import Generation, KeptPicture, Shown
    from bot.studio.studio import Studio
    from bot.views.base import Interaction

#: In the message; the whole prompt stands in each picture's details and alt text.
_PROMPT_SHOWN = 300
_MODELS_SHOWN = 4


async def find(
    interaction: Interaction, generation_id: str, position: int
) -> tuple[Shown, KeptPicture]:
    """One picture, where whoever asks may see it.

    Raises:
        NotFound: there is none, or it is not theirs to see.
    """
    shown = await interaction.client.studio.see(generation_id, viewer_of(interaction))
    for picture in shown.pictures:
        if picture.position == position:
            return shown, picture
    raise NotFound


def caption(studio: Studio, generation: Generation, pictures: Sequence[KeptPicture]) -> str:
    """One line with the prompt and who asked; quiet ones with what it came of, and how."""
    words, order = generation.order.prompt, generation.order
    if len(pictures) == 1:
        # By itself it has words of its own, and may have come about in a way of its own.
        words, order = generation.prompt_of(pictures[0]), generation.order_of(pictures[0])
    origin = came_of(order)
    quiet = [origin] if origin else []
    quiet += [facts_of(studio, generation, pictures), *generation.notes]
    lines = [
        f"{code(words, _PROMPT_SHOWN)} by <@{generation.person_id}>",
        *(f"-# {line}" for line in quiet),
    ]
    return clip("\n".join(lines), CONTENT_MAX)


def facts_of(studio: Studio, generation: Generation, pictures: Sequence[KeptPicture]) -> str:
    """Model, size, style, seed, price and time, as far as they are known."""
    parts = [_painters(studio, generation, pictures)]
    if generation.order.style:
        parts.append(generation.order.style)
    sizes = {picture.size for picture in pictures}
    # Models have sizes of their own; where those differ, they stand in the details.
    if len(sizes) == 1 or (sizes and not generation.order.compares_models):
        parts.append(str(pictures[0].size))
    parts.append(f"seed {generation.seed}")
    if generation.price:
        parts.append(f"about {dollars(generation.price)}")
    if generation.painted_at and generation.painting_at:
        parts.append(seconds(generation.painted_at - generation.painting_at))
    return " · ".join(parts)


def _painters(studio: Studio, generation: Generation, pictures: Sequence[KeptPicture]) -> str:
    """The models, in the order of their pictures."""
    names = list(dict.fromkeys(studio.model_name(generation, picture) for picture in pictures))
    return listed(names, _MODELS_SHOWN) or studio.model_name(generation)


def alt_text(
    studio: Studio, generation: Generation, picture: KeptPicture, of: int, *, blind: bool = False
) -> str:
    """What a screen reader says: that it was made by a machine, by which, of what, and what."""
    number = f"Picture {picture.position} of {of}. " if of > 1 else ""
    origin = aloud(generation.order_of(picture))
    painter = "" if blind else f" with {studio.model_name(generation, picture)}"
    made_with = f"{number}AI-generated{painter}{origin}"
    return clip(f"{made_with}: {generation.prompt_of(picture)}", ALT_TEXT_MAX)


@asynccontextmanager
async def files_of(
    studio: Studio,
    generation: Generation,
    pictures: Sequence[KeptPicture],
    *,
    file_limit: int,
    made: int | None = None,
    blind: bool = False,
) -> AsyncGenerator[list[discord.File]]:
    """The pictures as uploads, each made small enough for the place it goes to.

    Their bytes are let go of at the end: the request that carried them is a cycle of objects,
    which the collector may leave in memory for long.

    Args:
        studio: has the bytes.
        generation: what they came of.
        pictures: those to upload.
        file_limit: what one file may weigh there, in bytes.
        made: how many there are in all; None when these are all.
        blind: whether nobody is to learn who painted them.
    """
    limit = min(file_limit, REQUEST_BYTES_MAX // max(1, len(pictures)))
    with ExitStack() as buffers:
        files: list[discord.File] = []
        for picture, data in zip(pictures, await studio.files(pictures), strict=True):
            extension = picture.media_type.extension
            if blind:
                concealed = await asyncio.to_thread(_concealed, data)
                data, extension = concealed.data, concealed.media_type.extension  # noqa: PLW2901 - as it is sent
            sent, extension = await _sized(data, limit, extension)
            file = discord.File(
                buffers.enter_context(BytesIO(sent)),
                filename=f"{generation.id}-{picture.position}.{extension}",
                description=alt_text(
                    studio, generation, picture, made or len(pictures), blind=blind
                ),
            )
            files.append(file)
        yield files


async def _sized(data: bytes, limit: int, extension: str) -> tuple[bytes, str]:
    if len(data) <= limit:
        return data, extension
    smaller = await asyncio.to_thread(_fit, data, limit)
    return smaller.data, smaller.media_type.extension


def _concealed(data: bytes) -> Picture:
    return conceal(inspect(data))


def _fit(data: bytes, limit: int) -> Picture:
    return fit(inspect(data), limit)
