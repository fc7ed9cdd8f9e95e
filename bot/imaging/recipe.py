"""How a picture was made, written into the file itself without touching its pixels.

All three formats carry the same XMP packet. It holds the words that photo software shows,
the standard mark of AI-generated media, and the recipe as JSON; a PNG also carries the
"parameters" text that image generators' own tools read.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, unescape

from pydantic import TypeAdapter, ValidationError

from bot.imaging.containers import (
    APP0,
    APP1,
    Malformed,
    MediaType,
    Part,
    parts_of,
    png_chunk,
    sniff,
    webp_chunk,
    webp_header,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.imaging.containers import Picture

# A JPEG segment ends at 65,535 bytes. A character takes up to six bytes in the JSON and five
# in the words beside it, which are there twice: with these limits every recipe fits.
TEXT_MAX: Final = 3000
_WORDS_MAX = 2000
_NAME_MAX = 100

_XMP_NAME = b"http://ns.adobe.com/xap/1.0/\0"
_XMP_MORE_NAME = b"http://ns.adobe.com/xmp/extension/\0"
_EXIF_NAME = b"Exif\0\0"
_PNG_XMP = b"XML:com.adobe.xmp\0"
_PNG_PARAMETERS = b"parameters\0"
_PNG_TEXTS = (b"iTXt", b"tEXt", b"zTXt")

#: What XML cannot hold at all: https://www.w3.org/TR/xml/#charsets
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NONCHARACTER = re.compile("[\ufffe\uffff]")

# https://iptc.org/std/photometadata/specification/: DigitalSourceType is the mark that
# platforms look for, the AI properties are those of version 2025.1.
_PACKET = """\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about=""
 xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:easel="urn:easel:recipe/">
<xmp:CreatorTool>Easel</xmp:CreatorTool>
<Iptc4xmpExt:DigitalSourceType>\
http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia\
</Iptc4xmpExt:DigitalSourceType>
<Iptc4xmpExt:AISystemUsed>{model}</Iptc4xmpExt:AISystemUsed>
<Iptc4xmpExt:AIPromptInformation>{prompt}</Iptc4xmpExt:AIPromptInformation>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{prompt}</rdf:li></rdf:Alt></dc:description>
<easel:recipe>{recipe}</easel:recipe>
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""
# No longer than a segment, so that nobody's megabytes are taken for words.
_RECIPE = re.compile(rb"<easel:recipe>([^<]{0,65535})</easel:recipe>")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What it takes to make the picture again.

    Attributes:
        id: the generation it belongs to.
        width, height: in pixels, as painted; a file that was made smaller keeps these.
        avoid: what should not be in the picture; None when nothing.
        steps, guidance: as sent to the API; None where it chose by itself.
    """

    id: str
    prompt: str
    model: str
    seed: int
    width: int
    height: int
    avoid: str | None = None
    steps: int | None = None
    guidance: float | None = None


_PARSER = TypeAdapter(Recipe)


def embed(picture: Picture, recipe: Recipe) -> Picture:
    """The same picture with the recipe in it; one that is there already is replaced.

    Pixels are neither decoded nor moved. A file has room for one XMP packet, so another
    program's gives way too. Texts are cut at `TEXT_MAX` characters; a character that is
    half a pair of surrogates becomes U+FFFD.

    Args:
        picture: as `inspect` returned it.
        recipe: how it was made.
    """
    kept = _shortened(recipe)
    data, media_type = picture.data, picture.media_type
    # To look for them is to read every byte.
    parts = picture.parts or parts_of(data, media_type)
    match media_type:
        case MediaType.JPEG:
            written = _into_jpeg(data, parts, _packet(kept))
        case MediaType.PNG:
            written = _into_png(data, parts, _packet(kept), _parameters(kept))
        case MediaType.WEBP:
            header = webp_header(data, parts, width=picture.width, height=picture.height)
            written = _into_webp(data, parts, _packet(kept), header)
    return replace(picture, data=written, parts=())


def read(data: bytes) -> Recipe | None:
    """The recipe in any bytes; None when there is none.

    Anybody can write one: it proves nothing, and its texts are as strange as people are.
    """
    media_type = sniff(data)
    if media_type is None:
        return None
    try:
        parts = parts_of(data, media_type)
    except Malformed:
        return None
    for part in parts:
        if _is_xmp(data, part, media_type):
            # Our own packet has a fixed form, so strangers' XML meets no XML parser.
            found = _RECIPE.search(data, part.body, part.stop)
            if found is not None:
                return _parsed(found[1])
    return None


def _parsed(text: bytes) -> Recipe | None:
    try:
        return _PARSER.validate_json(unescape(text.decode()), strict=True)
    except (UnicodeDecodeError, ValidationError):
        return None


def _shortened(recipe: Recipe) -> Recipe:
    return replace(
        recipe,
        id=_cut(recipe.id, _NAME_MAX),
        model=_cut(recipe.model, _NAME_MAX),
        prompt=_cut(recipe.prompt, TEXT_MAX),
        avoid=None if recipe.avoid is None else _cut(recipe.avoid, TEXT_MAX),
    )


def _cut(text: str, limit: int) -> str:
    whole = _SURROGATE.sub("\ufffd", text)
    return whole if len(whole) <= limit else f"{whole[: limit - 1]}…"


def _packet(recipe: Recipe) -> bytes:
    return _PACKET.format(
        model=escape(_words(recipe.model)),
        prompt=escape(_words(_cut(recipe.prompt, _WORDS_MAX))),
        recipe=escape(_json(recipe)),
    ).encode()


def _json(recipe: Recipe) -> str:
    said = {name: value for name, value in asdict(recipe).items() if value is not None}
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    return _NONCHARACTER.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _words(text: str) -> str:
    """For people's eyes: what XML cannot hold becomes a space. The JSON loses nothing."""
    return _NOT_XML.sub(" ", text)


