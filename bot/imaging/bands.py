"""A PNG in bands of rows, so that it is never in memory as a whole, as Pillow would have it.

https://www.w3.org/TR/png-3/
"""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, Final

from PIL import Image

from bot.imaging.containers import png_chunk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_HEAD = _SIGNATURE + b"\0\0\0\x0dIHDR"
#: Channels by what a header says after the size: depth, colours, and nothing interlaced.
#: Of these Pillow would hold two or four bytes for each pixel, of all others one.
_CHANNELS = {
    bytes((depth, colours, 0, 0, 0)): channels
    for depth, colours, channels in (
        *((16, 0, 1), (8, 2, 3), (16, 2, 3)),
        *((8, 4, 2), (16, 4, 2), (8, 6, 4), (16, 6, 4)),
    )
}
#: What does not hold for one row: the size, the pixels, and what makes them move.
_OF_THE_WHOLE = (b"IHDR", b"IDAT", b"acTL", b"fcTL", b"fdAT")
#: Of so many bytes the rest, not yet unpacked, is copied again and again.
_PIECE = 1 << 16


def comes_in_bands(data: bytes) -> bool:
    """Whether it is a PNG that can be read so, and is worth it."""
    return data.startswith(_HEAD) and data[24:29] in _CHANNELS


class Bands:
    """A PNG that `comes_in_bands`."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._channels = _CHANNELS[data[24:29]]
        self._is_deep = data[24] > 8  # noqa: PLR2004 - bits
        width, height = struct.unpack_from(">II", data, 16)
        self.size: tuple[int, int] = width, height
        #: Of a row with its filter.
        self._length = 1 + width * self._channels * (1 + self._is_deep)

    def first_row(self) -> bytes:
        """A PNG of that alone, with everything that accompanies the pixels."""
        (row,) = _unpacked(self._data, [self._length])
        header = struct.pack(">II", self.size[0], 1) + self._data[24:29]
        parts: list[bytes | memoryview] = [_SIGNATURE, png_chunk(b"IHDR", header)]
        waits = True
        for name, chunk in _chunks(self._data):
            if name == b"IDAT" and waits:
                parts.append(_idat(row))
                waits = False
            elif name not in _OF_THE_WHOLE:
                parts.append(chunk)
        return b"".join(parts)

    def of(self, rows: int) -> Iterator[Image.Image]:
        """From the top, so many rows in each; what has 16 bits comes with 8."""
        width, height = self.size
        counts = [min(rows, height - top) for top in range(0, height, rows)]
        bands = _unpacked(self._data, (count * self._length for count in counts))
        see_through = self._see_through()
        above = bytes(1 + width * self._channels)
        for count, band in zip(counts, bands, strict=True):
            # Filters build on the row above: it goes along, and is cut off again.
            lines = above + (_shallow(band, self._length) if self._is_deep else band)
            header = struct.pack(">IIB", width, count + 1, 8) + self._data[25:29]
            image = _decoded(png_chunk(b"IHDR", header) + see_through + _idat(lines))
            above = b"\0" + image.crop((0, count, width, count + 1)).tobytes()
            yield image.crop((0, 1, width, count + 1))

    def _see_through(self) -> bytes:
        """The chunks that say which colour is, for 8 bits."""
        colours = [bytes(c[8:14]) for name, c in _chunks(self._data) if name == b"tRNS"]
        if self._is_deep:
            colours = [b"".join(b"\0%c" % high for high in each[::2]) for each in colours]
        return b"".join(png_chunk(b"tRNS", each) for each in colours)


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Names and whole chunks; the last may be cut off."""
    view, start, name = memoryview(data), len(_SIGNATURE), b""
    while start < len(view) and name != b"IEND":
        end = start + 12 + int.from_bytes(view[start : start + 4])
        name = bytes(view[start + 4 : start + 8])
        yield name, view[start:end]
        start = end


def _unpacked(data: bytes, lengths: Iterable[int]) -> Iterator[bytes]:
    """The rows as they are packed, with their filters, so many bytes at a time."""
    packed = _pieces(data)
    unpack = zlib.decompressobj()
    for length in lengths:
        block = bytearray()
        while len(block) < length:
            piece = unpack.unconsumed_tail or next(packed, b"")
            block += unpack.decompress(piece, length - len(block))
            if len(block) < length and (unpack.eof or not piece):
                raise EOFError(f"{len(block)} of {length} bytes")
        yield bytes(block)


def _pieces(data: bytes) -> Iterator[memoryview]:
    for name, chunk in _chunks(data):
        if name == b"IDAT":
            body = chunk[8:-4]
            yield from (body[at : at + _PIECE] for at in range(0, len(body), _PIECE))


def _shallow(band: bytes, length: int) -> bytes:
    """Without the lower bytes: no filter mixes them with the upper ones."""
    starts = range(0, len(band), length)
    return b"".join(band[at : at + 1] + band[at + 1 : at + length : 2] for at in starts)


def _idat(lines: bytes) -> bytes:
    return png_chunk(b"IDAT", zlib.compress(lines, 0))


def _decoded(chunks: bytes) -> Image.Image:
    data = _SIGNATURE + chunks + png_chunk(b"IEND", b"")
    with Image.open(BytesIO(data), formats=("PNG",)) as image:
        image.load()
        return image
