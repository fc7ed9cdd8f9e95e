"""Calls to Discord, tried again where that may help; what discord.py leaves to its users."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

import aiohttp
import discord
import stamina

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.crowd import Outage

T = TypeVar("T")

UNKNOWN_MESSAGE = 10008
_TOO_LARGE, _TOKEN_OVER = 40005, 50027
#: What may pass: Discord's own trouble, its limits, and the way to it.
AWAY = (discord.HTTPException, discord.RateLimited, aiohttp.ClientError, OSError)
#: Refusals that hang on something else than what is sent.
_PASSING = frozenset({401, 408, 429})
#: After it, no try is repeated; discord.py alone may have taken 25 s over one.
_TRIED_FOR_S = 20.0
#: discord.py sleeps for as long as a webhook's 429 says, and waits 5 minutes for any answer.
_UPLOAD_MAX_S = 180.0


class Refused(Exception):
    """Discord takes it by no further try.

    Attributes:
        unsure: whether an earlier try may have come through all the same.
    """

    def __init__(self, error: discord.HTTPException | str, *, unsure: bool = False) -> None:
        super().__init__(str(error))
        told = isinstance(error, discord.HTTPException)
        self.status, self.code = (error.status, error.code) if told else (0, 0)
        self.unsure = unsure

    @property
    def too_large(self) -> bool:
        # A machine in between refuses with the status alone.
        return self.status == 413 or self.code == _TOO_LARGE  # noqa: PLR2004 - HTTP's own number


def transient(error: Exception) -> bool | float:
    """Whether another try may help at once, or in how many seconds.

    discord.py repeats some of these by itself, but neither a 503 nor a reset on Linux.
    """
    if not isinstance(error, discord.HTTPException):
        return isinstance(error, aiohttp.ClientError | OSError)
    if error.status != 429:  # noqa: PLR2004 - HTTP's own number
        return error.status >= 500  # noqa: PLR2004 - likewise
    # Of a machine in between: what is Discord's own, discord.py has waited out.
    wait = float(error.response.headers.get("Retry-After", 1))
    return max(wait, 0.1) if wait < _TRIED_FOR_S else False


async def tried(call: Callable[[], Awaitable[T]], outage: Outage) -> T:
    """What becomes of a call that is repeated while Discord stumbles.

    Raises:
        Refused: Discord does not take it.
        discord.DiscordException, aiohttp.ClientError, OSError: Discord is away.
    """
    async for attempt in stamina.retry_context(
        on=transient, attempts=outage.tries, timeout=_TRIED_FOR_S
    ):
        with attempt:
            try:
                async with asyncio.timeout(_UPLOAD_MAX_S):
                    return await call()
            except discord.HTTPException as error:
                passing = error.status >= 500 or error.status in _PASSING  # noqa: PLR2004 - HTTP's
                if passing and error.code != _TOKEN_OVER:
                    raise
                raise Refused(error, unsure=attempt.num > 1) from error
    raise AssertionError  # the last attempt returns or raises
