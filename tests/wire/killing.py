"""Ends the bot's process at a named step of a generation's life, by SIGKILL.

The steps are noticed by wrapping functions of the bot from outside; nothing in it knows of them.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import os
import signal
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Reached = Callable[[str | None], None]

#: A transaction is on the disk, and whoever asked for it has not gone on. By its function, or
#: by the end that it brings about.
COMMITTED = {
    "accept": "accepted",
    "claim": "claimed",
    "keep": "painted",
    "deliver": "delivered",
    "failed": "failed",
    "refused": "refused",
    "cancelled": "cancelled",
}
#: The same of votes.
COMMITTED_IN_VOTES = {"cast": "cast", "settle": "settled"}
#: Its statements were run, and nothing is committed.
UNCOMMITTED = {
    "accept": "accepting",
    "keep": "keeping",
    "deliver": "delivering",
    "fail": "failing",
}
#: Module, function, and whether the step is before it or after it.
STEPS = {
    "acknowledged": ("bot.studio.intake", "Intake.begin", "before"),
    "called": ("bot.imaging.together", "Together.paint", "after"),
    "file written": ("bot.imaging.lasting", "_write", "after"),
    "half renamed": ("pathlib", "Path.replace", "after"),
    "renamed": ("bot.imaging.archive", "Archive.put_made", "after"),
    "posted": ("discord.abc", "Messageable.send", "after"),
    "answered": ("discord", "Webhook.edit_message", "after"),
    "waiting removed": ("bot.delivery", "DiscordDelivery.remove_waiting", "after"),
    "half told": ("discord", "Webhook.send", "before"),
    "told": ("bot.delivery", "DiscordDelivery.tell_failure", "after"),
}


class Switch:
    """What is to happen where: a file says so, `posted 3 SIGKILL`, once there is one.

    It counts from the first step after the file was written.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._passed = 0
        # Some steps are on the event loop, others on threads.
        self._lock = threading.Lock()

    def reached(self, label: str | None) -> None:
        if label is None:
            return
        try:
            wanted, nth, name = self._file.read_text().rsplit(maxsplit=2)
        except FileNotFoundError:
            return
        with self._lock:
            self._passed += wanted == label
            if wanted == label and self._passed == int(nth):
                os.kill(os.getpid(), signal.Signals[name])


def install(file: Path) -> None:
    """From now on the bot's steps are noticed, and `file` decides what becomes of it there."""
    reached = Switch(file).reached
    from bot.store import generations  # noqa: PLC0415 - after the path is right
    from bot.store.database import Database  # noqa: PLC0415

    for name, label in UNCOMMITTED.items():
        _wrap(generations, name, label, "after", reached)
    Database.write = _noticed(Database.write, reached)
    for label, (module, path, when) in STEPS.items():
        *owners, name = path.split(".")
        owner = functools.reduce(getattr, owners, importlib.import_module(module))
        _wrap(owner, name, label, when, reached)


def _noticed(write: Callable[..., Any], reached: Reached) -> Callable[..., Any]:
    labels = COMMITTED | COMMITTED_IN_VOTES

    @functools.wraps(write)
    async def noticed(self: Any, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        outcome = await write(self, work, *args, **kwargs)
        # An event that came twice, a full allowance or a lost lease change nothing.
        if outcome is not None and type(outcome).__name__ not in ("Replayed", "OverLimit"):
            name = getattr(work, "__name__", "")
            reached(labels.get(str(kwargs.get("becomes", name))))
        return outcome

    return noticed


def _wrap(owner: Any, name: str, label: str, when: str, reached: Reached) -> None:
    original = getattr(owner, name)

    @functools.wraps(original)
    def plain(*args: Any, **kwargs: Any) -> Any:
        if when == "before":
            reached(label)
        outcome = original(*args, **kwargs)
        if when == "after":
            reached(label)
        return outcome

    @functools.wraps(original)
    async def awaited(*args: Any, **kwargs: Any) -> Any:
        if when == "before":
            reached(label)
        outcome = await original(*args, **kwargs)
        if when == "after":
            reached(label)
        return outcome

    setattr(owner, name, awaited if inspect.iscoroutinefunction(original) else plain)
