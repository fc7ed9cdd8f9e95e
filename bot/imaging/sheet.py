"""A contact sheet: up to twelve small pictures with their numbers, on Discord's dark ground.

Pure computing, for a thread; one picture at a time is decoded, so memory stays bounded.
Its tiles, badges and letters are there for other drawings, too.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect
from dataclasses import dataclass, replace
from io import BytesIO
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageDraw, ImageFont

from bot.errors import BadAnswer
from bot.imaging.pictures import decode

if TYPE_CHECKING:
    from collections.abc import Sequence

TILES_MAX: Final = 12

#: Discord's dark theme: the ground of a message, a recess in it, quiet text, and words to read.
GROUND: Final = "#2b2d31"
RECESS: Final = "#232428"
QUIET: Final = "#4e5058"
WORDS: Final = "#dbdee1"
#: Shapes are drawn this much larger and scaled down: Pillow draws edges without smoothing.
SMOOTHING: Final = 4

_CELL = 320
_GAP = 12
_CORNER = 10
_SIGN_SHARE = 0.225
_LABEL_MAX = 12
_QUALITY = 86

#: What Unicode does not take apart although every reader would.
_SIMPLER = str.maketrans(
    "øØđĐłŁı–—−×•",  # noqa: RUF001 - that they look like others is the point
    "oOdDlLi---x·",
)
_PLAIN = _SIMPLER | str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "Æ": "AE", "Œ": "OE"})
#: The letters in the font that comes with Pillow: ASCII, and these.
_DRAWN = frozenset(map(chr, range(0x20, 0x7F))) | frozenset(
    "©«°±´·»‘’“”…‹›⁄™"  # noqa: RUF001 - a typographer's marks, each meant
)

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True, slots=True)
class Tile:
    """One cell: a picture's bytes, or None where it is gone, and a short label."""

    data: bytes | None
    label: str


@dataclass(frozen=True, slots=True)
class Badge:
    """How the sign with a tile's number looks, in pixels."""

    text_size: int = 20
    height: int = 34
    padding: int = 10
    corner: int = 10
    ground: str = "#111214"
    opacity: int = 200
    ink: str = "white"

    @property
    def font(self) -> Font:
        return ImageFont.load_default(self.text_size)

    def width(self, text: str) -> int:
        return max(self.height, round(self.font.getlength(text)) + 2 * self.padding)

    def marked(self, colour: str) -> Badge:
        return replace(self, ground=colour, ink=self.ground, opacity=255)


_BADGE = Badge()
_BADGE_INSET = 8


