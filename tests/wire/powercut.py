"""The power goes, again and again: at every named step, and at random moments under load."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

import aiohttp

from wire.books import ENDS, connect, read_books
from wire.faults import Fault, Kind
from wire.killing import COMMITTED, STEPS, UNCOMMITTED
from wire.town import open_town

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wire.asked import Asked
    from wire.books import Books
    from wire.town import Town

#: Discord has heard it all, does not answer, and does it after the bot has come back.
_POSTING = "posting"
#: Nobody was answered, and there is no other way to them than the answer.
_IN_PRIVATE = "accepted in private"
LABELS = (_POSTING, *UNCOMMITTED.values(), *COMMITTED.values(), *STEPS, _IN_PRIVATE)
#: An answer was there, and not yet on the disk as a whole: the call is paid for once more.
PAID_TWICE = ("called", "file written", "half renamed")
#: Calls that the bot makes at once in these runs, so that a line forms behind them.
LANES = 2
_HELD = Fault(Kind.SLOW, "POST", "/channels/*/messages", seconds=2.0)
_SWITCH = "kill"
#: Longer than the sweep waits for an answer that is on its way.
_DEAD_FOR_S = 10
#: In random runs: orders before each kill, and what share of the calls fails.
_ORDERS, _TROUBLE = 4, 0.15


@dataclass(frozen=True, slots=True)
class Scene:
    """What leads to a step.

    Attributes:
        step: at which it is killed, where the label is not its name.
        fault: that the painter meets with each order.
        cancelled: all lanes are taken, and those behind cancel.
        forward: seconds by which Discord's clock is ahead when the bot comes back.
    """

    step: str | None = None
    private: bool = False
    fault: str | None = None
    cancelled: bool = False
    forward: float = 0.0


_PLAIN = Scene()
_SCENES = {
    _IN_PRIVATE: Scene(step="accepted", private=True),
    "answered": Scene(private=True),
    "failing": Scene(fault="no_data"),
    "failed": Scene(fault="no_data"),
    "refused": Scene(fault="unsafe"),
    "half told": Scene(fault="unsafe"),
    "told": Scene(fault="no_data"),
    "cancelled": Scene(cancelled=True),
    # By then Discord has forgotten the nonce.
    "posted": Scene(forward=6 * 60.0),
}


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a run.

    Attributes:
        kills: how many.
        wasted: calls that were paid for and not delivered, by label and nth; only where the
            painter does as it is asked. Of a random run, all of them.
    """

    kills: int
    books: Books
    wasted: dict[tuple[str, int], int]


def switch(folder: Path) -> dict[str, Path]:
    """The setting of a bot in that folder that obeys `PowerCuts.order_signal`."""
    return {"wire_kill": folder / _SWITCH}


async def at_every_step(
    folder: Path, *, labels: Sequence[str] = LABELS, nths: Sequence[int] = (1,)
) -> Report:
    """One kill at each step, when so many generations have come to it."""
    channels = len(labels) * sum(LANES + nth for nth in nths)
    async with open_town(
        folder, pace=0.05, channels=channels, max_concurrent_calls=LANES, **switch(folder)
    ) as town:
        cuts = PowerCuts(town)
        for label in labels:
            for nth in nths:
                await cuts.at(label, nth)
        return await cuts.report()


async def at_random(folder: Path, *, kills: int, seed: int) -> Report:
    """Kills at any moment, while the painter fails at random."""
    random, channels = Random(seed), _ORDERS * (kills + 1)
    async with open_town(
        folder, pace=0.2, channels=channels, trouble=_TROUBLE, max_concurrent_calls=LANES
    ) as town:
        cuts = PowerCuts(town)
        for _ in range(kills):
            await cuts.at_any_moment(random)
        await cuts.order_fault(None)
        for one in [await cuts.ask() for _ in range(_ORDERS)]:
            await one.result()
        # Some were not accepted, and nobody tells of them any more.
        await cuts.until_all_are(None, *ENDS, within=60.0)
        cuts.wasted["any moment", kills] = await cuts.painter("renders") - cuts.delivered()
        return await cuts.report()


