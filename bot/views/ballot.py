"""A ballot: what it says while it is open, between two rounds, and once it is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.studio.voting import Stage
from bot.views.asking import whisper
from bot.views.base import Button, Layout
from bot.views.buttons import ROW_MAX, in_rows, result_buttons
from bot.views.ids import POSITION, ROUND
from bot.views.lineage import came_of
from bot.views.result import facts_of
from bot.views.suggesting import Back, GoOn, Suggest, suggestion_lines
from bot.views.voter import voter_of
from bot.views.wording import code, listed, plural, whole_lines

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.studio.contest import Board
    from bot.studio.generation import KeptPicture
    from bot.studio.studio import Studio
    from bot.studio.votes import Cast
    from bot.studio.voting import Voter
    from bot.views.base import Interaction

_PROMPT_SHOWN = 200
#: Eight of them leave room for the rest of the message.
_CHOICE_SHOWN = 80


class CastVote(Button, template=f"cast:{ROUND}:{POSITION}"):
    """Votes for a picture; once more takes the vote back."""

    def __init__(self, round_id: str, position: str, *, votes: int | None = None) -> None:
        self.round_id, self.position = round_id, int(position)
        label = position if votes is None else f"{position} · {plural(votes, 'vote')}"
        super().__init__(f"cast:{round_id}:{position}", label=label)

    async def press(self, interaction: Interaction) -> None:
        await whisper(interaction, self._cast(interaction))

    async def _cast(self, interaction: Interaction) -> str:
        votes = interaction.client.studio.votes
        cast = await votes.cast(self.round_id, self.position, voter_of(interaction), interaction.id)
        return cast_text(cast)


class CloseVote(Button, template=f"close-vote:{ROUND}"):
    """Closes a ballot before its time; for whoever opened it, and for moderators."""

    def __init__(self, round_id: str, *, label: str = "Close the vote") -> None:
        self.round_id = round_id
        super().__init__(f"close-vote:{round_id}", label=label)

    async def press(self, interaction: Interaction) -> None:
        await whisper(interaction, close(interaction, self.round_id, voter_of(interaction)))


def cast_text(cast: Cast) -> str:
    """What somebody reads, alone, who has pressed a number."""
    if cast.position is None:
        # Of a press that is told twice, it is not known any more what it took back.
        which = "" if cast.before is None else f" for picture {cast.before}"
        return f"Your vote{which} is taken back. Press a number to vote again."
    if cast.before is None or cast.before == cast.position:
        return f"You vote for picture {cast.position}. Press it again to take that back."
    return f"You now vote for picture {cast.position}, no longer for picture {cast.before}."


async def close(interaction: Interaction, round_id: str, voter: Voter) -> str:
    """Closes a ballot for whoever may; what they read."""
    votes = interaction.client.studio.votes
    match await votes.close(round_id, voter):
        case Stage.RUNOFF:
            return "Closed. It is a tie, so a runoff has begun."
        case Stage.BETWEEN:
            return "Closed. Now everybody can suggest what the next round should change."
        case _:
            return "Closed. What came of it follows."


def ballot_buttons(board: Board) -> Layout:
    """A number for each candidate while it is open; then what leads on; last, the result's own."""
    one = board.round
    match one.stage:
        case Stage.OPEN | Stage.RUNOFF:
            secret = board.contest.rules.secret
            numbers = [
                CastVote(one.id, str(position), votes=None if secret else votes)
                for position, votes in sorted(board.tally.items())
            ]
            closing = CloseVote(one.id)
            closing.row = in_rows(numbers, ROW_MAX - 1)
            return Layout(*numbers, closing)
        case Stage.BETWEEN:
            back = [Back(one.id, board.suggestions)] if board.suggestions else []
            go_on = GoOn(one.id, label=f"Start round {one.number + 1} now")
            return Layout(
                *back, Suggest(one.id), go_on, CloseVote(one.id, label="End the vote here")
            )
        case _:
            return result_buttons(board.shown.generation, board.shown.pictures)


def ballot_text(studio: Studio, board: Board) -> str:
    """All that there is to know, as plain text, so that it can be read aloud."""
    match board.round.stage:
        case Stage.OPEN | Stage.RUNOFF:
            lines = [*_open(board), *_choices(studio, board)]
        case Stage.BETWEEN:
            lines = [*outcome(board), *_between(board), *_choices(studio, board)]
        case _:
            lines = [*outcome(board), *_choices(studio, board)]
    return whole_lines([*lines, *_quiet(studio, board)])


def outcome(board: Board) -> list[str]:
    """How a ballot has ended: the winner, how it won, and every count."""
    heading = f"**Vote{_which_round(board)}, closed:** {_about(board)}"
    if (won := board.round.winner) is None:
        before = board.round.number - 1
        stays = f"the winner of round {before} stays" if before else "there is no winner"
        return [heading, f"Nobody voted, so {stays}."]
    counts = [] if board.unopposed else [f"-# {_counts(board)}"]
    return [heading, f"**Picture {won} wins** {how_it_won(board)}.", *counts]


