"""`Vote` under a result: the form that asks how the vote is to be held."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self

import discord
from discord import ui

from bot.studio.voting import ROUNDS_MAX, Rules, parse_duration
from bot.studio.wish import About, Wish
from bot.views.asking import viewer_of
from bot.views.base import Button
from bot.views.forms import Form
from bot.views.ids import ID
from bot.views.proposal import propose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.studio.generation import Generation, KeptPicture
    from bot.views.base import Interaction

USUAL_DURATION = "10m"
DURATION_LENGTH = 20
_SHOWN, _SECRET = "shown", "secret"


def votable(generation: Generation, pictures: Sequence[KeptPicture]) -> bool:
    """Whether others can choose among them, where they are."""
    place = generation.place
    public = place.server_id is not None and place.may_post and not generation.order.private
    return public and len(pictures) > 1


class OpenVote(Button, template=f"vote:{ID}"):
    """Opens the form; for everybody who sees the result."""

    def __init__(self, generation_id: str) -> None:
        self.generation_id = generation_id
        super().__init__(f"vote:{generation_id}", label="Vote", style=discord.ButtonStyle.success)

    async def press(self, interaction: Interaction) -> None:
        await interaction.client.studio.see(self.generation_id, viewer_of(interaction))
        form = VoteForm(f"vote-form:{self.generation_id}:{interaction.id}")
        await interaction.response.send_modal(form)


class VoteForm(Form):
    """How long, how many rounds, whether in secret, and who."""

    template = re.compile(rf"vote-form:{ID}:[0-9]+")

    def __init__(self, custom_id: str) -> None:
        super().__init__("Vote on these pictures", custom_id=custom_id)
        self._duration = ui.TextInput[Self](
            custom_id="duration", default=USUAL_DURATION, max_length=DURATION_LENGTH
        )
        self._rounds = ui.Select[Self](custom_id="rounds", options=_rounds())
        self._counts = ui.Select[Self](custom_id="counts", options=_counts())
        self._voters = ui.RoleSelect[Self](custom_id="voters", min_values=0, required=False)
        for text, description, component in (
            ("How long?", "For each round: 90s, 10m or 1h30m.", self._duration),
            ("Rounds", "After each but the last, its winner is painted on.", self._rounds),
            ("Counts", None, self._counts),
            ("Who can vote?", "Those of a role; everyone here if left out.", self._voters),
        ):
            self.add_item(ui.Label(text=text, description=description, component=component))

    @classmethod
    def reopened(cls, match: re.Match[str]) -> Self:
        return cls(match[0])

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        rules = Rules(
            parse_duration(self._duration.value),
            rounds=int(self._rounds.values[0]),
            secret=self._counts.values[0] == _SECRET,
            voters_role=next((role.id for role in self._voters.values), None),
        )
        about = About(self.custom_id.split(":")[1])
        await propose(interaction, Wish(rules, about))


def _rounds() -> list[discord.SelectOption]:
    first = discord.SelectOption(label="1: the winner is posted", value="1", default=True)
    more = [
        discord.SelectOption(label=f"{n}: the winner is painted on {_times(n - 1)}", value=str(n))
        for n in range(2, ROUNDS_MAX + 1)
    ]
    return [first, *more]


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _counts() -> list[discord.SelectOption]:
    return [
        discord.SelectOption(label="shown as people vote", value=_SHOWN, default=True),
        discord.SelectOption(label="secret until the end", value=_SECRET),
    ]
