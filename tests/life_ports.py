"""The world around a process: an image API and a Discord, as good and as bad as the real ones."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import Enum
from io import BytesIO
from typing import TYPE_CHECKING, Any

from PIL import Image

from bot.errors import AnswerLost, ContentRefused, Overloaded, Unreachable
from bot.imaging.together import Painting
from bot.store.schema import Way
from bot.studio.life import DiscordAway, Undeliverable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bot.errors import PaintingFailed
    from bot.studio.generation import Generation, KeptPicture
    from bot.studio.line import Standing

#: For so long, Discord knows a nonce again; it says "a few minutes".
NONCE_S = 180


#: After so long, nobody waits for an answer.
TOO_LATE_S = 180


class Trouble(Enum):
    """What comes instead of pictures."""

    CONTENT = "content refused"
    OVERLOADED = "overloaded"
    UNREACHABLE = "unreachable"
    LOST = "answer lost"
    BROKEN = "broken picture"

    def error(self) -> PaintingFailed | None:
        match self:
            case Trouble.CONTENT:
                return ContentRefused("The safety filter turned this down.", operator="422")
            case Trouble.OVERLOADED:
                return Overloaded("The painter has too much to do.", operator="503")
            case Trouble.UNREACHABLE:
                return Unreachable("The painter cannot be reached.", operator="no route")
            case Trouble.LOST:
                return AnswerLost("No answer came.", operator="reset")
            case Trouble.BROKEN:
                return None


@dataclass(eq=False)
class Call:
    """One that somebody made, and waits for."""

    wanted: int
    seed: int
    answer: asyncio.Future[Painting]


class Api:
    """In the place of `Together`: calls wait until they are answered."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    async def paint(self, fields: Mapping[str, Any], model: str) -> Painting:
        del model
        answer = asyncio.get_running_loop().create_future()
        self.calls.append(Call(fields["n"], fields["seed"], answer))
        return await answer

    @property
    def waiting(self) -> list[Call]:
        """Oldest first. Whoever made them may be dead by now; the API does not know."""
        self.calls = [call for call in self.calls if not call.answer.done()]
        return self.calls

    def answer(self, call: Call, comes: int | Trouble, *, shade: int = 0) -> None:
        """With so many pictures at most, or with trouble; the same seed gives the same ones.

        Unless `shade` is another, as it is when the service changes something on its side.
        """
        if isinstance(comes, int):
            made = [_picture(call.seed + n, shade) for n in range(min(comes, call.wanted))]
        elif (error := comes.error()) is not None:
            call.answer.set_exception(error)
            return
        else:
            made = [_picture(call.seed, shade)[:-20]]
        call.answer.set_result(Painting(tuple(made), request_id=None, seconds=None))


def _picture(seed: int, shade: int) -> bytes:
    """The shade shows in its size."""
    file = BytesIO()
    Image.new("RGB", (16 + 100 * shade, 16), (seed % 256, 80, 120)).save(file, "PNG")
    return file.getvalue()


class Weather(Enum):
    """How Discord is just now."""

    FINE = "fine"
    AWAY = "away"
    DEAF = "does what it is told, and its answer is lost"
    SHUT = "the bot may no longer post there"
    SLOW = "answers come too late"


class Shut(Exception):
    """403."""


@dataclass
class Message:
    id: int
    generation_id: str
    posted_at: float


