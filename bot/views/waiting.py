"""While one waits: the place in line, a way out, and the whole line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bot.views.asking import whisper
from bot.views.base import Button, Layout
from bot.views.ids import ID
from bot.views.wording import CONTENT_MAX, clip, code, plural

if TYPE_CHECKING:
    from bot.studio.generation import Generation
    from bot.studio.line import Standing
    from bot.studio.studio import Queue, Queued
    from bot.views.base import Interaction

_PROMPT_SHOWN = 80


class Cancel(Button, template=f"cancel:{ID}"):
    """Takes it out of the line, until painting begins."""

    def __init__(self, generation_id: str) -> None:
        self.generation_id = generation_id
        super().__init__(f"cancel:{generation_id}", label="Cancel")

    async def press(self, interaction: Interaction) -> None:
        await whisper(interaction, self._cancel(interaction))

    async def _cancel(self, interaction: Interaction) -> str:
        await interaction.client.studio.cancel(self.generation_id, interaction.user.id)
        return "Cancelled; nothing was charged."


def standing_text(generation: Generation, standing: Standing) -> str:
    """One's place, and an honest guess."""
    return f"{code(generation.order.prompt, _PROMPT_SHOWN)} is {_place(standing)}."


def waiting_buttons(generation_id: str) -> Layout:
    return Layout(Cancel(generation_id))


def queue_text(queue: Queue) -> str:
    """One's own first, then how busy it is here and everywhere."""
    lines = [_line(queued) for queued in queue.own] or ["You have nothing in the line."]
    if queue.server is not None:
        here = queue.server
        lines.append(f"**In this server:** {here.waiting} waiting, {here.painting} being painted.")
    everywhere = queue.everywhere
    lines.append(
        f"-# Everywhere: {everywhere.waiting} waiting, {everywhere.painting} being painted."
    )
    return clip("\n".join(lines), CONTENT_MAX)


def _line(queued: Queued) -> str:
    prompt = code(queued.generation.order.prompt, _PROMPT_SHOWN)
    if queued.standing is not None:
        return f"{prompt} is {_place(queued.standing)}."
    return f"{prompt} is {queued.generation.state}."


def _place(standing: Standing) -> str:
    if standing.halted:
        return (
            f"number {standing.place} in line. The image service is having trouble just now; "
            "you keep your place, and it goes on by itself"
        )
    place = "next in line" if standing.place == 1 else f"number {standing.place} in line"
    return place if standing.wait_s is None else f"{place}, {_wait(standing.wait_s)}"


def _wait(seconds: float) -> str:
    """Rounded up, so that it is not too good to be true."""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"about {5 * max(1, math.ceil(seconds / 5))} seconds"
    return f"about {plural(math.ceil(seconds / 60), 'minute')}"
