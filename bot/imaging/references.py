"""Pictures that people give us to work from: checked, and made clean in a process apart."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.errors import Refusal
from bot.imaging.child import COMMAND, Answer, Child, Died, NotStarted
from bot.imaging.claims import kind_of, seems
from bot.imaging.cleaning import Trouble
from bot.imaging.containers import MediaType, parts_of, size_of, sniff
from bot.imaging.room import PIXELS_MAX, SIDE_MAX, room_for
from bot.imaging.shrinking import CLEAN_PIXELS_MAX

if TYPE_CHECKING:
    from collections.abc import Sequence

_MEGA: Final = 1_000_000
BYTES_MAX: Final = 25 * _MEGA

_FORMATS = "PNG, JPEG, WebP and GIF"
_READABLE = (
    f"I can read {_FORMATS}, up to {BYTES_MAX // _MEGA} MB and {PIXELS_MAX // _MEGA} megapixels."
)


class BadReference(Refusal):
    """A picture that cannot be worked from; the sentence says what would do."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A clean picture: PNG or JPEG, at most 4 megapixels and 4 MB, nothing but pixels in it.

    Width and height are in pixels.
    """

    data: bytes
    media_type: MediaType
    width: int
    height: int


def data_uri(data: bytes) -> str:
    """A clean picture as a request carries it; takes some milliseconds, it may have 5.3 MB."""
    return f"data:{sniff(data) or MediaType.JPEG};base64,{b64encode(data).decode('ascii')}"


class References:
    """Makes References, a few at a time, each in a process of its own.

    Args:
        at_once: how many processes there may be.
        seconds: how long each may take.
        command: what to start instead, which reads and answers as `cleaning` does.
    """

    def __init__(
        self, *, at_once: int = 2, seconds: float = 30.0, command: Sequence[str] = COMMAND
    ) -> None:
        self._slots = asyncio.Semaphore(at_once)
        self._seconds = seconds
        self._command = tuple(command)

    async def clean(self, data: bytes) -> Reference:
        """What a person gave, fit to be sent on.

        Raises:
            BadReference: it is no picture, a damaged one, or too large.
        """
        if len(data) > BYTES_MAX:
            raise oversized()
        refuse_foreign(data)
        return await _judged(await self._outcome(data), data)

    async def clean_own(self, data: bytes) -> Reference:
        """The same with a picture from our archive.

        Raises:
            BadReference: it was damaged there.
        """
        outcome = await self._outcome(data)
        try:
            return await _judged(outcome, data)
        except BadReference as error:
            raise BadReference(
                "I can't read that picture of mine any more. Choose another one.",
                operator=f"a picture from the archive: {error.operator}",
            ) from error

    async def _outcome(self, data: bytes) -> Answer | Died:
        child = Child(self._command)
        async with self._slots:
            talk = asyncio.get_running_loop().run_in_executor(None, child.talk, data)
            try:
                done, _ = await asyncio.wait((talk,), timeout=self._seconds)
            finally:
                child.kill()
                await asyncio.wait((talk,))
        outcome = talk.result() if done else Died(f"no answer within {self._seconds:g} s")
        if isinstance(outcome, NotStarted):
            raise BadReference(
                "I can't look at pictures just now. Please try again in a few minutes.",
                operator=outcome.why,
            )
        return outcome


async def _judged(outcome: Answer | Died, data: bytes) -> Reference:
    match outcome:
        case Died(how):
            raise _too_heavy(f"{len(data)} bytes: {how}")
        case Answer(word) if refusal := _REFUSALS.get(word):
            raise await asyncio.to_thread(refusal, outcome, data)
        case Answer():
            return await asyncio.to_thread(_reference, outcome, data)


def _reference(answer: Answer, data: bytes) -> Reference:
    """Blocking. Believes nothing: who answers may have been taken over by the picture."""
    try:
        media_type = MediaType(answer.word)
        parts = parts_of(answer.body, media_type)
        width, height = size_of(answer.body, media_type, parts)
    except ValueError as error:
        raise _too_heavy(f"{len(data)} bytes: {error}") from error
    whole = sniff(answer.body) is media_type and parts[-1].end == len(answer.body)
    small = width * height <= CLEAN_PIXELS_MAX and media_type is not MediaType.WEBP
    if not whole or not small or (width, height) != (answer.width, answer.height):
        raise _too_heavy(f"{len(data)} bytes: the answer is no clean {media_type}")
    return Reference(answer.body, media_type, width, height)


# What people read


def refuse_foreign(data: bytes) -> None:
    """Of the first bytes, or of all.

    Raises:
        BadReference: they are of no picture that we read.
    """
    if kind_of(data):
        return
    if not data:
        raise BadReference(f"That file is empty. {_READABLE}")
    what = seems(data)
    if what:
        raise BadReference(f"That's {what}; I can read {_FORMATS}.")
    raise BadReference(f"I can't tell what that file is. {_READABLE}", operator=f"{data[:16]!r}")


def oversized() -> BadReference:
    return BadReference(
        f"That file has more than {BYTES_MAX // _MEGA} MB, and I can take no more. "
        "A smaller copy of the picture will do."
    )


def _too_large(answer: Answer, data: bytes) -> BadReference:
    """Blocking: a header can be far behind a million others."""
    width, height = answer.width, answer.height
    room = room_for(data, kind_of(data) or "")
    instead = "A smaller copy will do."
    if max(width, height) > SIDE_MAX:
        limit = f"{SIDE_MAX:,} pixels are the longest side that I can take"
    elif room.of and width * height <= PIXELS_MAX:
        limit = f"{room.pixels // _MEGA} megapixels are the most that I can take of {room.of}"
        instead = "A smaller copy will do, or the same saved as a plain PNG or JPEG."
    else:
        limit = f"{PIXELS_MAX // _MEGA} megapixels are the most that I can take"
    return BadReference(
        f"That picture has {width:,} × {height:,} pixels; {limit}. {instead}",  # noqa: RUF001 - the typographer's times sign
        operator=f"{len(data)} bytes: {answer.cause}",
    )


def _damaged(answer: Answer, data: bytes) -> BadReference:
    kind = {"WEBP": "WebP"}.get(name := kind_of(data) or "", name)
    return BadReference(
        f"That {kind} is damaged or cut off. Save the picture anew, or choose another one.",
        operator=f"{len(data)} bytes: {answer.cause}",
    )


def _heavy(answer: Answer, data: bytes) -> BadReference:
    return _too_heavy(f"{len(data)} bytes: {answer.cause}")


def _too_heavy(operator: str) -> BadReference:
    return BadReference(
        "That picture takes me too long to read, or too much memory. Save it anew as a smaller "
        "PNG or JPEG, and try that.",
        operator=operator,
    )


#: By the word that the process answers with instead of a media type.
_REFUSALS = {
    Trouble.LARGE.value: _too_large,
    Trouble.DAMAGED.value: _damaged,
    Trouble.HEAVY.value: _heavy,
}
