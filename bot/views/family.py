"""The family of a picture: its tree, its members by number, and the ways to each of them."""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import TYPE_CHECKING

import discord

from bot.imaging.archive import PictureMissing
from bot.imaging.family import MEMBERS_MAX, Member, draw_family
from bot.imaging.sheet import as_jpeg, thumbnail
from bot.views.asking import viewer_of
from bot.views.base import Button, Layout, Select
from bot.views.ids import ID, POSITION
from bot.views.lineage import summary
from bot.views.wording import (
    ALT_TEXT_MAX,
    CHOICE_MAX,
    CONTENT_MAX,
    clip,
    code,
    listed,
    one_line,
    plural,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.studio.generation import Generation, KeptPicture
    from bot.studio.studio import Studio
    from bot.studio.viewing import Family
    from bot.views.base import Interaction

#: Characters of each prompt in the list: the first number that leaves room for all the lines.
_PROMPT_SHOWN = (90, 60, 40, 28, 20, 14, 8)
_PARENTS_SHOWN = 3
_LABEL_MAX = 60
#: A row holds five buttons, and `Family` is one of them.
_BACKS_MAX = 4
#: What is heavier is made smaller before the next one is read, so that memory stays bounded.
_HEAVY = 400_000
_SMALLER = 720, 720


class Back(Button, template=f"back:{ID}:{POSITION}"):
    """Opens the panel of a picture that this one came of."""

    def __init__(self, generation_id: str, position: str, label: str = "Back") -> None:
        self.generation_id, self.position = generation_id, int(position)
        super().__init__(f"back:{generation_id}:{position}", label=label, row=0)

    async def press(self, interaction: Interaction) -> None:
        await interaction.client.pages.panel(interaction, self.generation_id, self.position)


class FamilyTree(Button, template=f"family:{ID}"):
    """Draws the family, to the one who asks."""

    def __init__(self, generation_id: str, *, row: int = 0) -> None:
        self.generation_id = generation_id
        super().__init__(f"family:{generation_id}", label="Family", row=row)

    async def press(self, interaction: Interaction) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        if not await show_family(interaction, self.generation_id):
            await interaction.followup.send(
                "It has no relatives yet. `Edit…` and the variations make some.", ephemeral=True
            )


class Branch(Select, template=r"branch"):
    """Goes on from any member of a family."""

    def __init__(self, options: list[discord.SelectOption] | None = None, *, row: int = 0) -> None:
        super().__init__("branch", placeholder="Branch from…", options=options or [], row=row)

    async def press(self, interaction: Interaction) -> None:
        studio, pages = interaction.client.studio, interaction.client.pages
        chosen = await studio.see(self.chosen, viewer_of(interaction))
        match chosen.pictures:
            case [only]:
                await pages.panel(interaction, self.chosen, only.position)
            case _:
                await pages.result(interaction, self.chosen)


def relatives_buttons(family: Family, generation: Generation, picture: KeptPicture) -> Layout:
    """From one picture back to what it came of, and on from any of its relatives."""
    if not _has_others(family, generation.id):
        return Layout()
    seen = {shown.generation.id for shown in family.members}
    parents: dict[tuple[str, int], int] = {}
    for number, source in enumerate(generation.order.parts[picture.part].sources, start=1):
        if source.parent_id in seen and source.parent_position is not None:
            parents.setdefault((source.parent_id, source.parent_position), number)
    backs = [
        Back(parent_id, str(position), "Back" if len(parents) == 1 else f"Back to image {number}")
        for (parent_id, position), number in parents.items()
    ]
    branch = Branch(_options(family, generation.id), row=1)
    return Layout(*backs[:_BACKS_MAX], FamilyTree(generation.id), branch)


async def show_family(interaction: Interaction, generation_id: str) -> bool:
    """Answers with the tree; False where there are no relatives that one may see."""
    studio, client = interaction.client.studio, interaction.client
    family = await studio.family(generation_id, viewer_of(interaction), at_most=MEMBERS_MAX)
    if not _has_others(family, generation_id):
        return False
    async with client.drawings:
        members = await _members(studio, family)
        drawn = await asyncio.to_thread(draw_family, members, here=generation_id)
    await interaction.followup.send(
        family_text(family, generation_id),
        file=discord.File(BytesIO(drawn), "family.jpg", description=_aloud(family)),
        view=Layout(Branch(_options(family, generation_id))),
        ephemeral=True,
    )
    return True


def _has_others(family: Family, here: str) -> bool:
    """Not for one that has no pictures, whose place in the tree is empty."""
    ids = {shown.generation.id for shown in family.members}
    return here in ids and len(ids) > 1


def family_text(family: Family, here: str) -> str:
    """A line for each member, numbered as on the tree."""
    last = f"-# {family.left_out} more, not shown." if family.left_out else ""
    for length in _PROMPT_SHOWN:
        text = "\n".join((*_lines(family, here, length), last)).rstrip()
        if len(text) <= CONTENT_MAX:
            return text
    # Where each is a blend of many, there is no room for the times.
    return "\n".join((*_lines(family, here, _PROMPT_SHOWN[-1], timed=False), last)).rstrip()


def _lines(family: Family, here: str, length: int, *, timed: bool = True) -> Iterator[str]:
    parents = _parents(family)
    for number, shown in enumerate(family.members, start=1):
        generation = shown.generation
        parts = [
            f"**{number}** {summary(generation.order) or code(generation.order.prompt, length)}",
            *_from(parents[generation.id]),
            f"<@{generation.person_id}>",
        ]
        if timed:
            parts.append(f"<t:{int(generation.created_at)}:R>")
        if generation.id == here:
            parts.append("you are here")
        yield " · ".join(parts)


def _from(parents: list[int]) -> list[str]:
    if not parents:
        return []
    return [f"from {listed([str(number) for number in parents], _PARENTS_SHOWN)}"]


def _parents(family: Family) -> dict[str, list[int]]:
    """The numbers of each member's parents."""
    numbers = {shown.generation.id: n for n, shown in enumerate(family.members, start=1)}
    parents: dict[str, dict[int, None]] = {name: {} for name in numbers}
    for edge in family.edges:
        parents[edge.child_id][numbers[edge.parent_id]] = None
    return {name: list(found) for name, found in parents.items()}


def _options(family: Family, here: str) -> list[discord.SelectOption]:
    options: list[discord.SelectOption] = []
    for number, shown in enumerate(family.members, start=1):
        generation = shown.generation
        words = summary(generation.order) or one_line(generation.order.prompt)
        made = plural(len(shown.pictures), "picture")
        options.append(
            discord.SelectOption(
                label=clip(f"{number}. {words}", CHOICE_MAX),
                value=generation.id,
                description=f"{made}; you are here" if generation.id == here else made,
            )
        )
    return options


def _aloud(family: Family) -> str:
    parents, said = _parents(family), list[str]()
    for number, shown in enumerate(family.members, start=1):
        order = shown.generation.order
        origin = "".join(f", {each}" for each in _from(parents[shown.generation.id]))
        said.append(f"{number}{origin}: {summary(order) or order.prompt}")
    return clip(f"Family tree of AI-generated pictures. {'; '.join(said)}", ALT_TEXT_MAX)


async def _members(studio: Studio, family: Family) -> list[Member]:
    members: list[Member] = []
    for number, shown in enumerate(family.members, start=1):
        generation = shown.generation
        edges = [edge for edge in family.edges if edge.child_id == generation.id]
        words = summary(generation.order) or generation.order.prompt
        members.append(
            Member(
                id=generation.id,
                parents=tuple(edge.parent_id for edge in edges),
                pictures=tuple([await _small(studio, picture) for picture in shown.pictures]),
                number=number,
                label=clip(one_line(words), _LABEL_MAX),
                parent_positions=tuple(edge.parent_position for edge in edges),
            )
        )
    return members


async def _small(studio: Studio, picture: KeptPicture) -> bytes:
    """What a tile needs of a picture; nothing, where it is gone."""
    try:
        [data] = await studio.files([picture])
    except PictureMissing:
        return b""
    return data if len(data) <= _HEAVY else await asyncio.to_thread(_made_smaller, data)


def _made_smaller(data: bytes) -> bytes:
    image = thumbnail(data, _SMALLER)
    return b"" if image is None else as_jpeg(image)
