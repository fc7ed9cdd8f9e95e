"""Who stands where in the drawing of a family: a tree becomes the cells of a grid.

Time runs from left to right: one child stands beside its parent, its brothers and sisters
above and below, in order.
A family that is too deep goes on in a further band; one with many children has them abreast.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class Tie(NamedTuple):
    """From a parent to a child; `extra` when the child stands beside another parent."""

    parent: str
    child: str
    extra: bool


class Cell(NamedTuple):
    row: int
    column: int


class Grid(NamedTuple):
    cells: tuple[tuple[str, Cell], ...]
    bands: int


class _Block(NamedTuple):
    """A branch on a grid of its own, and those of its members who begin a further band."""

    cells: Mapping[str, Cell]
    columns: int
    beyond: tuple[str, ...]


def ties_of(parents: Mapping[str, Sequence[str]]) -> list[Tie]:
    """All ties among the members; strangers are ignored, and so is what would close a ring."""
    first: dict[str, str] = {}
    ties: list[Tie] = []
    for child, named in parents.items():
        for parent in dict.fromkeys(named):
            if parent not in parents or parent == child:
                continue
            extra = child in first
            if not extra:
                if child in _ancestry(parent, first):
                    continue
                first[child] = parent
            ties.append(Tie(parent, child, extra))
    return ties


def ancestry(member: str, ties: Iterable[Tie]) -> list[str]:
    """The member, the parent it stands beside, that one's, and so on."""
    return _ancestry(member, {tie.child: tie.parent for tie in ties if not tie.extra})


def _ancestry(member: str, first: Mapping[str, str]) -> list[str]:
    line = [member]
    while line[-1] in first:
        line.append(first[line[-1]])
    return line


class Habit(NamedTuple):
    """How a grid is filled.

    Attributes:
        columns: at most; who is too deep for them begins a further band.
        abreast: how many branches of one parent may stand side by side.
        below: how many of them stand below one another before any stands beside.
        trunk: a parent stands beside its longest branch, not its first one.
    """

    columns: int
    abreast: int
    below: int
    trunk: bool

    def side_by_side(self, branches: int) -> int:
        return min(self.abreast, -(-branches // self.below))


def arrange(members: Sequence[str], ties: Iterable[Tie], habit: Habit) -> Grid:
    """The members in cells, siblings in the order of `members`.

    Args:
        members: each once.
        ties: free of rings, but for the extra ones.
        habit: by which they are placed.
    """
    children: defaultdict[str, list[str]] = defaultdict(list)
    for tie in ties:
        if not tie.extra:
            children[tie.parent].append(tie.child)
    born = set(chain.from_iterable(children.values()))
    band: Sequence[str] = [member for member in members if member not in born]
    cells: dict[str, Cell] = {}
    rows = bands = 0
    while band:
        blocks = [_block(member, children, habit, habit.columns) for member in band]
        # Those who go on from further above are told apart by their lines alone.
        abreast = habit.columns if bands else habit.side_by_side(len(blocks))
        shelved = _shelved(blocks, habit.columns, abreast)
        cells |= _moved(shelved.cells, down=rows)
        rows = 1 + max(cell.row for cell in cells.values())
        bands, band = bands + 1, shelved.beyond
    return Grid(tuple(cells.items()), bands)


def _block(
    member: str, children: Mapping[str, Sequence[str]], habit: Habit, columns: int
) -> _Block:
    own = children.get(member, ())
    if columns == 1 or not own:
        return _Block({member: Cell(0, 0)}, 1, tuple(own))
    blocks = [_block(child, children, habit, columns - 1) for child in own]
    shelved = _shelved(blocks, columns - 1, habit.side_by_side(len(blocks)))
    places = [
        (shelved.cells[child], block.columns) for child, block in zip(own, blocks, strict=True)
    ]
    beside = [
        (length if habit.trunk else 0, -row) for (row, column), length in places if not column
    ]
    cells = {member: Cell(-max(beside)[1], 0)} | _moved(shelved.cells, right=1)
    return _Block(cells, shelved.columns + 1, shelved.beyond)


def _shelved(blocks: Iterable[_Block], columns: int, abreast: int) -> _Block:
    """The branches in rows of at most `abreast`, as a shelf holds books."""
    shelves: list[list[_Block]] = [[]]
    for block in blocks:
        taken = sum(other.columns for other in shelves[-1])
        if len(shelves[-1]) == abreast or taken + block.columns > columns:
            shelves.append([])
        shelves[-1].append(block)
    return _stacked(_in_a_row(shelf) for shelf in shelves)


def _in_a_row(blocks: Iterable[_Block]) -> _Block:
    cells: dict[str, Cell] = {}
    beyond: list[str] = []
    columns = 0
    for block in blocks:
        cells |= _moved(block.cells, right=columns)
        beyond += block.beyond
        columns += block.columns
    return _Block(cells, columns, tuple(beyond))


def _stacked(blocks: Iterable[_Block]) -> _Block:
    """One below the other, each as far up as it goes without a tile above another's."""
    cells: dict[str, Cell] = {}
    beyond: list[str] = []
    columns = 0
    free: defaultdict[int, int] = defaultdict(int)
    for block in blocks:
        down = max(free[column] - row for row, column in block.cells.values())
        moved = _moved(block.cells, down=down)
        for row, column in moved.values():
            free[column] = max(free[column], row + 1)
        cells |= moved
        beyond += block.beyond
        columns = max(columns, block.columns)
    return _Block(cells, columns, tuple(beyond))


def _moved(cells: Mapping[str, Cell], *, down: int = 0, right: int = 0) -> dict[str, Cell]:
    return {name: Cell(cell.row + down, cell.column + right) for name, cell in cells.items()}
