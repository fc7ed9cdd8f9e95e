"""How JPEG, PNG and WebP files are built: their parts and their size, without decoding pixels."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence


#: The largest picture that we take at all has 20,000 chunks of 8 KB, if nothing compresses.
PARTS_MAX: Final = 32_768


class MediaType(StrEnum):
    """The three formats that image APIs answer with."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"

    @property
    def extension(self) -> str:
        """For file names, without the dot."""
        return "jpg" if self is MediaType.JPEG else self.value.removeprefix("image/")


class Malformed(ValueError):
    """These bytes break the rules of their format; the text says where, for the log."""


@dataclass(frozen=True, slots=True)
class Part:
    """A JPEG segment, a PNG chunk or a WebP chunk, as offsets into the file.

    Attributes:
        name: the marker's second byte (JPEG), or the four letters of the chunk.
        start, end: the whole part; a JPEG's SOS part includes the scan that follows it.
        body, stop: the payload alone.
    """

    name: bytes
    start: int
    body: int
    stop: int
    end: int

    def whole(self, data: bytes) -> memoryview:
        """Without a copy of it."""
        return memoryview(data)[self.start : self.end]

    def payload(self, data: bytes) -> bytes:
        return data[self.body : self.stop]


@dataclass(frozen=True, slots=True)
class Picture:
    """A whole picture file, as `inspect` found it.

    Attributes:
        width, height: in pixels.
        parts: of the data; empty where nobody has looked for them yet.
    """

    data: bytes
    media_type: MediaType
    width: int
    height: int
    parts: tuple[Part, ...] = field(default=(), repr=False, compare=False)


def sniff(data: bytes) -> MediaType | None:
    """What the first bytes claim, whatever a header or a file name says."""
    if data.startswith(b"\xff\xd8\xff"):
        return MediaType.JPEG
    if data.startswith(_PNG_SIGNATURE):
        return MediaType.PNG
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return MediaType.WEBP
    return None


def parts_of(data: bytes, media_type: MediaType) -> list[Part]:
    """All parts in order up to the format's own end; what may follow that is no picture.

    Raises:
        Malformed: the file is cut off or damaged, or has more parts than any picture needs.
    """
    match media_type:
        case MediaType.JPEG:
            return _jpeg_parts(data)
        case MediaType.PNG:
            return _png_parts(data)
        case MediaType.WEBP:
            return _webp_parts(data)


def size_of(data: bytes, media_type: MediaType, parts: Sequence[Part]) -> tuple[int, int]:
    """Width and height as the decoder will see them.

    Raises:
        Malformed: the part that says so is missing or damaged, or there are no pixels.
    """
    match media_type:
        case MediaType.JPEG:
            width, height = _jpeg_size(data, parts)
        case MediaType.PNG:
            width, height = _png_size(data, parts)
        case MediaType.WEBP:
            width, height = _webp_size(data, parts)
    if not width or not height:
        raise Malformed(f"a picture of {width}x{height}")
    return width, height


def _add(part: Part, parts: list[Part]) -> None:
    # An empty part is a few bytes of the file, and fifty times as many in memory.
    if len(parts) == PARTS_MAX:
        raise Malformed(f"more than {PARTS_MAX} parts by byte {part.start}")
    parts.append(part)


# JPEG: https://www.w3.org/Graphics/JPEG/itu-t81.pdf, annex B

APP0 = b"\xe0"
APP1 = b"\xe1"
_SOS = b"\xda"
_EOI = b"\xd9"
#: Baseline, extended and progressive. No browser shows the lossless and arithmetic kinds.
_FRAMES = (b"\xc0", b"\xc1", b"\xc2")
#: A marker may be led in by any number of fill bytes.
_MARKER = re.compile(rb"\xff+([^\xff\x00])")
#: Inside a scan FF is followed by 00, or it is a restart marker; anything else ends it.
_AFTER_SCAN = re.compile(rb"\xff[^\xff\x00\xd0-\xd7]")


def _jpeg_parts(data: bytes) -> list[Part]:
    parts: list[Part] = []
    start = 2
    while True:
        found = _MARKER.match(data, start)
        if found is None:
            raise Malformed(f"no marker at byte {start} of {len(data)}")
        name, after = found[1], found.end()
        if name == _EOI:
            return [*parts, Part(name, start, after, after, after)]
        stop = after + int.from_bytes(data[after : after + 2])
        if not after + 2 <= stop <= len(data):
            raise Malformed(f"segment {name.hex()} at byte {start} is cut off")
        end = _scan_end(data, stop) if name == _SOS else stop
        _add(Part(name, start, after + 2, stop, end), parts)
        start = end


def _scan_end(data: bytes, start: int) -> int:
    found = _AFTER_SCAN.search(data, start)
    if found is None:
        raise Malformed("the file ends inside the picture, without an end marker")
    return found.start()


def _jpeg_size(data: bytes, parts: Sequence[Part]) -> tuple[int, int]:
    frames = [part for part in parts if part.name in _FRAMES]
    if len(frames) != 1 or not any(part.name == _SOS for part in parts):
        raise Malformed(f"{len(frames)} frame headers, or no scan")
    header = frames[0].payload(data)
    if len(header) < 6:  # noqa: PLR2004 - precision, height, width, number of components
        raise Malformed("the frame header is too short")
    return int.from_bytes(header[3:5]), int.from_bytes(header[1:3])


# PNG: https://www.w3.org/TR/png-3/#5DataRep

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: Length and name before the payload; the checksum after it.
_PNG_HEAD, _PNG_TAIL = 8, 4
_IHDR_LENGTH = 13


