"""Many commands at once, over the wire: acknowledged, delivered, and what that takes."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from wire.launch import Child, painter_process
from wire.server import Server
from wire.town import KEY, open_town

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

_NO_LIMITS = {
    "user_images_per_day": 10_000,
    "user_images_per_minute": 10_000,
    "user_waiting_max": 1_000,
}


@dataclass(frozen=True)
class Crowd:
    """Commands at once from as many people, in as many channels.

    Attributes:
        pace: seconds that one call to the API takes.
        bears: calls that it bears at once; None for as many as come.
        delivers: False when only the acknowledgement is waited for.
        calls: that the operator allows at once; None for the usual number.
    """

    name: str
    commands: int
    pace: float = 1.0
    bears: int | None = None
    count: int = 1
    delivers: bool = True
    calls: int | None = None


CROWDS = (
    Crowd("50 at once, API 1 s", 50),
    Crowd("50 at once, API 1 s, bears 8", 50, bears=8),
    Crowd("50 at once, API hangs", 50, pace=120.0, delivers=False),
    Crowd("500 at once, API 1 s", 500, calls=500),
    Crowd("500 at once, API 1 s, bears 50", 500, bears=50),
    Crowd("500 at once, API 1 s, bears 8", 500, bears=8),
    Crowd("500 at once, API hangs", 500, pace=120.0, delivers=False),
    Crowd("500 at once of four pictures, API 1 s", 500, count=4),
)


async def measure(crowd: Crowd) -> str:
    with TemporaryDirectory() as folder:
        async with open_town(
            Path(folder),
            pace=crowd.pace,
            bears=crowd.bears,
            channels=crowd.commands,
            log_level="WARNING",
            **_NO_LIMITS,
            **({"max_concurrent_calls": crowd.calls} if crowd.calls else {}),
        ) as town:
            # A first start also makes the tables, and takes the memory for it.
            await town.bot.terminate()
            await town.bot.restart()
            asked = await asyncio.gather(
                *(town.imagine(town.channel(), count=crowd.count) for _ in range(crowd.commands))
            )
            waits = sorted(await asyncio.gather(*(one.acknowledged(30) for one in asked)))
            last = ""
            if crowd.delivers:
                results = await asyncio.gather(*(one.result(180) for one in asked))
                last = f"{max(a.took(m) for a, m in zip(asked, results, strict=True)):.2f} s"
            return (
                f"| {crowd.name} | {median(waits) * 1e3:.0f} ms | "
                f"{waits[int(len(waits) * 0.99) - 1] * 1e3:.0f} ms | {waits[-1] * 1e3:.0f} ms | "
                f"{last} | {town.bot.peak_mib:.0f} MiB |"
            )


async def crowds() -> list[str]:
    rows = [
        "| commands | acknowledged p50 | p99 | worst | last delivered | peak memory |",
        "|---|---|---|---|---|---|",
    ]
    for crowd in CROWDS:
        rows.append(await measure(crowd))
        print(rows[-1], flush=True)
    return rows


async def against_bare(rounds: int = 9, generations: int = 40) -> list[str]:
    """Processor time and memory for four pictures, beside a bare script of the same calls."""
    figures: dict[str, list[float]] = {"Easel": [], "bare script": []}
    peaks: dict[str, list[float]] = {name: [] for name in figures}
    calls: dict[str, float] = {}
    # Nothing is deleted before the last round: for minutes afterwards, ext4 looks at every inode
    # that it could take again and must not yet, and whoever makes files then pays for that.
    with TemporaryDirectory() as folder:
        for number in range(rounds):
            for name, opened in (("Easel", _easel), ("bare script", _bare)):
                own = Path(folder, f"{name} {number}")
                await asyncio.to_thread(own.mkdir)
                async with opened(own, generations) as (process, discord, asks):
                    await asyncio.gather(*(one.result(60) for one in await asks(2)))
                    before, told = process.cpu_s, len(discord.calls)
                    asked = await asks(generations)
                    await asyncio.gather(*(one.result(60) for one in asked))
                    await asyncio.gather(*(one.gone(60) for one in asked))
                    figures[name].append((process.cpu_s - before) / generations * 1e3)
                    peaks[name].append(process.peak_mib)
                    calls[name] = (len(discord.calls) - told) / generations
    (cpu, bare_cpu), (peak, bare_peak) = (
        [median(each) for each in of.values()] for of in (figures, peaks)
    )
    rows = [
        f"| | CPU a generation, ms (medians) | peak memory, {generations} at once | calls |",
        "|---|---|---|---|",
        f"| Easel | {cpu:.1f} | {peak:.0f} MiB | {calls['Easel']:.1f} |",
        f"| bare script | {bare_cpu:.1f} | {bare_peak:.0f} MiB | {calls['bare script']:.1f} |",
        f"| ratio | {cpu / bare_cpu:.2f} | {peak / bare_peak:.2f} | |",
    ]
    print("\n".join(rows), flush=True)
    return rows


@asynccontextmanager
async def _easel(folder: Path, channels: int) -> AsyncGenerator[tuple[Child, Server, Any]]:
    async with open_town(folder, channels=channels + 2, log_level="WARNING", **_NO_LIMITS) as town:

        async def asks(number: int) -> list[Any]:
            return [await town.imagine(town.channel(), count=4) for _ in range(number)]

        yield town.bot, town.discord, asks


@asynccontextmanager
async def _bare(folder: Path, channels: int) -> AsyncGenerator[tuple[Child, Server, Any]]:
    async with (
        painter_process(folder, key=KEY, pace=0.1) as (_, address),
        Server() as discord,
    ):
        guild = discord.world.guild()
        quiet = [discord.world.channel(guild, f"studio-{n}") for n in range(channels + 2)]
        environ = {
            "WIRE_DISCORD": discord.url,
            "DISCORD_TOKEN": discord.token,
            "TOGETHER_BASE_URL": address,
            "TOGETHER_API_KEY": KEY,
        }
        script = str(Path(__file__).with_name("bare.py"))
        async with Child([script], folder=folder, log=folder / "bare.log", environ=environ) as bot:
            async with asyncio.timeout(30):
                while not discord.gateway.ready:  # noqa: ASYNC110 - it tells nobody
                    await asyncio.sleep(0.05)

            async def asks(number: int) -> list[Any]:
                people, person = discord.people, discord.world.person
                return [
                    await people.slash(
                        quiet.pop(), person("ann"), "imagine", prompt="a red fox", count=4
                    )
                    for _ in range(number)
                ]

            yield bot, discord, asks
