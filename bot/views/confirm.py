"""The question before an order with combinations: what it comes to, and `Paint…` or `Leave it`.

It is private, but under a message that asked; there, only its author can answer it.
"""

from __future__ import annotations

import asyncio
import time
from os.path import commonprefix
from typing import TYPE_CHECKING

import aiohttp
import discord
import structlog

from bot.studio.outcomes import Answered
from bot.views.asking import place_of, place_under, submit
from bot.views.base import HEARD, THINKING_ALOUD, Button, Layout
from bot.views.ids import DRAFT
from bot.views.messages import bears, say, seem_busy
from bot.views.messages import place_of as message_place
from bot.views.wording import CONTENT_MAX, clip, code, dollars, plural

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.client import Easel
    from bot.studio.gathering import Given
    from bot.studio.generation import Place
    from bot.studio.order import Order
    from bot.studio.outcomes import Quote
    from bot.views.base import Interaction

log = structlog.get_logger()

#: Eight of them leave room for the rest of the message.
_PROMPT_SHOWN = 150
#: What comes out of `submit` when it has withdrawn the generation again.
UNHEARD = (discord.HTTPException, aiohttp.ClientError, OSError)
#: Interaction tokens live 15 minutes.
_REMEMBERED_S = 15 * 60


class Paint(Button, template=f"paint:{DRAFT}"):
    """Has it painted, once."""

    def __init__(self, draft_id: str, *, label: str = "Paint") -> None:
        self.draft_id = draft_id
        super().__init__(f"paint:{draft_id}", label=label, style=discord.ButtonStyle.primary)

    async def press(self, interaction: Interaction) -> None:
        try:
            await self._submit(interaction)
        except Answered as answered:
            await close_question(interaction, answered)
        else:
            await interaction.client.questions.take_away(self.draft_id, interaction)

    async def _submit(self, interaction: Interaction) -> None:
        intake, person_id = interaction.client.studio.intake, interaction.user.id
        order = await intake.draft(self.draft_id, person_id)
        confirming = intake.confirm(self.draft_id, _place(interaction))
        try:
            await submit(interaction, confirming, private=order.private)
        except UNHEARD:
            await intake.reopen(self.draft_id, order, person_id)
            raise


class Leave(Button, template=f"leave:{DRAFT}"):
    """Forgets it."""

    def __init__(self, draft_id: str) -> None:
        self.draft_id = draft_id
        super().__init__(f"leave:{draft_id}", label="Leave it")

    async def press(self, interaction: Interaction) -> None:
        # Before what was brought along is deleted, which may take a while.
        await interaction.response.defer()
        try:
            await interaction.client.studio.intake.discard(self.draft_id, interaction.user.id)
        except Answered as answered:
            await close_question(interaction, answered)
        else:
            await interaction.edit_original_response(
                content="Left alone; nothing was charged.", view=None
            )


def _place(interaction: Interaction) -> Place:
    """Under the message that asked for it, where the question stands under that."""
    question = interaction.message
    asked_in = question.reference if question and not question.flags.ephemeral else None
    if asked_in is None or asked_in.message_id is None:
        return place_of(interaction)
    return place_under(interaction, asked_in.message_id)


async def close_question(interaction: Interaction, answered: Answered) -> None:
    """Puts the sentence in place of the question, whose buttons lead nowhere any more.

    Raises:
        Answered: others see the question, too, or it is gone; or "thinking" is its answer already.
    """
    question = interaction.message
    if question is None or not question.flags.ephemeral or THINKING_ALOUD in interaction.extras:
        raise answered
    try:
        if interaction.response.is_done():
            await interaction.edit_original_response(content=answered.sentence, view=None)
        else:
            await interaction.response.edit_message(content=answered.sentence, view=None)
    except discord.NotFound as gone:
        # The press before this one has just taken it away.
        raise answered from gone


