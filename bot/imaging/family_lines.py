"""The lines of a family's drawing: round bends, an arrow at the child, air where two cross."""

from __future__ import annotations

from itertools import pairwise
from math import cos, pi, sin
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageDraw

from bot.imaging.sheet import GROUND

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.imaging.family_plan import Line, Plan, Point

_Path = list[tuple[float, float]]

HERE: Final = "#f0b232"
ASIDE: Final = "#80848e"
_EXTRA = "#949cf7"

#: Lengths at full size, which a plan scales.
_WIDTH, _AIR, _BEND, _ARROW = 5, 5, 22, 10
#: Lines are drawn this much larger and scaled down, to be smooth.
_SMOOTHING = 3
_ARC_STEPS = 8


def draw_lines(canvas: Image.Image, plan: Plan, ancestry: Sequence[str], rim: int) -> None:
    """All lines of the plan, those between members of `ancestry` in the colour of `HERE`.

    Args:
        canvas: with nothing on it that a line may not be drawn over.
        plan: the lines, and their scale.
        ancestry: a member and its first parents, back to the oldest.
        rim: the width of the frame around that member, where its lines end.
    """
    drawn = [
        _shortened(line, rim) if line.tie.child in ancestry[:1] else line for line in plan.lines
    ]
    owners: dict[tuple[bool, str], list[Line]] = {}
    for line in drawn:
        owners.setdefault((not line.tie.extra, line.tie.parent), []).append(line)
    for (first, _), lines in sorted(owners.items()):
        points = [line.points for line in lines]
        draw_stroke(canvas, points, plan.scale, ASIDE if first else _EXTRA)
    firsts = (line for line in drawn if not line.tie.extra)
    if led_here := [line.points for line in firsts if line.tie.child in ancestry]:
        draw_stroke(canvas, led_here, plan.scale, HERE, air=0)


def _shortened(line: Line, rim: int) -> Line:
    end = line.points[-1]
    return line._replace(points=(*line.points[:-1], end._replace(x=end.x - rim)))


def draw_stroke(
    canvas: Image.Image,
    lines: Sequence[Sequence[Point]],
    scale: float,
    colour: str,
    air: float = _AIR,
) -> None:
    """The lines as one shape, with a rim of the ground's colour around them.

    Every part of a line is upright or level; an arrow is at its end.
    """
    width, arrow = max(2.0, _WIDTH * scale), _ARROW * scale
    rim = round(arrow + air * scale) + 1
    xs = [point.x for line in lines for point in line]
    ys = [point.y for line in lines for point in line]
    left, top = min(xs) - rim, min(ys) - rim
    size = max(xs) + rim - left, max(ys) + rim - top
    paths = [
        [((x - left) * _SMOOTHING, (y - top) * _SMOOTHING) for x, y in _bent(line, scale)]
        for line in lines
    ]
    if air:
        thick = width + 2 * air * scale
        canvas.paste(GROUND, (left, top), _mask(paths, size, thick * _SMOOTHING, 0))
    shape = _mask(paths, size, width * _SMOOTHING, arrow * _SMOOTHING)
    canvas.paste(colour, (left, top), shape)


def _mask(paths: Iterable[_Path], size: tuple[int, int], width: float, arrow: float) -> Image.Image:
    mask = Image.new("L", (size[0] * _SMOOTHING, size[1] * _SMOOTHING))
    draw = ImageDraw.Draw(mask)
    for path in paths:
        (x, y), before = path[-1], path[:-1]
        on = _towards(before[-1], path[-1])
        hidden = x - on[0] * arrow / 2, y - on[1] * arrow / 2
        draw.line([*before, hidden], fill=255, width=round(width), joint="curve")
        if arrow:
            base = x - on[0] * 1.5 * arrow, y - on[1] * 1.5 * arrow
            aside = on[1] * arrow, on[0] * arrow
            wings = [(base[0] + side * aside[0], base[1] + side * aside[1]) for side in (-1, 1)]
            draw.polygon([(x, y), *wings], 255)
    return mask.reduce(_SMOOTHING)


def _bent(points: Sequence[Point], scale: float) -> _Path:
    """The line with a quarter of a circle, made of short pieces, at every corner."""
    path: _Path = [points[0]]
    for (before, corner), (_, after) in pairwise(pairwise(points)):
        reach = [abs(end.x - corner.x) + abs(end.y - corner.y) for end in (before, after)]
        radius = min(_BEND * scale, reach[0] / 2, reach[1] / 2)
        path += _arc(corner, _towards(corner, before), _towards(corner, after), radius)
    return [*path, points[-1]]


def _towards(start: tuple[float, float], end: tuple[float, float]) -> tuple[int, int]:
    return (end[0] > start[0]) - (end[0] < start[0]), (end[1] > start[1]) - (end[1] < start[1])


def _arc(corner: Point, back: tuple[int, int], on: tuple[int, int], radius: float) -> _Path:
    pieces: _Path = []
    for step in range(_ARC_STEPS + 1):
        angle = pi / 2 * step / _ARC_STEPS
        away, along = radius * (1 - sin(angle)), radius * (1 - cos(angle))
        pieces.append(
            (corner.x + back[0] * away + on[0] * along, corner.y + back[1] * away + on[1] * along)
        )
    return pieces
