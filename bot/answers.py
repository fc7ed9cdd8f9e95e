"""The moment of Discord's answer: discord.py may sleep after it, before it hands it over.

It does so whenever a call was the last one that a bucket takes for now, for as long as Discord
says: https://discord.com/developers/docs/topics/rate-limits
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_awaited: ContextVar[tuple[ExitStack, ...]] = ContextVar("awaited", default=())


@contextmanager
def until_answered(let_go: Callable[[], object]) -> Generator[None]:
    """Lets go of something once Discord has done what is asked inside; at the end at the latest."""
    with ExitStack() as held:
        held.callback(let_go)
        before = _awaited.set((*_awaited.get(), held))
        try:
            yield
        finally:
            _awaited.reset(before)


def answers() -> aiohttp.TraceConfig:
    """What a client needs for `until_answered` to hear of its answers."""
    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(_answered)
    return trace


async def _answered(_: object, __: object, answer: aiohttp.TraceRequestEndParams) -> None:
    # What was only looked up, or is to be asked again, was not done yet.
    if answer.method != "GET" and answer.response.ok:
        for held in _awaited.get():
            held.close()
