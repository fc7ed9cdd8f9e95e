"""Orders and their ends: delivered with a picture, or refused with a sentence."""

from __future__ import annotations

import itertools
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image

from wire.books import rows

if TYPE_CHECKING:
    from wire.asked import Asked
    from wire.files import File
    from wire.messages import Message
    from wire.town import Town
    from wire.world import Channel

#: Each far from the others, for pictures that can be told apart.
_SHADES = itertools.cycle(itertools.permutations((20, 90, 160, 230), 3))


def paint(*_: object, width: int, height: int, **__: object) -> bytes:
    """A plain picture, and another one each time."""
    buffer = BytesIO()
    Image.new("RGB", (width, height), next(_SHADES)).save(buffer, "JPEG")
    return buffer.getvalue()


async def end_of(town: Town, asked: Asked) -> Message:
    """Its result, once nothing else is to come."""
    result = await asked.result()
    assert await town.ended(asked) == "delivered"
    return result


async def painted(town: Town, channel: Channel | None = None, **options: object) -> Message:
    """What ann asked for."""
    return await end_of(town, await town.imagine(channel or town.channel(), **options))


def bytes_of(file: File) -> bytes:
    assert file.data is not None, f"the bytes of {file.name} were not kept"
    return file.data


def id_of(result: Message) -> str:
    """Of the generation that a message shows."""
    return result.files[0].name.partition("-")[0]


def parent_of(town: Town, result: Message) -> str:
    sql = f"SELECT parent_id FROM sources WHERE generation_id = '{id_of(result)}'"
    return rows(town, sql)[0]["parent_id"]


async def opened(asked: Asked) -> Asked:
    """A form, once it is before the person's eyes."""
    await asked.form()
    return asked


async def check_refused(asked: Asked, sentence: str) -> None:
    """In private, and nothing else remains of it."""
    told = await asked.whisper()
    assert sentence in told.content
    if asked.interaction.original is not told:
        await asked.gone()
    assert asked.said == [told]
    assert asked.interaction.channel.shown == []
