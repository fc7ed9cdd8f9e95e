"""What Discord says when it refuses: its own status, code and words.

https://discord.com/developers/docs/topics/opcodes-and-status-codes#json-json-error-codes
"""

from __future__ import annotations

import json
from enum import Enum
from typing import Any

from aiohttp import web


class Code(Enum):
    """(HTTP status, Discord's code, words)."""

    UNAUTHORISED = (401, 0, "401: Unauthorized")
    NO_ROUTE = (404, 0, "404: Not Found")
    UNKNOWN_CHANNEL = (404, 10003, "Unknown Channel")
    UNKNOWN_MESSAGE = (404, 10008, "Unknown Message")
    UNKNOWN_USER = (404, 10013, "Unknown User")
    UNKNOWN_WEBHOOK = (404, 10015, "Unknown Webhook")
    UNKNOWN_INTERACTION = (404, 10062, "Unknown interaction")
    TOO_LARGE = (413, 40005, "Request entity too large")
    ALREADY_ACKNOWLEDGED = (400, 40060, "Interaction has already been acknowledged.")
    FOLLOWUPS_SPENT = (400, 40094, "Maximum number of follow up messages reached")
    MISSING_ACCESS = (403, 50001, "Missing Access")
    NOT_ITS_AUTHOR = (403, 50005, "Cannot edit a message authored by another user")
    EMPTY_MESSAGE = (400, 50006, "Cannot send an empty message")
    MISSING_PERMISSIONS = (403, 50013, "Missing Permissions")
    BAD_TOKEN = (401, 50027, "Invalid Webhook Token")
    INVALID_FORM = (400, 50035, "Invalid Form Body")
    INVALID_JSON = (400, 50109, "The request body contains invalid JSON.")
    NO_HISTORY = (403, 160002, "Cannot reply without permission to read message history")


class Rejected(Exception):
    """The request is refused; it had no effect."""

    def __init__(self, code: Code, errors: dict[str, Any] | None = None) -> None:
        super().__init__(code.value[2])
        self.code = code
        self.errors = errors

    def response(self) -> web.Response:
        status, code, words = self.code.value
        body: dict[str, Any] = {"message": words, "code": code}
        if self.errors is not None:
            body["errors"] = self.errors
        return answer(body, status=status)


def invalid(where: str, code: str, words: str) -> Rejected:
    """A form error at a dotted place, such as `components.0.components.1.custom_id`."""
    errors: dict[str, Any] = {"_errors": [{"code": code, "message": words}]}
    for part in reversed(where.split(".")):
        errors = {part: errors}
    return Rejected(Code.INVALID_FORM, errors)


def answer(
    content: object, *, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    """JSON whose content type is exactly that, without a charset: discord.py compares it whole."""
    return web.Response(
        status=status,
        body=json.dumps(content, separators=(",", ":")).encode(),
        content_type="application/json",
        headers=headers,
    )
