"""The sizes that a model allows, and the best of them for a shape. All of it is pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from bot.imaging.request import Size

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What is aimed at when nobody asks for more: about one megapixel.
USUAL_AREA = 1024 * 1024
#: From here on a picture visibly has another form than the one that was asked for.
VISIBLE_DIFFERENCE = 0.05
#: Ratios that differ by less are the same: a tie must not hang on a float's last digit.
_RATIO_DIGITS = 9

Ratio = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Menu:
    """A closed list of sizes."""

    sizes: tuple[Size, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """Any size within bounds.

    Attributes:
        sides: the shortest and the longest side, in pixels.
        multiple: of what each side is a multiple.
        area: the smallest and the largest area, in pixels.
        ratio: the smallest and the largest width / height.
    """

    sides: tuple[int, int] = (64, 4096)
    multiple: int = 16
    area: tuple[int, int] | None = None
    ratio: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Ratios:
    """A closed list of width:height, and no say about pixels."""

    ratios: tuple[Ratio, ...]


SizeRule = Menu | Window | Ratios


def allows(rule: Menu | Window, size: Size) -> bool:
    """Whether a model with this rule paints this size."""
    if isinstance(rule, Menu):
        return size in rule.sizes
    if size.width % rule.multiple or not rule.sides[0] <= size.width <= rule.sides[1]:
        return False
    heights = _heights(rule, size.width)
    return size.height in heights


@lru_cache(maxsize=1024)
def best_size(rule: Menu | Window, ratio: Ratio, area: int = USUAL_AREA) -> Size | None:
    """The nearest ratio first, then the nearest area; None when the rule allows nothing."""
    candidates = iter(rule.sizes) if isinstance(rule, Menu) else _candidates(rule, ratio)
    return min(
        candidates,
        key=lambda size: (
            *_distance((size.width, size.height), ratio),
            abs(size.width * size.height - area),
        ),
        default=None,
    )


def best_ratio(rule: Ratios, ratio: Ratio) -> Ratio:
    """The nearest ratio of the list."""
    return min(rule.ratios, key=lambda offered: _distance(offered, ratio))


def differs(offered: Ratio, wanted: Ratio) -> bool:
    """Whether a person would see that the form is another one."""
    return _distance(offered, wanted)[0] > VISIBLE_DIFFERENCE


def within(rule: Menu | Window, longest: int) -> Menu | Window | None:
    """The rule with no side longer than that; None when nothing is left."""
    if isinstance(rule, Window):
        shortest = min(rule.sides[0], longest)
        return Window((shortest, min(rule.sides[1], longest)), rule.multiple, rule.area, rule.ratio)
    left = tuple(size for size in rule.sizes if max(size.width, size.height) <= longest)
    return Menu(left) if left else None


def _distance(offered: Ratio, wanted: Ratio) -> tuple[float, bool]:
    """How far apart two ratios are; of two equally far ones, the same way up is nearer.

    3:4, for one, lies exactly half way between 9:16 and 1:1.
    """
    apart = abs(math.log(offered[0] * wanted[1] / (offered[1] * wanted[0])))
    turned = _tilt(offered) != _tilt(wanted)
    return round(apart, _RATIO_DIGITS), turned


def _tilt(ratio: Ratio) -> int:
    return (ratio[0] > ratio[1]) - (ratio[0] < ratio[1])


def _candidates(rule: Window, ratio: Ratio) -> Iterator[Size]:
    """For each width the heights next to the ideal one: none other can be nearer."""
    step = rule.multiple
    first = -(-rule.sides[0] // step) * step
    for width in range(first, rule.sides[1] + 1, step):
        heights = _heights(rule, width)
        if not heights:
            continue
        below = width * ratio[1] // ratio[0] // step * step
        for height in {below, below + step}:
            yield Size(width, min(max(height, heights[0]), heights[-1]))


def _heights(rule: Window, width: int) -> range:
    """The heights that go with a width: every bound is an interval of heights."""
    low, high = rule.sides
    if rule.area:
        low, high = max(low, -(-rule.area[0] // width)), min(high, rule.area[1] // width)
    if rule.ratio:
        flattest, tallest = width / rule.ratio[1], width / rule.ratio[0]
        low = max(low, math.ceil(round(flattest, _RATIO_DIGITS)))
        high = min(high, math.floor(round(tallest, _RATIO_DIGITS)))
    step = rule.multiple
    return range(-(-low // step) * step, high + 1, step)