def _png_parts(data: bytes) -> list[Part]:
    parts: list[Part] = []
    view = memoryview(data)
    start = len(_PNG_SIGNATURE)
    while not parts or parts[-1].name != b"IEND":
        body = start + _PNG_HEAD
        stop = body + int.from_bytes(data[start : start + 4])
        end = stop + _PNG_TAIL
        if end > len(data):
            raise Malformed(f"the file ends inside the chunk at byte {start}")
        name = data[start + 4 : body]
        if zlib.crc32(view[start + 4 : stop]) != int.from_bytes(data[stop:end]):
            raise Malformed(f"chunk {name!r} at byte {start} has a wrong checksum")
        _add(Part(name, start, body, stop, end), parts)
        start = end
    return parts


def png_chunk(name: bytes, payload: bytes) -> bytes:
    """A chunk with its length and checksum."""
    checksum = zlib.crc32(payload, zlib.crc32(name))
    return len(payload).to_bytes(4) + name + payload + checksum.to_bytes(4)


def _png_size(data: bytes, parts: Sequence[Part]) -> tuple[int, int]:
    head = parts[0]
    if head.name != b"IHDR" or head.stop - head.body != _IHDR_LENGTH:
        raise Malformed("the first chunk is no header")
    if not any(part.name == b"IDAT" for part in parts):
        raise Malformed("no chunk holds pixels")
    header = head.payload(data)
    return int.from_bytes(header[0:4]), int.from_bytes(header[4:8])


# WebP: https://developers.google.com/speed/webp/docs/riff_container

_RIFF_HEAD = 12
_CHUNK_HEAD = 8
_PIXELS = (b"VP8 ", b"VP8L", b"ANMF")
_VP8X_LENGTH = 10
_ALPHA, _XMP = 0x10, 0x04
_FOURTEEN_BITS = 0x3FFF


def _webp_parts(data: bytes) -> list[Part]:
    whole = _CHUNK_HEAD + int.from_bytes(data[4:8], "little")
    if not _RIFF_HEAD < whole <= len(data):
        raise Malformed(f"the file says {whole} bytes and has {len(data)}")
    parts: list[Part] = []
    start = _RIFF_HEAD
    while start < whole:
        body = start + _CHUNK_HEAD
        stop = body + int.from_bytes(data[start + 4 : body], "little")
        if max(body, stop) > whole:
            raise Malformed(f"the chunk at byte {start} is cut off")
        # An odd payload is padded to an even length; some writers forget it at the end.
        end = min(stop + (stop - body) % 2, whole)
        _add(Part(data[start : start + 4], start, body, stop, end), parts)
        start = end
    return parts


def webp_chunk(name: bytes, payload: bytes) -> bytes:
    """A chunk with its length, padded to an even one."""
    return name + len(payload).to_bytes(4, "little") + payload + b"\0" * (len(payload) % 2)


def webp_header(data: bytes, parts: Sequence[Part], *, width: int, height: int) -> bytes:
    """The payload of the extended header, which a file with XMP must have."""
    first = parts[0]
    if first.name == b"VP8X":
        return bytes([data[first.body] | _XMP]) + data[first.body + 1 : first.stop]
    # Of the two simple forms only the lossless one has an alpha bit, in its 32-bit header.
    transparent = first.name == b"VP8L" and _vp8l_bits(data, first) >> 28 & 1
    sides = b"".join((side - 1).to_bytes(3, "little") for side in (width, height))
    return bytes([_XMP | _ALPHA * transparent, 0, 0, 0]) + sides


def _webp_size(data: bytes, parts: Sequence[Part]) -> tuple[int, int]:
    if not any(part.name in _PIXELS for part in parts):
        raise Malformed("no chunk holds pixels")
    first = parts[0]
    match first.name:
        case b"VP8X":
            return _vp8x_size(data, first)
        case b"VP8 ":
            return _vp8_size(data, first)
        case b"VP8L":
            bits = _vp8l_bits(data, first)
            return (bits & _FOURTEEN_BITS) + 1, (bits >> 14 & _FOURTEEN_BITS) + 1
        case name:
            raise Malformed(f"the first chunk is {name!r}")


def _vp8x_size(data: bytes, part: Part) -> tuple[int, int]:
    if part.stop - part.body != _VP8X_LENGTH:
        raise Malformed("the extended header has a wrong length")
    width = int.from_bytes(data[part.body + 4 : part.body + 7], "little")
    height = int.from_bytes(data[part.body + 7 : part.body + 10], "little")
    return width + 1, height + 1


def _vp8_size(data: bytes, part: Part) -> tuple[int, int]:
    """https://www.rfc-editor.org/rfc/rfc6386#section-9.1: a key frame's first ten bytes."""
    found = re.compile(rb".{3}\x9d\x01\x2a(..)(..)", re.DOTALL).match(data, part.body, part.stop)
    if found is None:
        raise Malformed("the picture does not begin with a key frame")
    width, height = (int.from_bytes(side, "little") & _FOURTEEN_BITS for side in found.groups())
    return width, height


def _vp8l_bits(data: bytes, part: Part) -> int:
    """Fourteen bits for each side less one, one for alpha, three for the version."""
    found = re.compile(rb"\x2f(.{4})", re.DOTALL).match(data, part.body, part.stop)
    if found is None:
        raise Malformed("the lossless header is missing")
    return int.from_bytes(found[1], "little")
