"""Rate limits as Discord has them: windows that open with their first request."""

from __future__ import annotations

import time
from dataclasses import dataclass

from aiohttp import web

from wire.rejected import answer

#: Without it discord.py takes a 429 for a ban by Cloudflare, and raises at once.
VIA = {"Via": "1.1 google"}


@dataclass(slots=True)
class Limit:
    """So many requests in so many seconds."""

    requests: int
    seconds: float


@dataclass(slots=True)
class Window:
    """One bucket: a channel's, or the whole bot's."""

    limit: Limit
    name: str
    used: int = 0
    ends: float = 0.0

    def take(self, now: float) -> bool:
        """Counts a request; False when there is no room for it."""
        if now >= self.ends:
            self.used, self.ends = 0, now + self.limit.seconds
        if self.used >= self.limit.requests:
            return False
        self.used += 1
        return True

    def headers(self, now: float) -> dict[str, str]:
        """https://discord.com/developers/docs/topics/rate-limits#header-format"""
        left = max(0.0, self.ends - now)
        return {
            "X-RateLimit-Limit": str(self.limit.requests),
            "X-RateLimit-Remaining": str(self.limit.requests - self.used),
            "X-RateLimit-Reset": f"{time.time() + left:.3f}",
            "X-RateLimit-Reset-After": f"{left:.3f}",
            "X-RateLimit-Bucket": self.name,
        }

    def refusal(self, now: float) -> web.Response:
        headers = {**self.headers(now), "X-RateLimit-Scope": "user"}
        return too_many(self.ends - now, headers=headers)


def too_many(
    retry_after: float,
    *,
    everywhere: bool = False,
    via: bool = True,
    headers: dict[str, str] | None = None,
) -> web.Response:
    """A 429. Without `via` it is one of the machines in between, which speak no JSON."""
    seconds = round(max(0.001, retry_after), 3)
    sent = {**(headers or {}), "Retry-After": f"{seconds:.3f}"}
    if not via:
        return web.Response(status=429, text="error code: 1015", headers=sent)
    body = {
        "message": "You are being rate limited.",
        "retry_after": seconds,
        "global": everywhere,
    }
    if everywhere:
        sent |= {"X-RateLimit-Global": "true", "X-RateLimit-Scope": "global"}
    return answer(body, status=429, headers={**sent, **VIA})
