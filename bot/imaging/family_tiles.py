"""Several pictures as one tile: they keep their form, and the tile comes out near a square."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt
from typing import TYPE_CHECKING, Final, NamedTuple

from PIL import Image, ImageOps

from bot.imaging.sheet import GROUND, RECESS, empty_tile, thumbnail

if TYPE_CHECKING:
    from collections.abc import Sequence

PICTURES_MAX: Final = 8

#: Every tile has the area of a square with this side, at full size.
_SIDE = 300
_ASPECT_MAX = 2.5
_GAP = 4
#: One empty place in a mosaic is as bad as a tile this much longer, as a logarithm.
_EMPTY_COST = 0.35


class Share(NamedTuple):
    """A part of a tile, in shares of its width and height."""

    left: float
    top: float
    right: float
    bottom: float

    def box(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        width, height = size
        return (
            round(self.left * width),
            round(self.top * height),
            round(self.right * width),
            round(self.bottom * height),
        )


@dataclass(frozen=True, slots=True)
class Look:
    """What a tile shows: pictures, small already, None where one is broken, and their places.

    Attributes:
        size: of the tile, at full size.
    """

    pictures: tuple[Image.Image | None, ...]
    shares: tuple[Share, ...]
    size: tuple[float, float]

    @classmethod
    def of(cls, files: Sequence[bytes], kept: int) -> Look:
        """With every picture no larger than `kept`, or what a mosaic needs of that."""
        shown = files[:PICTURES_MAX]
        side = kept if len(shown) == 1 else kept * 2 // 3
        pictures = tuple(thumbnail(file, (side, side)) for file in shown)
        forms = [picture.width / picture.height for picture in pictures if picture]
        if not forms:
            return cls((None,), (Share(0, 0, 1, 1),), (_SIDE, _SIDE))
        shares, aspect = _mosaic(len(shown), clamped(forms[0]))
        root = sqrt(clamped(aspect))
        return cls(pictures, shares, (_SIDE * root, _SIDE / root))

    def drawn(self, size: tuple[int, int], scale: float) -> Image.Image:
        tile = Image.new("RGB", size, RECESS)
        gap = max(1, round(_GAP * scale / 2))
        for picture, share in zip(self.pictures, self.shares, strict=True):
            left, top, right, bottom = share.box(size)
            tile.paste(GROUND, (left - gap, top - gap, right + gap, bottom + gap))
            inner = (
                left + gap * (share.left > 0),
                top + gap * (share.top > 0),
                right - gap * (share.right < 1),
                bottom - gap * (share.bottom < 1),
            )
            room = inner[2] - inner[0], inner[3] - inner[1]
            tile.paste(filled(picture, room), inner[:2])
        return tile


def filled(picture: Image.Image | None, size: tuple[int, int]) -> Image.Image:
    if picture is None:
        return empty_tile(size)
    return ImageOps.fit(picture, size, Image.Resampling.LANCZOS)


def clamped(aspect: float) -> float:
    return min(max(aspect, 1 / _ASPECT_MAX), _ASPECT_MAX)


def _mosaic(count: int, form: float) -> tuple[tuple[Share, ...], float]:
    """The places of so many pictures of that form, and the form of them all together."""
    if count == 3:  # noqa: PLR2004 - the one number that leaves a hole in every grid
        return _one_large(form)
    grids = [(columns, -(-count // columns)) for columns in range(count, 0, -1)]

    def cost(grid: tuple[int, int]) -> float:
        columns, rows = grid
        return abs(log(form * columns / rows)) + _EMPTY_COST * (columns * rows - count)

    columns, rows = min(grids, key=cost)
    shares = tuple(
        Share(column / columns, row / rows, (column + 1) / columns, (row + 1) / rows)
        for row, column in (divmod(index, columns) for index in range(count))
    )
    return shares, form * columns / rows


def _one_large(form: float) -> tuple[tuple[Share, ...], float]:
    """Two small ones beside the first, or below it."""
    if form <= 1:
        beside = Share(0, 0, 2 / 3, 1), Share(2 / 3, 0, 1, 0.5), Share(2 / 3, 0.5, 1, 1)
        return beside, form * 1.5
    below = Share(0, 0, 1, 2 / 3), Share(0, 2 / 3, 0.5, 1), Share(0.5, 2 / 3, 1, 1)
    return below, form / 1.5
