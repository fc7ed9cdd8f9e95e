"""What a file claims to be by its first bytes, before anything is decoded.

Nothing here is imported but the standard library: cleaning.py needs it in a bare process.
"""

from __future__ import annotations

import re
import struct
from operator import mul
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator


def kind_of(data: bytes) -> str | None:
    """Which of the formats that are read here the first bytes claim, in Pillow's words."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    return None


# The size


def claimed_size(data: bytes, kind: str) -> tuple[int, int] | None:
    """Width and height by the header; None where it is damaged, which decoding will tell."""
    try:
        match kind:
            case "PNG":
                return _pair(">II", data, 16)
            case "GIF":
                return _pair("<HH", data, 6)
            case "WEBP":
                return _webp_size(data)
            case _:
                return _jpeg_size(data)
    except struct.error:
        return None


_FOURTEEN_BITS = 0x3FFF


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """https://developers.google.com/speed/webp/docs/riff_container."""
    match data[12:16]:
        case b"VP8X":
            sides = data[24:27], data[27:30]
            width, height = (int.from_bytes(side, "little") + 1 for side in sides)
            return width, height
        case b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            return (bits & _FOURTEEN_BITS) + 1, (bits >> 14 & _FOURTEEN_BITS) + 1
        case b"VP8 ":  # its frame has three bytes of tag and three of start code
            width, height = _pair("<HH", data, 26)
            return width & _FOURTEEN_BITS, height & _FOURTEEN_BITS
        case _:
            return None


#: A marker may be led in by any number of fill bytes.
_MARKER = re.compile(rb"\xff+([^\xff\x00])")
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_SCAN = 0xDA


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Their markers, and where they begin behind those, up to the first scan.

    https://www.w3.org/Graphics/JPEG/itu-t81.pdf, annex B.
    """
    start = 2
    while found := _MARKER.match(data, start):
        marker, body = found[1][0], found.end()
        yield marker, body
        if marker == _SCAN:
            return
        start = body + int.from_bytes(data[body : body + 2])


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    for marker, body in _jpeg_segments(data):
        if marker in _FRAMES:
            height, width = _pair(">HH", data, body + 3)
            return width, height
    return None


def _pair(form: str, data: bytes, start: int) -> tuple[int, int]:
    first, second = struct.unpack_from(form, data, start)
    return first, second


# What has to be held as a whole


def is_interlaced(data: bytes) -> bool:
    """Of a PNG."""
    return data[28:29] > b"\0"


def coefficient_bytes(data: bytes) -> float:
    """For each pixel of a JPEG, what has to be held of all scans together; 0 where one is all."""
    held, components, progressive = 0.0, 0, False
    for marker, body in _jpeg_segments(data):
        if marker in _FRAMES:
            components = int.from_bytes(data[body + 7 : body + 8])
            held = _coefficients(data[body + 9 : body + 8 + 3 * components : 3])
            progressive = marker in _PROGRESSIVE
        elif marker == _SCAN:
            in_this = int.from_bytes(data[body + 2 : body + 3])
            return held if progressive or in_this < components else 0.0
    return 0.0


def _coefficients(factors: bytes) -> float:
    """Two bytes each; by the components' sampling, four bits across and four down."""
    across, down = [each >> 4 for each in factors], [each & 15 for each in factors]
    whole = max(across, default=0) * max(down, default=0)
    return 2 * sum(map(mul, across, down)) / whole if whole else 0.0


# What is none of them

#: As much as `seems` looks at.
HEAD: Final = 1024

#: First bytes: https://en.wikipedia.org/wiki/List_of_file_signatures
_SIGNATURES: Final = (
    (b"%PDF-", "a PDF document"),
    (b"BM", "a BMP picture"),
    (b"II*\0", "a TIFF picture or a camera's raw one"),
    (b"MM\0*", "a TIFF picture or a camera's raw one"),
    (b"8BPS", "a Photoshop file"),
    (b"\0\0\1\0", "an icon file"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (b"\xffO\xffQ", "a JPEG 2000 picture"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"OggS", "a video or a sound"),
    (b"ID3", "a sound"),
    (b"fLaC", "a sound"),
    (b"PK\3\4", "a ZIP archive or an office document"),
    (b"Rar!", "an archive"),
    (b"7z\xbc\xaf\x27\x1c", "an archive"),
    (b"\x1f\x8b", "a packed file"),
)
_RIFF = {b"AVI ": "a video", b"WAVE": "a sound"}
#: What may stand before a document's first element.
_PROLOGUE = rb"^(?:\xef\xbb\xbf)?(?>\s+|<\?xml.*?\?>|<!--.*?-->)*+"
_HTML = re.compile(
    _PROLOGUE + rb"<(?:!doctype\s+html|html|head|body|script|meta)\b", re.IGNORECASE | re.DOTALL
)
_SVG = re.compile(_PROLOGUE + rb"(?:<!doctype\s+svg[^>]*>\s*)?<svg\b", re.IGNORECASE | re.DOTALL)

WEB_PAGE: Final = "a web page"


def seems(data: bytes) -> str | None:
    """The kind of file with its article, if its first bytes give it away."""
    head = data[:HEAD]
    for signature, what in _SIGNATURES:
        if head.startswith(signature):
            return what
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _boxed(head)
    if _HTML.match(head):
        return WEB_PAGE
    return "an SVG drawing" if _SVG.match(head) else None


def _boxed(head: bytes) -> str:
    """By the brands in the first box: https://mp4ra.org/registered-types/brands."""
    brands = head[8 : int.from_bytes(head[:4])]
    if b"avi" in brands[:4] or b"avif" in brands:
        return "an AVIF picture"
    if any(brand in brands for brand in (b"heic", b"heix", b"heim", b"mif1", b"msf1", b"hevc")):
        return "a HEIC photo"
    if brands.startswith(b"crx"):
        return "a camera's raw picture"
    return "a sound" if brands.startswith(b"M4A") else "a video"
