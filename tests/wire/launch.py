"""Processes of their own: the bot as anybody runs it, the painter, and this Discord alone.

Each has a log of its own, ends with its `async with`, and nothing else is ever ended.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import signal
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

import aiohttp

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]
_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
_LISTENS = re.compile(r"listens on (http://\S+)")
_POLL_S = 0.02
_SHOWN = 3_000
#: Of the environment, what any program may need; settings of the bot are not among it.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")


class Child:
    """A process that was started here and is ended here."""

    def __init__(
        self, arguments: Sequence[str], *, folder: Path, log: Path, environ: Mapping[str, str]
    ) -> None:
        self._arguments = [sys.executable, *arguments]
        self._folder, self._log = folder, log
        self._environ = {n: os.environ[n] for n in _INHERITED if n in os.environ} | dict(environ)
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.alive:
            await self.kill()

    @property
    def process(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError("it was not started")
        return self._process

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def log(self) -> str:
        """Everything that it, and those before it, wrote to stdout and stderr."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def cpu_s(self) -> float:
        """Processor time so far, in user and kernel; Linux only."""
        parts = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def peak_mib(self) -> float:
        """The most memory that it has had; Linux only."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found else 0.0

    async def start(self) -> None:
        assert not self.alive, "it runs already"
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._arguments,
                cwd=self._folder,
                env=self._environ,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def kill(self) -> None:
        """SIGKILL: it can finish nothing."""
        self.process.kill()
        await self.process.wait()

    async def terminate(self, within: float = 30.0) -> int:
        """SIGTERM, and the exit code.

        Raises:
            TimeoutError: it is still there; it was killed then.
        """
        self.process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(within):
                return await self.process.wait()
        except TimeoutError:
            await self.kill()
            raise TimeoutError(f"no end within {within:g} s of SIGTERM\n{self.tail}") from None

    @property
    def tail(self) -> str:
        return self.log[-_SHOWN:]

    async def address(self, within: float = 20.0) -> str:
        """Where it says that it listens."""
        return (await self.logged(_LISTENS, within=within))[1]

    async def logged(self, pattern: str | re.Pattern[str], within: float = 10.0) -> re.Match[str]:
        """What it writes, now or soon."""
        ends = time.monotonic() + within
        while time.monotonic() < ends:
            if found := re.search(pattern, self.log):
                return found
            self._must_live()
            await asyncio.sleep(_POLL_S)
        raise TimeoutError(f"it does not write {pattern!r}\n{self.tail}")

    def _must_live(self) -> None:
        if not self.alive:
            code = self.process.returncode
            raise RuntimeError(f"it ended with {code}\n{self.tail}")


class Bot(Child):
    """The bot, unmodified, in a process of its own, on this Discord."""

    def __init__(
        self, discord: str, discord_id: str, folder: Path, settings: Mapping[str, str]
    ) -> None:
        self._discord, self._discord_id = discord, discord_id
        self._identified = 0
        super().__init__(
            [str(_BOOTSTRAP), "run"],
            # Not the checkout: nobody's .env may have a say.
            folder=folder,
            log=folder / "bot.log",
            environ={"WIRE_DISCORD": discord, **settings},
        )

    async def start(self) -> None:
        self._identified = (await self._stats())["identifies"]
        await super().start()

    async def wait_ready(self, within: float = 30.0) -> None:
        """Until it is connected and knows its servers.

        Raises:
            RuntimeError: it ended; its log says why.
            TimeoutError: it did not get there.
        """
        ends = time.monotonic() + within
        while time.monotonic() < ends:
            stats = await self._stats()
            if stats["identifies"] > self._identified and stats["ready"]:
                return
            self._must_live()
            await asyncio.sleep(_POLL_S)
        raise TimeoutError(f"the bot is not ready in {within:g} s\n{self.tail}")

    async def restart(self) -> None:
        """Once more with the same settings, on the same data."""
        await self.start()
        await self.wait_ready()

    async def _stats(self) -> dict[str, int]:
        return await control(self._discord, self._discord_id)


def settings_for(
    folder: Path, *, token: str, painter: str, key: str, **changed: object
) -> dict[str, str]:
    """The environment of a bot whose data are in `folder`."""
    environ = {
        "DISCORD_TOKEN": token,
        "TOGETHER_API_KEY": key,
        "TOGETHER_BASE_URL": painter,
        "DATABASE_URL": f"sqlite+aiosqlite:///{folder}/easel.db",
        "ARCHIVE_URL": str(folder / "pictures"),
        "SHARD_COUNT": "1",
        "LOG_FORMAT": "json",
    }
    return environ | {name.upper(): str(value) for name, value in changed.items()}


@asynccontextmanager
async def painter_process(
    folder: Path,
    *,
    key: str,
    pace: float = 0.0,
    bears: int | None = None,
    reuse: bool = True,
    trouble: float = 0.0,
) -> AsyncGenerator[tuple[Child, str]]:
    """The sandbox painter and its address; of its calls, the share `trouble` fails."""
    arguments = ["-m", "bot.demo.painter", "--port", "0", "--api-key", key, "--pace", str(pace)]
    arguments += ["--reuse"] if reuse else []
    arguments += ["--bears", str(bears)] if bears is not None else []
    arguments += ["--trouble", str(trouble), "--seed", "1"] if trouble else []
    async with Child(arguments, folder=ROOT, log=folder / "painter.log", environ={}) as child:
        yield child, await child.address()


@asynccontextmanager
async def discord_process(
    folder: Path, *, token: str, channels: int = 50, people: int = 50, limits: bool = True
) -> AsyncGenerator[tuple[Child, str, str]]:
    """This Discord in a process of its own, its address and its id."""
    number = secrets.token_hex(16)
    arguments = ["-m", "wire.server", "--id", number, "--token", token]
    arguments += ["--channels", str(channels), "--people", str(people)]
    arguments += [] if limits else ["--no-limits"]
    log = folder / "discord.log"
    async with Child(arguments, folder=ROOT / "tests", log=log, environ={}) as child:
        address = await child.address()
        await control(address, number)
        yield child, address, number


async def control(discord: str, discord_id: str) -> dict[str, int]:
    """Its statistics, and proof that it is the one that was started.

    Raises:
        RuntimeError: another server has taken the port.
    """
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{discord}/control/stats") as response,
    ):
        stats = await response.json()
    if stats["id"] != discord_id:
        raise RuntimeError(f"{discord} is not the server that was started here")
    return stats