async def ask_under(
    message: discord.Message, order: Order, given: Sequence[Given], client: Easel
) -> None:
    """Asks the one who wrote a message whether that order is meant; all can read the question."""
    quoting = client.studio.intake.quote(order, message_place(message, client), given)
    quote, _ = await asyncio.gather(quoting, seem_busy(message))
    asked = await say(message, question_text(quote), question_buttons(quote))
    if not bears(asked, Leave(quote.draft_id).custom_id):
        # Discord told of the message twice, and the question is that of the first time.
        await client.studio.intake.discard(quote.draft_id, message.author.id)


class Questions:
    """Puts questions to people, and takes them away once they are answered.

    An answer is an interaction of its own, and a private message belongs to that which made it.
    What is remembered here is for tidiness alone: a question that stays, after a restart or
    when it is answered late, says by itself that it is closed.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open: dict[str, tuple[float, Interaction]] = {}

    async def put(self, interaction: Interaction, quote: Quote) -> None:
        """Asks whether an order is meant."""
        text, buttons = question_text(quote), question_buttons(quote)
        await self.ask(interaction, quote.draft_id, text, buttons)

    async def ask(
        self, interaction: Interaction, draft_id: str, text: str, buttons: Layout
    ) -> None:
        """Asks in private, as the first answer, or in place of a private "thinking"."""
        if interaction.response.is_done() or interaction.extras.get(HEARD):
            await interaction.edit_original_response(content=text, view=buttons)
        else:
            await interaction.response.send_message(text, view=buttons, ephemeral=True)
        self._forget_old()
        self._open[draft_id] = (self._clock(), interaction)

    async def take_away(self, draft_id: str, press: Interaction) -> None:
        """Removes a question whose answer was accepted, where that can still be done."""
        self._forget_old()
        _, asked = self._open.pop(draft_id, (0, None))
        try:
            if asked is not None:
                await asked.delete_original_response()
            elif press.message is not None and press.message.flags.ephemeral:
                await press.followup.delete_message(press.message.id)
            elif press.message is not None:
                await press.message.delete()
        except UNHEARD as error:
            log.info("question.remains", draft=draft_id, cause=repr(error))

    def _forget_old(self) -> None:
        since = self._clock() - _REMEMBERED_S
        # They lie in the order in which they were asked.
        while self._open and next(iter(self._open.values()))[0] < since:
            del self._open[next(iter(self._open))]


def question_text(quote: Quote) -> str:
    """Which combinations, how many pictures, by whom, and for about how much."""
    parts = quote.order.parts
    each = "one" if parts[0].count == 1 else str(parts[0].count)
    lines = [
        f"**{plural(quote.order.wanted, 'picture')}**, {each} of each combination:",
        *(f"{n}. {words}" for n, words in enumerate(_told_apart(quote), start=1)),
        f"{quote.model_name} would paint them{price_text(quote.price)}",
        *(f"-# {note}" for note in quote.notes),
    ]
    return clip("\n".join(lines), CONTENT_MAX)


def question_buttons(quote: Quote) -> Layout:
    label = f"Paint {plural(quote.order.wanted, 'picture')}"
    return Layout(Paint(quote.draft_id, label=label), Leave(quote.draft_id))


def _told_apart(quote: Quote) -> Sequence[str]:
    """The words of each, from where they begin to differ if they are long."""
    prompts = [part.prompt for part in quote.order.parts]
    if max(len(prompt) for prompt in prompts) <= _PROMPT_SHOWN:
        start = 0
    else:
        start = commonprefix(prompts).rfind(" ") + 1  # noqa: RUF071 - of words, not of paths
    dots = "…" if start else ""
    return [code(dots + prompt[start:], _PROMPT_SHOWN) for prompt in prompts]


def price_text(price: int | None) -> str:
    """Behind what is painted: about how much that is in all."""
    if price is None:
        return "; I don't know what it charges."
    return f" for about {dollars(price)} in all." if price else " for free."
