"""The image API over HTTP: one POST for a painting, and free GETs beside it."""

from __future__ import annotations

import asyncio
import io
import re
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Self, TypeVar

import aiohttp
import stamina
from pydantic import SecretStr
from yarl import URL

from bot.errors import AnswerLost, BadAnswer, Busy, Overloaded, PaintingFailed, Unreachable
from bot.imaging.failures import answer_lost, bad_answer, failure, unreachable
from bot.imaging.model import Parameter
from bot.imaging.protocol import (
    base_address,
    decode,
    decode_account,
    decode_models,
    decode_problem,
    dump,
)
from bot.imaging.turns import Turns

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from bot.imaging.catalogue import ListedModel
    from bot.imaging.protocol import Account, Answer

T = TypeVar("T")

# Blank ones, and those of HTTP libraries, are refused by the networks before the pictures.
USER_AGENT: Final = "Easel/0.1 (+easel)"

_MIB: Final = 1024 * 1024
PAINTING_MAX: Final = 64 * _MIB
PICTURE_MAX: Final = 64 * _MIB
LIST_MAX: Final = 4 * _MIB
#: An error says what it has to say within that much, or it is no use waiting for the rest.
_ERROR_MAX: Final = _MIB // 4
_ERROR_S: Final = 5.0
_PICTURES: Final = frozenset({Parameter.IMAGE_URL, Parameter.REFERENCE_IMAGES})

_CONNECT_S: Final = 10.0
_LIST_S: Final = 10.0
#: For one picture behind a link, redirects and retries included.
_PICTURE_S: Final = 60.0
_FETCH_S: Final = 20.0
_REDIRECTS_MAX: Final = 3
#: Many megabytes each, until they are unpacked.
_READ_AT_ONCE: Final = 4
_PATIENCE_S: Final = 1.0
#: Of an answer whose turn has not come, hardly more is read than came along with its head.
_READ_AHEAD: Final = 16 * 1024
_GOOD: Final = frozenset({200, 201})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
#: Of requests that cost nothing.
_REPEATING: Final = stamina.AsyncRetryingCaller(
    attempts=3, timeout=_PICTURE_S, wait_initial=0.2, wait_max=2.0
)
#: Shorter than the 5 s after which common servers hang up: a POST into a connection that is
#: just being closed is lost, and nobody could tell whether it was read.
_KEEP_ALIVE_S: Final = 4.0

#: After these the request had not left: no connection, no address, no agreement on TLS.
_NOT_SENT: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ServerFingerprintMismatch,
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
)
_QUERY: Final = re.compile(r"\?\S+")


@dataclass(frozen=True, slots=True)
class Painting:
    """What one call came to: at least one picture, in the API's order.

    Attributes:
        request_id: the API's own name of the call.
        seconds: how long the API says that it painted.
    """

    pictures: tuple[bytes, ...]
    request_id: str | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_good(self) -> bool:
        return self.status in _GOOD


