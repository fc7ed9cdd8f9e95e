"""The image API behind the server: who is let in, who must wait, what gets rendered."""

from __future__ import annotations

import asyncio
import base64
import string
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.demo.faults import Fault, Kind
from bot.demo.sandbox import answers, menu, rules
from bot.demo.sandbox.answers import Answer, Error, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from random import Random

    from bot.demo.sandbox.gallery import Gallery
    from bot.demo.sandbox.hand import Commission, Hand
    from bot.demo.sandbox.menu import Model
    from bot.demo.sandbox.records import Received, Records
    from bot.demo.sandbox.wire import Sleep

#: A request sent again sooner than this after a 400 meets a 429, as measured of the service.
_PACING_S = 1.0
_PACED_MAX = 10_000
#: Faults after which no status ever reaches the client.
_UNANSWERED = (Kind.RESET_BEFORE, Kind.RESET_AFTER, Kind.CLOSED)
_ME = {
    "type": "project_api_key",
    "api_key": {"id": "key_sandbox"},
    "organization": {"id": "org_sandbox", "name": "Sandbox"},
    "project": {"id": "proj_sandbox", "name": "Sandbox", "slug": "sandbox"},
}


@dataclass(slots=True)
class Terms:
    """The house rules; they may be changed while the painter runs.

    Attributes:
        api_key: the one key that is let in; None lets everybody in.
        pace: seconds that a call takes.
        bears: calls at once before 429; None bears any number.
        pacing: whether a resend right after a 400 meets a 429.
        retry_after: the header of a 429 for too many calls at once; None sends none.
    """

    api_key: str | None = "sandbox"
    pace: float = 0.0
    bears: int | None = None
    pacing: bool = True
    retry_after: float | None = None


class Service:
    """Knows no HTTP library: headers and bodies come in, answers go out."""

    def __init__(
        self,
        terms: Terms,
        records: Records,
        gallery: Gallery,
        hand: Hand,
        *,
        rng: Random,
        sleep: Sleep,
        clock: Callable[[], float],
    ) -> None:
        self._terms = terms
        self._records = records
        self._gallery = gallery
        self._hand = hand
        self._rng = rng
        self._sleep = sleep
        self._clock = clock
        self._refused_at: dict[tuple[str, str], float] = {}

    def new_id(self) -> str:
        """In the form of the service's own: `oMZbc7k-2kFHot-9a78aa608b7f797c-PDX`."""
        return f"{self._letters(7)}-{self._letters(6)}-{self._rng.getrandbits(64):016x}-LOC"

    def models(self, authorization: str | None) -> Answer:
        self._authorise(authorization)
        return answers.in_json(menu.listing())

    def whoami(self, authorization: str | None) -> Answer:
        self._authorise(authorization)
        return answers.in_json(_ME)

    def short(self, name: str, root: str) -> Answer:
        if name not in self._gallery:
            raise Refused(Error(404, "Not found"))
        return Answer(302, headers={"location": f"{root}/cdn/{name}.jpg"})

    def picture(self, name: str, user_agent: str) -> Answer:
        if not user_agent.strip():
            return answers.in_html(403, "403 Forbidden")
        hung = self._gallery.look(name)
        return answers.EXPIRED if hung is None else Answer(200, hung.data, hung.content_type)

    async def generate(
        self, received: Received, request_id: str, root: str, *, readable: bool
    ) -> Answer:
        """Every check, then the picture; `Refused` before anything is rendered."""
        self._authorise(received.headers.get("authorization"))
        if not readable:
            raise answers.bad_request("We could not parse the JSON body of your request.")
        model = self._admit(received)
        with self._place():
            order = rules.take_order(received.body, model)
            seed = self._rng.randrange(rules.SEED_MAX) if order.seed is None else order.seed
            commission = await self._hand.commission(order, seed)
            pictures = await self._render(commission)
        return answers.envelope(request_id, model.id, self._items(commission, pictures, root))

    def close(self, received: Received, answer: Answer, fault: Fault | None) -> None:
        """Write down how a generation ended; a 400 makes the client wait its second."""
        if answer.status == 400:  # noqa: PLR2004 - the status itself
            if len(self._refused_at) >= _PACED_MAX:
                self._refused_at.clear()
            self._refused_at[received.key, received.model] = self._clock()
        if fault is not None:
            received.fault = fault.kind
            if fault.kind in _UNANSWERED:
                return
        received.status = answer.status
        self._records.statuses[answer.status] += 1

    def _authorise(self, authorization: str | None) -> None:
        key = self._terms.api_key
        if key is not None and authorization != f"Bearer {key}":
            raise Refused(answers.unauthorised())

    def _admit(self, received: Received) -> Model:
        model = menu.MODELS.get(received.model)
        if model is None:
            if not received.model:
                raise answers.bad_request("Invalid value for 'model' parameter. It is required.")
            raise Refused(answers.unknown_model(received.model))
        refused_at = self._refused_at.get((received.key, model.id))
        early = refused_at is not None and self._clock() - refused_at < _PACING_S
        if self._terms.pacing and early:
            raise Refused(answers.too_many())
        return model

    @contextmanager
    def _place(self) -> Generator[None]:
        """One of the calls that the service bears at once."""
        records, bears = self._records, self._terms.bears
        if bears is not None and records.in_flight >= bears:
            raise Refused(answers.too_many(bears, retry_after=self._terms.retry_after))
        records.in_flight += 1
        records.peak = max(records.peak, records.in_flight)
        try:
            yield
        finally:
            records.in_flight -= 1

    async def _render(self, commission: Commission) -> list[bytes]:
        """From here on the call is to be paid for, whatever becomes of its answer."""
        self._records.renders += 1
        self._records.pictures += commission.order.count
        painting = self._hand.paint(commission)
        if not self._terms.pace:
            return await painting
        pictures, _ = await asyncio.gather(painting, self._sleep(self._terms.pace))
        return pictures

    def _items(
        self, commission: Commission, pictures: list[bytes], root: str
    ) -> list[dict[str, object]]:
        content_type = f"image/{commission.order.image_format}"
        items: list[dict[str, object]] = []
        for index, data in enumerate(pictures):
            if commission.order.as_url:
                name = self._letters(8)
                self._gallery.hang(name, data, content_type)
                items.append({"index": index, "url": f"{root}/shrt/{name}", "type": "url"})
            else:
                encoded = base64.b64encode(data).decode()
                timings = {"inference": self._terms.pace}
                items.append(
                    {"index": index, "b64_json": encoded, "type": "b64_json", "timings": timings}
                )
        return items

    def _letters(self, count: int) -> str:
        return "".join(self._rng.choices(string.ascii_letters + string.digits, k=count))
