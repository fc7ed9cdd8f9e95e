"""Between two rounds of a vote: what people would change of the winner, and whom they back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self

import discord
from discord import ui

from bot.studio.votes import SUGGESTION_MAX
from bot.views.base import Button, Select
from bot.views.forms import Form
from bot.views.ids import ROUND
from bot.views.voter import voter_of
from bot.views.wording import CHOICE_MAX, clip, code, one_line, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.studio.voting import Suggestion
    from bot.views.base import Interaction

#: In the message; the menu has all of them.
_LISTED = 8
_WORDS_SHOWN = 100


class Suggest(Button, template=f"suggest:{ROUND}"):
    """Opens the form, with what one has suggested before."""

    def __init__(self, round_id: str) -> None:
        self.round_id = round_id
        super().__init__(
            f"suggest:{round_id}", label="Suggest a change…", style=discord.ButtonStyle.primary
        )

    async def press(self, interaction: Interaction) -> None:
        votes = interaction.client.studio.votes
        form = SuggestForm(f"suggest-form:{self.round_id}:{interaction.id}")
        form.fill_in(await votes.suggestion(self.round_id, interaction.user.id))
        await interaction.response.send_modal(form)


class SuggestForm(Form):
    """One suggestion each, which one can write anew until the next round."""

    template = re.compile(rf"suggest-form:{ROUND}:[0-9]+")

    def __init__(self, custom_id: str) -> None:
        super().__init__("Suggest a change", custom_id=custom_id)
        self._words = ui.TextInput[Self](
            custom_id="words",
            style=discord.TextStyle.paragraph,
            max_length=SUGGESTION_MAX,
            placeholder="For example: make it night",
        )
        self.add_item(
            ui.Label(
                text="What should change in the winner?",
                description="One each; sending it again replaces yours.",
                component=self._words,
            )
        )

    @classmethod
    def reopened(cls, match: re.Match[str]) -> Self:
        return cls(match[0])

    def fill_in(self, words: str | None) -> None:
        self._words.default = words

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        round_id = self.custom_id.split(":")[1]
        votes = interaction.client.studio.votes
        await votes.suggest(round_id, self._words.value, voter_of(interaction))
        await interaction.response.send_message(
            "Your suggestion is on the list, and you back it. Others can do so in the menu under "
            "the ballot.",
            ephemeral=True,
        )


class Back(Select, template=f"back-suggestion:{ROUND}"):
    """Backs one of the suggestions, and no other one any more."""

    def __init__(self, round_id: str, suggestions: Sequence[Suggestion] = ()) -> None:
        self.round_id = round_id
        super().__init__(
            f"back-suggestion:{round_id}",
            placeholder="Back a suggestion…",
            options=[
                discord.SelectOption(
                    label=clip(one_line(each.words), CHOICE_MAX),
                    value=str(each.person_id),
                    description=_backers(each),
                )
                for each in suggestions
            ],
        )

    async def press(self, interaction: Interaction) -> None:
        words = await interaction.client.studio.votes.back(
            self.round_id, int(self.chosen), voter_of(interaction)
        )
        await interaction.response.send_message(
            f"You back {code(words, _WORDS_SHOWN)}.", ephemeral=True
        )


class GoOn(Button, template=f"go-on:{ROUND}"):
    """Begins the next round now; for whoever opened the vote, and for moderators."""

    def __init__(self, round_id: str, *, label: str = "Start the next round now") -> None:
        self.round_id = round_id
        super().__init__(f"go-on:{round_id}", label=label)

    async def press(self, interaction: Interaction) -> None:
        await interaction.client.studio.votes.go_on(self.round_id, voter_of(interaction))
        await interaction.response.send_message("The next round is on its way.", ephemeral=True)


def suggestion_lines(suggestions: Sequence[Suggestion]) -> list[str]:
    """The most backed first, each with its author."""
    lines = [
        f"**{number}** {code(each.words, _WORDS_SHOWN)} by <@{each.person_id}> · {_backers(each)}"
        for number, each in enumerate(suggestions[:_LISTED], start=1)
    ]
    if more := len(suggestions) - len(lines):
        lines.append(f"-# {more} more in the menu")
    return lines


def _backers(suggestion: Suggestion) -> str:
    return f"{plural(suggestion.backers, 'person')} for it".replace("persons", "people")
