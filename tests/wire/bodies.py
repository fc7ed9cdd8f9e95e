"""The bodies of requests: JSON, or JSON with files in a multipart body.

aiohttp's own multipart reader takes longer over the files than the bot takes to make them;
finding the boundaries in the whole body takes almost no time.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wire.rejected import Code, Rejected

if TYPE_CHECKING:
    from aiohttp import web

#: https://discord.com/developers/docs/resources/message#create-message
REQUEST_MAX = 25 * 1024 * 1024

_NAME = re.compile(rb'\bname="([^"]*)"')
_FILE_NAME = re.compile(rb'filename="([^"]*)"')
_FILE_FIELD = re.compile(r"files\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a request; its bytes are a view of the whole body."""

    name: str
    data: memoryview


@dataclass(frozen=True, slots=True)
class Body:
    """What was sent.

    Attributes:
        content: the JSON, whatever it is.
        uploads: by the number in `files[…]`, to which the `attachments` of the JSON refer.
    """

    content: Any
    uploads: dict[int, Upload] = field(default_factory=dict)

    @property
    def fields(self) -> dict[str, Any]:
        """The JSON, where only an object will do."""
        if not isinstance(self.content, dict):
            raise Rejected(Code.INVALID_FORM)
        return self.content


async def read(request: web.Request) -> Body:
    """The whole body.

    Raises:
        Rejected: it is too large, or no JSON.
    """
    raw = await request.read()
    if len(raw) > REQUEST_MAX:
        raise Rejected(Code.TOO_LARGE)
    kind = request.headers.get("Content-Type", "")
    if not kind.startswith("multipart/form-data"):
        return Body(_parsed(raw) if raw else {})
    parts = split(raw, kind.partition("boundary=")[2].strip('"'))
    payload, uploads = b"{}", dict[int, Upload]()
    for name, file_name, data in parts:
        if name == "payload_json":
            payload = bytes(data)
        elif numbered := _FILE_FIELD.fullmatch(name):
            uploads[int(numbered[1])] = Upload(file_name or "unnamed", data)
    return Body(_parsed(payload), uploads)


def split(raw: bytes, boundary: str) -> list[tuple[str, str | None, memoryview]]:
    """(field, file name, bytes) of each part, without copying what is in it."""
    whole, mark = memoryview(raw), b"--" + boundary.encode()
    parts: list[tuple[str, str | None, memoryview]] = []
    start = raw.find(mark)
    while start >= 0 and (end := raw.find(b"\r\n" + mark, start)) >= 0:
        head_end = raw.find(b"\r\n\r\n", start, end)
        head = raw[start:head_end]
        name, file_name = _NAME.search(head), _FILE_NAME.search(head)
        parts.append(
            (
                name[1].decode() if name else "",
                file_name[1].decode() if file_name else None,
                whole[head_end + 4 : end],
            )
        )
        start = end + 2
    return parts


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise Rejected(Code.INVALID_JSON) from None
