"""`/vote standing`: what is open in a server, and what was decided last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.studio.voting import Stage
from bot.views.wording import CONTENT_MAX, clip, code, listed, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.store.servers import VoterRules
    from bot.studio.votes import Running

_PROMPT_SHOWN = 80


def standing_text(votes: Sequence[Running]) -> str:
    """Those that are open first; each with a way to it."""
    running = [_line(each) for each in votes if each.contest.ended_at is None]
    over = [_line(each) for each in votes if each.contest.ended_at is not None]
    lines = ["**Open here:**", *running] if running else ["No vote is open here."]
    if not votes:
        lines.append("`/vote start` opens one, and so does `Vote` under any result.")
    if over:
        lines += ["**Decided last:**", *over]
    return clip("\n".join(lines), CONTENT_MAX)


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


def name_of(vote: Running) -> str:
    """In a list to choose from."""
    words = vote.board.shown.generation.order.prompt if vote.board else "its first pictures"
    return f"round {vote.round.number}: {words}"


def _line(vote: Running) -> str:
    board = vote.board
    words = code(board.shown.generation.order.prompt, _PROMPT_SHOWN) if board else "A vote"
    return f"- {words} · {_state(vote)} · opened by <@{vote.contest.opener_id}>{_link(vote)}"


def _state(vote: Running) -> str:
    one, board = vote.round, vote.board
    if board is None or one.stage is Stage.WAITING:
        return "its pictures are on their way" if vote.contest.ended_at is None else "not held"
    closes = f"<t:{int(one.closes_at or 0)}:R>"
    match one.stage:
        case Stage.OPEN | Stage.RUNOFF:
            return f"round {one.number}, {plural(board.turnout, 'vote')}, closes {closes}"
        case Stage.BETWEEN:
            return f"round {one.number + 1} begins {closes}"
        case _ if one.winner is None:
            return "no winner"
        case _:
            most = board.tally.get(one.winner, 0)
            return f"picture {one.winner}, with {most} of {plural(board.turnout, 'vote')}"


def _link(vote: Running) -> str:
    message_id = vote.round.announced_id or vote.round.message_id
    if message_id is None:
        return ""
    contest = vote.contest
    address = f"https://discord.com/channels/{contest.server_id}/{contest.channel_id}/{message_id}"
    return f" · [jump]({address})"
