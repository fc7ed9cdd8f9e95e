"""The desert: dunes with a lit and a shaded side."""

from __future__ import annotations

from itertools import pairwise, takewhile
from math import cos, pi
from typing import TYPE_CHECKING

from bot.demo.art.brushes import Point, fill, mix, profile, skyline
from bot.demo.art.ridges import base_line, toned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.demo.art.scene import Work

_FINER = 8


def paint_desert(work: Work) -> None:
    for depth in (0, 0.3, 0.6, 1):
        heights = _rounded([_eased(h) for h in profile(work.rng, 3, 0.42)])
        rise = work.height * 0.13
        base = base_line(work, depth) + rise * 0.3
        outline = skyline(heights, work.width, base, rise, work.height)
        fill(work.picture, outline, toned(work.scene, depth))
        _shade_slopes(work, outline[: len(heights)], depth)


def _eased(share: float) -> float:
    """From 0 to 1 along half a wave."""
    return 0.5 - 0.5 * cos(pi * share)


def _rounded(heights: list[float]) -> list[float]:
    """Eight points for one, along a smooth curve through the heights."""
    between = [
        a + (b - a) * _eased(k / _FINER) for a, b in pairwise(heights) for k in range(_FINER)
    ]
    return between + heights[-1:]


def _shade_slopes(work: Work, crest: Sequence[Point], depth: float) -> None:
    """The lee side of each dune lies in shadow: from its crest down along a curved edge."""
    body, _ = toned(work.scene, depth)
    shadow = mix(body, work.scene.sky[0], 0.34)
    for at in range(1, len(crest) - 1):
        x, y = crest[at]
        if not crest[at - 1][1] > y <= crest[at + 1][1]:
            continue
        slope = _lee_side(crest[at:])
        end_x, end_y = slope[-1]
        foot = end_y + 0.4 * (end_y - y)
        # It falls steeply from the crest and runs out along the foot.
        edge = [(x + (end_x - x) * t * t * 0.9, y + (foot - y) * t) for t in (0.25, 0.5, 0.75, 1)]
        fill(work.picture, [*slope, *reversed(edge)], (shadow, body))


def _lee_side(crest: Sequence[Point]) -> list[Point]:
    """From the top down to where the line rises again."""
    falling = takewhile(lambda pair: pair[1][1] >= pair[0][1], pairwise(crest))
    return [crest[0], *(lower for _, lower in falling)]
