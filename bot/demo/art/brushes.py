"""Small drawing tools on Pillow: colours, gradients, noise, smooth silhouettes. Pure."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageDraw

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from bot.demo.art.words import Colour

Point = tuple[float, float]

#: Silhouettes are drawn this many times larger and averaged down: smooth edges.
_SUPERSAMPLING = 2
_TILE = 256


def stretched(
    image: Image.Image,
    size: tuple[int, int],
    how: Image.Resampling = Image.Resampling.BICUBIC,
    box: tuple[float, float, float, float] | None = None,
) -> Image.Image:
    # Pillow's own annotation names an array type of a library that is not installed here.
    return image.resize(size, how, box)  # pyright: ignore[reportUnknownMemberType]


def curved(image: Image.Image, curve: Callable[[int], float]) -> Image.Image:
    """Every value of every band through the curve, and held within 0 to 255."""
    table = [max(0, min(255, round(curve(value)))) for value in range(256)]
    # The same annotation as above.
    return image.point(table * len(image.getbands()))  # pyright: ignore[reportUnknownMemberType]


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """`one` at share 0, `other` at share 1."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def gradient(size: tuple[int, int], stops: Sequence[Colour]) -> Image.Image:
    """A vertical gradient; two or more stops, evenly spaced from top to bottom."""
    width, height = size
    column = Image.frombytes("RGB", (1, len(stops)), bytes(v for stop in stops for v in stop))
    # Stretching puts half a pixel of flat colour at both ends: cut it off.
    box = (0, 0.5, 1, len(stops) - 0.5)
    smooth = stretched(column, (1, height), Image.Resampling.BILINEAR, box)
    return stretched(smooth, (width, height), Image.Resampling.NEAREST)


def fading(size: tuple[int, int], *values: int) -> Image.Image:
    """A mask that goes from value to value, top to bottom."""
    return gradient(size, [(value, value, value) for value in values]).getchannel(0)


def silhouette(size: tuple[int, int], outline: Sequence[Point]) -> Image.Image:
    """A mask of the polygon, with smooth edges."""
    width, height = size
    factor = _SUPERSAMPLING
    mask = Image.new("L", (width * factor, height * factor))
    scaled = [(x * factor, y * factor) for x, y in outline]
    ImageDraw.Draw(mask).polygon(scaled, fill=255)
    return mask.reduce(factor)


def fill(picture: Image.Image, outline: Sequence[Point], stops: Sequence[Colour]) -> None:
    """Paint a polygon that reaches no higher than it must, so that only its part is touched."""
    top = max(0, int(min(y for _, y in outline)))
    size = (picture.width, picture.height - top)
    if size[1] < 1:
        return
    mask = silhouette(size, [(x, y - top) for x, y in outline])
    picture.paste(gradient(size, stops), (0, top), mask)


def glow(radius: int) -> Image.Image:
    """A round mask that fades from its middle to nothing."""
    # Pillow's own gradient reaches 255 in the corners and 178 at the sides.
    round_fall = curved(Image.radial_gradient("L"), lambda v: 255 * max(0, 1 - v / 178) ** 2)
    return stretched(round_fall, (2 * radius, 2 * radius), Image.Resampling.BILINEAR)


def disc(radius: int) -> Image.Image:
    """A round mask with a smooth edge."""
    large = Image.new("L", (8 * radius, 8 * radius))
    ImageDraw.Draw(large).ellipse((0, 0, 8 * radius - 1, 8 * radius - 1), fill=255)
    return large.reduce(4)


def noise(rng: Random, size: tuple[int, int], cells: tuple[int, int]) -> Image.Image:
    """Soft grey noise: few random cells, and finer ones over them, stretched smoothly."""
    layers = [_cells(rng, size, (cells[0] * k, cells[1] * k)) for k in (1, 2, 5)]
    coarse = Image.blend(layers[0], layers[1], 0.36)
    return Image.blend(coarse, layers[2], 0.16)


def _cells(rng: Random, size: tuple[int, int], cells: tuple[int, int]) -> Image.Image:
    small = Image.frombytes("L", cells, rng.randbytes(cells[0] * cells[1]))
    return stretched(small, size)


def profile(rng: Random, halvings: int, roughness: float) -> list[float]:
    """2**halvings + 1 heights of about 0 to 1 by midpoint displacement.

    `roughness` is how much of a step's play the next finer step keeps: 0.3 rolls, 0.6 is craggy.
    """
    heights = [rng.random(), rng.random()]
    play = 0.5
    for _ in range(halvings):
        between = [(a + b) / 2 + rng.uniform(-play, play) for a, b in pairwise(heights)]
        heights = [h for pair in zip(heights, between, strict=False) for h in pair] + heights[-1:]
        play *= roughness
    low, high = min(heights), max(heights)
    return [(h - low) / (high - low or 1) for h in heights]


def skyline(
    heights: Sequence[float], width: int, base: float, rise: float, floor: int
) -> list[Point]:
    """The heights as a closed outline across the picture, standing on its floor."""
    step = width / (len(heights) - 1)
    edge = [(i * step, base - h * rise) for i, h in enumerate(heights)]
    return [*edge, (width, floor), (0, floor)]


def grain(picture: Image.Image, rng: Random, strength: float) -> Image.Image:
    """A little film grain, which also hides the steps of smooth gradients."""
    tile = Image.frombytes("L", (_TILE, _TILE), rng.randbytes(_TILE * _TILE))
    tile = curved(tile, lambda v: 128 + (v - 128) * strength)
    sheet = Image.new("L", picture.size)
    for x in range(0, picture.width, _TILE):
        for y in range(0, picture.height, _TILE):
            sheet.paste(tile, (x, y))
    return ImageChops.add(picture, Image.merge("RGB", (sheet,) * 3), 1, -128)
