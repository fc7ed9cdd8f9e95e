"""Drawings of how a picture came to be: its whole family, and one before beside one after.

Pure computing, for a thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageDraw, ImageFont, ImageOps

from bot.imaging.family_grid import ancestry
from bot.imaging.family_lines import HERE, draw_lines
from bot.imaging.family_plan import Relative, plan
from bot.imaging.family_tiles import Look
from bot.imaging.sheet import (
    GROUND,
    RECESS,
    WORDS,
    Badge,
    as_jpeg,
    clipped,
    draw_badge,
    draw_frame,
    drawable,
    empty_tile,
    paste_rounded,
    thumbnail,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.imaging.family_plan import Box

MEMBERS_MAX: Final = 24

#: Lengths at full size, which a plan scales.
_CORNER = 16
_CAPTION, _CAPTION_GAP, _FOOTER = 48, 14, 60
_TEXT, _NUMBER, _LED_ON = 29, 36, 22
#: The numbers in a drawing that will be shown small are larger by so much.
_LARGER, _MANY = 1.3, 8
#: Before the numbers of those who came from a picture.
_TO = "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} "
_INSET = 10
_RING_GAP, _RING = 5, 6
#: Until it is drawn, a picture is kept this large; few may be larger.
_KEPT, _KEPT_OF_FEW, _FEW = 480, 720, 6

_PAIR_WIDTH_MAX: Final = 2000
#: At the least height, the narrowest half still has room for its word.
_PAIR_HEIGHT_MIN, _PAIR_HEIGHT_MAX = 420, 800
_PAIR_ASPECT_MIN, _PAIR_ASPECT_MAX = 0.43, 3.0
#: A light line between dark ones: it is seen between any two pictures.
_DIVIDER, _DIVIDER_LINE = 6, 2
_PAIR_BADGE = Badge(text_size=34, height=54, padding=18, corner=14)
_PAIR_INSET = 14


@dataclass(frozen=True, slots=True)
class Member:
    """One in a family of pictures.

    Attributes:
        parents: ids; several for a blend, none for the first of all. It stands beside the
            first of them that is in the family.
        pictures: 1 to 8 files as the archive has them; together they are one tile.
        number: by which the words beside the drawing call it.
        label: a few words; letters that the font has not become a "…".
        parent_positions: which picture of each parent it came from, counted from 1;
            0, or nothing, for the parent as a whole.
    """

    id: str
    parents: tuple[str, ...]
    pictures: tuple[bytes, ...]
    number: int
    label: str
    parent_positions: tuple[int, ...] = ()


def draw_family(members: Sequence[Member], *, here: str | None) -> bytes:
    """The family as a JPEG: its oldest on the left, `here` and the way to it in gold.

    The first `MEMBERS_MAX` are drawn; how many more there are is said below them.

    Raises:
        ValueError: no members.
    """
    if not members:
        raise ValueError("a family has at least one member")
    shown = members[:MEMBERS_MAX]
    hidden = len(members) - len(shown)
    kept = _KEPT_OF_FEW if len(shown) <= _FEW else _KEPT
    looks = {member.id: Look.of(member.pictures, kept) for member in shown}
    layout = plan(
        [Relative(member.id, member.parents, *looks[member.id].size) for member in shown],
        caption=_CAPTION if any(drawable(member.label).strip("…") for member in shown) else 0,
        footer=_FOOTER if hidden else 0,
    )
    canvas = Image.new("RGB", (layout.width, layout.height), GROUND)
    easel = _Easel(canvas, layout.scale, _LARGER if len(shown) > _MANY else 1)
    way_here = ancestry(here, [line.tie for line in layout.lines]) if here else []
    draw_lines(canvas, layout, way_here, easel.rim)
    led_on = _led_on(shown)
    for member in shown:
        look, box = looks[member.id], layout.tiles[member.id]
        easel.draw_tile(look, box, is_here=member.id == here)
        easel.draw_led_on(look, box, member.number, led_on[member.id])
        easel.draw_number(member.number, box, is_here=member.id == here)
        easel.draw_label(member.label, box)
    if hidden:
        easel.draw_footer(f"+ {hidden:,} more, not shown")
    return as_jpeg(canvas)


def _led_on(members: Sequence[Member]) -> dict[str, dict[int, list[int]]]:
    """The numbers of the children of each picture of each member."""
    children: dict[str, dict[int, list[int]]] = {member.id: {} for member in members}
    for member in members:
        for parent, position in zip(member.parents, member.parent_positions, strict=False):
            if parent in children:
                children[parent].setdefault(position, []).append(member.number)
    return children


class _Easel:
    """Draws on a canvas at one scale."""

    def __init__(self, canvas: Image.Image, scale: float, numbers: float) -> None:
        self._canvas, self._scale, self._numbers = canvas, scale, numbers
        self._font = ImageFont.load_default(self._px(_TEXT))

    def _px(self, length: float) -> int:
        return max(1, round(length * self._scale))

    @property
    def rim(self) -> int:
        """The width of the frame around the highlighted tile."""
        return self._px(_RING_GAP + _RING)

    def _badge(self, text_size: float) -> Badge:
        padding = self._px(text_size * 0.45)
        return Badge(self._px(text_size), self._px(text_size * 1.5), padding, padding)

    def draw_tile(self, look: Look, box: Box, *, is_here: bool) -> None:
        if is_here:
            draw_frame(self._canvas, box, self.rim, self._px(_CORNER), HERE)
            draw_frame(self._canvas, box, self._px(_RING_GAP), self._px(_CORNER), GROUND)
        tile = look.drawn(box.size, self._scale)
        paste_rounded(self._canvas, tile, (box.left, box.top), self._px(_CORNER))

    @property
    def _number_badge(self) -> Badge:
        return self._badge(_NUMBER * self._numbers)

    def draw_number(self, number: int, box: Box, *, is_here: bool) -> None:
        badge, inset = self._number_badge, self._px(_INSET)
        if is_here:
            badge = badge.marked(HERE)
        place = box.left + inset, box.top + inset
        draw_badge(self._canvas, str(number), place, badge, width_max=box.size[0] - 2 * inset)

    def draw_led_on(
        self, look: Look, box: Box, number: int, children: Mapping[int, Sequence[int]]
    ) -> None:
        """In a mosaic, the numbers of those that came from one of its pictures, in its corner."""
        badge, inset = self._badge(_LED_ON), self._px(_INSET * 0.8)
        for position, share in enumerate(look.shares, 1):
            numbers = children.get(position, ())
            if not numbers or len(look.shares) == 1:
                continue
            left, top, right, bottom = share.box(box.size)
            lowest = bottom - inset - badge.height
            if left == top == 0 and lowest < self._px(_INSET) + self._number_badge.height:
                left = self._px(_INSET) + self._number_badge.width(str(number))
            room = right - left - 2 * inset
            texts = (_listed(numbers, count) for count in range(len(numbers), 0, -1))
            text = next((text for text in texts if badge.width(text) <= room), "…")
            width = badge.width(text)
            place = box.left + right - inset - width, box.top + lowest
            draw_badge(self._canvas, text, place, badge, width_max=width)

    def draw_label(self, label: str, box: Box) -> None:
        words = clipped(drawable(label), self._font, box.size[0])
        if words.strip("…"):
            place = (box.left + box.right) / 2, box.bottom + self._px(_CAPTION_GAP)
            self._write(words, place, "ma")

    def draw_footer(self, words: str) -> None:
        place = self._canvas.width / 2, self._canvas.height - self._px(_FOOTER * 0.55)
        self._write(words, place, "mm")

    def _write(self, words: str, place: tuple[float, float], anchor: str) -> None:
        draw = ImageDraw.Draw(self._canvas)
        draw.text(place, words, fill=WORDS, font=self._font, anchor=anchor)


def _listed(numbers: Sequence[int], count: int) -> str:
    """So many of the numbers, behind a mark."""
    return _TO + " ".join(map(str, numbers[:count])) + ("…" if count < len(numbers) else "")


def draw_pair(before: bytes, after: bytes) -> bytes:
    """The two side by side at the same height, as a JPEG; a broken one is an empty tile."""
    room = _PAIR_WIDTH_MAX, _PAIR_HEIGHT_MAX
    pair = thumbnail(before, room), thumbnail(after, room)
    forms = [_form(picture) for picture in pair]
    tallest = max((picture.height for picture in pair if picture), default=_PAIR_HEIGHT_MAX)
    height = min(max(tallest, _PAIR_HEIGHT_MIN), int((_PAIR_WIDTH_MAX - _DIVIDER) / sum(forms)))
    sizes = [(round(height * form), height) for form in forms]
    canvas = Image.new("RGB", (sizes[0][0] + _DIVIDER + sizes[1][0], height), GROUND)
    line = Image.new("RGB", (_DIVIDER_LINE, height), WORDS)
    canvas.paste(line, (sizes[0][0] + (_DIVIDER - _DIVIDER_LINE) // 2, 0))
    left = 0
    for picture, size, word in zip(pair, sizes, ("before", "after"), strict=True):
        canvas.paste(_panel(picture, size), (left, 0))
        place = left + _PAIR_INSET, _PAIR_INSET
        draw_badge(canvas, word, place, _PAIR_BADGE, width_max=size[0] - 2 * _PAIR_INSET)
        left += size[0] + _DIVIDER
    return as_jpeg(canvas)


def _form(picture: Image.Image | None) -> float:
    aspect = picture.width / picture.height if picture else 1.0
    return min(max(aspect, _PAIR_ASPECT_MIN), _PAIR_ASPECT_MAX)


def _panel(picture: Image.Image | None, size: tuple[int, int]) -> Image.Image:
    if picture is None:
        return empty_tile(size)
    return ImageOps.pad(picture, size, Image.Resampling.LANCZOS, color=RECESS)
