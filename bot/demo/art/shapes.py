"""The alphabet of the little figures: polygons, ovals and lines in colour roles.

A figure lives on a square of 100 by 100, y downwards; its feet stand at y = 97. Colours are
roles, so that a red fox and a blue fox share their shapes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bot.demo.art.words import Colour

Kind = Literal["poly", "oval", "line"]
Home = Literal["ground", "air", "water"]
#: body, shade and light follow the subject's colour; the others are fixed.
Role = Literal[
    "body", "shade", "light", "ink", "white", "pink", "glow", "wood", "leaf", "stone", "red"
]


@dataclass(frozen=True, slots=True)
class Shape:
    """One stroke; `numbers` are x, y pairs, an oval's box, or a line's width and pairs."""

    kind: Kind
    role: Role
    numbers: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Emblem:
    """A figure: its own colour, its strokes from back to front, and where it lives."""

    body: Colour
    shapes: tuple[Shape, ...]
    home: Home = "ground"


def poly(role: Role, *numbers: float) -> list[Shape]:
    return [Shape("poly", role, numbers)]


def oval(role: Role, *numbers: float) -> list[Shape]:
    return [Shape("oval", role, numbers)]


def line(role: Role, width: float, *numbers: float) -> list[Shape]:
    return [Shape("line", role, (width, *numbers))]


def both(shapes: list[Shape]) -> list[Shape]:
    """The shapes and their mirror images."""
    return shapes + [_mirrored(shape) for shape in shapes]


def _mirrored(shape: Shape) -> Shape:
    if shape.kind == "oval":
        left, top, right, bottom = shape.numbers
        return Shape("oval", shape.role, (100 - right, top, 100 - left, bottom))
    head = shape.numbers[:1] if shape.kind == "line" else ()
    flipped = [n if i % 2 else 100 - n for i, n in enumerate(shape.numbers[len(head) :])]
    return Shape(shape.kind, shape.role, (*head, *flipped))
