"""Answers to interactions: the callback, and the webhook that lives for 15 minutes after it."""

from __future__ import annotations

import time
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from aiohttp import web

from wire.bodies import Body, read
from wire.interactions import (
    ANSWER_WITHIN_S,
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    FOLLOWUPS_MAX,
    FORM,
    TOKEN_LIFE_S,
)
from wire.messages import COMMAND_ANSWER, EPHEMERAL, REPLY, Message
from wire.posting import compose, loading, remove, revise
from wire.rejected import Code, Rejected, answer, invalid

if TYPE_CHECKING:
    from wire.interactions import Interaction
    from wire.telling import Teller
    from wire.world import World


class First(IntEnum):
    """The types of a first answer."""

    SAY = 4
    THINK = 5
    LATER = 6  # of a component: nothing is shown, its message may change later
    CHANGE = 7
    COMPLETE = 8
    FORM = 9


_FITTING = {
    COMMAND: {First.SAY, First.THINK, First.FORM},
    COMPONENT: {First.SAY, First.THINK, First.LATER, First.CHANGE, First.FORM},
    AUTOCOMPLETE: {First.COMPLETE},
    FORM: {First.SAY, First.THINK, First.LATER, First.CHANGE},
}
_CHOICES_MAX = 25


class Webhooks:
    """Handlers; none of them asks for the bot's token."""

    def __init__(self, world: World, teller: Teller) -> None:
        self._world, self._teller = world, teller

    async def callback(self, request: web.Request) -> web.Response:
        arrived, clock = time.monotonic(), self._world.clock()
        interaction = self._world.interactions.get(request.match_info["token"])
        if interaction is None or str(interaction.id) != request.match_info["interaction"]:
            raise Rejected(Code.UNKNOWN_INTERACTION)
        # Before the body is awaited: of two answers at once, one is the first.
        if interaction.answer_kind is not None:
            raise Rejected(Code.ALREADY_ACKNOWLEDGED)
        if clock - interaction.made_at > ANSWER_WITHIN_S:
            raise Rejected(Code.UNKNOWN_INTERACTION)
        body = await read(request)
        if interaction.answer_kind is not None:
            raise Rejected(Code.ALREADY_ACKNOWLEDGED)
        await self._acknowledge(interaction, body, arrived)
        if request.query.get("with_response") not in ("1", "true"):
            return web.Response(status=204)
        return answer(self._told(interaction))

    async def followup(self, request: web.Request) -> web.Response:
        interaction = self._interaction(request)
        body = await read(request)
        first = interaction.original
        if first is not None and first.loading:
            if first.deleted_at is None:
                # It takes the place of "thinking", and is as public as that.
                return await self._revise(first, body)
            if self._world.mourns_thinking:
                raise Rejected(Code.UNKNOWN_MESSAGE)
        if interaction.brought_along and len(interaction.followups) >= FOLLOWUPS_MAX:
            raise Rejected(Code.FOLLOWUPS_SPENT)
        message = self._compose(interaction, body)
        message.replied_to, message.kind = first, REPLY if first else COMMAND_ANSWER
        interaction.followups.append(message)
        message.channel.pulse.beat()
        await self._teller.posted(message)
        return answer(message.wire(self._world))

    async def message(self, request: web.Request) -> web.Response:
        return answer(self._message(request).wire(self._world))

    async def edit(self, request: web.Request) -> web.Response:
        message = self._message(request)
        return await self._revise(message, await read(request))

    async def delete(self, request: web.Request) -> web.Response:
        message = self._message(request)
        remove(message)
        await self._teller.deleted(message)
        return web.Response(status=204)

    async def _acknowledge(self, interaction: Interaction, body: Body, arrived: float) -> None:
        kind, data = body.fields.get("type"), body.fields.get("data") or {}
        if kind not in _FITTING[interaction.kind] or (
            kind in (First.LATER, First.CHANGE) and interaction.target is None
        ):
            words = f"Value must be one of {sorted(map(int, _FITTING[interaction.kind]))}."
            raise invalid("type", "BASE_TYPE_CHOICES", words)
        said = Body(data, body.uploads)
        match kind:
            case First.SAY:
                interaction.original = self._compose(interaction, said)
                await self._teller.posted(interaction.original)
            case First.THINK:
                ephemeral = bool((data.get("flags") or 0) & EPHEMERAL)
                original = loading(self._world, interaction.channel, ephemeral=ephemeral)
                original.asked, original.kind = interaction, COMMAND_ANSWER
                interaction.original = original
            case First.LATER:
                interaction.original = interaction.target
            case First.CHANGE:
                interaction.original = interaction.target
                await self._revise(_there(interaction.target), said)
            case First.COMPLETE:
                interaction.choices = _choices(data)
            case _:
                interaction.form = data
        interaction.answer_kind, interaction.answered_at = kind, arrived
        interaction.channel.pulse.beat()

    def _told(self, interaction: Interaction) -> dict[str, Any]:
        """https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-callback-interaction-callback-response-object"""
        kind, original = interaction.answer_kind, interaction.original
        told: dict[str, Any] = {
            "interaction": {"id": str(interaction.id), "type": interaction.kind},
            "resource": {"type": kind},
        }
        if original is not None and kind in (First.SAY, First.THINK, First.CHANGE):
            told["interaction"] |= {
                "response_message_id": str(original.id),
                "response_message_loading": original.loading,
                "response_message_ephemeral": original.ephemeral,
            }
            told["resource"]["message"] = original.wire(self._world)
        return told

    def _compose(self, interaction: Interaction, body: Body) -> Message:
        message = compose(self._world, interaction.channel, body, self._world.bot)
        message.asked, message.kind = interaction, COMMAND_ANSWER
        return message

    async def _revise(self, message: Message, body: Body) -> web.Response:
        revise(self._world, message, body)
        await self._teller.edited(message)
        return answer(message.wire(self._world))

    def _interaction(self, request: web.Request) -> Interaction:
        if request.match_info["application"] != str(self._world.application_id):
            raise Rejected(Code.UNKNOWN_WEBHOOK)
        interaction = self._world.interactions.get(request.match_info["token"])
        if interaction is None or self._world.clock() - interaction.made_at > TOKEN_LIFE_S:
            raise Rejected(Code.BAD_TOKEN)
        if interaction.answer_kind is None:
            raise Rejected(Code.UNKNOWN_WEBHOOK)
        if interaction.channel.id not in self._world.channels:
            raise Rejected(Code.UNKNOWN_CHANNEL)
        return interaction

    def _message(self, request: web.Request) -> Message:
        interaction, asked_for = self._interaction(request), request.match_info["message"]
        if asked_for == "@original":
            return _there(interaction.original)
        known = [interaction.original, *interaction.followups]
        return _there(next((m for m in known if m and str(m.id) == asked_for), None))


def _there(message: Message | None) -> Message:
    if message is None or message.deleted_at is not None:
        raise Rejected(Code.UNKNOWN_MESSAGE)
    return message


def _choices(data: dict[str, Any]) -> list[dict[str, Any]]:
    choices: list[dict[str, Any]] = data.get("choices") or []
    if len(choices) > _CHOICES_MAX:
        raise invalid("data.choices", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    return choices