class Together:
    """The API's address, a key for it, and a session to reach it with."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base_url: str,
        api_key: SecretStr | str,
        timeout: float,
    ) -> None:
        self._session = session
        self._base = URL(f"{base_address(base_url)}/")
        key = api_key if isinstance(api_key, str) else api_key.get_secret_value()
        self._key = SecretStr(key.strip())
        self._timeout = timeout
        self._turns = Turns(_READ_AT_ONCE, patience_s=_PATIENCE_S)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        *,
        base_url: str,
        api_key: SecretStr | str,
        timeout: float,  # noqa: ASYNC109 - of every call, not of this
    ) -> AsyncGenerator[Self]:
        """With a session of its own, which has as many connections as there are calls."""
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_S)
        async with aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), read_bufsize=_READ_AHEAD
        ) as session:
            yield cls(session, base_url=base_url, api_key=api_key, timeout=timeout)

    async def paint(self, fields: Mapping[str, object], model: str) -> Painting:
        """One call, made once: whether to make it again is for others to say.

        Args:
            fields: the body, but for `response_format`.
            model: for what people and the operator are told.

        Raises:
            PaintingFailed: nothing came of it. AnswerLost and BadAnswer may have been paid for.
        """
        # Words alone are not worth a thread; pictures among them are megabytes.
        words_alone = _PICTURES.isdisjoint(fields)
        body = dump(fields) if words_alone else await asyncio.to_thread(dump, fields)
        url = self._base / "images/generations"
        unpack = partial(self._unpack, model=model)
        answer = await self._exchange(
            "POST", url, unpack, seconds=self._timeout, model=model, body=body
        )
        # Here the call is paid for: nothing `repeatable` may leave from now on.
        return Painting(await self._pictures(answer, model), answer.request_id, answer.seconds)

    async def models(self) -> tuple[ListedModel, ...]:
        """The picture models that the API lists; a hint, as it does not prove that they work.

        Raises:
            PaintingFailed: the list cannot be had.
        """
        return await asyncio.to_thread(decode_models, await self._ask("models"))

    async def whoami(self) -> Account:
        """Whose key it is; costs nothing, and so tells whether it works.

        Raises:
            OwnerNeeded: it does not.
            PaintingFailed: that cannot be told.
        """
        return decode_account(await self._ask("whoami"))

    async def _ask(self, path: str) -> bytes:
        return await _REPEATING(_is_passing, self._asked, self._base / path)

    async def _asked(self, url: URL) -> bytes:
        reply = await self._exchange("GET", url, partial(_read, limit=LIST_MAX), seconds=_LIST_S)
        if not reply.is_good:
            raise self._failure(reply)
        return reply.body

    async def _exchange(
        self,
        method: str,
        url: URL,
        take: Callable[[aiohttp.ClientResponse], Awaitable[T]],
        *,
        seconds: float,
        model: str | None = None,
        body: bytes | None = None,
    ) -> T:
        """One request, and what `take` makes of its answer; no redirect is followed.

        Raises:
            Unreachable: nothing was sent.
            AnswerLost: it was, perhaps, and no whole answer came.
            BadAnswer: a good one came, of more bytes than can be meant.
        """
        headers = {"User-Agent": USER_AGENT}
        if body:
            headers["Content-Type"] = "application/json"
        if url.origin() == self._base.origin():
            headers["Authorization"] = f"Bearer {self._key.get_secret_value()}"
        # A stream, for aiohttp writes plain bytes in one go, however many.
        data = io.BytesIO(body) if body else None
        try:
            async with self._session.request(
                method,
                url,
                data=data,
                headers=headers,
                timeout=_within(seconds),
                allow_redirects=False,
            ) as response:
                return await take(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            failed = _unanswered(error, model)
        # Not in the handler: aiohttp's errors hold the request's headers, and so the key.
        raise failed

    async def _unpack(self, response: aiohttp.ClientResponse, *, model: str) -> Answer:
        async with self._turns.one():
            reply = await _read(response, limit=PAINTING_MAX)
            return await asyncio.to_thread(self._decoded, reply, model)

    def _decoded(self, reply: _Reply, model: str) -> Answer:
        """Blocking: many megabytes of base64."""
        if not reply.is_good:
            raise self._failure(reply, model)
        try:
            return decode(reply.body, reply.headers)
        except BadAnswer:
            # A good status with an error in the body: the error knows more.
            if not decode_problem(reply.body, reply.headers).message:
                raise
        raise self._failure(reply, model)

    def _failure(self, reply: _Reply, model: str | None = None) -> PaintingFailed:
        """What it means; should the API repeat the key that it was sent, nobody sees that."""
        key = self._key.get_secret_value().encode()
        body = reply.body.replace(key, b"(the key)") if key else reply.body
        return failure(reply.status, reply.headers, body, model)

    async def _pictures(self, answer: Answer, model: str) -> tuple[bytes, ...]:
        """All that can be had; a failure only when that is none."""
        results = await asyncio.gather(
            *(self._picture(item, answer.request_id, model) for item in answer.items)
        )
        pictures = tuple(result for result in results if isinstance(result, bytes))
        if pictures:
            return pictures
        raise next(result for result in results if isinstance(result, BadAnswer))

    async def _picture(
        self, item: bytes | str, request_id: str | None, model: str
    ) -> bytes | BadAnswer:
        if isinstance(item, bytes):
            return item
        try:
            async with asyncio.timeout(_PICTURE_S):
                # Looking again is free: the picture is painted.
                return await _REPEATING(_is_passing, self._followed, _joined(self._base, item))
        except TimeoutError:
            why = f"it took more than {_PICTURE_S:.0f} s"
        except PaintingFailed as error:
            why = error.operator or str(error)
        return bad_answer(f"the picture behind its link cannot be had. {why}", model, request_id)

    async def _followed(self, url: URL) -> bytes:
        for _ in range(_REDIRECTS_MAX + 1):
            read = partial(_read, limit=PICTURE_MAX)
            reply = await self._exchange("GET", url, read, seconds=_FETCH_S)
            if reply.status not in _REDIRECTS:
                return self._content(reply, url)
            url = _joined(url, reply.headers.get("Location", ""))
        raise bad_answer(f"its link leads on more than {_REDIRECTS_MAX} times")

    def _content(self, reply: _Reply, url: URL) -> bytes:
        if reply.is_good and reply.body:
            return reply.body
        if reply.status == 403:  # noqa: PLR2004 - what signed links answer when they are over
            raise bad_answer(f"403 from {url.host}: the link has expired, or is not for us")
        failed = self._failure(reply)
        raise failed if _is_passing(failed) else bad_answer(f"{reply.status} from {url.host}")


def _is_passing(error: Exception) -> bool:
    return isinstance(error, (Busy, Overloaded, Unreachable, AnswerLost))


def _within(seconds: float) -> aiohttp.ClientTimeout:
    """All in all, for a server that sends a byte now and then keeps every other time-out."""
    # Without a limit of its own, a connection that never comes about would look like an answer
    # that never came.
    return aiohttp.ClientTimeout(total=seconds, connect=min(_CONNECT_S, seconds / 2))


async def _read(response: aiohttp.ClientResponse, *, limit: int) -> _Reply:
    chunks: list[bytes] = []
    size = 0
    if response.status in _GOOD:
        async for chunk in response.content.iter_any():
            chunks.append(chunk)
            size += len(chunk)
            if size > limit:
                raise bad_answer(f"more than {limit // _MIB} MiB from {response.url.host}")
    else:
        # The status has said the most important; what comes of the rest is enough.
        with suppress(aiohttp.ClientError, TimeoutError, OSError):
            async with asyncio.timeout(_ERROR_S):
                async for chunk in response.content.iter_any():
                    chunks.append(chunk)
                    size += len(chunk)
                    if size > _ERROR_MAX:
                        break
    return _Reply(response.status, response.headers, b"".join(chunks))


def _unanswered(error: Exception, model: str | None) -> PaintingFailed:
    said = _QUERY.sub("?…", next(iter(str(error).splitlines()), ""))
    cause = f"{type(error).__name__} {said}".strip()
    return unreachable(cause, model) if isinstance(error, _NOT_SENT) else answer_lost(cause, model)


def _joined(base: URL, link: str) -> URL:
    """Where a link leads, as it is spelt: another spelling would break its signature.

    Raises:
        BadAnswer: nowhere that pictures are fetched from.
    """
    spelt = link.isascii() and link.isprintable() and " " not in link
    try:
        url = base.join(URL(link, encoded=spelt)).with_user(None)
        if link and url.scheme in ("http", "https") and url.host and url.port:
            return url
    except ValueError:
        pass
    raise bad_answer("its link is no web address")