def _parameters(recipe: Recipe) -> bytes:
    """The form that the tools around Stable Diffusion agreed on: prompt, avoid, one line."""
    facts = {
        "Steps": recipe.steps,
        "CFG scale": recipe.guidance,
        "Seed": recipe.seed,
        "Size": f"{recipe.width}x{recipe.height}",
        "Model": recipe.model,
    }
    lines = [recipe.prompt]
    if recipe.avoid is not None:
        lines.append(f"Negative prompt: {recipe.avoid}")
    lines.append(
        ", ".join(f"{name}: {value}" for name, value in facts.items() if value is not None)
    )
    return _words("\n".join(lines)).encode()


def _is_xmp(data: bytes, part: Part, media_type: MediaType) -> bool:
    """Whether this part holds an XMP packet, or more of one, whoever wrote it."""
    match media_type:
        case MediaType.JPEG:
            names = (_XMP_NAME, _XMP_MORE_NAME)
            return part.name == APP1 and data.startswith(names, part.body, part.stop)
        case MediaType.PNG:
            return _is_png_text(data, part, _PNG_XMP)
        case MediaType.WEBP:
            return part.name == b"XMP "


def _is_png_text(data: bytes, part: Part, keyword: bytes) -> bool:
    return part.name in _PNG_TEXTS and data.startswith(keyword, part.body, part.stop)


def _into_jpeg(data: bytes, parts: Sequence[Part], packet: bytes) -> bytes:
    # JFIF and Exif each ask to stand first, so the packet comes after both.
    payload = _XMP_NAME + packet
    segment = b"\xff" + APP1 + (len(payload) + 2).to_bytes(2) + payload
    kept = [part for part in parts if not _is_xmp(data, part, MediaType.JPEG)]
    first = sum(1 for _ in takewhile(lambda part: _stands_first(data, part), kept))
    pieces = [part.whole(data) for part in kept]
    return b"".join([data[:2], *pieces[:first], segment, *pieces[first:]])


def _stands_first(data: bytes, part: Part) -> bool:
    is_exif = part.name == APP1 and data.startswith(_EXIF_NAME, part.body, part.stop)
    return part.name == APP0 or is_exif


def _into_png(data: bytes, parts: Sequence[Part], packet: bytes, parameters: bytes) -> bytes:
    # https://www.w3.org/TR/png-3/#11iTXt: keyword, not compressed, no language, no translation
    flags = b"\0\0\0\0"
    header, *rest = (
        part
        for part in parts
        if not _is_png_text(data, part, _PNG_XMP) and not _is_png_text(data, part, _PNG_PARAMETERS)
    )
    return b"".join(
        [
            data[: header.end],
            png_chunk(b"iTXt", _PNG_PARAMETERS + flags + parameters),
            png_chunk(b"iTXt", _PNG_XMP + flags + packet),
            *(part.whole(data) for part in rest),
        ]
    )


def _into_webp(data: bytes, parts: Sequence[Part], packet: bytes, header: bytes) -> bytes:
    kept = [part for part in parts if part.name not in (b"VP8X", b"XMP ")]
    chunks = [
        webp_chunk(b"VP8X", header),
        *(webp_chunk(part.name, part.payload(data)) for part in kept),
        webp_chunk(b"XMP ", packet),
    ]
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + len(body).to_bytes(4, "little") + body
