"""Processes that share a database and an archive, and can stop anywhere and come back."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import AsyncExitStack
from random import Random
from typing import TYPE_CHECKING, Any, Self, cast

from life_gate import Gate, Gated
from life_loop import Clock, Elsewhere, Loop
from life_ports import Api, Courier, Discord

from bot.imaging.archive import Archive
from bot.imaging.catalogue import Catalogue
from bot.imaging.pacing import Pace
from bot.imaging.references import References
from bot.store.database import Database
from bot.store.schema import metadata
from bot.studio.announcer import Announcer
from bot.studio.circuit import Circuit
from bot.studio.gathering import Gatherer
from bot.studio.generation import Place
from bot.studio.intake import Intake
from bot.studio.life import Life
from bot.studio.painting import Painter
from bot.studio.recovery import Recovery
from bot.studio.shelf import Shelf
from bot.studio.studio import Studio
from bot.studio.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from sqlalchemy import Connection

    from bot.imaging.links import Links
    from bot.store.people import Limits
    from bot.studio.generation import Generation
    from bot.studio.order import Order
    from bot.studio.outcomes import Submitted

LEASE_S = 60.0
TOKEN_LIFE_S = 880.0
#: So few calls at once that a line forms.
CALLS = 3


class Store:
    """The database, as one process has it; all others stand still while it is at work."""

    def __init__(self, world: LifeWorld, holder: str) -> None:
        self._world, self._holder = world, holder

    async def read(self, *work: Any, **kwargs: Any) -> Any:
        return self._world.elsewhere.run(self._world.database.read(*work, **kwargs))

    async def write(self, *work: Any, **kwargs: Any) -> Any:
        try:
            return self._world.elsewhere.run(self._world.database.write(*work, **kwargs))
        finally:
            self._world.after_each_write(self._holder)


class Process:
    """The parts of one process, put together as bot/app.py does."""

    def __init__(self, world: LifeWorld, number: int) -> None:
        self.name, self.gate = f"process {number}", Gate(world.clock)
        #: It was asked to stop, and takes no orders any more.
        self.ending = False
        self._loop, clock = world.loop, world.clock
        self._asked: list[asyncio.Task[Any]] = []
        store, archive, api, discord = (
            self._gated(each)
            for each in (Store(world, self.name), world.archive, world.api, world.discord)
        )
        held: dict[str, Any] = {"holder": self.name, "lease_s": LEASE_S, "clock": clock}
        pace = Pace(CALLS, clock=world.loop.time, random=Random(number))
        self.circuit = Circuit(clock)
        references, nobody_links = References(), cast("Links", None)
        no_votes = cast("Any", None)
        shelf = Shelf(archive)
        painter = Painter(world.catalogue, api, pace, archive, references, shelf=shelf)
        life = Life(store, painter, self.circuit, no_votes, **held)
        self.work = Work(life, pace, self.circuit, Announcer(), shelf=shelf, clock=clock)
        self.recovery = Recovery(store, life, self.work, **held)
        gatherer = Gatherer(store, archive, references, nobody_links)
        # Not chance itself: rows come in the order of their ids now and then.
        by_the_limits: dict[str, Any] = {"limits": world.limits, "clock": clock}
        self.intake = Intake(
            store,
            world.catalogue,
            gatherer,
            self.work,
            self.circuit,
            shelf=shelf,
            random=Random(number),
            **by_the_limits,
        )
        self.studio = Studio(
            store,
            archive,
            world.catalogue,
            self.intake,
            self.work,
            votes=no_votes,
            **by_the_limits,
        )
        self._courier = Courier(discord, archive, clock)

    def _gated(self, thing: object) -> Any:
        return Gated(self.gate, thing)

    def connect(self) -> None:
        """Discord is there, and work may begin."""

        async def connect() -> None:
            self.work.connect(self._courier)
            self.recovery.start(self._courier)

        self.ask(connect())

    def ask(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Lets it do something; the task is not done when the process stopped over it."""
        task = self._loop.create_task(work)
        self._asked.append(task)
        self._loop.settle()
        return task

    def submit(self, order: Order, place: Place) -> asyncio.Task[Submitted]:
        return self.ask(self.intake.submit(order, place))

    def begin(self, generation: Generation) -> None:
        async def begin() -> None:
            self.intake.begin(generation)

        self.ask(begin())

    def stop(self, grace_s: float) -> None:
        """As bot/app.py does when it is asked to."""

        async def stop() -> None:
            self.intake.close()
            await self.work.close(grace_s)
            await self.recovery.close()

        self.ending = True
        self.ask(stop())

    async def bury(self) -> None:
        """Whatever is left of it ends here, without another word to the world."""
        self.gate.end()
        left = [*self._asked, *self.recovery._rounds]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self.work.close(0)


class LifeWorld:
    """One database, one archive, one Discord, one API; and the processes, dead and alive."""

    catalogue = Catalogue.load()

    def __init__(self, folder: Path, limits: Limits, *, begins_at: float) -> None:
        """`begins_at` is what the wall's clock shows, again after each `begin_anew`."""
        self.limits = limits
        self.file, self.pictures = folder / "easel.db", folder / "pictures"
        self._begins_at = begins_at
        self.clock = Clock(begins_at)
        self.loop = Loop(self.clock)
        self.elsewhere, self._rooms = Elsewhere(), AsyncExitStack()
        self.archive = Archive.open(str(self.pictures))
        self.database: Database

    def begin_anew(self) -> None:
        """At the same time as at first, as if nothing had been."""
        self.clock.passed = 0.0
        self.clock.set(self._begins_at)
        self.elsewhere.run(self.database.write(_forget_all))
        for folder in self.pictures.iterdir():
            shutil.rmtree(folder)
        self.after_each_write: Callable[[str], None] = lambda _: None
        self.api, self.discord = Api(), Discord(self.clock)
        self.processes: list[Process] = []

    def __enter__(self) -> Self:
        opening = Database.open(f"sqlite+aiosqlite:///{self.file}")
        self.database = self.elsewhere.run(self._rooms.enter_async_context(opening))
        # No power is cut here, and to wait for the disk would take most of the time.
        self.elsewhere.run(_without_syncs(self.database))
        self.loop.run_until_complete(self.archive.check())
        self.begin_anew()
        return self

    def __exit__(self, *_: object) -> None:
        self.bury_all()
        self.loop.run_until_complete(self.archive.close())
        self.loop.close()
        self.elsewhere.run(self._rooms.aclose())
        self.elsewhere.close()

    @property
    def living(self) -> list[Process]:
        return [each for each in self.processes if not (each.gate.shut or each.ending)]

    @property
    def stopped(self) -> list[Process]:
        return [process for process in self.processes if process.gate.shut]

    def start(self) -> Process:
        process = Process(self, len(self.processes))
        self.processes.append(process)
        process.connect()
        return process

    def bury_all(self) -> None:
        for process in self.processes:
            self.loop.run_until_complete(process.bury())

    def place(self, number: int, person_id: int, server_id: int | None = 1) -> Place:
        """Where the `number`th interaction comes from."""
        return Place(
            interaction_id=number,
            person_id=person_id,
            server_id=server_id,
            application_id=1,
            channel_id=1,
            interaction_token=f"token {number}",
            token_expires_at=self.clock() + TOKEN_LIFE_S,
            may_post=True,
            file_limit=10_000_000,
        )


def _forget_all(connection: Connection) -> None:
    for table in reversed(metadata.sorted_tables):
        connection.execute(table.delete())


async def _without_syncs(database: Database) -> None:
    await database._writer.execute("PRAGMA synchronous = OFF")
