"""One's own pictures, newest first: a contact sheet, jump links, and a menu to show one."""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import TYPE_CHECKING

import discord

from bot.imaging.archive import ArchiveUnreadable, PictureMissing
from bot.imaging.sheet import Tile, contact_sheet
from bot.views.asking import viewer_of
from bot.views.base import Button, Layout, Select
from bot.views.buttons import result_buttons
from bot.views.family import show_family
from bot.views.result import caption, files_of
from bot.views.wording import ALT_TEXT_MAX, CHOICE_MAX, clip, code, plural

if TYPE_CHECKING:
    from bot.studio.generation import Shown
    from bot.studio.studio import Studio
    from bot.studio.viewing import Page
    from bot.views.base import Interaction

PAGE_SIZE = 6
_PROMPT_SHOWN = 90


class Turn(Button, template=r"history:(?P<before>\d*)"):
    """Turns to the page of what is older than `before`; without a number, to the newest."""

    def __init__(self, before: str, *, label: str = "Turn", disabled: bool = False) -> None:
        self.before = int(before) if before else None
        super().__init__(f"history:{before}", label=label, row=1, disabled=disabled)

    async def press(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        text, sheet, layout = await history_page(
            interaction.client.studio, interaction.user.id, self.before
        )
        await interaction.edit_original_response(
            content=text, attachments=[sheet] if sheet else [], view=layout
        )


class ShowMenu(Select, template=r"history-show"):
    """Shows the one that is chosen, to oneself."""

    def __init__(self, options: list[discord.SelectOption] | None = None) -> None:
        super().__init__("history-show", placeholder="Show one…", options=options or [])

    async def press(self, interaction: Interaction) -> None:
        await show(interaction, self.chosen)


async def show(interaction: Interaction, generation_id: str) -> None:
    """A result once more, and below it the family that it is of, to the one who asks."""
    await show_result(interaction, generation_id)
    await show_family(interaction, generation_id)


async def show_result(interaction: Interaction, generation_id: str) -> None:
    """A result once more, with its buttons, to the one who asks."""
    studio = interaction.client.studio
    shown = await studio.see(generation_id, viewer_of(interaction))
    await interaction.response.defer(ephemeral=True, thinking=True)
    generation, pictures = shown.generation, shown.pictures
    limit = interaction.filesize_limit
    async with files_of(studio, generation, pictures, file_limit=limit) as files:
        await interaction.followup.send(
            caption(studio, generation, pictures),
            files=files,
            view=result_buttons(generation, pictures),
            ephemeral=True,
        )


async def history_page(
    studio: Studio, person_id: int, before: int | None
) -> tuple[str, discord.File | None, Layout]:
    """The text, the contact sheet and the buttons of one page."""
    page = await studio.page(person_id, before=before, size=PAGE_SIZE)
    if not page.shown:
        return (
            "Nothing here yet. `/imagine` paints your first picture.",
            None,
            Layout(),
        )
    return page_text(page), await _sheet(studio, page), page_buttons(page)


def page_text(page: Page) -> str:
    """A line for each generation, numbered as on the contact sheet."""
    return "\n".join(_line(place, shown) for place, shown in enumerate(page.shown, start=1))


def _line(place: int, shown: Shown) -> str:
    generation = shown.generation
    parts = [
        f"**{place}** {code(generation.order.prompt, _PROMPT_SHOWN)}",
        plural(len(shown.pictures), "picture"),
        f"<t:{int(generation.created_at)}:R>",
    ]
    if generation.order.private:
        parts.append("private")
    elif link := _jump(shown):
        parts.append(f"[jump]({link})")
    return " · ".join(parts)


def _jump(shown: Shown) -> str | None:
    place, message_id = shown.generation.place, shown.generation.message_id
    if message_id is None:
        return None
    server = place.server_id or "@me"
    return f"https://discord.com/channels/{server}/{place.channel_id}/{message_id}"


async def _sheet(studio: Studio, page: Page) -> discord.File:
    tiles: list[Tile] = []
    for place, shown in enumerate(page.shown, start=1):
        try:
            [data] = await studio.files(shown.pictures[:1])
        except (PictureMissing, ArchiveUnreadable):
            data = None
        tiles.append(Tile(data, str(place)))
    sheet = await asyncio.to_thread(contact_sheet, tiles)
    prompts = "; ".join(
        f"{place}: {shown.generation.order.prompt}"
        for place, shown in enumerate(page.shown, start=1)
    )
    alt = clip(f"Contact sheet of AI-generated pictures. {prompts}", ALT_TEXT_MAX)
    return discord.File(BytesIO(sheet), "history.jpg", description=alt)


def page_buttons(page: Page) -> Layout:
    options = [
        discord.SelectOption(
            label=clip(f"{place}. {shown.generation.order.prompt}", CHOICE_MAX),
            value=shown.generation.id,
        )
        for place, shown in enumerate(page.shown, start=1)
    ]
    older = page.older
    return Layout(
        ShowMenu(options),
        Turn("", label="Newest", disabled=page.before is None),
        Turn(str(older or 0), label="Older", disabled=older is None),
    )
