"""Between two rounds of a vote: what people would change of the winner, and whom they back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self

import discord
from discord import ui

from bot.studio.votes import SUGGESTION_MAX
from bot.views.asking import whisper
from bot.views.base import Button, Layout, Select
from bot.views.forms import Form, handing_back
from bot.views.ids import ROUND
from bot.views.voter import voter_of
from bot.views.wording import CHOICE_MAX, clip, code, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.studio.votes import Votes
    from bot.studio.voting import Suggestion, Voter
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
        form.fill_in(await votes.suggestion(self.round_id, voter_of(interaction)))
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
        await whisper(interaction, self._suggest(interaction))

    async def _suggest(self, interaction: Interaction) -> str:
        round_id, words = self.custom_id.split(":")[1], self._words.value
        votes = interaction.client.studio.votes
        with handing_back(words):
            backed = await votes.suggest(round_id, words, voter_of(interaction))
        if backed:
            return "It is on the list, and you back it. Others can do so in the menu there."
        return "It is on the list. You still back another one; the menu there changes that."


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
        author_id, voter = int(self.chosen), voter_of(interaction)
        backing = self._back(interaction.client.studio.votes, author_id, voter)
        if voter.moderates or voter.person_id == author_id:
            await whisper(interaction, backing, Layout(TakeOff(self.round_id, author_id)))
        else:
            await whisper(interaction, backing)

    async def _back(self, votes: Votes, author_id: int, voter: Voter) -> str:
        words = await votes.back(self.round_id, author_id, voter)
        return f"You back {code(words, _WORDS_SHOWN)}."


class TakeOff(Button, template=f"take-off:{ROUND}:(?P<author_id>[0-9]+)"):
    """Takes a suggestion off the list; for its author, and for moderators."""

    def __init__(self, round_id: str, author_id: int | str) -> None:
        self.round_id, self.author_id = round_id, int(author_id)
        super().__init__(
            f"take-off:{round_id}:{author_id}",
            label="Take it off the list",
            style=discord.ButtonStyle.danger,
        )

    async def press(self, interaction: Interaction) -> None:
        await whisper(interaction, self._take_off(interaction))

    async def _take_off(self, interaction: Interaction) -> str:
        votes = interaction.client.studio.votes
        taken_off = await votes.take_off(self.round_id, self.author_id, voter_of(interaction))
        words = code(taken_off.words, _WORDS_SHOWN)
        if taken_off.stays:
            return f"{words} is not yours any more. It stays on the list: others suggest the same."
        return f"{words} is off the list, and nobody backs it any more."


class GoOn(Button, template=f"go-on:{ROUND}"):
    """Begins the next round now; for whoever opened the vote, and for moderators."""

    def __init__(self, round_id: str, *, label: str = "Start the next round now") -> None:
        self.round_id = round_id
        super().__init__(f"go-on:{round_id}", label=label)

    async def press(self, interaction: Interaction) -> None:
        await whisper(interaction, self._go_on(interaction))

    async def _go_on(self, interaction: Interaction) -> str:
        await interaction.client.studio.votes.go_on(self.round_id, voter_of(interaction))
        return "The next round is on its way."


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
    return f"{'1 person' if suggestion.backers == 1 else f'{suggestion.backers} people'} for it"
