"""The geometry of a family's drawing: where its tiles stand and how the lines run.

Every line keeps to the gutters of one grid, each parent's in lanes of their own, so none
crosses a tile and no two are mistaken for one. Lengths are at full size until a plan is finished.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import accumulate, product, starmap
from typing import TYPE_CHECKING, Final, NamedTuple

from bot.imaging.family_grid import Habit, Tie, ancestry, arrange, ties_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.imaging.family_grid import Cell, Grid

#: No plan is wider or higher, in pixels.
PLAN_MAX: Final = 2000
_SCALE_MAX = 1.5
#: A family that needs more columns than the first gets further bands, of any of these widths.
_COLUMNS = (6, 5, 4)
_ABREAST = (1, 2, 3, 4, 5)
#: A message shows a picture in about this shape, on a phone as well.
_SHAPE = 4, 3
#: What is left of a plan's merit with each further band, and with each further one abreast.
_BAND_WORTH, _ABREAST_WORTH = 0.9, 0.9
#: Few siblings had better stand below one another: in a row they look like generations.
_BELOW_WORTH = {3: 1.0, 2: 0.85, 1: 0.7}
#: The oldest had better stand in the corner where reading begins.
_TRUNK_WORTH = {False: 1.0, True: 0.85}

_MARGIN = 26
#: Between rows, and between columns: lines turn there.
_GUTTER = 40, 70
_LANE = 18
#: Lines to further parents touch a tile this far from its middle, where no others do.
_EXIT_ASIDE, _ENTRY_ASIDE = 26, 52


@dataclass(frozen=True, slots=True)
class Relative:
    """One to be placed, with the size of its tile; it stands beside its first parent."""

    id: str
    parents: tuple[str, ...]
    width: float
    height: float


class Point(NamedTuple):
    x: int
    y: int


class Box(NamedTuple):
    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> tuple[int, int]:
        return self.right - self.left, self.bottom - self.top


class Line(NamedTuple):
    """From a parent's right edge to a child's left one, every part upright or level."""

    tie: Tie
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything in pixels; `scale` is what lengths at full size are to be multiplied by."""

    width: int
    height: int
    scale: float
    tiles: Mapping[str, Box]
    lines: tuple[Line, ...]


class _Gutter(NamedTuple):
    """Left of the column, or above the row, of that number."""

    upright: bool
    number: int


class _End(NamedTuple):
    """Where a run leaves its gutter: at what cell along it, and to which side, -1 or 1."""

    place: float
    side: int


class _Run(NamedTuple):
    """A part of a line in a gutter."""

    gutter: _Gutter
    ends: frozenset[_End]

    @property
    def span(self) -> tuple[float, float]:
        return min(self.ends).place, max(self.ends).place


#: All lines of one kind from one parent share their lanes.
_Owner = tuple[str, bool]


def plan(relatives: Sequence[Relative], *, caption: float = 0, footer: float = 0) -> Plan:
    """The arrangement that comes out largest where a message shows it.

    Args:
        relatives: one or more, in the order in which siblings stand. A parent that is not
            among them is ignored, and so is one that would close a ring.
        caption: room for words below every tile.
        footer: room for words below everything.
    """
    members = {relative.id: relative for relative in relatives}
    ties = ties_of({name: member.parents for name, member in members.items()})
    depth = max(len(ancestry(name, ties)) for name in members)
    widths = _COLUMNS if depth > _COLUMNS[0] else _COLUMNS[:1]
    worths: dict[Grid, float] = {}
    for habit in starmap(Habit, product(widths, _ABREAST, _BELOW_WORTH, _TRUNK_WORTH)):
        grid = arrange(list(members), ties, habit)
        worth = _BAND_WORTH**grid.bands * _ABREAST_WORTH**habit.abreast
        worth *= _BELOW_WORTH[habit.below] * _TRUNK_WORTH[habit.trunk]
        worths[grid] = max(worth, worths.get(grid, 0))
    sketches = [
        (worth, _Sketch(members, ties, dict(grid.cells), caption, footer))
        for grid, worth in worths.items()
    ]
    return max(sketches, key=lambda sketch: sketch[0] * sketch[1].shown)[1].finished()


