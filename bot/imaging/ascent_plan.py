"""The geometry of a vote's ascent: a row of cards a round, and where the lines between them run.

Pictures keep their form and have one height in a row; the last winner's is larger. All in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from bot.imaging.family_plan import Box, Point

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDTH_MAX: Final = 1600
HEIGHT_MAX: Final = 2400
#: Around a card's picture, and its words.
PADDING: Final = 10
MARGIN: Final = 32
#: One line of words for the votes, and a quieter one.
VOTES_LINE: Final = 46
LABEL_LINE: Final = 40
#: Everything about the last winner is larger by so much.
GOAL: Final = 1.6
GOAL_WORDS: Final = 1.25

#: Between cards, and between rows: lines turn there.
_GAP, _GUTTER = 18, 90
#: How far above a row they do.
_TURN = 46
#: The left part of a row, where the round has its name.
_RAIL = 124
_PICTURE_MAX = 330
_PICTURE_STEP = 5
#: No picture with its words beside it is lower.
_BESIDE_MIN = 180
#: How wide its words may be at the least: below its picture, and beside it.
_WORDS_BELOW, _WORDS_BESIDE = 134, 214
#: A message shows a picture in about this shape.
_SHAPE = 4, 3


@dataclass(frozen=True, slots=True)
class Ballot:
    """What a row must have room for.

    Attributes:
        forms: width by height of every picture.
        lines: of words of its own that one of them needs, at the most.
    """

    forms: tuple[float, ...]
    winner: int | None
    lines: int


@dataclass(frozen=True, slots=True)
class Card:
    """A candidate's place, its picture in it, and its words."""

    box: Box
    picture: Box
    words: Box

    @property
    def beside(self) -> bool:
        """Whether the words are beside the picture, not below it."""
        return self.words.left >= self.picture.right


@dataclass(frozen=True, slots=True)
class Plan:
    width: int
    height: int
    rows: tuple[tuple[Card, ...], ...]

    def lines(self, row: int, winner: int) -> tuple[tuple[Point, ...], ...]:
        """From that card to every one of the next row; none from the last row."""
        start = self.rows[row][winner].box
        below = self.rows[row + 1] if row + 1 < len(self.rows) else ()
        return tuple(_line(start, card.box) for card in below)


def _line(start: Box, end: Box) -> tuple[Point, ...]:
    left, right = (start.left + start.right) // 2, (end.left + end.right) // 2
    turn = end.top - _TURN
    return Point(left, start.bottom), Point(left, turn), Point(right, turn), Point(right, end.top)


@dataclass(frozen=True, slots=True)
class _Cell:
    """A card's measures before it has a place."""

    picture: tuple[int, int]
    words: tuple[int, int]
    beside: bool

    @property
    def size(self) -> tuple[int, int]:
        (width, height), (room, lines) = self.picture, self.words
        if self.beside:
            return width + room + 3 * PADDING, max(height, lines) + 2 * PADDING
        return max(width, room) + 2 * PADDING, height + lines + 2 * PADDING

    def at(self, left: int, top: int) -> Card:
        width, height = self.size
        box = Box(left, top, left + width, top + height)
        x, y = left + PADDING, top + PADDING
        if self.beside:
            y += (height - 2 * PADDING - self.picture[1]) // 2
            words = Box(x + self.picture[0] + PADDING, top, box.right - PADDING, box.bottom)
        else:
            x += (width - 2 * PADDING - self.picture[0]) // 2
            words = Box(left + PADDING, y + self.picture[1], box.right - PADDING, box.bottom)
        return Card(box, Box(x, y, x + self.picture[0], y + self.picture[1]), words)


_Row = tuple[_Cell, ...]


def plan(ballots: Sequence[Ballot]) -> Plan:
    """Words below their pictures or beside them, whichever a message shows larger."""
    return _placed(max((_sketch(ballots, beside) for beside in (False, True)), key=_shown))


def _sketch(ballots: Sequence[Ballot], beside: bool) -> tuple[_Row, ...]:
    """The rows with their pictures as large as they may be."""
    rows: tuple[_Row, ...] = ()
    for height in range(_PICTURE_MAX, _PICTURE_STEP, -_PICTURE_STEP):
        rows = tuple(
            _row(ballot, height, beside, last=number == len(ballots))
            for number, ballot in enumerate(ballots, 1)
        )
        if _extent(rows)[1] <= HEIGHT_MAX:
            break
    return rows


def _row(ballot: Ballot, height_max: int, beside: bool, *, last: bool) -> _Row:
    """Its cells, with pictures of that height or what the width leaves them.

    Words go below after all where beside them the pictures would be too small.
    """
    row: _Row = ()
    for height in range(height_max, _PICTURE_STEP, -_PICTURE_STEP):
        aside = beside and height >= _BESIDE_MIN
        row = tuple(
            _cell(form, height, ballot.lines, aside, goal=last and index == ballot.winner)
            for index, form in enumerate(ballot.forms)
        )
        if _extent([row])[0] <= WIDTH_MAX:
            break
    return row


def _cell(form: float, height: int, lines: int, beside: bool, *, goal: bool) -> _Cell:
    larger, wordier = (GOAL, GOAL_WORDS) if goal else (1, 1)
    height_of_words = PADDING // 2 + VOTES_LINE + LABEL_LINE * lines
    words = (_WORDS_BESIDE if beside else _WORDS_BELOW), height_of_words
    return _Cell(
        (round(form * height * larger), round(height * larger)),
        (round(words[0] * wordier), round(words[1] * wordier)),
        beside,
    )


def _width(row: _Row) -> int:
    return sum(cell.size[0] for cell in row) + _GAP * (len(row) - 1)


def _height(row: _Row) -> int:
    return max(cell.size[1] for cell in row)


def _extent(rows: Sequence[_Row]) -> tuple[int, int]:
    height = sum(map(_height, rows)) + _GUTTER * (len(rows) - 1)
    return max(map(_width, rows)) + _RAIL + 2 * MARGIN, height + 2 * MARGIN


def _shown(rows: Sequence[_Row]) -> float:
    """How large a message would show the pictures of these rows."""
    width, height = _extent(rows)
    return min(_SHAPE[0] / width, _SHAPE[1] / height) * sum(row[0].picture[1] for row in rows)


def _placed(rows: Sequence[_Row]) -> Plan:
    width, height = _extent(rows)
    tops = accumulate((_height(row) + _GUTTER for row in rows), initial=MARGIN)
    middle = (MARGIN + _RAIL + width - MARGIN) // 2
    placed = tuple(
        tuple(_across(row, middle - _width(row) // 2, top))
        for row, top in zip(rows, tops, strict=False)
    )
    return Plan(width, height, placed)


def _across(row: _Row, left: int, top: int) -> Iterable[Card]:
    lefts = accumulate((cell.size[0] + _GAP for cell in row), initial=left)
    return (cell.at(x, top) for cell, x in zip(row, lefts, strict=False))
