"""How a community got to a picture: every round of a vote, and the way from winner to winner.

Pure computing, for a thread; one picture at a time is decoded, so memory stays bounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageDraw, ImageFont

from bot.errors import BadAnswer
from bot.imaging.ascent_plan import (
    GOAL_WORDS,
    LABEL_LINE,
    MARGIN,
    PADDING,
    VOTES_LINE,
    Ballot,
    plan,
)
from bot.imaging.family_lines import ASIDE, HERE, draw_stroke
from bot.imaging.family_tiles import clamped, filled
from bot.imaging.pictures import inspect
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
    paste_rounded,
    thumbnail,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.imaging.ascent_plan import Card, Plan
    from bot.imaging.sheet import Font

ROUNDS_MAX: Final = 5
CANDIDATES_MIN: Final = 1
CANDIDATES_MAX: Final = 8

_CORNER, _CARD_CORNER = 10, 16
_INSET = 8
_VOTES, _LABEL = 34, 29
_ROUND, _NUMBER = 34, 84
#: About so many letters of labels fit side by side into a row; so many lines of them do.
_LETTERS_ABREAST, _LABEL_LINES_MAX = 72, 2
#: More letters than any card has room for.
_LABEL_MAX = 200
_STROKE = 1.3
#: Words that are there for whoever looks for them.
_ASIDE_WORDS = "#949ba4"
_BADGE = Badge(text_size=30, height=44, padding=13, corner=12)
_GOAL_BADGE = Badge(text_size=40, height=58, padding=18, corner=14)


@dataclass(frozen=True, slots=True)
class _Manner:
    """How a card is drawn; `dimmed` is how much of its picture is the ground's colour."""

    dimmed: float
    ring: int
    badge: Badge
    ink: str
    words: float = 1


_LEFT = _Manner(0.4, 0, _BADGE, _ASIDE_WORDS)
_CHOSEN = _Manner(0, 5, _BADGE.marked(HERE), WORDS)
_GOAL = _Manner(0, 9, _GOAL_BADGE.marked(HERE), HERE, GOAL_WORDS)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One picture of a ballot.

    Attributes:
        data: the file as the archive has it, None where it is gone.
        label: a few words such as `make it night`, `variation` or a model's name; may be empty.
        votes: how many it got.
    """

    data: bytes | None
    label: str
    votes: int


@dataclass(frozen=True, slots=True)
class Round:
    """A ballot that was closed.

    Attributes:
        candidates: 1 to 8, in the order of the ballot.
        winner: index of the one that went on, None where there was none.
    """

    candidates: tuple[Candidate, ...]
    winner: int | None


def draw_ascent(rounds: Sequence[Round]) -> bytes:
    """The rounds from the first down to the last as a JPEG, the way through them in gold.

    Raises:
        ValueError: no rounds or too many, or a ballot that cannot be one.
    """
    if not 1 <= len(rounds) <= ROUNDS_MAX:
        raise ValueError(f"an ascent has 1 to {ROUNDS_MAX} rounds, not {len(rounds)}")
    layout = plan([_ballot(held) for held in rounds])
    canvas = Image.new("RGB", (layout.width, layout.height), GROUND)
    _draw_way(canvas, layout, [held.winner for held in rounds])
    for row, (held, cards) in enumerate(zip(rounds, layout.rows, strict=True)):
        _draw_name(canvas, row + 1, cards)
        for index, (candidate, card) in enumerate(zip(held.candidates, cards, strict=True)):
            manner = _winning(row, len(rounds)) if index == held.winner else _LEFT
            _draw_card(canvas, card, candidate, manner)
            _draw_number(canvas, card, index + 1, manner.badge)
    return as_jpeg(canvas)


def _ballot(held: Round) -> Ballot:
    count, winner = len(held.candidates), held.winner
    if not CANDIDATES_MIN <= count <= CANDIDATES_MAX:
        raise ValueError(f"a ballot has {CANDIDATES_MIN} to {CANDIDATES_MAX} pictures, not {count}")
    if winner is not None and not 0 <= winner < count:
        raise ValueError(f"no picture {winner} in a ballot of {count}")
    forms = tuple(_form(candidate.data) for candidate in held.candidates)
    longest = max(len(_told(candidate.label)) for candidate in held.candidates)
    lines = min(_LABEL_LINES_MAX, -(-longest * count // _LETTERS_ABREAST))
    return Ballot(forms, winner, lines)


def _form(data: bytes | None) -> float:
    """Told from the file's head: only when it has its place, a picture is decoded."""
    try:
        picture = inspect(data or b"")
    except BadAnswer:
        return 1
    return clamped(picture.width / picture.height)