def contact_sheet(tiles: Sequence[Tile], *, columns: int = 3) -> bytes:
    """The tiles in rows, as a JPEG. One that cannot be read looks like a missing one.

    Raises:
        ValueError: no tiles, or more than `TILES_MAX`.
    """
    if not 1 <= len(tiles) <= TILES_MAX:
        raise ValueError(f"a sheet has 1 to {TILES_MAX} tiles, not {len(tiles)}")
    across = max(1, min(columns, len(tiles)))
    down = -(-len(tiles) // across)
    sheet = Image.new("RGB", (_span(across), _span(down)), GROUND)
    for index, tile in enumerate(tiles):
        row, column = divmod(index, across)
        sheet.paste(_cell(tile), (_span(column), _span(row)))
    return as_jpeg(sheet)


def as_jpeg(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY, subsampling=0, progressive=True)
    return buffer.getvalue()


def drawable(text: str) -> str:
    """The text on one line, in letters that the font has; those it has not become a "…"."""
    taken_apart = unicodedata.normalize("NFKD", text.translate(_PLAIN))
    kept = "".join(_drawn(character) for character in taken_apart)
    return re.sub("…(?: ?…)+", "…", " ".join(kept.split()))


def _drawn(character: str) -> str:
    if character in _DRAWN:
        return character
    category = unicodedata.category(character)
    if category[0] in "LN":
        return "…"
    return " " if category[0] == "Z" or category == "Cc" else ""


def clipped(text: str, font: Font, width: int) -> str:
    """The text itself, or as much of its beginning as fits, with a "…"."""
    if font.getlength(text) <= width:
        return text
    fits = bisect(range(len(text)), width, key=lambda count: font.getlength(f"{text[:count]}…"))
    return text[: max(0, fits - 1)].rstrip(" ,.;:…") + "…"


def thumbnail(data: bytes | None, size: tuple[int, int]) -> Image.Image | None:
    """The picture no larger than `size`, and no larger than it is; None for a broken one."""
    if data is None:
        return None
    try:
        image = decode(data, within=size, backdrop=RECESS)
    except BadAnswer:
        return None
    image.thumbnail(size, Image.Resampling.LANCZOS)
    return image


def empty_tile(size: tuple[int, int]) -> Image.Image:
    """A recess with a quiet sign in it: a picture that is not here."""
    tile = Image.new("RGB", size, RECESS)
    side = max(1, round(min(size) * _SIGN_SHARE))
    place = (size[0] - side) // 2, (size[1] - side) // 2
    tile.paste(QUIET, place, _missing_sign(side))
    return tile


def rounded(size: tuple[int, int], corner: int, opacity: int = 255) -> Image.Image:
    """A mask of that size with round corners."""
    large = Image.new("L", (size[0] * SMOOTHING, size[1] * SMOOTHING))
    edge = (0, 0, large.width - 1, large.height - 1)
    ImageDraw.Draw(large).rounded_rectangle(edge, corner * SMOOTHING, fill=opacity)
    return large.reduce(SMOOTHING)


def paste_rounded(
    canvas: Image.Image, image: Image.Image, place: tuple[int, int], corner: int = _CORNER
) -> None:
    canvas.paste(image, place, rounded(image.size, corner))


def draw_frame(
    canvas: Image.Image, box: tuple[int, int, int, int], rim: int, corner: int, colour: str
) -> None:
    """Colour all around the box, and in it; `corner` is the box's own."""
    left, top, right, bottom = box
    frame = Image.new("RGB", (right - left + 2 * rim, bottom - top + 2 * rim), colour)
    paste_rounded(canvas, frame, (left - rim, top - rim), corner + rim)


def draw_badge(
    canvas: Image.Image,
    text: str,
    place: tuple[int, int],
    badge: Badge = _BADGE,
    *,
    width_max: int,
) -> None:
    """A small sign with its top left corner at `place`; what does not fit it is cut."""
    text = clipped(text, badge.font, width_max - 2 * badge.padding)
    size = min(badge.width(text), width_max), badge.height
    canvas.paste(badge.ground, place, rounded(size, badge.corner, badge.opacity))
    middle = place[0] + size[0] / 2, place[1] + size[1] / 2
    ImageDraw.Draw(canvas).text(middle, text, fill=badge.ink, font=badge.font, anchor="mm")


def _span(cells: int) -> int:
    """The pixels from the edge to the far side of the gap after this many cells."""
    return _GAP + cells * (_CELL + _GAP)


def _cell(tile: Tile) -> Image.Image:
    size = _CELL, _CELL
    cell = Image.new("RGB", size, GROUND)
    picture = thumbnail(tile.data, size)
    if picture is None:
        paste_rounded(cell, empty_tile(size), (0, 0))
    else:
        paste_rounded(cell, Image.new("RGB", size, RECESS), (0, 0))
        place = (_CELL - picture.width) // 2, (_CELL - picture.height) // 2
        paste_rounded(cell, picture, place)
    if label := drawable(tile.label)[:_LABEL_MAX]:
        inset = _BADGE_INSET
        draw_badge(cell, label, (inset, inset), width_max=_CELL - 2 * inset)
    return cell


def _missing_sign(side: int) -> Image.Image:
    """A mask: an empty frame with a hill and a sun."""
    large = Image.new("L", (side * SMOOTHING, side * SMOOTHING))
    draw = ImageDraw.Draw(large)
    unit = large.width / 24
    line = round(1.6 * unit)
    draw.rounded_rectangle(
        (unit, 3 * unit, 23 * unit, 21 * unit), 3 * unit, outline=255, width=line
    )
    draw.ellipse((5.5 * unit, 7 * unit, 9 * unit, 10.5 * unit), fill=255)
    hill = [
        (2 * unit, 18 * unit),
        (8 * unit, 13 * unit),
        (11 * unit, 15.5 * unit),
        (16 * unit, 10 * unit),
        (22 * unit, 16 * unit),
    ]
    draw.line(hill, fill=255, width=line, joint="curve")
    return large.reduce(SMOOTHING)
