"""Spoils a good answer: envelopes with holes, pictures that are none. Pure; for a thread."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Any

from PIL import Image

from bot.demo.faults import LOST, Fault, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.demo.sandbox.answers import Answer

#: A picture's declared side: 900 megapixels in a file of a hundred bytes.
_BOMB_SIDE = 30_000
Envelope = dict[str, Any]  # what json.loads gives, taken apart on purpose


def spoil(answer: Answer, fault: Fault) -> Answer:
    """The answer after the fault; those of the transport leave it as it is."""
    if fault.kind in LOST:
        return LOST[fault.kind]
    if answer.status != 200 or answer.content_type != "application/json":  # noqa: PLR2004 - OK
        return answer
    spoiler = _SPOILERS.get(fault.kind)
    if spoiler is None:
        return answer
    envelope: Envelope = json.loads(answer.body)
    spoiler(envelope, fault)
    return replace(answer, body=json.dumps(envelope).encode())


def _type_null(envelope: Envelope, _: Fault) -> None:
    for item in envelope["data"]:
        item["type"] = None


def _no_object(envelope: Envelope, _: Fault) -> None:
    del envelope["object"]


def _fewer(envelope: Envelope, fault: Fault) -> None:
    envelope["data"] = envelope["data"][: fault.size]


def _unordered(envelope: Envelope, _: Fault) -> None:
    envelope["data"].reverse()


def _no_data(envelope: Envelope, _: Fault) -> None:
    envelope["data"] = []


def _no_fields(envelope: Envelope, _: Fault) -> None:
    for item in envelope["data"]:
        item["url"] = item["b64_json"] = None


def _nan(envelope: Envelope, _: Fault) -> None:
    """Python's own json writes and reads these; the standard knows none of them."""
    for item in envelope["data"]:
        item["timings"] = {"inference": float("nan"), "queue": float("inf")}


def _with_pictures(change: Callable[[str], str]) -> Callable[[Envelope, Fault], None]:
    def spoiler(envelope: Envelope, _: Fault) -> None:
        for item in envelope["data"]:
            item.pop("url", None)
            item["type"] = "b64_json"
            item["b64_json"] = change(item.get("b64_json") or "")

    return spoiler


def _cut_short(encoded: str) -> str:
    return f"{encoded[:99]}!!!"


def _text_instead(_: str) -> str:
    return base64.b64encode(b"<html>not a picture</html>").decode()


def _bomb_instead(_: str) -> str:
    header = struct.pack(">IIBBBBB", _BOMB_SIDE, _BOMB_SIDE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + body).decode()


def _webp_instead(encoded: str) -> str:
    out = BytesIO()
    data = base64.b64decode(encoded)
    picture = Image.open(BytesIO(data)) if data else Image.new("RGB", (1024, 1024), (90, 120, 160))
    picture.save(out, "WEBP", method=0)
    return base64.b64encode(out.getvalue()).decode()


_SPOILERS: Mapping[Kind, Callable[[Envelope, Fault], None]] = {
    Kind.TYPE_NULL: _type_null,
    Kind.NO_OBJECT: _no_object,
    Kind.FEWER: _fewer,
    Kind.UNORDERED: _unordered,
    Kind.NO_DATA: _no_data,
    Kind.NO_FIELDS: _no_fields,
    Kind.NAN: _nan,
    Kind.BAD_BASE64: _with_pictures(_cut_short),
    Kind.NOT_A_PICTURE: _with_pictures(_text_instead),
    Kind.PICTURE_BOMB: _with_pictures(_bomb_instead),
    Kind.WEBP: _with_pictures(_webp_instead),
}
