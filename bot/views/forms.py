"""Forms that are sent to a process that did not open them, or long after they were opened."""

from __future__ import annotations

import abc
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import discord

from bot.errors import Refusal
from bot.imaging.request import clean_text
from bot.views.base import FORM_KNOWN, Modal, answer_error
from bot.views.wording import CONTENT_MAX, clip, code_block

if TYPE_CHECKING:
    import re
    from collections.abc import Generator, Iterable, Iterator, Mapping

    from discord.types.interactions import ModalSubmitInteractionData

    from bot.views.base import Interaction


class Form(Modal, abc.ABC):
    """A form that works for ever: its custom_id says what it is about.

    The custom_id has to be another each time it is opened, since discord.py tells open forms
    apart by it; those of what is in it have to be always the same.
    """

    template: ClassVar[re.Pattern[str]]

    @classmethod
    @abc.abstractmethod
    def reopened(cls, match: re.Match[str]) -> Self:
        """The form as it was when it had this custom_id."""

    async def take_in(self, interaction: Interaction) -> None:
        """As if it had just been opened, and sent now."""
        data = cast("ModalSubmitInteractionData", interaction.data)
        await self._dispatch_submit(interaction, data["components"], data.get("resolved", {}))


async def take_in(interaction: Interaction, forms: Iterable[type[Form]]) -> None:
    """Takes a form in that discord.py would discard without a word.

    Such a form was opened before the last restart, or so long ago that it has ended by itself.
    Call this for every interaction, after discord.py has looked at it.
    """
    is_form = interaction.type is discord.InteractionType.modal_submit
    if not is_form or interaction.extras.get(FORM_KNOWN):
        return
    for form in forms:
        if match := form.template.fullmatch(interaction.custom_id or ""):
            await form.reopened(match).take_in(interaction)
            return
    await answer_error(interaction, _Forgotten(interaction))


@contextmanager
def handing_back(*words: str) -> Generator[None]:
    """A form closes as it is sent: whoever is refused gets the words back to send them again."""
    try:
        yield
    except Refusal as refusal:
        said = _with_words(refusal.sentence, (each for each in words if clean_text(each)))
        raise Refusal(said, operator=refusal.operator) from refusal


class _Forgotten(Refusal):
    def __init__(self, interaction: Interaction) -> None:
        data = cast("Mapping[str, Any]", interaction.data)
        super().__init__(
            _with_words(
                "That form was open for long, or I was restarted meanwhile, and I no longer know "
                "what it was about. Please open it once more.",
                _typed(data["components"]),
            )
        )


def _with_words(sentence: str, words: Iterable[str]) -> str:
    """As many of them as there is room for."""
    if not (text := "\n".join(words)):
        return sentence
    frame = f"{sentence} You had written:\n{code_block('')}"
    return f"{sentence} You had written:\n{code_block(clip(text, CONTENT_MAX - len(frame)))}"


def _typed(components: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """https://docs.discord.com/developers/components/reference: rows, and labels, hold others."""
    for component in components:
        yield from _typed(component.get("components", ()))
        if inner := component.get("component"):
            yield from _typed((inner,))
        if isinstance(text := component.get("value"), str) and text:
            yield text