@dataclass(eq=False, slots=True)
class PowerCuts:
    """On one town, with everything that was asked there.

    Attributes:
        kills: when, in Unix seconds.
        wasted: see `Report`.
    """

    town: Town
    asked: list[Asked] = field(default_factory=list)
    kills: list[float] = field(default_factory=list)
    wasted: dict[tuple[str, int], int] = field(default_factory=dict)

    async def at(self, label: str, nth: int) -> None:
        """Dies when that many generations have come to the step, and recovers."""
        scene, before = _SCENES.get(label, _PLAIN), len(self.asked)
        paid = await self.painter("renders")
        if label == _POSTING:
            self.town.discord.faults.add(_HELD, times=nth)
        else:
            self.order_signal(scene.step or label, nth)
        await self._play(scene, nth)
        await self._died(label)
        await self.order_fault(None)
        self.town.discord.world.clock.forward(scene.forward)
        await self.recover(self.asked[before:])
        # What was not accepted before the kill was told once more, and is now.
        await self.until_all_are(*ENDS)
        if not scene.fault and not scene.cancelled:
            paid = await self.painter("renders") - paid
            self.wasted[label, nth] = paid - self.delivered(since=before)

    async def at_any_moment(self, random: Random) -> None:
        """Dies soon after some orders came at once, and recovers."""
        newest = [
            await self.ask(count=random.randint(1, 2), private=random.random() < 0.25)
            for _ in range(_ORDERS)
        ]
        await asyncio.sleep(random.uniform(0.0, 0.6))
        await self.town.bot.kill()
        await self.recover(newest)

    async def ask(self, **options: Any) -> Asked:
        """By somebody new, in a channel of their own; Discord tells of it twice."""
        self.town.discord.gateway.twice = 1
        asked = await self.town.imagine(self.town.channel(), **options)
        self.asked.append(asked)
        return asked

    async def recover(self, newest: list[Asked]) -> None:
        """As if it had been dead for longer; and Discord tells once more of the newest."""
        self.kills.append(time.time())
        self.town.let_leases_end()
        with closing(connect(self.town, mode="rw")) as other, other:
            other.execute("UPDATE generations SET created_at = created_at - ?", (_DEAD_FOR_S,))
        await self.town.bot.restart()
        for one in newest:
            await self._tell_again(one)

    async def report(self) -> Report:
        # An end is told after it is written down, unless it is lost between the two.
        with suppress(TimeoutError):
            await self.town.until(lambda: not any(a.thinking for a in self.asked), "", within=30.0)
        books = read_books(self.town, self.asked, self.kills)
        return Report(len(self.kills), books, self.wasted)

    async def until_all_are(self, *states: str | None, within: float = 10.0) -> None:
        def reached() -> bool:
            return all(self.town.state(one) in states for one in self.asked)

        await self.town.until(reached, "an end of each", within)

    def delivered(self, *, since: int = 0) -> int:
        """How many of those who asked, the first `since` left out."""
        return sum(self.town.state(one) == "delivered" for one in self.asked[since:])

    async def painter(self, figure: str) -> int:
        """What the painter counts: `renders` are calls that were paid for."""
        address = f"{self.town.painter_url}/sandbox/stats"
        async with aiohttp.ClientSession() as session, session.get(address) as response:
            return (await response.json())[figure]

    async def order_fault(self, kind: str | None, **fields: Any) -> None:
        """None: no fault any more."""
        address = f"{self.town.painter_url}/sandbox/faults"
        order = {"json": {"kind": kind, **fields}} if kind else {}
        method = "POST" if kind else "DELETE"
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.request(method, address, **order),
        ):
            pass

    def order_signal(self, label: str, nth: int, name: str = "SIGKILL") -> None:
        """For the bot of this town, when so many have come to the step."""
        order = self.town.folder / f"{_SWITCH}.new"
        order.write_text(f"{label} {nth} {name}")
        # At one stroke: the bot may be looking.
        order.replace(self.town.folder / _SWITCH)

    async def obeyed(self, label: str) -> None:
        """Until it died there."""
        try:
            async with asyncio.timeout(10):
                await self.town.bot.process.wait()
        except TimeoutError:
            raise TimeoutError(f"nothing came to {label!r}\n{self.town.bot.tail}") from None
        (self.town.folder / _SWITCH).unlink()

    async def back_after(self, label: str, *, dead_for_s: float = 0.0) -> None:
        """Died there, and is there again when its leases have ended."""
        await self.obeyed(label)
        self.town.let_leases_end()
        self.town.discord.world.clock.forward(dead_for_s)
        await self.town.bot.restart()

    async def _play(self, scene: Scene, nth: int) -> None:
        if scene.fault:
            await self.order_fault(scene.fault, times=nth)
        if not scene.cancelled:
            for _ in range(nth):
                await self.ask(count=2, private=scene.private)
            return
        await self.order_fault("slow", times=LANES, seconds=5)
        for _ in range(LANES):
            await self.ask()
        waiting = [await self.ask() for _ in range(nth)]
        for one in waiting:
            await one.acknowledged()
        for one in waiting:
            where, who = one.interaction.channel, one.interaction.person
            await self.town.discord.people.slash(where, who, "cancel")

    async def _died(self, label: str) -> None:
        if label == _POSTING:
            await self.town.until(lambda: not self.town.discord.faults.left, "a post under way")
            await self.town.bot.kill()
            return
        await self.obeyed(label)

    async def _tell_again(self, asked: Asked) -> None:
        """As after a RESUME; a gateway delivers at least once."""
        told = asked.interaction
        event = json.dumps(told.wire(self.town.discord.world))
        await self.town.discord.gateway.dispatch(
            "INTERACTION_CREATE", event, guild_id=told.channel.guild_id
        )
