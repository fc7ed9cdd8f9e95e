"""`/vote standing`: what is open in a server, and what was decided last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.studio.voting import Stage
from bot.views.ballot import how_it_won
from bot.views.wording import code, listed, plural, whole_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.store.servers import VoterRules
    from bot.studio.votes import Listed

_PROMPT_SHOWN = 60
#: So that there is room for those that were decided.
_OPEN_SHOWN = 6


def standing_text(votes: Sequence[Listed]) -> str:
    """Those that are open first; each with a way to it."""
    if not votes:
        return (
            "No vote is open here.\n`/vote start` opens one, and so does `Vote` under any result."
        )
    running = [_line(each) for each in votes if each.contest.ended_at is None]
    over = [_line(each) for each in votes if each.contest.ended_at is not None]
    shown = running[:_OPEN_SHOWN]
    lines = ["**Open here:**", *shown] if running else ["No vote is open here."]
    if more := len(running) - len(shown):
        lines.append(f"-# and {more} more, which `/vote close` lists")
    if over:
        lines += ["**Decided last:**", *over]
    return whole_lines(lines)


def voters_text(voters: VoterRules) -> str:
    """Who may vote in a server."""
    asked: list[str] = []
    if days := voters.voter_account_days:
        asked.append(f"whose account is {plural(days, 'day')} old")
    if days := voters.voter_member_days:
        asked.append(f"who have been members for {plural(days, 'day')}")
    who = f"Those {listed(asked)} can vote" if asked else "Everybody can vote"
    opener = "also" if voters.opener_votes else "but not"
    return f"{who}, {opener} whoever opens the vote."


def name_of(vote: Listed) -> str:
    """In a list to choose from."""
    words = vote.board.began_with.order.prompt if vote.board else "its first pictures"
    return f"round {vote.round.number}: {words}"


def _line(vote: Listed) -> str:
    board = vote.board
    words = code(board.began_with.order.prompt, _PROMPT_SHOWN) if board else "A vote"
    return f"- {words} · {_state(vote)} · opened by <@{vote.contest.opener_id}>{_link(vote)}"


def _state(vote: Listed) -> str:
    one, board = vote.round, vote.board
    if board is None or one.stage is Stage.WAITING:
        ended = vote.contest.ended_at is not None
        return _why_not(vote) if ended else "its pictures are on their way"
    closes = f"<t:{int(one.closes_at or 0)}:R>"
    match one.stage:
        case Stage.OPEN | Stage.RUNOFF:
            return f"round {one.number}, {plural(board.turnout, 'vote')}, closes {closes}"
        case Stage.BETWEEN:
            return f"round {one.number + 1} begins {closes}"
        case _ if one.winner is None:
            return _why_not(vote)
        case _:
            return f"picture {one.winner} won {how_it_won(board)}"


def _why_not(vote: Listed) -> str:
    return vote.contest.ending or "no winner"


def _link(vote: Listed) -> str:
    if vote.message_id is None:
        return ""
    contest = vote.contest
    address = (
        f"https://discord.com/channels/{contest.server_id}/{contest.channel_id}/{vote.message_id}"
    )
    return f" · [jump]({address})"
