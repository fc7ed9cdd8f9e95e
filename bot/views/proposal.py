"""Before a vote: what it would be like and what it costs, and `Start the vote` or `Leave it`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import discord

from bot.studio.order import Order
from bot.studio.outcomes import Answered, Quote
from bot.studio.wish import About
from bot.views.asking import place_of, submit
from bot.views.base import Button, Layout
from bot.views.confirm import UNHEARD, Leave, close_question, price_text
from bot.views.ids import DRAFT
from bot.views.wording import code, duration, listed, plural, whole_lines

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from bot.studio.outcomes import Submitted
    from bot.studio.votes import Proposal
    from bot.studio.voting import Rules
    from bot.studio.wish import Wish
    from bot.views.base import Interaction

_PROMPT_SHOWN = 300


class StartVote(Button, template=f"start-vote:{DRAFT}"):
    """Has the first pictures painted, or posts the ballot, once."""

    def __init__(self, draft_id: str) -> None:
        self.draft_id = draft_id
        super().__init__(
            f"start-vote:{draft_id}", label="Start the vote", style=discord.ButtonStyle.primary
        )

    async def press(self, interaction: Interaction) -> None:
        votes = interaction.client.studio.votes
        try:
            wish = await votes.wish(self.draft_id, interaction.user.id)
            match wish.on:
                case About() as about:
                    await open_ballot(interaction, self.draft_id, about, wish.rules)
                case Order() as order:
                    place = place_of(interaction)
                    starting = votes.start(self.draft_id, order, wish.rules, place)
                    await self._submit(interaction, starting, wish)
                    await interaction.client.questions.take_away(self.draft_id, interaction)
        except Answered as answered:
            await close_question(interaction, answered)

    async def _submit(
        self, interaction: Interaction, starting: Coroutine[Any, Any, Submitted], wish: Wish
    ) -> None:
        try:
            await submit(interaction, starting, private=False)
        except UNHEARD:
            # It was withdrawn again, and can be started once more.
            intake, person_id = interaction.client.studio.intake, interaction.user.id
            await intake.keep(self.draft_id, person_id, wish.to_json())
            raise


async def propose(interaction: Interaction, wish: Wish) -> None:
    """Answers with what a vote would be like; one that costs nothing begins at once."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    proposal = await interaction.client.studio.votes.propose(wish, place_of(interaction))
    draft_id = proposal.draft_id
    if isinstance(wish.on, About) and not proposal.wanted:
        await open_ballot(interaction, draft_id, wish.on, proposal.wish.rules)
        return
    view = Layout(StartVote(draft_id), Leave(draft_id))
    await interaction.client.questions.ask(interaction, draft_id, proposal_text(proposal), view)


async def open_ballot(interaction: Interaction, draft_id: str, about: About, rules: Rules) -> None:
    """Begins a vote on pictures that are there, and says so to the one who did."""
    await interaction.client.studio.votes.open_on(draft_id, about, rules, place_of(interaction))
    said = f"The ballot is on its way; it is open for {duration(rules.duration_s)}."
    if interaction.response.is_done():
        await interaction.edit_original_response(content=said, view=None)
    else:
        await interaction.response.edit_message(content=said, view=None)


def proposal_text(proposal: Proposal) -> str:
    """What is painted and voted on, by which rules, and on whose account."""
    rules, on = proposal.wish.rules, proposal.on
    order, notes = (on.order, on.notes) if isinstance(on, Quote) else (on.generation.order, ())
    words, open_for = code(order.prompt, _PROMPT_SHOWN), duration(rules.duration_s)
    if rules.rounds == 1:
        heading, most = f"**A vote** on {words}, open for {open_for}.", ""
    else:
        rounds = plural(rules.rounds, "round")
        heading = f"**A vote in {rounds}** on {words}; each ballot is open for {open_for}."
        most = "Up to "
    first = order.wanted if isinstance(on, Quote) else 0
    lines = [
        heading,
        *_conditions(rules, blind=isinstance(on, Quote) and order.compares_models),
        f"{most}**{plural(proposal.wanted, 'picture')}** are painted{price_text(proposal.price)}",
        f"They count towards your allowance; you have {proposal.left_today} left today.",
    ]
    if proposal.left_today < first:
        lines.append("That is more than you have left: ask for fewer with `count`.")
    elif proposal.left_today < proposal.wanted:
        lines.append("-# If it runs out, the vote ends with the last winner.")
    lines += [f"-# {note}" for note in notes]
    return whole_lines(lines)


def _conditions(rules: Rules, *, blind: bool) -> list[str]:
    said: list[str] = []
    if rules.voters_role is not None:
        said.append(f"only <@&{rules.voters_role}> can vote")
    if rules.secret:
        said.append("the counts stay secret until the end")
    if not rules.opener_votes:
        said.append("you leave it to the others")
    if blind:
        said.append("which model painted what is told at the end")
    told = listed(said)
    return [f"{told[0].upper()}{told[1:]}."] if told else []
