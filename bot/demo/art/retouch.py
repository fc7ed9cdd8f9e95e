"""Edits: the reference stays recognisable, and what the instruction names is done to it."""

from __future__ import annotations

from io import BytesIO
from itertools import pairwise
from math import ceil, sqrt
from typing import TYPE_CHECKING, TypeVar

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageOps

from bot.demo.art.brushes import curved, fading, glow, gradient, mix
from bot.demo.art.emblems import place_subjects
from bot.demo.art.finish import add_weather
from bot.demo.art.skies import scatter_stars
from bot.demo.art.words import COLOURS, Colour, Place, Reading, Time, Weather

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

#: Decoding more than this would let one request stall the sandbox.
_PIXELS_MAX = 16_800_000
_FORMATS = ("JPEG", "PNG", "WEBP")
#: The second is a warning, unless warnings are made errors.
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
_NIGHT: Colour = (10, 16, 48)
_GAP_SHARE = 0.012
_PLACE_TINTS: dict[Place, Colour] = {
    Place.HILLS: (112, 150, 92),
    Place.MOUNTAINS: (120, 140, 176),
    Place.FOREST: (58, 124, 78),
    Place.SEA: (48, 128, 176),
    Place.DESERT: (226, 156, 88),
    Place.CITY: (110, 104, 150),
    Place.SPACE: (96, 62, 150),
    Place.MEADOW: (134, 176, 86),
}

Item = TypeVar("Item")


class UnreadableReference(ValueError):
    """A reference that no picture can be read from."""


def retouch(
    references: Sequence[bytes], reading: Reading, size: tuple[int, int], rng: Random
) -> Image.Image:
    picture = _side_by_side([open_reference(data) for data in references], size)
    picture = _coloured(picture, reading, rng)
    picture = _at_time(picture, reading.time, rng)
    picture = _in_weather(picture, reading.weather, rng)
    place_subjects(
        picture,
        [subject for subject in reading.subjects if not subject.present],
        rng,
        ground=round(size[1] * 0.9),
        water=None,
        shade=_NIGHT,
        share=0.3 if reading.time is Time.NIGHT else 0.05,
    )
    if _says_nothing(reading):
        _wash(picture, rng)
    return picture


def open_reference(data: bytes) -> Image.Image:
    """The picture, upright and in RGB; transparent parts turn white."""
    try:
        return _decoded(Image.open(BytesIO(data), formats=_FORMATS))
    except UnreadableReference:
        raise
    except (OSError, SyntaxError, ValueError, *_BOMBS) as error:
        raise UnreadableReference("the picture cannot be decoded") from error


def _decoded(image: Image.Image) -> Image.Image:
    if image.width * image.height > _PIXELS_MAX:
        raise UnreadableReference("the picture is too large")
    upright = ImageOps.exif_transpose(image).convert("RGBA")
    flat = Image.new("RGB", upright.size, (255, 255, 255))
    flat.paste(upright, (0, 0), upright)
    return flat


def _side_by_side(pictures: Sequence[Image.Image], size: tuple[int, int]) -> Image.Image:
    """Every reference fills its part of the canvas, in rows; a pale gap keeps them apart."""
    canvas = Image.new("RGB", size, (244, 240, 232))
    gap = round(min(size) * _GAP_SHARE)
    across = _across(len(pictures), size)
    rows = [pictures[at : at + across] for at in range(0, len(pictures), across)]
    for top, bottom, row in _parts(size[1], gap, rows):
        for left, right, picture in _parts(size[0], gap, row):
            part = (right - left, bottom - top)
            # Aligned at the foot, where the new label covers that of an earlier edit.
            fitted = ImageOps.fit(picture, part, Image.Resampling.BICUBIC, centering=(0.5, 1))
            canvas.paste(fitted, (left, top))
    return canvas


def _across(count: int, size: tuple[int, int]) -> int:
    ideal = sqrt(count * size[0] / size[1])
    return max(1, min(count, ceil(ideal) if size[0] >= size[1] else round(ideal)))


def _parts(length: int, gap: int, items: Sequence[Item]) -> Iterator[tuple[int, int, Item]]:
    """Each item with the start and the end of its share of a length."""
    edges = [round(i * (length + gap) / len(items)) for i in range(len(items) + 1)]
    for (start, end), item in zip(pairwise(edges), items, strict=True):
        yield start, end - gap, item


def _coloured(picture: Image.Image, reading: Reading, rng: Random) -> Image.Image:
    if reading.tint is not None:
        return _tinted(picture, reading.tint, 0.66)
    if reading.place is not None:
        return _tinted(picture, _PLACE_TINTS[reading.place], 0.42)
    # The pictures of one call differ a little in their light, as a model's would.
    return ImageEnhance.Color(picture).enhance(rng.uniform(0.85, 1.2))


def _tinted(picture: Image.Image, tint: Colour, share: float) -> Image.Image:
    dark, bright = mix(tint, (8, 8, 18), 0.85), mix(tint, (255, 255, 250), 0.82)
    toned = ImageOps.colorize(picture.convert("L"), dark, bright, tint)
    return Image.blend(picture, toned, share)


def _at_time(picture: Image.Image, time: Time | None, rng: Random) -> Image.Image:
    match time:
        case None:
            return picture
        case Time.NIGHT:
            return _by_night(picture, rng)
        case Time.DAY:
            return ImageEnhance.Brightness(picture).enhance(1.22)
        case Time.DAWN:
            light = ((255, 190, 196), (255, 224, 190), (255, 236, 214))
        case Time.SUNSET:
            light = ((150, 84, 150), (255, 128, 84), (255, 176, 96))
    shine = gradient(picture.size, light)
    return Image.blend(ImageChops.multiply(picture, shine), shine, 0.22)


def _by_night(picture: Image.Image, rng: Random) -> Image.Image:
    dark = ImageChops.multiply(picture, gradient(picture.size, ((62, 76, 146), (116, 128, 186))))
    dark = Image.blend(dark, Image.new("RGB", picture.size, _NIGHT), 0.12)
    scatter_stars(dark, rng, (70, 86, 140))
    radius = min(picture.size) // 4
    x = round(picture.width * rng.uniform(0.15, 0.85)) - radius
    halo = curved(glow(radius), lambda v: v * 0.6)
    dark.paste((236, 238, 226), (x, -radius // 4), halo)
    return dark


def _in_weather(picture: Image.Image, weather: Weather | None, rng: Random) -> Image.Image:
    match weather:
        case None:
            return picture
        case Weather.SNOW:
            picture = ImageEnhance.Color(picture).enhance(0.6)
            picture.paste((240, 245, 252), (0, 0), fading(picture.size, 30, 60, 180))
        case Weather.AUTUMN:
            picture = _tinted(picture, (222, 132, 58), 0.45)
        case Weather.RAIN | Weather.FOG:
            picture = _tinted(picture, (132, 146, 164), 0.5)
    add_weather(picture, weather, rng)
    return picture


def _says_nothing(reading: Reading) -> bool:
    return reading == Reading()


def _wash(picture: Image.Image, rng: Random) -> None:
    """An instruction in words that the sandbox does not know still shows: colour and a frame."""
    colour = rng.choice(list(COLOURS.values()))
    toned = _tinted(picture, colour, 0.4)
    picture.paste(toned)
    inset = round(min(picture.size) * 0.035)
    box = (inset, inset, picture.width - inset, picture.height - inset)
    line = max(2, round(min(picture.size) * 0.008))
    ImageDraw.Draw(picture).rounded_rectangle(
        box, inset, outline=mix(colour, (255, 255, 255), 0.4), width=line
    )
