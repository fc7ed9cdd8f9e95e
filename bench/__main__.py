"""`make bench`: prints every figure and keeps it in bench/results.md."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import platform
import sys
from pathlib import Path

HOUSE = Path(__file__).parents[1]
sys.path.insert(0, str(HOUSE / "tests"))

from bench.ballots import ballots  # noqa: E402 - the path comes first
from bench.crowds import against_bare, crowds  # noqa: E402
from bench.growth import growth  # noqa: E402
from bench.kills import kills  # noqa: E402

RESULTS = Path(__file__).with_name("results.md")


async def main() -> None:
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
    today = dt.datetime.now(dt.UTC).date()
    about = (
        f"Of {today}, on {machine}; the bot, the painter and this Discord share the machine. A "
        "ratio counts; the rest is for orientation."
    )
    sections = [
        f"# Figures\n\n{about}",
        # The first: what the others leave behind on the disk would be charged to it.
        "## Beside a bare script\n\n" + "\n".join(await against_bare()),
        "## Many at once\n\n" + "\n".join(await crowds()),
        "## One ballot\n\n" + "\n".join(await ballots()),
        "## The power cut\n\n" + "\n".join(await kills()),
        "## As it grows\n\n" + "\n".join(await growth()),
    ]
    await asyncio.to_thread(RESULTS.write_text, "\n\n".join(sections) + "\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
