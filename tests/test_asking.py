"""A decision that takes long is not waited for: time here is real, which simcord's is not."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from bot.errors import AllowanceSpent
from bot.views import asking
from bot.views.base import NOTHING_CAME, Modal, answer_error

if TYPE_CHECKING:
    from bot.studio.outcomes import Submitted


class Said(list[Any]):
    """What Discord was told, in order: an interaction as far as these functions see one."""

    def __init__(self) -> None:
        super().__init__()
        self.id, self.extras, self.acknowledged = 1, {}, False
        self.response = self.followup = self
        self.begun: list[Any] = []
        self.client = SimpleNamespace(
            studio=SimpleNamespace(intake=SimpleNamespace(begin=self.begun.append))
        )

    def is_done(self) -> bool:
        return self.acknowledged

    async def defer(self, *, ephemeral: bool, thinking: bool) -> None:
        assert thinking
        self.acknowledged = True
        self.append(("thinking", ephemeral))

    async def send_message(self, text: str, *, ephemeral: bool) -> None:
        self.acknowledged = True
        self.append((text, ephemeral))

    async def edit_original_response(self, *, content: str) -> None:
        self.append(content)

    async def delete_original_response(self) -> None:
        self.append("thinking no more")

    async def send(self, text: str, *, ephemeral: bool) -> None:
        self.append((text, ephemeral))


async def decide(after: float, outcome: Any) -> Submitted:
    await asyncio.sleep(after)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


ACCEPTED: Any = SimpleNamespace(fresh=True, generation="generation")
REFUSED = AllowanceSpent("spent")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "DECIDE_WITHIN_S", 0.02)


async def run(interaction: Any, after: float, outcome: Any, *, private: bool = False) -> None:
    try:
        await asking.submit(interaction, decide(after, outcome), private=private)
    except AllowanceSpent as refusal:
        await answer_error(interaction, refusal)


async def test_a_quick_success_is_acknowledged_once_and_then_begins() -> None:
    said = Said()
    await run(said, 0, ACCEPTED)
    assert said == [("thinking", False)]
    assert said.begun == ["generation"]


async def test_a_quick_refusal_is_the_only_answer_and_private() -> None:
    said = Said()
    await run(said, 0, REFUSED)
    assert said == [("spent", True)]


async def test_a_slow_success_was_acknowledged_before_it_was_decided() -> None:
    said = Said()
    waiting = asyncio.create_task(run(said, 0.2, ACCEPTED))
    await asyncio.sleep(0.1)
    assert said == [("thinking", False)]
    assert said.begun == []
    await waiting
    assert said == [("thinking", False)], "and is not acknowledged twice"
    assert said.begun == ["generation"]


async def test_a_slow_refusal_takes_the_public_thinking_away_and_is_private() -> None:
    said = Said()
    await run(said, 0.1, REFUSED)
    assert said == [
        ("thinking", False),
        NOTHING_CAME,
        ("spent", True),
        "thinking no more",
    ]


async def test_a_slow_refusal_of_something_private_takes_the_place_of_thinking() -> None:
    said = Said()
    await run(said, 0.1, REFUSED, private=True)
    assert said == [("thinking", True), ("spent", True)]


async def test_what_was_heard_before_is_not_begun_again() -> None:
    said = Said()
    await run(said, 0, SimpleNamespace(fresh=False, generation="generation"))
    assert said == []
    assert said.begun == []


async def test_a_form_ends_by_itself_and_tells_its_errors() -> None:
    form, said = Modal("A form"), Said()
    assert form.timeout, "a dismissed one would be kept for ever"
    await form.on_error(said, REFUSED)  # type: ignore[arg-type]
    assert said == [("spent", True)]
