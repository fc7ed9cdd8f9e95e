"""The message that a generation becomes: what it says, and its files."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, asynccontextmanager
from io import BytesIO
from typing import TYPE_CHECKING

import discord

from bot.imaging.pictures import fit, inspect
from bot.views.wording import (
    ALT_TEXT_MAX,
    CONTENT_MAX,
    REQUEST_BYTES_MAX,
    clip,
    code,
    dollars,
    seconds,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from bot.imaging.pictures import Picture
    from bot.studio.generation import Generation, KeptPicture
    from bot.studio.studio import Studio

#: In the message; the whole prompt stands in each picture's details and alt text.
_PROMPT_SHOWN = 300


def caption(studio: Studio, generation: Generation, pictures: Sequence[KeptPicture]) -> str:
    """One line with the prompt and who asked, one quiet line with how it was made."""
    lines = [
        f"{code(generation.order.prompt, _PROMPT_SHOWN)} by <@{generation.person_id}>",
        f"-# {facts_of(studio, generation, pictures)}",
        *(f"-# {note}" for note in generation.notes),
    ]
    return clip("\n".join(lines), CONTENT_MAX)


def facts_of(studio: Studio, generation: Generation, pictures: Sequence[KeptPicture]) -> str:
    """Model, size, style, seed, price and time, as far as they are known."""
    parts = [studio.model_name(generation)]
    if generation.order.style:
        parts.append(generation.order.style)
    if pictures:
        parts.append(str(pictures[0].size))
    parts.append(f"seed {generation.seed}")
    if generation.price:
        parts.append(f"about {dollars(generation.price)}")
    if generation.painted_at and generation.painting_at:
        parts.append(seconds(generation.painted_at - generation.painting_at))
    return " · ".join(parts)


def alt_text(studio: Studio, generation: Generation, picture: KeptPicture, of: int) -> str:
    """What a screen reader says: that it was made by a machine, by which, and of what."""
    number = f"Picture {picture.position} of {of}. " if of > 1 else ""
    made_with = f"{number}AI-generated with {studio.model_name(generation)}"
    return clip(f"{made_with}: {generation.prompt_of(picture)}", ALT_TEXT_MAX)


@asynccontextmanager
async def files_of(
    studio: Studio,
    generation: Generation,
    pictures: Sequence[KeptPicture],
    *,
    file_limit: int,
    made: int | None = None,
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
    """
    limit = min(file_limit, REQUEST_BYTES_MAX // max(1, len(pictures)))
    with ExitStack() as buffers:
        files: list[discord.File] = []
        for picture, data in zip(pictures, await studio.files(pictures), strict=True):
            sent, extension = await _sized(data, limit, picture.media_type.extension)
            file = discord.File(
                buffers.enter_context(BytesIO(sent)),
                filename=f"{generation.id}-{picture.position}.{extension}",
                description=alt_text(studio, generation, picture, made or len(pictures)),
            )
            files.append(file)
        yield files


async def _sized(data: bytes, limit: int, extension: str) -> tuple[bytes, str]:
    if len(data) <= limit:
        return data, extension
    smaller = await asyncio.to_thread(_fit, data, limit)
    return smaller.data, smaller.media_type.extension


def _fit(data: bytes, limit: int) -> Picture:
    return fit(inspect(data), limit)
