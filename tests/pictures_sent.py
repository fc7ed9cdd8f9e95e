"""Pictures to hand to the bot, and which of them the image API was sent."""

from __future__ import annotations

import base64
import sqlite3
from contextlib import closing
from io import BytesIO
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageChops, ImageStat

if TYPE_CHECKING:
    from pathlib import Path

    from world import World

    from bot.demo.painter import Painter

#: Cleaning and JPEG move a pixel by a little; other pictures are far.
_ALIKE = 12.0


def png(colour: str, width: int = 96, height: int = 64) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "PNG")
    return buffer.getvalue()


def files_sent_to(painter: Painter, request: int = -1) -> list[bytes]:
    """The pictures of a request, as the API got them."""
    body: Any = painter.requests[request].body
    fields = body.get("reference_images") or [body["image_url"]]
    return [base64.b64decode(field.partition(",")[2]) for field in fields]


def sent_to(painter: Painter, request: int = -1) -> list[Image.Image]:
    return [Image.open(BytesIO(data)) for data in files_sent_to(painter, request)]


def references(world: World, request: int = -1) -> list[Image.Image]:
    return sent_to(world.painter, request)


def alike(one: Image.Image, other: bytes) -> bool:
    """Whether they show the same, in the same form."""
    expected = Image.open(BytesIO(other))
    if one.size != expected.size:
        return False
    small = [each.convert("RGB").resize((32, 32)) for each in (one, expected)]
    return max(ImageStat.Stat(ImageChops.difference(*small)).mean) < _ALIKE


def check_sent(world: World, *expected: bytes) -> None:
    """The last request worked from these, in this order."""
    check_sent_to(world.painter, *expected)


def check_sent_to(painter: Painter, *expected: bytes) -> None:
    got = sent_to(painter)
    assert len(got) == len(expected), f"{len(got)} pictures were sent"
    for number, (one, other) in enumerate(zip(got, expected, strict=True), start=1):
        assert alike(one, other), f"image {number} is another picture"


def kept(folder: Path, painter: Painter) -> dict[str, object]:
    """Everything that painting, charging or keeping would change, of a bot whose data are there."""
    tables = ("generations", "people", "ledger", "sources", "drafts")
    with closing(sqlite3.connect(f"file:{folder}/easel.db?mode=ro", uri=True)) as reader:
        books = {name: reader.execute(f"SELECT * FROM {name}").fetchall() for name in tables}
    files = sorted(str(path) for path in (folder / "pictures").rglob("*") if path.is_file())
    return {**books, "files": files, "requests": painter.records.stats()["requests"]}


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
