"""Files of messages: what Discord tells about them, and their bytes where those are kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO
from mimetypes import guess_type
from typing import Any

from PIL import Image, UnidentifiedImageError

#: How long a file's address is good for: facts are few, and people report about a day.
_ADDRESS_LIFE_S = 24 * 60 * 60
#: A header with its tags fits into this.
_HEADER_BYTES = 64 * 1024
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")


@dataclass(frozen=True, slots=True)
class File:
    """One attachment.

    Attributes:
        size: in bytes; kept, like the digest, when the bytes are not.
        pixels: width and height of a picture.
        data: None where the bytes were let go.
    """

    id: int
    channel_id: int
    name: str
    description: str | None
    size: int
    sha256: str
    media_type: str
    pixels: tuple[int, int] | None
    data: bytes | None

    def wire(self, cdn: str, now: float) -> dict[str, Any]:
        expires = f"{int(now + _ADDRESS_LIFE_S):x}"
        url = f"{cdn}/attachments/{self.channel_id}/{self.id}/{self.name}?ex={expires}"
        told: dict[str, Any] = {
            "id": str(self.id),
            "filename": self.name,
            "size": self.size,
            "content_type": self.media_type,
            "url": url,
            "proxy_url": url,
        }
        if self.description is not None:
            told["description"] = self.description
        if self.pixels is not None:
            told["width"], told["height"] = self.pixels
        return told


def make_file(
    file_id: int,
    channel_id: int,
    name: str,
    data: bytes | memoryview,
    *,
    description: str | None = None,
    keep: bool = False,
) -> File:
    return File(
        id=file_id,
        channel_id=channel_id,
        name=name,
        description=description,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        media_type=guess_type(name)[0] or "application/octet-stream",
        pixels=_pixels(data),
        data=bytes(data) if keep else None,
    )


def _pixels(data: bytes | memoryview) -> tuple[int, int] | None:
    """Of the header alone; nothing is decoded."""
    try:
        with Image.open(BytesIO(data[:_HEADER_BYTES]), formats=_FORMATS) as image:
            return image.size
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
        return None