@dataclass
class Discord:
    """Messages that are there or not, nonces that are forgotten, tokens that expire."""

    clock: Callable[[], float]
    weather: Weather = Weather.FINE
    messages: list[Message] = field(default_factory=list)
    #: Interactions that were answered, so that their askers see "thinking".
    answered: set[int] = field(default_factory=set)
    #: What askers were told instead of a picture, by generation.
    told: dict[str, list[str]] = field(default_factory=dict)
    #: How long after painting each first try was made, without a look for an earlier one.
    first_tries: list[float] = field(default_factory=list)
    #: Of results that it would not take.
    refused: set[str] = field(default_factory=set)

    def of(self, generation_id: str) -> list[Message]:
        return [m for m in self.messages if m.generation_id == generation_id]

    async def find(self, generation_id: str) -> int | None:
        """In the channel's history, by the button that carries the generation's id."""
        self._must_be_there()
        return next((m.id for m in self.of(generation_id)), None)

    async def post(self, generation_id: str) -> int:
        self._must_be_there()
        if self.weather is Weather.SHUT:
            raise Shut
        knows_nonce_since = self.clock() - NONCE_S
        known = [m for m in self.of(generation_id) if m.posted_at > knows_nonce_since]
        return self._answer(known[0] if known else self._add(generation_id))

    async def edit_response(self, generation_id: str, expires_at: float) -> int:
        self._must_be_there()
        assert self.clock() < expires_at, "Discord counts refused tokens towards a ban"
        own = [m for m in self.messages if m.generation_id == generation_id and m.id < 0]
        return self._answer(own[0] if own else self._add(generation_id, sign=-1))

    async def knows_answer_to(self, interaction_id: int) -> bool:
        self._must_be_there()
        if self.weather is Weather.SLOW:
            await asyncio.sleep(TOO_LATE_S)
        return interaction_id in self.answered

    async def tell(self, generation_id: str, sentence: str) -> None:
        self._must_be_there()
        if self.weather is Weather.SLOW:
            await asyncio.sleep(TOO_LATE_S)
            raise DiscordAway("no answer came")
        self.told.setdefault(generation_id, []).append(sentence)

    def _add(self, generation_id: str, sign: int = 1) -> Message:
        message = Message(sign * (len(self.messages) + 1), generation_id, self.clock())
        self.messages.append(message)
        return message

    def _answer(self, message: Message) -> int:
        if self.weather is Weather.DEAF:
            raise DiscordAway("the answer is lost")
        return message.id

    def _must_be_there(self) -> None:
        if self.weather is Weather.AWAY:
            raise DiscordAway("503")


class Courier:
    """What `DiscordDelivery` does, on the Discord above; see `bot.studio.life.Delivery`."""

    def __init__(self, discord: Any, archive: Any, clock: Callable[[], float]) -> None:
        """`discord` and `archive` as a process reaches them."""
        self._discord, self._archive, self._clock = discord, archive, clock

    def way_for(self, generation: Generation) -> Way:
        return Way.RESPONSE if generation.order.private else Way.CHANNEL

    async def deliver(
        self, generation: Generation, pictures: Sequence[KeptPicture], *, tried_before: bool
    ) -> int | None:
        if not tried_before:
            self._discord.first_tries.append(self._clock() - (generation.painted_at or 0.0))
        if generation.way is Way.RESPONSE:
            return await self._answer(generation)
        earlier = await self._discord.find(generation.id) if tried_before else None
        return earlier or await self._post(generation, pictures)

    async def _answer(self, generation: Generation) -> int:
        if not self._token_lives(generation):
            raise self._refusal(generation, "the token has expired")
        return await self._discord.edit_response(generation.id, generation.place.token_expires_at)

    async def _post(self, generation: Generation, pictures: Sequence[KeptPicture]) -> int:
        await self._archive.get(*(picture.key for picture in pictures))
        try:
            return await self._discord.post(generation.id)
        except Shut:
            raise self._refusal(generation, "the channel is shut") from None

    def _token_lives(self, generation: Generation) -> bool:
        return self._clock() < generation.place.token_expires_at

    def _refusal(self, generation: Generation, reason: str) -> Undeliverable:
        self._discord.refused.add(generation.id)
        return Undeliverable(reason)

    async def tell_failure(self, generation: Generation, sentence: str) -> None:
        await self._discord.tell(generation.id, sentence)

    async def is_awaited(self, generation: Generation) -> bool:
        if not generation.order.private or not self._token_lives(generation):
            return True
        try:
            return await self._discord.knows_answer_to(generation.place.interaction_id)
        except DiscordAway:
            return True

    async def tell_standing(self, generation: Generation, standing: Standing) -> None:
        """Nothing hangs on it."""

    async def remove_waiting(self, generation: Generation) -> None:
        """Nothing hangs on it."""
