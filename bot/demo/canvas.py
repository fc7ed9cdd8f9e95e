"""The sandbox painter's hand: a prompt becomes a landscape, a reference a visible edit. Pure."""

from __future__ import annotations

from io import BytesIO
from random import Random
from typing import TYPE_CHECKING, Literal

from bot.demo.art.brushes import grain, stretched
from bot.demo.art.emblems import place_subjects
from bot.demo.art.finish import add_weather, apply_style, label
from bot.demo.art.grounds import ground_line, paint_ground
from bot.demo.art.retouch import UnreadableReference, open_reference, retouch
from bot.demo.art.scene import imagine
from bot.demo.art.skies import begin
from bot.demo.art.words import Place, Reading, Time, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

__all__ = ["ImageFormat", "UnreadableReference", "paint", "size_of"]

ImageFormat = Literal["jpeg", "png"]

#: Larger canvases are painted at this many pixels and stretched.
_PAINTED_PIXELS = 1_600_000
_PAINTED_SIDE_MIN = 192
_JPEG_QUALITY = 92
_GRAIN = 0.035


def paint(
    prompt: str,
    *,
    width: int,
    height: int,
    seed: int,
    index: int,
    image_format: ImageFormat,
    references: Sequence[bytes] = (),
) -> bytes:
    """One picture of exactly that size; the same arguments always give the same bytes.

    Raises:
        UnreadableReference: one of `references` is no picture.
    """
    theme = Random(prompt)  # noqa: S311 - paints, guards nothing
    rng = Random(f"{prompt}|{seed}|{index}")  # noqa: S311 - likewise
    size = _working_size(width, height)
    reading = read(prompt)
    if references:
        picture = retouch(references, reading, size, rng)
    else:
        picture = _landscape(reading, size, theme, rng)
    picture = apply_style(picture, reading.style)
    picture = grain(picture, rng, _GRAIN)
    if picture.size != (width, height):
        picture = stretched(picture, (width, height))
    label(picture, prompt, across=bool(references))
    return _encode(picture, image_format)


def size_of(reference: bytes) -> tuple[int, int]:
    """Raises `UnreadableReference`; decodes the whole picture, so that a broken one is found."""
    return open_reference(reference).size


def _working_size(width: int, height: int) -> tuple[int, int]:
    """Few enough pixels to be quick, and enough for the figures' finest strokes."""
    scale = min(1.0, (_PAINTED_PIXELS / (width * height)) ** 0.5)
    scale = max(scale, _PAINTED_SIDE_MIN / min(width, height))
    return round(width * scale), round(height * scale)


def _landscape(reading: Reading, size: tuple[int, int], theme: Random, rng: Random) -> Image.Image:
    scene = imagine(reading, theme, rng, size)
    work = begin(scene, size, rng)
    paint_ground(work)
    place_subjects(
        work.picture,
        reading.subjects,
        rng,
        ground=ground_line(work),
        water=scene.horizon if scene.place is Place.SEA else None,
        shade=scene.sky[0],
        share=0.32 if scene.time is Time.NIGHT else 0.12,
    )
    add_weather(work.picture, reading.weather, rng)
    return work.picture


def _encode(picture: Image.Image, image_format: ImageFormat) -> bytes:
    out = BytesIO()
    if image_format == "png":
        picture.save(out, "PNG", compress_level=1)
    else:
        picture.save(out, "JPEG", quality=_JPEG_QUALITY)
    return out.getvalue()