def _told(label: str) -> str:
    words = drawable(label[:_LABEL_MAX])
    return words if words.strip("….") else ""


def _winning(row: int, count: int) -> _Manner:
    return _GOAL if row == count - 1 else _CHOSEN


def _draw_way(canvas: Image.Image, layout: Plan, winners: Sequence[int | None]) -> None:
    """From each winner to all of the next round; in gold to the next winner, or where it ends."""
    for row, (winner, following) in enumerate(pairwise(winners)):
        if winner is None:
            continue
        lines = list(layout.lines(row, winner))
        gold = [] if following is None else [lines.pop(following)]
        draw_stroke(canvas, lines, _STROKE, ASIDE if gold else HERE)
        for *before, end in gold:
            ring = _winning(row + 1, len(winners)).ring
            led_on = *before, end._replace(y=end.y - ring)
            draw_stroke(canvas, [led_on], _STROKE, HERE, air=0)


def _draw_name(canvas: Image.Image, number: int, row: Sequence[Card]) -> None:
    """At the left of a row, in the middle of its first picture."""
    middle = (row[0].box.top + min(card.box.bottom for card in row)) / 2
    draw = ImageDraw.Draw(canvas)
    word, figure = ImageFont.load_default(_ROUND), ImageFont.load_default(_NUMBER)
    draw.text((MARGIN, middle - 20), "Round", fill=_ASIDE_WORDS, font=word, anchor="ls")
    draw.text((MARGIN, middle + 56), str(number), fill=WORDS, font=figure, anchor="ls")


def _draw_card(canvas: Image.Image, card: Card, candidate: Candidate, manner: _Manner) -> None:
    if manner.ring:
        draw_frame(canvas, card.box, manner.ring, _CARD_CORNER, HERE)
    draw_frame(canvas, card.box, 0, _CARD_CORNER, RECESS)
    size = card.picture.size
    picture = filled(thumbnail(candidate.data, size), size)
    dimmed = Image.blend(picture, Image.new("RGB", size, GROUND), manner.dimmed)
    paste_rounded(canvas, dimmed, (card.picture.left, card.picture.top), _CORNER)
    _draw_words(canvas, card, candidate, manner)


def _draw_number(canvas: Image.Image, card: Card, number: int, badge: Badge) -> None:
    """In the picture's corner; only the card is sure to be wide enough for it."""
    place = card.picture.left + _INSET, card.picture.top + _INSET
    draw_badge(canvas, str(number), place, badge, width_max=card.box.right - place[0])


def _draw_words(canvas: Image.Image, card: Card, candidate: Candidate, manner: _Manner) -> None:
    box, size = card.words, manner.words
    votes, label = ImageFont.load_default(_VOTES * size), ImageFont.load_default(_LABEL * size)
    first, other = VOTES_LINE * size, LABEL_LINE * size
    height = box.bottom - box.top
    told = _wrapped(_told(candidate.label), label, box.size[0], int((height - first) / other))
    spare = height - first - other * len(told) if card.beside else PADDING
    middle, y = (box.left + box.right) / 2, box.top + spare / 2
    draw = ImageDraw.Draw(canvas)
    ink = manner.ink if candidate.votes or manner.ring else ASIDE
    counted = _counted(candidate.votes, votes, box.size[0])
    draw.text((middle, y + first / 2), counted, fill=ink, font=votes, anchor="mm")
    for number, line in enumerate(told):
        place = middle, y + first + other * (number + 0.5)
        draw.text(place, line, fill=_ASIDE_WORDS, font=label, anchor="mm")


def _counted(votes: int, font: Font, width: int) -> str:
    words = f"{votes:,} vote{'s' * (votes != 1)}" if votes else "no votes"
    return words if font.getlength(words) <= width else clipped(f"{votes:,}", font, width)


def _wrapped(words: str, font: Font, width: int, lines_max: int) -> list[str]:
    """The words on so many lines at the most, the last of which is clipped."""
    lines: list[str] = []
    for word in words.split():
        longer = f"{lines[-1]} {word}" if lines else word
        full = len(lines) == lines_max or any(font.getlength(line) > width for line in lines)
        if lines and (full or font.getlength(longer) <= width):
            lines[-1] = longer
        else:
            lines.append(word)
    return [clipped(line, font, width) for line in lines[:lines_max]]