class _Sketch:
    """One arrangement, measured at full size."""

    def __init__(
        self,
        members: Mapping[str, Relative],
        ties: Sequence[Tie],
        cells: Mapping[str, Cell],
        caption: float,
        footer: float,
    ) -> None:
        self._members, self._cells, self._caption = members, cells, caption
        self._runs = {tie: _runs(cells[tie.parent], cells[tie.child], tie.extra) for tie in ties}
        self._lanes = _lanes((_owner(tie), run) for tie, runs in self._runs.items() for run in runs)
        widths: defaultdict[int, float] = defaultdict(float)
        heights: defaultdict[int, float] = defaultdict(float)
        for name, (row, column) in cells.items():
            widths[column] = max(widths[column], members[name].width)
            heights[row] = max(heights[row], members[name].height + caption)
        self._across, self._down = self._steps(True, widths), self._steps(False, heights)
        self._width, self._height = self._across[-1], self._down[-1] + footer
        self._scale = min(_SCALE_MAX, PLAN_MAX / self._width, PLAN_MAX / self._height)

    @property
    def shown(self) -> float:
        """How large a message would show it."""
        return min(_SHAPE[0] / self._width, _SHAPE[1] / self._height)

    def finished(self) -> Plan:
        tiles = {name: self._box(name) for name in self._members}
        lines = tuple(Line(tie, self._points(tie, tiles)) for tie in self._runs)
        return Plan(self._px(self._width), self._px(self._height), self._scale, tiles, lines)

    def _px(self, length: float) -> int:
        return round(length * self._scale)

    def _steps(self, upright: bool, cells: Mapping[int, float]) -> list[float]:
        """Where each gutter begins and ends in turn, from the first to the last."""
        steps: list[float] = [0]
        for number in range(len(cells) + 1):
            lanes = self._lane_count(_Gutter(upright, number))
            outer = number in (0, len(cells)) and not lanes
            steps.append(_MARGIN if outer else _GUTTER[upright] + _LANE * max(0, lanes - 1))
            steps += [cells[number]] if number in cells else []
        return list(accumulate(steps))

    def _lane_count(self, gutter: _Gutter) -> int:
        return len(set(self._lanes.get(gutter, {}).values()))

    def _lane(self, gutter: _Gutter, owner: _Owner) -> int:
        steps = self._across if gutter.upright else self._down
        middle = (steps[2 * gutter.number] + steps[2 * gutter.number + 1]) / 2
        aside = self._lanes[gutter][owner] - (self._lane_count(gutter) - 1) / 2
        return self._px(middle + aside * _LANE)

    def _middle(self, row: int) -> float:
        return (self._down[2 * row + 1] + self._down[2 * row + 2] - self._caption) / 2

    def _box(self, name: str) -> Box:
        member, (row, column) = self._members[name], self._cells[name]
        middle = (self._across[2 * column + 1] + self._across[2 * column + 2]) / 2
        left, top = (
            self._px(middle - member.width / 2),
            self._px(self._middle(row) - member.height / 2),
        )
        return Box(left, top, left + self._px(member.width), top + self._px(member.height))

    def _points(self, tie: Tie, tiles: Mapping[str, Box]) -> tuple[Point, ...]:
        leaving, arriving = _sides(self._cells[tie.parent], self._cells[tie.child], tie.extra)
        leave = self._px(self._middle(self._cells[tie.parent].row) + leaving * _EXIT_ASIDE)
        arrive = self._px(self._middle(self._cells[tie.child].row) + arriving * _ENTRY_ASIDE)
        points = [Point(tiles[tie.parent].right, leave)]
        for run in self._runs[tie]:
            lane, last = self._lane(run.gutter, _owner(tie)), points[-1]
            points.append(Point(lane, last.y) if run.gutter.upright else Point(last.x, lane))
        if len(points) > 1:
            points.append(Point(points[-1].x, arrive))
        return (*points, Point(tiles[tie.child].left, arrive))


def _owner(tie: Tie) -> _Owner:
    return tie.parent, tie.extra


def _runs(start: Cell, end: Cell, extra: bool) -> list[_Run]:
    """Out of the parent to its right, and into the child from its left, through gutters alone."""
    leaving, arriving = _sides(start, end, extra)
    leave = _End(start.row + 0.5 + leaving * 0.1, -1)
    arrive = _End(end.row + 0.5 + arriving * 0.2, 1)
    out, into = _Gutter(True, start.column + 1), _Gutter(True, end.column)
    if out == into:
        return [_Run(out, frozenset((leave, arrive)))] if leave.place != arrive.place else []
    turn = 1 if out.number < into.number else -1
    come = -1 if leave.place < end.row else 1
    above = frozenset((_End(out.number, come), _End(into.number, 1)))
    return [
        _Run(out, frozenset((leave, _End(end.row, turn)))),
        _Run(_Gutter(False, end.row), above),
        _Run(into, frozenset((_End(end.row, -turn), arrive))),
    ]


def _sides(start: Cell, end: Cell, extra: bool) -> tuple[int, int]:
    """Where a line leaves and arrives: -1 above a tile's middle, 1 below it.

    An extra line does so on the side that it turns to, so that it crosses few others.
    """
    if not extra:
        return 0, 0
    beside = end.column == start.column + 1
    return (1 if end.row > start.row else -1), (1 if beside and end.row < start.row else -1)


def _lanes(runs: Iterable[tuple[_Owner, _Run]]) -> dict[_Gutter, dict[_Owner, int]]:
    """A lane for every owner in every gutter it needs; those who would touch get two."""
    shared: defaultdict[_Gutter, dict[_Owner, _Run]] = defaultdict(dict)
    for owner, run in runs:
        owners = shared[run.gutter]
        known = owners[owner].ends if owner in owners else frozenset[_End]()
        owners[owner] = _Run(run.gutter, known | run.ends)
    return {gutter: _side_by_side(owners) for gutter, owners in shared.items()}


def _side_by_side(runs: Mapping[_Owner, _Run]) -> dict[_Owner, int]:
    """The runs in such an order that few cross, each next to those that it would touch."""

    def balance(owner: _Owner) -> int:
        own, others = runs[owner], runs.values()
        return sum(_crossings(own, other) - _crossings(other, own) for other in others)

    lanes: dict[_Owner, int] = {}
    for owner in sorted(runs, key=balance):
        touched = [lane for other, lane in lanes.items() if _touch(runs[owner], runs[other])]
        lanes[owner] = max(touched, default=-1) + 1
    return lanes


def _crossings(first: _Run, second: _Run) -> int:
    """How often the two cross when the first one's lane comes before the second's."""
    return sum(_within(end, second) for end in first.ends if end.side > 0) + sum(
        _within(end, first) for end in second.ends if end.side < 0
    )


def _within(end: _End, run: _Run) -> bool:
    low, high = run.span
    return low < end.place < high


def _touch(one: _Run, other: _Run) -> bool:
    return one.span[0] <= other.span[1] and other.span[0] <= one.span[1]
