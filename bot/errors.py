"""Everything that can go wrong, each with the sentence that a person reads.

EaselError
├── Refusal                  said before anything is charged
│   ├── BadRequest           the prompt or an option cannot be painted
│   ├── UnknownModel
│   ├── AllowanceSpent       a limit is reached; says when the next one is free
│   ├── NotFound             no such generation, or not for this person's eyes
│   ├── NotAllowed           it is somebody else's
│   ├── TooManyVotes         one has as many under way as one may
│   └── StoreUnavailable     disk full, database locked or read-only
└── PaintingFailed           the image API gave no picture; the allowance goes back
    ├── ContentRefused       the API's safety filter
    ├── ParameterRefused     a parameter or size that the model does not take
    ├── RequestRefused       any other 400
    ├── OwnerNeeded          key, credit, or an organisation setting
    ├── ModelGone            404
    ├── Busy                 429
    ├── Overloaded           500, 503, 520, 529 and the like
    ├── Unreachable          nothing was sent: DNS, refused connection
    ├── AnswerLost           sent, but no answer: it may have been paid for
    └── BadAnswer            200 without a readable picture
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class EaselError(Exception):
    """Base of all: `sentence` goes to the person, `operator` to the log.

    `operator` is None where nobody but the person needs to know.
    """

    def __init__(self, sentence: str, *, operator: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.operator = operator


class Refusal(EaselError):
    """Said before anything is charged."""


class BadRequest(Refusal):
    """The prompt or an option cannot be painted; the sentence says what would work."""


class UnknownModel(Refusal):
    def __init__(self, name: str, suggestions: tuple[str, ...] = ()) -> None:
        hint = f" Did you mean {' or '.join(suggestions)}?" if suggestions else ""
        super().__init__(
            f"I don't know a model called “{name}”.{hint} Pick one from the list that "
            "opens as you type in the `model` option."
        )


class AllowanceSpent(Refusal):
    """A limit is reached.

    Attributes:
        free_at: when the next picture is free, in Unix seconds; None when that hangs
            on a waiting picture being finished and not on the clock.
    """

    def __init__(self, sentence: str, *, free_at: float | None = None) -> None:
        super().__init__(sentence)
        self.free_at = free_at


class NotFound(Refusal):
    def __init__(self) -> None:
        super().__init__(
            "There is no such picture, or it isn't yours to see. `/history` lists yours."
        )


class NotAllowed(Refusal):
    """It is somebody else's, or needs a right that the person does not have."""


class TooManyVotes(Refusal):
    def __init__(self, most: int) -> None:
        super().__init__(
            f"You have {most} votes under way in this server, and that is as many as one may. "
            "`/vote close` ends one."
        )


class StoreUnavailable(Refusal):
    def __init__(self, operator: str) -> None:
        super().__init__(
            "I can't write anything down just now, so I'd rather not start. Nothing was "
            "charged; please try again in a few minutes.",
            operator=operator,
        )


class PaintingFailed(EaselError):
    """The image API gave no picture.

    Attributes:
        retry_after: seconds that the API asked to wait, if it said so.
        request_id: the API's own name of the request, for its support.
    """

    #: Whether sending the same request again is safe (nothing was rendered) and useful.
    repeatable: ClassVar[bool] = False

    def __init__(
        self,
        sentence: str,
        *,
        operator: str | None = None,
        retry_after: float | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(sentence, operator=operator)
        self.retry_after = retry_after
        self.request_id = request_id


class ContentRefused(PaintingFailed):
    """422, or `code: content_policy_violation` under any status."""


@dataclass(frozen=True, slots=True)
class AllowedSizes:
    """What a refusal said about sizes: a closed menu, or a window of area and ratio.

    Sizes are (width, height) in pixels, areas in pixels, ratios width / height.
    """

    menu: tuple[tuple[int, int], ...] = ()
    area: tuple[int, int] | None = None
    ratio: tuple[float, float] | None = None


class ParameterRefused(PaintingFailed):
    """A 400 that names a parameter: it can be dropped or snapped and sent again, free."""

    def __init__(
        self,
        sentence: str,
        *,
        parameter: str,
        sizes: AllowedSizes | None = None,
        maximum: int | None = None,
        operator: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(sentence, operator=operator, request_id=request_id)
        self.parameter = parameter
        self.sizes = sizes
        self.maximum = maximum


class RequestRefused(PaintingFailed):
    """Any other 400: the API's cleaned message is the sentence.

    Attributes:
        about_pictures: whether it speaks of those to work from.
    """

    def __init__(
        self,
        sentence: str,
        *,
        about_pictures: bool = False,
        operator: str | None = None,
        retry_after: float | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(
            sentence, operator=operator, retry_after=retry_after, request_id=request_id
        )
        self.about_pictures = about_pictures


class OwnerNeeded(PaintingFailed):
    """401, 402, 403: people read that the bot needs its owner, the owner reads why."""


class ModelGone(PaintingFailed):
    """404: the model is away; another of its role may paint."""


class Busy(PaintingFailed):
    """429: too many at once."""

    repeatable = True


class Overloaded(PaintingFailed):
    """5xx answers after which nothing was rendered."""

    repeatable = True


class Unreachable(PaintingFailed):
    """The request never left: DNS, refused connection, TLS."""

    repeatable = True


class AnswerLost(PaintingFailed):
    """Sent, but no answer came (timeout, reset, 504, 524).

    It may have been rendered and paid for, so it is never blindly repeated.
    """


class BadAnswer(PaintingFailed):
    """A 200 that holds no readable picture."""
