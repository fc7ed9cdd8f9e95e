"""`/vote`: the server decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.app_commands import Choice, Range
from discord.ext import commands

from bot.errors import Refusal
from bot.imaging.request import Shape
from bot.studio.order import PROMPT_MAX, Order
from bot.studio.voting import ROUNDS_MAX, Rules, parse_duration
from bot.studio.wish import Wish
from bot.views import options
from bot.views.asking import whisper
from bot.views.ballot import close
from bot.views.proposal import propose
from bot.views.standing import name_of, standing_text
from bot.views.vote_form import DURATION_LENGTH, USUAL_DURATION
from bot.views.voter import moderates, sees, voter_there
from bot.views.wording import CHOICE_MAX, CHOICES_MAX, clip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.client import Easel
    from bot.studio.studio import Studio
    from bot.studio.votes import Listed
    from bot.views.base import Interaction


@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
@app_commands.allowed_installs(guilds=True, users=False)
class Vote(commands.GroupCog, name="vote"):
    """Let the server choose a picture, and what becomes of it."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    @app_commands.command()
    @app_commands.choices(shape=options.SHAPES)
    async def start(
        self,
        interaction: Interaction,
        prompt: Range[str, 1, PROMPT_MAX],
        duration: Range[str, 1, DURATION_LENGTH] = USUAL_DURATION,
        rounds: Range[int, 1, ROUNDS_MAX] = 1,
        count: Range[int, 2, 4] | None = None,
        model: str | None = None,
        model2: str | None = None,
        model3: str | None = None,
        model4: str | None = None,
        shape: str | None = None,
        secret: bool = False,
        voters: discord.Role | None = None,
    ) -> None:
        """Have pictures painted, and let the server choose.

        Args:
            prompt: What to paint; with {red|blue|gold} fox, which words are put to the vote.
            duration: How long each ballot is open, such as 90s, 10m or 1h30m; 10m when left out.
            rounds: After each but the last, its winner is painted on; one when left out.
            count: How many pictures to choose from; four when left out.
            model: Who paints; type to search. The everyday model when left out.
            model2: Another one: then each paints one picture, and the end tells which is which.
            model3: A third one.
            model4: A fourth one.
            shape: The form of the pictures; square when left out.
            secret: Hide the counts until the end.
            voters: Who can vote; everyone here when left out.
        """
        models = tuple(each for each in (model, model2, model3, model4) if each)
        order = Order(
            prompt=prompt, models=models, shape=Shape(shape) if shape else None, count=count
        )
        role = voters.id if voters else None
        rules = Rules(parse_duration(duration), rounds, secret, voters_role=role)
        await propose(interaction, Wish(rules, order))

    @app_commands.command()
    async def close(self, interaction: Interaction, vote: str | None = None) -> None:
        """Close a ballot before its time, or end a vote between two rounds.

        Args:
            vote: Which one; the one in this channel when left out.
        """
        await whisper(interaction, self._close(interaction, vote))

    @app_commands.command()
    async def standing(self, interaction: Interaction) -> None:
        """See which votes are open here, and what was decided last."""
        votes = await self._listed(interaction)
        await interaction.response.send_message(
            standing_text(votes), ephemeral=True, suppress_embeds=True
        )

    @commands.Cog.listener()
    async def on_raw_message_delete(self, deleted: discord.RawMessageDeleteEvent) -> None:
        await self._studio.votes.forget(deleted.message_id)

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, deleted: discord.RawBulkMessageDeleteEvent) -> None:
        for message_id in deleted.message_ids:
            await self._studio.votes.forget(message_id)

    @start.autocomplete("model")
    @start.autocomplete("model2")
    @start.autocomplete("model3")
    @start.autocomplete("model4")
    async def _models(self, interaction: Interaction, typed: str) -> list[Choice[str]]:
        pictures = options.pictures_so_far(interaction)
        return options.models(self._studio.catalogue, typed, pictures)

    @close.autocomplete("vote")
    async def _votes(self, interaction: Interaction, typed: str) -> list[Choice[str]]:
        return [
            Choice(name=clip(name_of(each), CHOICE_MAX), value=each.round.id)
            for each in await self._running(interaction)
            if _may_close(interaction, each) and typed.casefold() in name_of(each).casefold()
        ][:CHOICES_MAX]

    async def _close(self, interaction: Interaction, vote: str | None) -> str:
        running = await self._running(interaction)
        chosen = vote or _in_channel(running, interaction.channel_id)
        held_in = {each.round.id: each.contest.channel_id for each in running}.get(chosen)
        return await close(interaction, chosen, voter_there(interaction, held_in))

    async def _running(self, interaction: Interaction) -> list[Listed]:
        return [each for each in await self._listed(interaction) if each.contest.ended_at is None]

    async def _listed(self, interaction: Interaction) -> list[Listed]:
        """Those of channels that the person can see."""
        votes = await self._studio.votes.standing(interaction.guild_id or 0)
        return [each for each in votes if sees(interaction, each.contest.channel_id)]


def _may_close(interaction: Interaction, vote: Listed) -> bool:
    contest = vote.contest
    return contest.opener_id == interaction.user.id or moderates(interaction, contest.channel_id)


def _in_channel(running: Sequence[Listed], channel_id: int | None) -> str:
    here = [each.round.id for each in running if each.contest.channel_id == channel_id]
    match here:
        case [only]:
            return only
        case []:
            raise Refusal("No vote is open in this channel. Choose one in the `vote` option.")
        case _:
            raise Refusal("Several votes are open in this channel. Choose one in `vote`.")


async def setup(bot: Easel) -> None:
    await bot.add_cog(Vote(bot.studio))
