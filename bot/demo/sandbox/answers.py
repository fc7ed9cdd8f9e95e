"""What the sandbox painter answers: the envelope of a success, the exact shape of an error."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: The service's own words for 429, whatever the cause.
TOO_MANY = (
    "Too many requests in a short window. Our rate limits are dynamic - they shift with live "
    "model capacity and your traffic shape, so steady traffic and exponential back-off help."
)
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything of an HTTP answer but the way in which it is sent."""

    status: int = 200
    body: bytes = b""
    content_type: str = _JSON
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


#: What a storage service says of a signed address whose time is over.
EXPIRED = Answer(
    403,
    b'<?xml version="1.0"?><Error><Code>AccessDenied</Code>'
    b"<Message>Request has expired</Message></Error>",
    "application/xml",
)


class ErrorShape(StrEnum):
    """Together's own, and others that gateways and older versions use."""

    TOGETHER = "together"
    ERROR_TYPE = "error_type"
    TEXT = "text"
    MESSAGE = "message"
    DETAIL = "detail"


@dataclass(frozen=True, slots=True)
class Error:
    """An error before it has a request's id."""

    status: int
    message: str
    type: str = "invalid_request_error"
    code: str | None = None
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    shape: ErrorShape = ErrorShape.TOGETHER

    def answer(self, request_id: str) -> Answer:
        body = json.dumps(self._content(request_id)).encode()
        return Answer(self.status, body, headers=self.headers)

    def _content(self, request_id: str) -> dict[str, object]:
        error = {"message": self.message, "type": self.type, "param": self.param, "code": self.code}
        match self.shape:
            case ErrorShape.TOGETHER:
                return {"id": request_id, "error": error}
            case ErrorShape.ERROR_TYPE:
                return {"error": {"message": self.message, "error_type": self.type}}
            case ErrorShape.TEXT:
                return {"error": self.message}
            case ErrorShape.MESSAGE:
                return {"message": self.message}
            case ErrorShape.DETAIL:
                return {"detail": self.message}


class Refused(Exception):
    """Stops the handling of a request; nothing was rendered."""

    def __init__(self, error: Error) -> None:
        super().__init__(error.message)
        self.error = error


def bad_request(message: str, *, code: str | None = None) -> Refused:
    return Refused(Error(400, message, code=code))


def unauthorised() -> Error:
    return Error(
        401,
        "Invalid API key provided. You can find your API key at "
        "https://api.together.ai/settings/api-keys.",
        code="invalid_api_key",
    )


def no_credit() -> Error:
    return Error(402, "Credit limit exceeded. Please add credits to continue.", "credit_limit")


def sharing_blocked() -> Error:
    return Error(
        403,
        "This model requires third-party data sharing to be enabled for your organization.",
        code="third_party_data_sharing_blocked",
    )


def unknown_model(name: str) -> Error:
    return Error(
        404,
        f"Unable to access model {name}. Please visit https://api.together.ai/models to view "
        "the list of supported models.",
        code="model_not_available",
    )


def not_serverless(name: str) -> Error:
    return Error(
        404,
        f"Unable to access non-serverless model {name}. Please create and start a new dedicated "
        "endpoint for the model.",
        code="model_not_available",
    )


def unsafe() -> Error:
    return Error(422, "The safety checker flagged this request: NSFW content detected.")


def against_policy(status: int = 400) -> Error:
    return Error(
        status,
        "The request was rejected because it violates the provider's content policy.",
        code="content_policy_violation",
    )


def too_many(
    limit: int | None = None, *, retry_after: float | None = None, reset: float | None = None
) -> Error:
    """429, always with the dynamic headers, with the waits only where they are given."""
    headers = {
        "x-ratelimit-limit-dynamic": str(limit if limit is not None else 60),
        "x-ratelimit-remaining-dynamic": "0",
        "x-ratelimit-remaining": "0",
    }
    if retry_after is not None:
        headers["retry-after"] = f"{retry_after:g}"
    if reset is not None:
        headers["x-ratelimit-reset"] = f"{reset:g}"
    return Error(429, TOO_MANY, "dynamic_request_limited", headers=headers)


def in_json(content: object, *, status: int = 200) -> Answer:
    return Answer(status, json.dumps(content).encode())


def envelope(request_id: str, model: str, items: Sequence[Mapping[str, object]]) -> Answer:
    return in_json({"id": request_id, "model": model, "object": "list", "data": list(items)})


def in_html(status: int, title: str) -> Answer:
    """What a gateway in between says when it has something to say."""
    page = f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body>"
    return Answer(status, f"{page}</html>\n".encode(), "text/html")


def with_headers(answer: Answer, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return replace(answer, headers={**named, **answer.headers})
