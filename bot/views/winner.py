"""The winner of a vote: who asked for it, who chose it, and how it came to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import NotFound
from bot.imaging.archive import PictureMissing
from bot.imaging.ascent import Candidate, Round
from bot.studio.order import Variation
from bot.studio.voting import Stage
from bot.views.ballot import how_it_won, label_and_credit, label_of, outcome
from bot.views.base import Button, Layout
from bot.views.details import Details
from bot.views.editing import Edit, UseAsReference, Vary
from bot.views.family import FamilyTree
from bot.views.ids import ROUND
from bot.views.lineage import came_of
from bot.views.result import facts_of
from bot.views.wording import ALT_TEXT_MAX, clip, code, whole_lines

if TYPE_CHECKING:
    from bot.studio.contest import Board, Finale
    from bot.studio.generation import KeptPicture
    from bot.studio.studio import Studio
    from bot.views.base import Interaction

_PROMPT_SHOWN = 300


class HowDecided(Button, template=f"decided:{ROUND}"):
    """Tells how each ballot ended, to the one who asks."""

    def __init__(self, round_id: str) -> None:
        self.round_id = round_id
        super().__init__(f"decided:{round_id}", label="How it was decided", row=1)

    async def press(self, interaction: Interaction) -> None:
        votes = interaction.client.studio.votes
        finale = await votes.finale(self.round_id, interaction.guild_id)
        if finale is None:
            raise NotFound
        lines = [line for board in finale.boards for line in outcome(board)]
        await interaction.response.send_message(whole_lines(lines), ephemeral=True)


def winner_text(studio: Studio, finale: Finale) -> str:
    """Plain text, so that it can be read aloud."""
    last, winner = finale.last, finale.last.winner
    if winner is None:
        raise ValueError(last.round.id)
    generation = last.shown.generation
    lines = [
        f"**The vote has a winner:** {code(_words(finale), _PROMPT_SHOWN)}",
        f"Asked for by <@{last.began_with.person_id}>. It won {how_it_won(last)}.",
    ]
    if last.contest.ending:
        lines.append(f"The vote ended early. {last.contest.ending}")
    if len(finale.boards) > 1:
        lines += ["**How we got here**", *(_step(studio, board) for board in finale.boards)]
    if origin := came_of(generation.order_of(winner)):
        lines.append(f"-# {origin}")
    lines.append(f"-# {facts_of(studio, generation, [winner])}")
    return whole_lines(lines)


def _words(finale: Finale) -> str:
    """Its own, where there was one round; of more, those with which the vote began."""
    last = finale.last
    if last.winner is None or len(finale.boards) > 1:
        return last.began_with.order.prompt
    return last.shown.generation.prompt_of(last.winner)


def winner_buttons(round_id: str, generation_id: str, position: int) -> Layout:
    """The ways on from it, and how it came to be."""
    one = generation_id, str(position)
    return Layout(
        *(Vary(*one, variation) for variation in Variation),
        Edit(*one),
        UseAsReference(*one),
        Details(*one),
        FamilyTree(generation_id, row=1),
        HowDecided(round_id),
    )


def ascent_alt_text(finale: Finale) -> str:
    """The same for those who do not see it."""
    told = [
        f"round {board.round.number}: picture {board.round.winner} won {how_it_won(board)}"
        for board in finale.boards
    ]
    return clip(f"How the winner came to be, round by round: {'; '.join(told)}.", ALT_TEXT_MAX)


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
    label = label_and_credit(studio, board, board.winner) if board.winner else None
    of = f", {label}," if label else ""
    one = board.round
    return f"Round {one.number}: picture {one.winner}{of} {how_it_won(board)}"
