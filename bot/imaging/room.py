"""How many pixels a picture may have, so that there is room for them while they are decoded."""

from __future__ import annotations

from typing import Final, NamedTuple

from bot.imaging.claims import coefficient_bytes, is_interlaced

PIXELS_MAX: Final = 40_000_000
#: As large as WebP goes; the other formats could claim far more.
SIDE_MAX: Final = 16_383

#: All that the process which decodes them may take.
MEMORY_MAX: Final = 200_000_000
#: What decoders may hold of it at once: the process itself takes 31 MB, and the file up to 25.
_DECODED_MAX = 128_000_000


class Room(NamedTuple):
    """For how many pixels.

    Attributes:
        of: the kind of picture of which those are fewer than of all others, if it is one.
    """

    pixels: int
    of: str = ""


def room_for(data: bytes, kind: str) -> Room:
    """By what the header claims."""
    if kind == "WEBP":
        return _among(16, "a WebP")  # four bytes for a pixel, in four places
    if kind == "PNG" and is_interlaced(data):
        return _among(4, "an interlaced PNG")
    if kind == "JPEG" and (held := coefficient_bytes(data)):
        # Large ones are decoded into half of their width and height: four bytes for four pixels.
        return _among(held + 1, "a progressive JPEG")
    return Room(PIXELS_MAX)


def _among(pixel_bytes: float, kind: str) -> Room:
    pixels = int(_DECODED_MAX / pixel_bytes)
    return Room(pixels, kind) if pixels < PIXELS_MAX else Room(PIXELS_MAX)
