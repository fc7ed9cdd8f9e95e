"""What somebody asked for, and what becomes of it: each step can be waited for and timed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from wire.interactions import Interaction
    from wire.messages import Message

T = TypeVar("T")

_PROMPT_CLIP = 40


class Asked:
    """One interaction from the person's side. Times are seconds since Discord told the bot."""

    def __init__(self, interaction: Interaction, claimed: set[int], words: str | None) -> None:
        self.interaction = interaction
        self._claimed = claimed
        # As far as it stands on one line, whatever the bot puts around it.
        self._words = words.split("\n")[0][:_PROMPT_CLIP].strip() if words else None
        self._result: Message | None = None

    @property
    def said(self) -> list[Message]:
        """What was said in answer and still stands, without "thinking"; oldest first."""
        answer = self.interaction
        own = answer.original if answer.original is not answer.target else None
        return [
            message
            for message in [own, *answer.followups]
            if message is not None and not message.loading and message.deleted_at is None
        ]

    @property
    def thinking(self) -> bool:
        """Whether it still says that the bot is thinking."""
        original = self.interaction.original
        return original is not None and original.loading and original.deleted_at is None

    async def acknowledged(self, within: float = 5.0) -> float:
        """How long the first answer took."""
        at = await self._until(
            lambda: self.interaction.answered_at, within=within, what="any answer"
        )
        return at - self.interaction.sent_at

    async def answer(self, within: float = 10.0) -> Message:
        """The first thing that the person can read in answer to it."""
        return await self._until(
            lambda: next(iter(self.said), None), within=within, what="anything to read"
        )

    async def whisper(self, within: float = 10.0) -> Message:
        """The first thing that the person alone can read in answer to it."""
        return await self._until(
            lambda: next((m for m in self.said if m.ephemeral), None),
            within=within,
            what="a whisper",
        )

    async def gone(self, within: float = 10.0) -> None:
        """Until the first answer was deleted."""
        await self._until(
            lambda: self.interaction.original and self.interaction.original.deleted_at,
            within=within,
            what="an end of the first answer",
        )

    async def result(self, within: float = 30.0) -> Message:
        """The message with pictures: an answer, or one in the channel that names the person."""
        self._result = await self._until(self._find_result, within=within, what="a result")
        return self._result

    async def form(self, within: float = 5.0) -> dict[str, Any]:
        return await self._until(lambda: self.interaction.form, within=within, what="a form")

    async def choices(self, within: float = 5.0) -> list[dict[str, Any]]:
        return await self._until(lambda: self.interaction.choices, within=within, what="choices")

    def took(self, message: Message) -> float:
        """When the message became what it is."""
        return max(message.posted_at, message.changed_at) - self.interaction.sent_at

    async def _until(self, find: Callable[[], T | None], *, within: float, what: str) -> T:
        return await self.interaction.channel.pulse.until(find, within=within, what=what)

    def _find_result(self) -> Message | None:
        if self._result is not None:
            return self._result
        for message in self.said:
            if message.files:
                return message
        for message in reversed(self.interaction.channel.messages.values()):
            if message.id < self.interaction.id:
                break
            if self._is_result(message):
                self._claimed.add(message.id)
                return message
        return None

    def _is_result(self, message: Message) -> bool:
        return (
            message.author.bot
            and bool(message.files)
            and message.asked is None
            and message.id not in self._claimed
            and self.interaction.person in message.mentions
            and (self._words is None or self._words in message.content)
        )
