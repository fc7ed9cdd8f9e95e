"""The winner of a vote: who asked for it, who chose it, and how it came to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.imaging.archive import PictureMissing
from bot.imaging.ascent import Candidate, Round
from bot.studio.order import Variation
from bot.studio.voting import Stage
from bot.views.ballot import label_and_credit, label_of
from bot.views.base import Layout
from bot.views.details import Details
from bot.views.editing import Edit, UseAsReference, Vary
from bot.views.family import FamilyTree
from bot.views.lineage import came_of
from bot.views.result import facts_of
from bot.views.wording import ALT_TEXT_MAX, CONTENT_MAX, clip, code, plural

if TYPE_CHECKING:
    from bot.studio.contest import Board, Finale
    from bot.studio.generation import KeptPicture
    from bot.studio.studio import Studio

_PROMPT_SHOWN = 300


def winner_text(studio: Studio, finale: Finale) -> str:
    """Plain text, so that it can be read aloud."""
    last, winner = finale.last, finale.last.winner
    if winner is None:
        raise ValueError(last.round.id)
    generation = last.shown.generation
    most = last.tally.get(winner.position, 0)
    lines = [
        f"**The vote has a winner:** {code(generation.prompt_of(winner), _PROMPT_SHOWN)}",
        f"Asked for by <@{generation.person_id}>, chosen by {most} of "
        + plural(last.turnout, "vote")
        + ".",
    ]
    if len(finale.boards) > 1:
        lines += ["**How we got here**", *(_step(studio, board) for board in finale.boards)]
    if origin := came_of(generation.order_of(winner)):
        lines.append(f"-# {origin}")
    if last.contest.ending:
        lines.append(f"-# {last.contest.ending}")
    lines.append(f"-# {facts_of(studio, generation, [winner])}")
    return clip("\n".join(lines), CONTENT_MAX)


def winner_buttons(generation_id: str, position: int) -> Layout:
    """The ways on from it."""
    one = generation_id, str(position)
    return Layout(
        *(Vary(*one, variation) for variation in Variation),
        Edit(*one),
        UseAsReference(*one),
        Details(*one),
        FamilyTree(generation_id, row=1),
    )


def ascent_alt_text(finale: Finale) -> str:
    """The same for those who do not see it."""
    told = [
        f"round {board.round.number}: picture {board.round.winner} won with "
        f"{board.tally.get(board.round.winner or 0, 0)} of {plural(board.turnout, 'vote')}"
        for board in finale.boards
    ]
    return clip(f"How the winner came to be, round by round. {'; '.join(told)}.", ALT_TEXT_MAX)


async def ascent_of(studio: Studio, finale: Finale) -> list[Round]:
    """Every ballot, with its pictures."""
    return [
        Round(
            tuple([await _candidate(studio, board, each) for each in board.shown.pictures]),
            next((n for n, each in enumerate(board.shown.pictures) if each == board.winner), None),
        )
        for board in finale.boards
    ]


async def _candidate(studio: Studio, board: Board, picture: KeptPicture) -> Candidate:
    try:
        [data] = await studio.files([picture])
    except PictureMissing:
        data = None
    # What was out before a runoff has the votes of the first ballot.
    votes = board.tally.get(picture.position, board.tallies[Stage.OPEN].get(picture.position, 0))
    return Candidate(data, label_of(studio, board, picture) or "", votes)


def _step(studio: Studio, board: Board) -> str:
    won, winner = board.round.winner, board.winner
    label = label_and_credit(studio, board, winner) if winner else None
    of = f", {label}," if label else ""
    most = board.tally.get(won or 0, 0)
    return (
        f"Round {board.round.number}: picture {won}{of} with {most} of "
        f"{plural(board.turnout, 'vote')}"
    )