def how_it_won(board: Board) -> str:
    """Behind “wins”: by how many votes, or by which draw."""
    if board.unopposed:
        return "as the only one that could be painted"
    most = board.tally.get(board.round.winner or 0, 0)
    if board.round.drawn:
        tied = [str(n) for n, votes in sorted(board.tally.items()) if votes == most]
        seed, left = board.round.seed, board.round.seed % len(tied)
        return (
            f"by lot, since {listed(tied)} stayed tied: the seed {seed:,} divided by {len(tied)} "
            f"leaves {left}, and counted from 0 that is picture {board.round.winner}"
        )
    turnout = board.turnout
    how = "with the only vote" if turnout == 1 else f"with {most} of {turnout} votes"
    return f"in a runoff, {how}" if board.voting is Stage.RUNOFF else how


def _counts(board: Board) -> str:
    said = _listed_counts(board.tallies[Stage.OPEN])
    if board.voting is Stage.RUNOFF:
        return f"First: {said}. Runoff: {_listed_counts(board.tally)}."
    return f"{said}."


def _listed_counts(tally: Mapping[int, int]) -> str:
    return ", ".join(
        f"picture {position}: {plural(votes, 'vote')}" for position, votes in sorted(tally.items())
    )


def _open(board: Board) -> list[str]:
    one = board.round
    closes_at = int(one.closes_at or 0)
    until = f"It closes <t:{closes_at}:R>, at <t:{closes_at}:t>."
    if one.stage is Stage.RUNOFF:
        tied = listed([str(position) for position in sorted(board.tally)])
        heading = (
            f"**Runoff{_which_round(board)}** between {tied}, which were tied: {_about(board)}"
        )
    else:
        heading = f"**Vote{_which_round(board)}:** {_about(board)}"
    lines = [heading, f"**Press a number to vote.** {until} {_turnout(board)}"]
    if one.extended and one.stage is Stage.OPEN:
        lines.append("Nobody had voted, so it stays open for as long again.")
    return lines


def _turnout(board: Board) -> str:
    cast = plural(board.turnout, "vote") if board.turnout else "No votes"
    if board.contest.rules.secret:
        return f"{cast} so far; who leads stays secret until the end."
    return f"{cast} so far."


def _between(board: Board) -> list[str]:
    one = board.round
    begins = int(one.closes_at or 0)
    invitation = (
        f"**Suggest a change, or back somebody else's**: round {one.number + 1} begins "
        f"<t:{begins}:R>. What most people back becomes its pictures, and the rest are variations."
    )
    return [invitation, *suggestion_lines(board.suggestions)]


def label_of(studio: Studio, board: Board, picture: KeptPicture) -> str | None:
    """What tells a candidate apart; None where nothing does, or nobody is to know it yet."""
    generation = board.shown.generation
    order, part = generation.order, generation.order.parts[picture.part]
    if board.blind or len(order.parts) == 1:
        return None
    if order.compares_models:
        return studio.model_name(generation, picture)
    return part.prompt if part.variation is None else f"a {part.variation} variation"


def label_and_credit(studio: Studio, board: Board, picture: KeptPicture) -> str | None:
    """The same to be read, with whoever suggested it."""
    label = label_of(studio, board, picture)
    if label is None:
        return None
    suggester = board.suggesters.get(label)
    credit = f" by <@{suggester}>" if suggester else ""
    return f"{code(label, _CHOICE_SHOWN)}{credit}"


def _choices(studio: Studio, board: Board) -> list[str]:
    labels = [
        (each.position, label_and_credit(studio, board, each)) for each in board.shown.pictures
    ]
    return [f"**{position}** {label}" for position, label in labels if label]


def _about(board: Board) -> str:
    """The same in every round: the words of a later one may be anybody's who suggested them."""
    return (
        f"{code(board.began_with.order.prompt, _PROMPT_SHOWN)} by <@{board.began_with.person_id}>"
    )


def _which_round(board: Board) -> str:
    rounds = board.contest.rules.rounds
    return f", round {board.round.number} of {rounds}" if rounds > 1 else ""


def _quiet(studio: Studio, board: Board) -> list[str]:
    """The rules, and how the pictures were painted."""
    generation = board.shown.generation
    lines = [rules_line(board)] if board.round.stage.votes else []
    if origin := came_of(generation.order):
        lines.append(origin)
    if board.blind:
        lines.append("Which model painted which one is told when the vote is closed.")
    else:
        lines += [facts_of(studio, generation, board.shown.pictures), *generation.notes]
    return [f"-# {line}" for line in lines]


def rules_line(board: Board) -> str:
    """How it is decided."""
    contest, rules = board.contest, board.contest.rules
    who = f"<@&{rules.voters_role}> can vote" if rules.voters_role else "Everyone here can vote"
    opener = f"opened by <@{contest.opener_id}>"
    if not rules.opener_votes:
        opener += ", who leaves it to the others"
    tie = f"if it is a tie, there is a runoff, and then the number {board.round.seed:,} decides"
    return f"{who}, and press again to take it back · {opener} · {tie}"
