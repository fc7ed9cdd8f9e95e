"""Where a generation's answers go: its channel, and its interaction while the token lives."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import discord

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.client import Easel
    from bot.studio.generation import Generation


class _Original(int):
    """The response to the interaction itself, where a message's id is asked for.

    discord.py would quote the `@` of a string, and offers this path on live interactions only:
    https://discord.com/developers/docs/interactions/receiving-and-responding#followup-messages
    """

    def __format__(self, spec: str, /) -> str:
        return "@original"


ORIGINAL = _Original()


class Reply(TypedDict, total=False):
    """What a message is sent with that answers another one."""

    reference: discord.MessageReference


class Routes:
    """The ways to the people of a generation, as far as they are open."""

    def __init__(self, client: Easel, clock: Callable[[], float]) -> None:
        self._client = client
        self._clock = clock

    def channel(self, generation: Generation) -> discord.PartialMessageable:
        place = generation.place
        return self._client.get_partial_messageable(place.channel_id, guild_id=place.server_id)

    def response(self, generation: Generation) -> discord.Webhook:
        place = generation.place
        webhook = discord.Webhook.partial(
            place.application_id, place.interaction_token, client=self._client
        )
        # It is the application's own, and so may whisper; discord.py takes it for a channel's.
        webhook.type = discord.WebhookType.application
        return webhook

    def token_lives(self, generation: Generation) -> bool:
        # By the stored time and not by trying: Discord counts refused tokens towards a ban.
        return self._clock() < generation.place.token_expires_at

    def may_post(self, generation: Generation) -> bool:
        """As it was when it was asked for; what is private is posted nowhere."""
        return generation.place.may_post and not generation.order.private

    def may_speak(self, generation: Generation) -> bool:
        """Whether words alone may be posted now: Discord counts refusals towards a ban."""
        place = generation.place
        if place.server_id is None:
            # To a message; whoever used a command there may not have invited the bot.
            return place.reply_to is not None
        may = self._permissions(generation)
        if generation.order.private or may is None:
            return False
        in_thread = isinstance(self._client.get_channel(place.channel_id), discord.Thread)
        may_send = may.send_messages_in_threads if in_thread else may.send_messages
        return may.view_channel and may_send

    def in_reply(self, generation: Generation) -> Reply:
        """To the message that asked, where one did; should it be gone, the answer is none less."""
        place = generation.place
        if place.reply_to is None:
            return Reply()
        may = self._permissions(generation)
        # Discord refuses the whole message of a bot that may not read what was said before:
        # https://discord.com/developers/docs/resources/message#create-message
        if may is not None and not may.read_message_history:
            return Reply()
        asked = discord.MessageReference(
            message_id=place.reply_to, channel_id=place.channel_id, fail_if_not_exists=False
        )
        return Reply(reference=asked)

    def _permissions(self, generation: Generation) -> discord.Permissions | None:
        """The bot's own, as they are now; None where there are none, or they are not known."""
        channel = self._client.get_channel(generation.place.channel_id)
        if isinstance(channel, discord.abc.PrivateChannel | None):
            return None
        return channel.permissions_for(channel.guild.me)


def the_asker(generation: Generation) -> discord.AllowedMentions:
    allowed = discord.AllowedMentions.none()
    allowed.users = [discord.Object(generation.person_id)]
    return allowed
