"""Finished pictures behind short links that expire, as the real service keeps them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: Older pictures give way; a sandbox is no archive.
_KEPT = 400


@dataclass(frozen=True, slots=True)
class Hung:
    """A picture, and when its link dies."""

    data: bytes
    content_type: str
    until: float


class Gallery:
    def __init__(self, life_s: float, clock: Callable[[], float]) -> None:
        self._life_s = life_s
        self._clock = clock
        self._pictures: OrderedDict[str, Hung] = OrderedDict()

    def hang(self, name: str, data: bytes, content_type: str) -> None:
        self._pictures[name] = Hung(data, content_type, self._clock() + self._life_s)
        while len(self._pictures) > _KEPT:
            self._pictures.popitem(last=False)

    def __contains__(self, name: str) -> bool:
        return name in self._pictures

    def look(self, name: str) -> Hung | None:
        """The picture while its link lives."""
        hung = self._pictures.get(name)
        return hung if hung is not None and self._clock() < hung.until else None
