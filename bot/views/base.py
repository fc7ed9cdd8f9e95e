"""The base of everything people press or fill in, and the one place where errors are answered."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, final
from uuid import uuid4

import aiohttp
import discord
import structlog
from discord import app_commands, ui

from bot.errors import EaselError

if TYPE_CHECKING:
    import re
    from collections.abc import Awaitable, Callable

    from bot.client import Easel

    Interaction = discord.Interaction[Easel]

log = structlog.get_logger()

#: Unknown interaction: it took over three seconds, or Discord forgot it.
UNKNOWN_INTERACTION = 10062
#: The same interaction was acknowledged before, perhaps by another process.
ALREADY_ACKNOWLEDGED = 40060
#: Stands for a moment where "thinking" stood, until the asker was told why.
NOTHING_CAME = "No picture came of this."
#: In an interaction's extras: it was deferred for everybody to see.
THINKING_ALOUD = "thinking_aloud"
#: Likewise: it was acknowledged, though discord.py does not know, since the answer was lost.
HEARD = "heard"
#: Likewise: it is a form that this process has opened, and takes in by itself.
FORM_KNOWN = "form_known"
_MODAL_TIMEOUT_S = 15 * 60


async def answer_error(interaction: discord.Interaction[Any], error: BaseException) -> None:
    """Tells the person, privately, what went wrong; what is ours to mend goes to the log."""
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    if isinstance(error, discord.NotFound) and error.code == UNKNOWN_INTERACTION:
        log.warning("interaction.too_late", interaction=interaction.id)
        return
    if isinstance(error, discord.HTTPException) and error.code == ALREADY_ACKNOWLEDGED:
        # Events may come twice (https://discord.com/developers/docs/reference#consistency).
        log.info("interaction.repeated", interaction=interaction.id)
        return
    sentence = sentence_for(error, interaction=interaction.id)
    try:
        await _say(interaction, sentence)
    except (discord.HTTPException, aiohttp.ClientError, OSError) as unsaid:
        log.warning("interaction.unanswered", interaction=interaction.id, cause=str(unsaid))


def sentence_for(error: BaseException, **asked: int) -> str:
    """What people read of an error; `asked` names for the log what it came of."""
    match error:
        case EaselError():
            if error.operator:
                log.error("interaction.refused", cause=error.operator, **asked)
            return error.sentence
        case app_commands.CommandOnCooldown():
            return f"Not so fast: try again in {error.retry_after:.0f} s."
        case app_commands.CheckFailure():
            return "You may not use that here."
        case app_commands.TransformerError():
            return "One of the options doesn't fit. Pick from what Discord offers as you type."
        case app_commands.CommandNotFound() | app_commands.CommandSignatureMismatch():
            log.warning("interaction.outdated", **asked)
            return "That command has just changed. Please reload Discord and try it once more."
        case _:
            incident = uuid4().hex[:8]
            log.error("interaction.failed", incident=incident, exc_info=error, **asked)
            return (
                "Something broke on my side, and nothing was charged for it. If it happens "
                f"again, tell the bot's owner this number: `{incident}`."
            )


async def _say(interaction: discord.Interaction[Any], sentence: str) -> None:
    response = interaction.response
    if not response.is_done() and not interaction.extras.get(HEARD):
        await response.send_message(sentence, ephemeral=True)
        return
    if not interaction.extras.get(THINKING_ALOUD):
        await interaction.followup.send(sentence, ephemeral=True)
        return
    # While "thinking" stands, a follow-up takes its place and is as public; and once it is
    # deleted as it stands, follow-ups may fail. So it says something first, and goes last:
    # https://github.com/discord/discord-api-docs/issues/2739
    await interaction.edit_original_response(content=NOTHING_CAME)
    await interaction.followup.send(sentence, ephemeral=True)
    await interaction.delete_original_response()


@dataclass(frozen=True, slots=True)
class Pages:
    """What buttons lead to. Pages lead to one another in circles, and imports may not.

    Attributes:
        panel: of one picture, by its generation's id and its position.
        result: once more, by its generation's id.
    """

    panel: Callable[[Interaction, str, int], Awaitable[None]]
    result: Callable[[Interaction, str], Awaitable[None]]


class Layout(ui.View):
    """Buttons under a message. They are persistent: what they need is in their ids."""

    def __init__(self, *items: ui.Item[Any]) -> None:
        super().__init__(timeout=None)
        for item in items:
            self.add_item(item)

    async def on_error(
        self,
        interaction: discord.Interaction[Any],
        error: Exception,
        item: ui.Item[Any],  # noqa: ARG002 - discord.py's signature
        /,
    ) -> None:
        await answer_error(interaction, error)


class Modal(ui.Modal):
    """A form. It ends by itself, since a dismissed one is never heard of again.

    What becomes of one that is sent later, or to another process: `forms.py`.
    """

    def __init__(self, title: str, *, custom_id: str | None = None) -> None:
        super().__init__(title=title, timeout=_MODAL_TIMEOUT_S, custom_id=custom_id or uuid4().hex)

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        interaction.extras[FORM_KNOWN] = True
        return True

    async def on_error(self, interaction: discord.Interaction[Any], error: Exception, /) -> None:
        await answer_error(interaction, error)


class _Persistent(ui.DynamicItem[Any], abc.ABC, template="(?!)"):
    """An item that works for ever: its custom_id says what it is about, the store the rest.

    Named groups of the template are the constructor's arguments, as strings.

    discord.py logs errors of such items without telling anybody, and swallows those of
    `interaction_check` whole; so `callback` answers them, and checks belong into `press`.
    """

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's signature
        item: ui.Item[Any],  # noqa: ARG003
        match: re.Match[str],
        /,
    ) -> Self:
        ids: dict[str, Any] = match.groupdict()
        return cls(**ids)

    @abc.abstractmethod
    async def press(self, interaction: Interaction) -> None:
        """What it does."""

    @final
    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        try:
            await self.press(interaction)
        except Exception as error:  # noqa: BLE001 - the edge: discord.py would swallow it
            await answer_error(interaction, error)


class Button(_Persistent, template="(?!)"):
    """A persistent button; subclasses give the template of their custom_id."""

    def __init__(
        self,
        custom_id: str,
        *,
        label: str,
        style: discord.ButtonStyle = discord.ButtonStyle.secondary,
        row: int | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(
            ui.Button(custom_id=custom_id, label=label, style=style, row=row, disabled=disabled)
        )


class Select(_Persistent, template="(?!)"):
    """A persistent menu of which one option is chosen."""

    def __init__(
        self,
        custom_id: str,
        *,
        placeholder: str,
        options: list[discord.SelectOption],
        row: int = 0,
    ) -> None:
        super().__init__(
            ui.Select(custom_id=custom_id, placeholder=placeholder, options=options, row=row)
        )

    @property
    def chosen(self) -> str:
        return self.item.values[0]
