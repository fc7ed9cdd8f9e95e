"""Which of several pictures is meant: asked under a reply, and answered by the one who replied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import discord
import structlog

from bot.errors import Refusal
from bot.studio.choice import Choice
from bot.views.asking import place_under, submit, viewer_of
from bot.views.base import Button, Layout
from bot.views.ids import DRAFT, POSITION
from bot.views.messages import find_message, say
from bot.views.pictures_in import attached, bring, pictures_for

if TYPE_CHECKING:
    from bot.studio.intake import Intake
    from bot.studio.order import Order
    from bot.studio.outcomes import Submitted
    from bot.views.base import Interaction
    from bot.views.pictures_in import Found

log = structlog.get_logger()

#: Buttons, as many as pictures can be worked from.
_ASKED_MAX = 8


class Choose(Button, template=f"choose:{DRAFT}:{POSITION}"):
    """`1` to `8`: the picture that is to be edited."""

    def __init__(self, draft_id: str, position: str) -> None:
        self.draft_id, self.position = draft_id, int(position)
        super().__init__(f"choose:{draft_id}:{position}", label=position)

    async def press(self, interaction: Interaction) -> None:
        await submit(interaction, self._submit(interaction), private=False)
        if interaction.message is not None:
            await _remove(interaction.message)

    async def _submit(self, interaction: Interaction) -> Submitted:
        intake = interaction.client.studio.intake
        choice = await intake.choice(self.draft_id, interaction.user.id)
        given = bring(await _found(interaction, choice, self.position))
        place = place_under(interaction, choice.asked_in)
        return await intake.choose(self.draft_id, choice, place, given)


async def ask_which(
    message: discord.Message, order: Order, shown: discord.Message, count: int, intake: Intake
) -> None:
    """Asks for one of the pictures of a message.

    Args:
        message: that asks for an edit, and brings its attachments along.
        order: the edit.
        shown: has the pictures.
        count: how many those are.
        intake: keeps the order until then.
    """
    choice = Choice(order, shown.id, message.id, len(message.attachments))
    draft_id = await intake.put_off(choice, message.author.id)
    numbers = [str(number) for number in range(1, min(count, _ASKED_MAX) + 1)]
    await say(
        message,
        f"Which of the {count} pictures? You can also write its number before your words, such "
        "as `#2 make it night`.",
        Layout(*(Choose(draft_id, number) for number in numbers)),
    )


async def _found(interaction: Interaction, choice: Choice, position: int) -> list[Found]:
    """The chosen picture, and those that came with the words.

    Raises:
        Refusal: one of the messages is gone, or does not show its pictures any more.
    """
    channel = interaction.client.get_partial_messageable(
        interaction.channel_id or 0, guild_id=interaction.guild_id
    )
    shown = await find_message(channel, choice.shown_in)
    pictures = await pictures_for(viewer_of(interaction), shown, interaction.client)
    more: list[Found] = []
    if choice.brought:
        more += attached(*(await find_message(channel, choice.asked_in)).attachments)
    if position > len(pictures) or len(more) != choice.brought:
        raise Refusal(
            "I can't see that picture any more. Reply to the message once more, and write the "
            f"number before your words: `#{position} make it night`."
        )
    return [pictures[position - 1], *more]


async def _remove(message: discord.Message) -> None:
    try:
        await message.delete()
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        log.info("choice.remains", message=message.id, cause=repr(error))
