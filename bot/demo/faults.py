"""What can be made to go wrong with the sandbox painter, and the queue of what will."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING

from bot.demo.sandbox import answers
from bot.demo.sandbox.answers import Answer, Error, ErrorShape

if TYPE_CHECKING:
    from collections.abc import Mapping


class Route(StrEnum):
    GENERATIONS = "generations"
    MODELS = "models"
    WHOAMI = "whoami"
    SHORT = "shrt"
    CDN = "cdn"


class Kind(StrEnum):
    """Every fault by name; the comments say what has happened when the client meets it."""

    # Refused: nothing was rendered.
    BAD_REQUEST = "bad_request"
    UNAUTHORISED = "unauthorised"
    NO_CREDIT = "no_credit"
    SHARING_BLOCKED = "sharing_blocked"
    EXPIRED = "expired"
    MODEL_GONE = "model_gone"
    NOT_SERVERLESS = "not_serverless"
    UNSAFE = "unsafe"
    AGAINST_POLICY = "against_policy"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    BAD_GATEWAY = "bad_gateway"
    OVERLOADED = "overloaded"
    UNKNOWN_ERROR = "unknown_error"
    OVERLOADED_529 = "overloaded_529"
    REDIRECTED = "redirected"
    RESET_BEFORE = "reset_before"

    # Rendered and to be paid for, and the answer is lost or of no use.
    GATEWAY_TIMEOUT = "gateway_timeout"
    TIMEOUT_524 = "timeout_524"
    RESET_AFTER = "reset_after"
    CLOSED = "closed"
    TRUNCATED = "truncated"
    HTML = "html"
    EMPTY = "empty"
    HUGE = "huge"
    GZIP_BOMB = "gzip_bomb"
    DEEP = "deep"
    BAD_BASE64 = "bad_base64"
    NO_DATA = "no_data"
    NO_FIELDS = "no_fields"
    NOT_A_PICTURE = "not_a_picture"
    PICTURE_BOMB = "picture_bomb"

    # Rendered, and a careful client still gets its pictures.
    SLOW = "slow"
    DRIP = "drip"
    TYPE_NULL = "type_null"
    NO_OBJECT = "no_object"
    FEWER = "fewer"
    UNORDERED = "unordered"
    WEBP = "webp"
    NAN = "nan"


#: What a service in trouble answers with, now this, now that.
TROUBLE = (
    Kind.RATE_LIMITED,
    Kind.SERVER_ERROR,
    Kind.OVERLOADED,
    Kind.UNSAFE,
    Kind.RESET_BEFORE,
    Kind.RESET_AFTER,
    Kind.TRUNCATED,
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong; the fields beyond `kind` matter to some kinds only.

    Attributes:
        model: only requests for this model meet it.
        message: replaces the words of an error, or is the address of a redirection.
        status: replaces the status of an error.
        shape: the form of an error's body.
        retry_after, reset: seconds, as headers of a 429 or 503; absent when None.
        seconds: how long SLOW waits, or DRIP between two pieces.
        size: bytes of HUGE and GZIP_BOMB once unpacked, or of one piece of DRIP; how many
            pictures FEWER leaves.
    """

    kind: Kind
    model: str | None = None
    message: str | None = None
    status: int | None = None
    shape: ErrorShape = ErrorShape.TOGETHER
    retry_after: float | None = None
    reset: float | None = None
    seconds: float = 0.05
    size: int = 1

    def instead(self, model: str, request_id: str) -> Answer | None:
        """The answer to a request that is not worked on at all; None for later faults."""
        plain = _PLAIN.get(self.kind)
        if plain is not None:
            return plain
        if self.kind is Kind.RESET_BEFORE:
            return Answer()
        if self.kind is Kind.REDIRECTED:
            return Answer(302, headers={"location": self.message or "/"})
        if self.kind is Kind.OVERLOADED:
            headers = {} if self.retry_after is None else {"retry-after": f"{self.retry_after:g}"}
            return Answer(503, headers=headers)
        error = self._error(model)
        return None if error is None else error.answer(request_id)

    def _error(self, model: str) -> Error | None:
        match self.kind:
            case Kind.MODEL_GONE:
                error = answers.unknown_model(self.model or model)
            case Kind.NOT_SERVERLESS:
                error = answers.not_serverless(self.model or model)
            case Kind.RATE_LIMITED:
                error = answers.too_many(retry_after=self.retry_after, reset=self.reset)
            case kind:
                error = _ERRORS.get(kind)
        return None if error is None else self._reworded(error)

    def _reworded(self, error: Error) -> Error:
        return Error(
            self.status or error.status,
            self.message or error.message,
            error.type,
            error.code,
            error.param,
            error.headers,
            self.shape,
        )


