"""Tells those who wait how long the line before them is: seldom, and never too late."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from bot.errors import EaselError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.studio.generation import Generation
    from bot.studio.life import Delivery
    from bot.studio.line import Standing

log = structlog.get_logger()

#: The first word after this long, and no message changes more often.
_EVERY_S = 5.0
#: Edits of one waiting message, and of all of them at once.
_EACH_MAX, _AT_ONCE_MAX = 6, 5


@dataclass(slots=True)
class _Watched:
    generation: Generation
    told: int = 0
    news: tuple[int, bool] | None = None


class Announcer:
    """Works only while somebody waits."""

    def __init__(self, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._sleep = sleep
        self._watched: dict[str, _Watched] = {}
        self._telling: dict[str, asyncio.Task[None]] = {}
        self._rounds: asyncio.Task[None] | None = None
        self._delivery: Delivery | None = None
        self._standing: Callable[[str], Standing | None] = lambda _: None
        self._let_go: Callable[[], Awaitable[None]] | None = None

    def connect(
        self,
        delivery: Delivery,
        standing: Callable[[str], Standing | None],
        let_go: Callable[[], Awaitable[None]],
    ) -> None:
        """Through `delivery`, and with what `standing` says of a generation's id.

        Before that is asked, `let_go` sees to what has left the line elsewhere.
        """
        self._delivery, self._standing, self._let_go = delivery, standing, let_go

    def watch(self, generation: Generation) -> None:
        """From now on, tells this one's asker."""
        self._watched[generation.id] = _Watched(generation)
        if self._rounds is None or self._rounds.done():
            self._rounds = asyncio.create_task(self._go_round(), name="announcer")

    async def settle(self, generation_id: str) -> None:
        """Stops telling about it, and waits for a word that is on its way.

        Else that word could take the place of the result.
        """
        self._watched.pop(generation_id, None)
        if telling := self._telling.get(generation_id):
            await asyncio.wait({telling})

    async def close(self) -> None:
        """Says nothing more."""
        self._watched.clear()
        if self._rounds is not None:
            self._rounds.cancel()
            await asyncio.gather(self._rounds, return_exceptions=True)

    async def _go_round(self) -> None:
        while self._watched:
            await self._sleep(_EVERY_S)
            try:
                await self._tell_news()
            except EaselError as error:
                log.warning("announcer.failed", cause=error.operator or error.sentence)
            except Exception:  # a loop's edge: the next round tries again
                log.exception("announcer.failed")

    async def _tell_news(self) -> None:
        if self._let_go is not None:
            await self._let_go()
        news = [
            (watched, standing)
            for key, watched in list(self._watched.items())
            if (standing := self._standing(key)) and _news(standing) != watched.news
        ]
        # Those who heard least come first.
        news.sort(key=lambda item: item[0].told)
        await asyncio.gather(*(self._tell(*item) for item in news[:_AT_ONCE_MAX]))

    async def _tell(self, watched: _Watched, standing: Standing) -> None:
        generation = watched.generation
        if self._delivery is None or watched.told >= _EACH_MAX:
            return
        watched.told, watched.news = watched.told + 1, _news(standing)
        telling = asyncio.create_task(self._delivery.tell_standing(generation, standing))
        self._telling[generation.id] = telling
        try:
            await telling
        except Exception:  # a word's edge: the others are to hear theirs
            log.exception("announcer.failed", id=generation.id)
        finally:
            del self._telling[generation.id]


def _news(standing: Standing) -> tuple[int, bool]:
    """What is worth a word when it changes; how long it takes is not."""
    return standing.place, standing.halted
