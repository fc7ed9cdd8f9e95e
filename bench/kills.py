"""The power goes: kill -9 at every named step, and at random moments while the painter fails."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from wire.books import RULES
from wire.powercut import at_every_step, at_random

if TYPE_CHECKING:
    from wire.powercut import Report

KILLS, SEED = 100, 2
NTHS = (1, 3)
_HEAD = (
    "| kill -9 | kills | accepted | delivered | of these, not seen | refunded | of these, not told "
    "| rules broken | calls paid for and not delivered | temporary files left |"
)


async def kills() -> list[str]:
    rows = [_HEAD, "|---" * 10 + "|"]
    with TemporaryDirectory() as folder:
        report = await at_every_step(Path(folder), nths=NTHS)
    rows.append(_row("at every step, with one generation or three", report))
    print(rows[-1], flush=True)
    with TemporaryDirectory() as folder:
        report = await at_random(Path(folder), kills=KILLS, seed=SEED)
    rows.append(_row("at any moment, a seventh of the calls failing", report))
    print(rows[-1], flush=True)
    return [*rows, f"\nThe rules are: {', '.join(RULES)}."]


def _row(name: str, report: Report) -> str:
    books = report.books
    broken = [f"{rule}: {found}" for rule, found in books.breaches.items() if found]
    delivered, accepted = books.ends["delivered"], books.ends.total()
    cells = (
        name,
        report.kills,
        accepted,
        delivered,
        len(books.unseen),
        accepted - delivered,
        len(books.silent),
        "; ".join(broken) or "none",
        sum(report.wasted.values()),
        len(books.leftovers),
    )
    return f"| {' | '.join(map(str, cells))} |"