_SERVER_ERROR = "server_error"
_ERRORS: Mapping[Kind, Error] = {
    Kind.BAD_REQUEST: Error(400, "Input validation error."),
    Kind.UNAUTHORISED: answers.unauthorised(),
    Kind.NO_CREDIT: answers.no_credit(),
    Kind.SHARING_BLOCKED: answers.sharing_blocked(),
    Kind.UNSAFE: answers.unsafe(),
    Kind.AGAINST_POLICY: answers.against_policy(),
    Kind.SERVER_ERROR: Error(500, "Internal server error", _SERVER_ERROR),
    Kind.OVERLOADED_529: Error(529, "The server is overloaded.", _SERVER_ERROR),
}
#: Answers of the machines in between, which know no error shape.
_PLAIN: Mapping[Kind, Answer] = {
    Kind.EXPIRED: answers.EXPIRED,
    Kind.BAD_GATEWAY: answers.in_html(502, "502 Bad Gateway"),
    Kind.UNKNOWN_ERROR: answers.in_html(520, "520: Web server is returning an unknown error"),
}
#: Kinds that replace the answer to a request that was worked on.
LOST: Mapping[Kind, Answer] = {
    Kind.GATEWAY_TIMEOUT: answers.in_html(504, "504 Gateway Time-out"),
    Kind.TIMEOUT_524: answers.in_html(524, "524: A timeout occurred"),
    Kind.HTML: answers.in_html(200, "Just a moment..."),
    Kind.EMPTY: Answer(200),
    Kind.DEEP: Answer(200, b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
}


@dataclass(slots=True, eq=False)
class _Waiting:
    fault: Fault
    left: int | None


@dataclass(slots=True)
class Faults:
    """What the next requests meet, in order, a queue for each route."""

    _queues: dict[Route, deque[_Waiting]] = field(
        default_factory=lambda: {route: deque() for route in Route}
    )
    _share: float = 0.0
    _random: Random = field(default_factory=Random)

    def next(
        self, fault: Fault | Kind, *, times: int | None = 1, on: Route = Route.GENERATIONS
    ) -> None:
        """The next `times` requests on a route meet the fault; None: all, until `clear`."""
        if times is not None and times < 1:
            raise ValueError("a fault happens at least once")
        whole = Fault(fault) if isinstance(fault, Kind) else fault
        self._queues[on].append(_Waiting(whole, times))

    def at_random(self, share: float, random: Random) -> None:
        """From now on, that share of the generations meets one of TROUBLE, until `clear`."""
        self._share, self._random = share, random

    def clear(self) -> None:
        self._share = 0.0
        for queue in self._queues.values():
            queue.clear()

    @property
    def waiting(self) -> int:
        """How many queued faults are not used up."""
        return sum(len(queue) for queue in self._queues.values())

    def take(self, route: Route, model: str = "") -> Fault | None:
        """The fault that this request meets."""
        queue = self._queues[route]
        for entry in queue:
            if entry.fault.model not in (None, model):
                continue
            if entry.left is not None:
                entry.left -= 1
                if not entry.left:
                    queue.remove(entry)
            return entry.fault
        if route is Route.GENERATIONS and self._random.random() < self._share:
            return Fault(self._random.choice(TROUBLE))
        return None
