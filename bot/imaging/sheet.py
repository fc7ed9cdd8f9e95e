"""A contact sheet: up to twelve small pictures with their numbers, on Discord's dark ground.

Pure computing, for a thread; one picture at a time is decoded, so memory stays bounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageDraw, ImageFont

from bot.errors import BadAnswer
from bot.imaging.pictures import decode

if TYPE_CHECKING:
    from collections.abc import Sequence

TILES_MAX: Final = 12

_CELL = 320
_GAP = 12
_CORNER = 10
#: Discord's dark theme: the ground of a message, a recess in it, and quiet text.
_GROUND = "#2b2d31"
_RECESS = "#232428"
_QUIET = "#4e5058"

_BADGE_HEIGHT = 34
_BADGE_PADDING = 10
_BADGE_INSET = 8
_BADGE_COLOUR = (17, 18, 20)
_BADGE_OPACITY = 200
_TEXT_SIZE = 20
_LABEL_MAX = 12
#: Shapes are drawn this much larger and scaled down: Pillow draws edges without smoothing.
_SMOOTHING = 4
_QUALITY = 86


@dataclass(frozen=True, slots=True)
class Tile:
    """One cell: a picture's bytes, or None where it is gone, and a short label."""

    data: bytes | None
    label: str


def contact_sheet(tiles: Sequence[Tile], *, columns: int = 3) -> bytes:
    """The tiles in rows, as a JPEG. One that cannot be read looks like a missing one.

    Raises:
        ValueError: no tiles, or more than `TILES_MAX`.
    """
    if not 1 <= len(tiles) <= TILES_MAX:
        raise ValueError(f"a sheet has 1 to {TILES_MAX} tiles, not {len(tiles)}")
    across = max(1, min(columns, len(tiles)))
    down = -(-len(tiles) // across)
    sheet = Image.new("RGB", (_span(across), _span(down)), _GROUND)
    font = ImageFont.load_default(_TEXT_SIZE)
    for index, tile in enumerate(tiles):
        row, column = divmod(index, across)
        place = _span(column), _span(row)
        sheet.paste(_cell(tile, font), place)
    buffer = BytesIO()
    sheet.save(buffer, "JPEG", quality=_QUALITY, subsampling=0, progressive=True)
    return buffer.getvalue()


def _span(cells: int) -> int:
    """The pixels from the edge to the far side of the gap after this many cells."""
    return _GAP + cells * (_CELL + _GAP)


def _cell(tile: Tile, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> Image.Image:
    cell = Image.new("RGB", (_CELL, _CELL), _GROUND)
    _paste_rounded(cell, Image.new("RGB", cell.size, _RECESS), (0, 0))
    thumbnail = _thumbnail(tile.data)
    if thumbnail is None:
        _draw_missing(cell)
    else:
        place = (_CELL - thumbnail.width) // 2, (_CELL - thumbnail.height) // 2
        _paste_rounded(cell, thumbnail, place)
    if label := " ".join(tile.label.split())[:_LABEL_MAX]:
        _draw_label(cell, label, font)
    return cell


def _thumbnail(data: bytes | None) -> Image.Image | None:
    if data is None:
        return None
    try:
        image = decode(data, within=(_CELL, _CELL), backdrop=_RECESS)
    except BadAnswer:
        return None
    image.thumbnail((_CELL, _CELL), Image.Resampling.LANCZOS)
    return image


def _paste_rounded(cell: Image.Image, image: Image.Image, place: tuple[int, int]) -> None:
    large = Image.new("L", (image.width * _SMOOTHING, image.height * _SMOOTHING))
    edge = (0, 0, large.width - 1, large.height - 1)
    ImageDraw.Draw(large).rounded_rectangle(edge, _CORNER * _SMOOTHING, fill=255)
    cell.paste(image, place, _smooth(large, image.size))


def _smooth(large: Image.Image, size: tuple[int, int]) -> Image.Image:
    small = large.copy()
    small.thumbnail(size, Image.Resampling.BOX)
    return small


def _draw_missing(cell: Image.Image) -> None:
    """An empty frame with a hill and a sun: a picture that is not here."""
    side = 72
    large = Image.new("L", (side * _SMOOTHING, side * _SMOOTHING))
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
    place = (_CELL - side) // 2
    cell.paste(_QUIET, (place, place), _smooth(large, (side, side)))


def _draw_label(
    cell: Image.Image, label: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> None:
    text = round(font.getlength(label))
    width = min(max(_BADGE_HEIGHT, text + 2 * _BADGE_PADDING), _CELL - 2 * _BADGE_INSET)
    badge = Image.new("L", (width * _SMOOTHING, _BADGE_HEIGHT * _SMOOTHING))
    edge = (0, 0, badge.width - 1, badge.height - 1)
    ImageDraw.Draw(badge).rounded_rectangle(edge, _CORNER * _SMOOTHING, fill=_BADGE_OPACITY)
    cell.paste(_BADGE_COLOUR, (_BADGE_INSET, _BADGE_INSET), _smooth(badge, (width, _BADGE_HEIGHT)))
    middle = _BADGE_INSET + width / 2, _BADGE_INSET + _BADGE_HEIGHT / 2
    ImageDraw.Draw(cell).text(middle, label, fill="white", font=font, anchor="mm")
