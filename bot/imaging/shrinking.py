"""Large pictures made small in bands and strips, so that they are in memory but once.

Pillow works on wholes: in other colours, half resized and resized, it would be there four times.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: What comes out: more helps no model.
CLEAN_PIXELS_MAX: Final = 4_000_000

#: Pixels of the original that are converted at a time.
_BAND = 1 << 18
#: Rows of the result that are resized at a time, and how far around each the filter looks.
_STRIP, _REACH = 128, 3


def factor_for(size: tuple[int, int]) -> int:
    """By how much to reduce it: a little too much is better than the memory of a fine step."""
    width, height = size
    return max(1, int(math.sqrt(width * height / CLEAN_PIXELS_MAX) + 0.3))


def reduced(
    sample: Image.Image, size: tuple[int, int], bands: Callable[[int], Iterator[Image.Image]]
) -> Image.Image:
    """By whole steps about as small as it has to be.

    Args:
        sample: the picture, or a part of it in the same colours.
        size: of the picture.
        bands: cuts it into so many rows each.
    """
    mode = _mode_for(sample)
    width, height = size
    factor = factor_for(size)
    if (factor, mode, size) == (1, sample.mode, sample.size):
        return sample
    small = Image.new(mode, (math.ceil(width / factor), math.ceil(height / factor)))
    rows = max(1, _BAND // (width * factor))
    for place, band in enumerate(bands(rows * factor)):
        small.paste(_in_eight_bits(band).convert(mode).reduce(factor), (0, place * rows))
    return small


def cut(image: Image.Image, rows: int) -> Iterator[Image.Image]:
    """Into bands of so many rows, the last of what is left."""
    width, height = image.size
    for top in range(0, height, rows):
        yield image.crop((0, top, width, min(top + rows, height)))


def fitted(image: Image.Image) -> Image.Image:
    """With no more pixels than may come out; the rest of the way, by a fine step."""
    size = width, height = _within(image.size)
    if size == image.size:
        return image
    scale = image.height / height
    around = math.ceil(_REACH * scale)
    result = Image.new(image.mode, size)
    for top in range(0, height, _STRIP):
        bottom = min(top + _STRIP, height)
        first = max(0, int(top * scale) - around)
        last = min(image.height, math.ceil(bottom * scale) + around)
        box = (0, top * scale - first, image.width, min(bottom * scale, image.height) - first)
        strip = image.crop((0, first, image.width, last)).resize(  # pyright: ignore[reportUnknownMemberType] - knows no NumPy
            (width, bottom - top), Image.Resampling.LANCZOS, box
        )
        result.paste(strip, (0, top))
    return result


def _within(size: tuple[int, int]) -> tuple[int, int]:
    width, height = size
    scale = min(1.0, math.sqrt(CLEAN_PIXELS_MAX / (width * height)))
    return max(1, int(width * scale)), max(1, int(height * scale))


def _mode_for(image: Image.Image) -> str:
    if image.mode.startswith("I"):
        return "L"  # 16 bits of grey, of which Pillow makes nothing see-through
    if image.has_transparency_data:
        return "RGBA"
    return image.mode if image.mode in ("L", "CMYK") else "RGB"


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """Pillow would cut off all that is brighter than 255 of 65,535."""
    if not image.mode.startswith("I"):
        return image
    return image.point(lambda value: value * (1 / 256))  # pyright: ignore[reportUnknownMemberType] - untyped there
