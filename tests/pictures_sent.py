"""Pictures to hand to the bot, and which of them the image API was sent."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageChops, ImageStat

if TYPE_CHECKING:
    from world import World

#: Cleaning and JPEG move a pixel by a little; other pictures are far.
_ALIKE = 12.0


def png(colour: str, width: int = 96, height: int = 64) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "PNG")
    return buffer.getvalue()


def references(world: World, request: int = -1) -> list[Image.Image]:
    """The pictures of a request, as the API got them."""
    body: Any = world.painter.requests[request].body
    fields = body.get("reference_images") or [body["image_url"]]
    files = [base64.b64decode(field.partition(",")[2]) for field in fields]
    return [Image.open(BytesIO(data)) for data in files]


def alike(one: Image.Image, other: bytes) -> bool:
    """Whether they show the same, in the same form."""
    expected = Image.open(BytesIO(other))
    if one.size != expected.size:
        return False
    small = [each.convert("RGB").resize((32, 32)) for each in (one, expected)]
    return max(ImageStat.Stat(ImageChops.difference(*small)).mean) < _ALIKE


def check_sent(world: World, *expected: bytes) -> None:
    """The last request worked from these, in this order."""
    got = references(world)
    assert len(got) == len(expected), f"{len(got)} pictures were sent"
    for number, (one, other) in enumerate(zip(got, expected, strict=True), start=1):
        assert alike(one, other), f"image {number} is another picture"


async def check_nothing_happened(world: World) -> None:
    """Nothing was painted, charged, or left in the archive."""
    assert not world.painter.requests, "the image API was asked"
    assert await world.generations() == []
    assert await world.ledger() == []
    assert await world.usage(world.ann) is None
    kept = [path for path in (world.tmp_path / "pictures").rglob("*") if path.is_file()]
    assert kept == [], "a picture of somebody's was kept"


def last(answer: Any) -> Any:
    """What was said last to an interaction."""
    return answer.followups[-1] if answer.followups else answer.response
