"""What the tests of the store write down, and the clock that they write it by."""

from __future__ import annotations

from bot.store.generations import NewGeneration, NewPicture
from bot.store.people import DAY_S, Limits

MIDNIGHT = 20_000.0 * DAY_S
NOON = MIDNIGHT + DAY_S / 2
PERSON = 1_153_000_000_000_000_001
SERVER = 1_153_000_000_000_000_002
CANARY = "aW50ZXJhY3Rpb246canary-of-an-interaction-token"
ROOMY = Limits(per_day=1000, per_minute=1000, waiting=1000)


def new_generation(number: int, **changed: object) -> NewGeneration:
    """What is accepted for the `number`th interaction."""
    values: dict[str, object] = {
        "id": f"g{number:09}",
        "interaction_id": 1_200_000_000_000_000_000 + number,
        "person_id": PERSON,
        "server_id": SERVER,
        "request": '{"prompt": "a red fox"}',
        "prompt": "a red fox",
        "wanted": 4,
        "seed": 7,
        "private": False,
        "application_id": 1_153_000_000_000_000_003,
        "channel_id": 1_153_000_000_000_000_004,
        "interaction_token": CANARY,
        "token_expires_at": NOON + 900,
        "may_post": True,
        "file_limit": 10 * 2**20,
        "notes": "[]",
        "price": 3000,
    }
    return NewGeneration(**(values | changed))  # type: ignore[arg-type]


def finished(generation_id: str, count: int) -> list[NewPicture]:
    """`count` pictures of a generation, as they lie in the archive."""
    return [
        NewPicture(
            position=position,
            key=f"{generation_id}-{position}.png",
            media_type="image/png",
            width=1024,
            height=1024,
            bytes=200_000,
            seed=position,
        )
        for position in range(1, count + 1)
    ]
