"""From a command or a press to an accepted order: who asks, where, and the first answer."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import aiohttp
import discord
import structlog

from bot.studio.generation import Place, Viewer
from bot.studio.intake import asks_first
from bot.views.base import ALREADY_ACKNOWLEDGED, HEARD, THINKING_ALOUD

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from bot.studio.gathering import Given
    from bot.studio.order import Order
    from bot.studio.outcomes import Quote, Submitted
    from bot.views.base import Interaction

T = TypeVar("T")

log = structlog.get_logger()

#: A refusal that is known by then is private without a public "thinking" before it; of the
#: three seconds that Discord gives, this leaves ample.
DECIDE_WITHIN_S = 0.15
_ACKNOWLEDGE_TRIES = 3
#: Interaction tokens live 15 minutes; the margin is for clocks and the last request.
_TOKEN_LIFE_S = 15 * 60 - 20


def viewer_of(interaction: Interaction) -> Viewer:
    return Viewer(interaction.user.id, interaction.channel_id or 0, interaction.guild_id)


def place_of(interaction: Interaction) -> Place:
    """Where the answer to this interaction goes."""
    return Place(
        interaction_id=interaction.id,
        person_id=interaction.user.id,
        server_id=interaction.guild_id,
        application_id=interaction.application_id,
        channel_id=interaction.channel_id or 0,
        interaction_token=interaction.token,
        token_expires_at=time.time() + _TOKEN_LIFE_S,
        may_post=may_post(interaction),
        file_limit=interaction.filesize_limit,
    )


def place_under(interaction: Interaction, message_id: int) -> Place:
    """The same, in reply to a message that had asked for it."""
    place = place_of(interaction)
    # In direct messages the bot has posted its question, and so may post the answer.
    may_post = place.may_post or interaction.guild_id is None
    return replace(place, reply_to=message_id, may_post=may_post)


def may_post(interaction: Interaction) -> bool:
    """Whether the bot may post a message with files of its own, judged without trying.

    Where it came along with a person (user-installed) and is no member, it may not.
    """
    if interaction.guild_id is None or interaction.client.get_guild(interaction.guild_id) is None:
        return False
    return allows_files(interaction.app_permissions, interaction.channel)


def allows_files(allowed: discord.Permissions, channel: object) -> bool:
    in_thread = isinstance(channel, discord.Thread)
    may_send = allowed.send_messages_in_threads if in_thread else allowed.send_messages
    return allowed.view_channel and may_send and allowed.attach_files


async def ask(interaction: Interaction, order: Order, given: Sequence[Given] = ()) -> None:
    """Has an order painted, whatever way it was asked for; one of combinations after a yes.

    Args:
        interaction: not answered yet.
        order: what is asked for.
        given: pictures to work from.
    """
    intake, place = interaction.client.studio.intake, place_of(interaction)

    if asks_first(order):
        await _put_question(interaction, intake.quote(order, place, given))
    else:
        await submit(interaction, intake.submit(order, place, given), private=order.private)


async def _put_question(
    interaction: Interaction, quoting: Coroutine[object, object, Quote]
) -> None:
    """Waits for the studio's offer, and asks whether that is meant."""
    quote, _, unheard = await _decided(interaction, quoting, private=True)
    if unheard is not None:
        raise unheard
    await interaction.client.questions.put(interaction, quote)


async def submit(
    interaction: Interaction, deciding: Coroutine[object, object, Submitted], *, private: bool
) -> None:
    """Waits for the studio's decision, acknowledges it, and lets the painting begin.

    A slow store is not waited for: "thinking" is shown first, and a refusal takes its place.
    """
    submitted, in_time, unheard = await _decided(interaction, deciding, private=private)
    if not submitted.fresh:
        log.info("interaction.replayed", interaction=interaction.id)
        return
    if in_time:
        unheard = await _acknowledge(interaction, private=private)
    studio = interaction.client.studio
    if unheard is not None:
        await studio.intake.withdraw(submitted.generation)
        raise unheard
    studio.intake.begin(submitted.generation)


async def whisper(
    interaction: Interaction,
    deciding: Coroutine[object, object, str],
    view: discord.ui.View = discord.utils.MISSING,
) -> None:
    """Says to one person alone what came of a press, in time even where the store is slow."""
    said, in_time, unheard = await _decided(interaction, deciding, private=True)
    if unheard is not None:
        raise unheard
    if in_time:
        await interaction.response.send_message(said, view=view, ephemeral=True)
    else:
        await interaction.followup.send(said, view=view, ephemeral=True)


async def _decided(
    interaction: Interaction, deciding: Coroutine[object, object, T], *, private: bool
) -> tuple[T, bool, Exception | None]:
    """What is decided, and whether in time; else it is acknowledged first, or why it could not."""
    decision = asyncio.ensure_future(deciding)
    done, _ = await asyncio.wait({decision}, timeout=DECIDE_WITHIN_S)
    unheard = None if done else await _acknowledge(interaction, private=private)
    return await decision, bool(done), unheard


async def _acknowledge(interaction: Interaction, *, private: bool) -> Exception | None:
    """Shows "thinking"; why it could not, when Discord never heard of it.

    A reset connection does not tell whether it did. To ask again is harmless: what is
    acknowledged already says so.
    """
    unheard: Exception | None = None
    interaction.extras[THINKING_ALOUD] = not private
    for _ in range(_ACKNOWLEDGE_TRIES):
        try:
            await interaction.response.defer(ephemeral=private, thinking=True)
        except discord.HTTPException as error:
            if error.code != ALREADY_ACKNOWLEDGED:
                return error
            interaction.extras[HEARD] = True
            return None
        except (aiohttp.ClientError, OSError) as error:
            unheard = error
        else:
            return None
    return unheard
