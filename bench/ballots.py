"""Many votes on one ballot, over the wire: whether all count, and what its message bears."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from wire.town import open_town
from wire.voters import Voters
from wire.voting import most_in, open_ballot, tally

#: People, and seconds in which each of them has pressed once.
CROWDS = ((200, 5.0), (1_000, 5.0))
_HEAD = (
    "| voters | presses | exact | acknowledged p50 | p99 | worst | message edits | most in one "
    "second | last count shown after |"
)


async def ballots() -> list[str]:
    rows = [_HEAD, "|---" * 9 + "|"]
    for count, within_s in CROWDS:
        rows.append(await _measure(count, within_s))
        print(rows[-1], flush=True)
    return rows


async def _measure(count: int, within_s: float) -> str:
    with TemporaryDirectory() as folder:
        async with open_town(Path(folder), log_level="WARNING") as town:
            ballot = await open_ballot(town)
            voters = Voters(ballot, count=count, within_s=within_s)
            await voters.vote()
            ended = max(one.answered_at or 0.0 for one in town.discord.world.interactions.values())
            await town.until(lambda: ballot.shown == tally(ballot.stored), "the last count")
            waits = sorted(voters.waits)
            cells = (
                f"{count:,} in {within_s:g} s",
                len(waits) + voters.failed,
                "yes" if voters.is_exact and not voters.failed else "no",
                f"{median(waits) * 1e3:.0f} ms",
                f"{waits[int(len(waits) * 0.99) - 1] * 1e3:.0f} ms",
                f"{waits[-1] * 1e3:.0f} ms",
                len(ballot.edits),
                most_in(1.0, ballot.edits),
                f"{max(ballot.message.changed_at - ended, 0.0):.2f} s",
            )
    return f"| {' | '.join(map(str, cells))} |"
