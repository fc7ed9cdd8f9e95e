"""Messages with pictures, before they are sent."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING

import discord

from bot.answers import until_answered
from bot.views.ballot import CloseVote, ballot_buttons, ballot_text
from bot.views.buttons import Reroll
from bot.views.result import files_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.studio.contest import Board
    from bot.studio.generation import Generation, KeptPicture
    from bot.studio.studio import Studio
    from bot.views.base import Layout


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture that is made for one message alone."""

    data: bytes
    filename: str
    description: str


@dataclass(frozen=True, slots=True)
class Post:
    """A message of which there must not be two.

    Attributes:
        key: what it is about; no other message has it.
        sign: the custom_id of one of its buttons, which no other message has either.
        pictures: of one generation.
        blind: whether nobody is to learn from the files who painted them.
        drawing: comes after the pictures.
    """

    key: str
    sign: str
    text: str
    view: Layout
    pictures: tuple[KeptPicture, ...]
    blind: bool = False
    drawing: Drawing | None = None

    @asynccontextmanager
    async def files(
        self, studio: Studio, generation: Generation, limit: int
    ) -> AsyncGenerator[list[discord.File]]:
        """All of them for one try, each of the pictures of at most `limit` bytes.

        Their bytes are let go of with the answer already.
        """
        async with files_of(
            studio, generation, self.pictures, file_limit=limit, blind=self.blind
        ) as files:
            if (drawn := self.drawing) is not None:
                file = discord.File(
                    BytesIO(drawn.data), drawn.filename, description=drawn.description
                )
                files.append(file)
            with until_answered(partial(_close, files)):
                yield files


def _close(files: list[discord.File]) -> None:
    for file in files:
        # discord.py keeps others from closing what it sends, aiohttp above all.
        file.close()
        file.fp.close()


def ballot_post(studio: Studio, board: Board) -> Post:
    """A ballot; by its key no result, and no other ballot on the same pictures."""
    # One that is decided already has the buttons of a result.
    open_, decided = CloseVote(board.round.id), Reroll(board.shown.generation.id)
    return Post(
        key=board.round.id,
        sign=(open_ if board.round.stage.votes else decided).custom_id,
        text=ballot_text(studio, board),
        view=ballot_buttons(board),
        pictures=board.shown.pictures,
        blind=board.blind,
    )
