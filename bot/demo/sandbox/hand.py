"""The painter's hand: turns orders into pictures, in threads of its own."""

from __future__ import annotations

import asyncio
import base64
import binascii
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

from bot.demo import canvas
from bot.demo.sandbox.answers import bad_request
from bot.demo.sandbox.rules import Order, size_after

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.demo.canvas import ImageFormat
    from bot.demo.sandbox.menu import Size

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_THREADS = 2
_LINK_SIDE = 768


class Paint(Protocol):
    """What `canvas.paint` does; a load test may hand in something cheaper."""

    def __call__(
        self,
        prompt: str,
        *,
        width: int,
        height: int,
        seed: int,
        index: int,
        image_format: ImageFormat,
        references: Sequence[bytes] = (),
    ) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Commission:
    """An order with nothing left open."""

    order: Order
    size: Size
    seed: int
    references: tuple[bytes, ...]


class Hand:
    """Paints in its own threads, so that it never takes those of the program beside it."""

    def __init__(self, paint: Paint, *, reuse: bool, data_uris: bool) -> None:
        self._paint = paint
        self._data_uris = data_uris
        self._reused: dict[tuple[Size, ImageFormat], bytes] | None = {} if reuse else None
        self._threads = ThreadPoolExecutor(_THREADS, "painter")

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._threads.shutdown)

    async def run(
        self,
        work: Callable[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: work(*args, **kwargs))

    async def commission(self, order: Order, seed: int) -> Commission:
        """Raises `Refused` when a reference is no picture."""
        if order.references or order.size is None:
            return await self.run(self._opened, order, seed)
        return Commission(order, order.size, seed, ())

    async def paint(self, commission: Commission) -> list[bytes]:
        return await self.run(self._painted, commission)

    def _opened(self, order: Order, seed: int) -> Commission:
        references = tuple(self._reference(link) for link in order.references)
        try:
            sizes = [canvas.size_of(reference) for reference in references]
        except canvas.UnreadableReference as error:
            raise bad_request(f"Invalid input image: {error}.") from error
        return Commission(order, order.size or size_after(sizes[0]), seed, references)

    def _reference(self, link: str) -> bytes:
        scheme, _, rest = link.partition(":")
        if scheme in ("http", "https"):
            # A sandbox fetches nothing: some picture, always the same for the same link.
            return canvas.paint(
                link, width=_LINK_SIDE, height=_LINK_SIDE, seed=0, index=0, image_format="jpeg"
            )
        _, comma, encoded = rest.partition(";base64,")
        if scheme != "data" or not comma or not self._data_uris:
            raise bad_request("Invalid input image: expected a URL.")
        try:
            return base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise bad_request("Invalid input image: the data URI is not base64.") from error

    def _painted(self, commission: Commission) -> list[bytes]:
        if self._reused is None:
            return [self._one(commission, index) for index in range(commission.order.count)]
        kind = (commission.size, commission.order.image_format)
        if kind not in self._reused:
            self._reused[kind] = self._one(commission, 0)
        return [self._reused[kind]] * commission.order.count

    def _one(self, commission: Commission, index: int) -> bytes:
        width, height = commission.size
        return self._paint(
            commission.order.prompt,
            width=width,
            height=height,
            seed=commission.seed,
            index=index,
            image_format=commission.order.image_format,
            references=commission.references,
        )
