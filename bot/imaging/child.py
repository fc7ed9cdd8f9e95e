"""One picture and a process for it: started, talked to and ended, whatever comes of it."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen
from threading import Lock
from typing import IO, TYPE_CHECKING, Final, final

from bot.imaging.cleaning import CLEAN_BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMAND: Final = (sys.executable, "-m", "bot.imaging.cleaning")
FOLDER: Final = Path(__file__).parents[2]
#: No secret of ours goes along. Windows starts nothing without this one name.
_ENVIRONMENT = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
_LINE_MAX = 200
_LAST_WORDS_MAX = 1 << 16
_CAUSE_MAX = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What a process said, not yet believed: see `cleaning.main`."""

    word: str
    width: int
    height: int
    body: bytes

    @property
    def cause(self) -> str:
        """The body, where it is no picture."""
        return self.body[:_CAUSE_MAX].decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Died:
    """How a process came to nothing, for the log."""

    how: str


@dataclass(frozen=True, slots=True)
class NotStarted:
    """Why there was none, for the log."""

    why: str


# asyncio's own processes hang for ever when all tasks are cancelled while one of them starts:
# https://github.com/python/cpython/issues/125502
@final
class Child:
    """A process for one picture: `talk` in a thread, and `kill` from any other."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command = command
        self._starting = Lock()
        self._process: Popen[bytes] | None = None
        self._unwanted = False

    def kill(self) -> None:
        """Now, or before it is started; one that has ended is left in peace."""
        with self._starting:
            self._unwanted = True
            if self._process is not None:
                self._process.kill()

    def talk(self, data: bytes) -> Answer | Died | NotStarted:
        """Blocking, until the process ends or is killed."""
        try:
            with self._starting:
                if self._unwanted:
                    return NotStarted("nobody waits for it any more")
                process = self._process = self._start()
        except OSError as error:
            return NotStarted(f"cannot start {self._command[0]}: {error}")
        with process:
            return _talked(process, data)

    def _start(self) -> Popen[bytes]:
        return Popen(  # noqa: S603 - a command of ours, with no word of anybody else's in it
            self._command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=_ENVIRONMENT,
            cwd=FOLDER,
            start_new_session=True,  # Ctrl-C is for the bot, which may want to finish this
        )


def _talked(process: Popen[bytes], data: bytes) -> Answer | Died:
    told, heard, complained = process.stdin, process.stdout, process.stderr
    if told is None or heard is None or complained is None:
        return Died("it has no pipes")
    try:
        return _conversation(told, heard, data)
    except (OSError, EOFError, ValueError) as error:
        how = f"{type(error).__name__} {error}"
    finally:
        process.kill()
    last_words = complained.read(_LAST_WORDS_MAX).decode(errors="replace").splitlines()
    with suppress(OSError):
        told.close()  # what is left to say, to nobody
    return Died(f"{how}; it ended with {process.wait()}: {''.join(last_words[-1:])[:_CAUSE_MAX]}")


def _conversation(told: IO[bytes], heard: IO[bytes], data: bytes) -> Answer:
    told.write(b"%d\n" % len(data))
    told.write(data)
    told.flush()
    line = heard.readline(_LINE_MAX)
    word, *numbers = line.decode("ascii").split()
    width, height, length = map(int, numbers)
    if not line.endswith(b"\n") or not 0 <= length <= CLEAN_BYTES_MAX:
        raise ValueError(f"an answer that begins with {line!r}")
    body = heard.read(length)
    if len(body) < length:
        raise EOFError(f"{len(body)} of {length} bytes")
    return Answer(word, width, height, body)
