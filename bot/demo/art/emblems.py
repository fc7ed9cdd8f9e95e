"""Draws the little figures and finds each a place in the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from bot.demo.art.brushes import curved, disc, mix, stretched
from bot.demo.art.creatures import CREATURES
from bot.demo.art.things import THINGS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from bot.demo.art.shapes import Emblem, Role, Shape
    from bot.demo.art.words import Colour, Subject

EMBLEMS: Mapping[str, Emblem] = CREATURES | THINGS
_SUPERSAMPLING = 3
_FIXED: Mapping[Role, Colour] = {
    "ink": (32, 30, 42),
    "white": (250, 250, 248),
    "pink": (238, 160, 170),
    "glow": (255, 210, 110),
    "wood": (104, 74, 56),
    "leaf": (78, 134, 80),
    "stone": (112, 112, 122),
    "red": (206, 68, 64),
}
_FEET = 0.97
#: How much of what floats is above the water.
_WATERLINE = 0.86


def draw_emblem(
    emblem: Emblem, side: int, colour: Colour | None, shade: Colour, share: float
) -> Image.Image:
    """The figure on a transparent square; `shade` and its `share` are the hour's light."""
    large = side * _SUPERSAMPLING
    unit = large / 100
    sheet = Image.new("RGBA", (large, large))
    draw = ImageDraw.Draw(sheet)
    palette = _palette(colour or emblem.body, shade, share)
    for shape in emblem.shapes:
        _stroke(draw, shape, palette[shape.role], unit)
    return sheet.reduce(_SUPERSAMPLING)


def _palette(body: Colour, shade: Colour, share: float) -> dict[Role, Colour]:
    roles: dict[Role, Colour] = {
        "body": body,
        "shade": mix(body, (18, 14, 40), 0.3),
        "light": mix(body, (255, 250, 240), 0.72),
        **_FIXED,
    }
    # What glows keeps glowing by night.
    return {
        role: tone if role == "glow" else mix(tone, shade, share) for role, tone in roles.items()
    }


def _stroke(draw: ImageDraw.ImageDraw, shape: Shape, colour: Colour, unit: float) -> None:
    if shape.kind == "line":
        width, *numbers = (n * unit for n in shape.numbers)
        draw.line(numbers, fill=colour, width=max(1, round(width)), joint="curve")
        for x, y in zip(numbers[::2], numbers[1::2], strict=True):
            half = max(0, width / 2 - 0.5)
            draw.ellipse((x - half, y - half, x + half, y + half), fill=colour)
        return
    numbers = [n * unit for n in shape.numbers]
    if shape.kind == "oval":
        draw.ellipse(numbers, fill=colour)
    else:
        draw.polygon(numbers, fill=colour)


def place_subjects(
    picture: Image.Image,
    subjects: Sequence[Subject],
    rng: Random,
    *,
    ground: int,
    water: int | None,
    shade: Colour,
    share: float,
) -> None:
    """Stand, float or fly every subject, spread over the width.

    `ground` is where feet stand; `water` is the horizon of a sea, None on land.
    """
    figures = [subject for subject in subjects for _ in range(subject.count)]
    if not figures:
        return
    room = picture.width / len(figures)
    side = round(min(min(picture.size) * 0.4, room * 0.95))
    for at, subject in enumerate(figures):
        emblem = EMBLEMS[subject.name]
        afloat = emblem.home == "water" and water is not None
        size = max(8, round(side * rng.uniform(0.82, 1.05) * (0.72 if afloat else 1)))
        x = round(room * (at + 0.5) + (room - size) * rng.uniform(-0.4, 0.4) - size / 2)
        foot = _foot(emblem, picture, rng, ground, water)
        stamp = draw_emblem(emblem, size, subject.colour, shade, share)
        if afloat:
            stamp = stamp.crop((0, 0, size, round(size * _WATERLINE)))
        if emblem.home == "ground":
            _shadow(picture, x, foot, size)
        picture.paste(stamp, (x, round(foot - size * _FEET)), stamp)


def _foot(emblem: Emblem, picture: Image.Image, rng: Random, ground: int, water: int | None) -> int:
    height = picture.height
    if emblem.home == "air":
        return round(height * rng.uniform(0.38, 0.52))
    if emblem.home == "water" and water is not None:
        return round(water + (height - water) * rng.uniform(0.4, 0.6))
    return round(ground + height * rng.uniform(0.0, 0.06))


def _shadow(picture: Image.Image, x: int, foot: int, size: int) -> None:
    flat = stretched(disc(max(2, size // 4)), (round(size * 0.8), max(2, round(size * 0.09))))
    mask = curved(flat, lambda v: v / 3)
    picture.paste((6, 8, 20), (x + round(size * 0.1), foot - flat.height // 2), mask)
