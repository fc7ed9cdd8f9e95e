"""The pictures that a Discord message holds, and how they are brought to the studio."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import aiohttp
import discord

from bot.imaging.references import BYTES_MAX, BadReference, oversized
from bot.studio.gathering import Elsewhere, Linked, Ours, Upload, check_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.client import Easel
    from bot.studio.gathering import Given
    from bot.studio.generation import Viewer
    from bot.studio.studio import Studio
    from bot.views.base import Interaction

_READ_MAX_S = 30.0
_UNKNOWN_MESSAGE = 10008
#: As `files_of` in result.py names them.
_OUR_NAME = re.compile(r"([0-9a-z]{10})-([1-8])\.(?:png|jpg|webp)")
_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif")


@dataclass(frozen=True, slots=True)
class Attached:
    """A file on Discord, which is read when it is brought.

    Attributes:
        message: that holds it and can be asked for a fresh link; None where it came with a
            command or a form.
        claim: the picture of ours that it is by its name, where nobody knows who posted it.
    """

    attachment: discord.Attachment
    message: discord.Message | None = None
    claim: Ours | None = None


Found = Attached | Linked | Ours


def pictures_in(message: discord.Message, me: discord.abc.User | None) -> list[Found]:
    """What one could work from, in the order in which people see it; nothing is fetched.

    Args:
        message: as somebody points at it.
        me: the bot itself. Anybody can name a file as ours are named, so only those of the
            bot's own messages are taken for them.
    """
    files = [file for file in message.attachments if _is_picture(file)]
    ours = [one for file in files if (one := _ours(file))] if message.author == me else []
    # What the bot posts beside pictures is a drawing about them, and nobody means that.
    found: list[Found] = [*(ours or (Attached(file, message) for file in files))]
    found += _embedded(message.embeds)
    for forwarded in message.message_snapshots:
        found += [
            Attached(file, message, claim=_ours(file))
            for file in forwarded.attachments
            if _is_picture(file)
        ]
        found += _embedded(forwarded.embeds)
    return found


async def pictures_for(viewer: Viewer, message: discord.Message, client: Easel) -> list[Found]:
    """The same, where those of ours that were forwarded are known for what they are.

    A forwarded message has no author; it names the original, and a file's name is no proof.
    """
    return [
        await _recognised(each, client.studio, viewer) for each in pictures_in(message, client.user)
    ]


async def _recognised(found: Found, studio: Studio, viewer: Viewer) -> Found:
    if not isinstance(found, Attached) or found.claim is None or found.message is None:
        return found
    original, size = found.message.reference, found.attachment.size
    message_id = original.message_id if original else None
    is_ours = await studio.is_ours(found.claim, viewer, message_id=message_id, size=size)
    return found.claim if is_ours else found


def links_in(interaction: Interaction, generation_id: str) -> dict[int, str]:
    """Those of a generation's pictures, by position, in the message whose button was pressed."""
    message = interaction.message
    shown = pictures_in(message, interaction.client.user) if message else []
    return {
        each.position: each.link
        for each in shown
        if isinstance(each, Ours) and each.generation_id == generation_id and each.link
    }


def attached(*files: discord.Attachment | None) -> list[Attached]:
    """What came with a command or a form. Whatever it is: the studio says if it is no picture."""
    return [Attached(file) for file in files if file is not None]


def bring(found: Sequence[Found]) -> list[Given]:
    """What was found, for the studio to work from; files are read when their turn comes.

    Raises:
        Refusal: they are too many.
    """
    check_count(len(found))
    return [Elsewhere(partial(read, e)) if isinstance(e, Attached) else e for e in found]


def _ours(file: discord.Attachment) -> Ours | None:
    named = _OUR_NAME.fullmatch(file.filename)
    return Ours(named[1], int(named[2]), file.url) if named else None


def _is_picture(file: discord.Attachment) -> bool:
    kind = file.content_type or ""
    return kind.startswith("image/") or file.filename.lower().endswith(_ENDINGS)


def _embedded(embeds: Sequence[discord.Embed]) -> list[Linked]:
    """By Discord's own copy, where there is one: it outlives the site's."""
    pictures = (embed.image if embed.image.url else embed.thumbnail for embed in embeds)
    links = (picture.proxy_url or picture.url for picture in pictures)
    return [Linked(link) for link in links if link]


async def read(found: Attached) -> Upload:
    """A file with its bytes.

    Raises:
        Refusal: it is too large, or Discord no longer has it.
    """
    upload = await _read(found.attachment)
    if upload is None and found.message is not None:
        # Links expire: https://discord.com/developers/docs/reference#signed-attachment-cdn-urls
        upload = await _read(await _renewed(found.attachment, found.message))
    if upload is None:
        raise _expired()
    return upload


async def _read(file: discord.Attachment) -> Upload | None:
    """None when its link leads nowhere any more."""
    if file.size > BYTES_MAX:
        raise oversized()
    try:
        async with asyncio.timeout(_READ_MAX_S):
            return Upload(await file.read(), link=file.url)
    except (discord.NotFound, discord.Forbidden):
        return None
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        raise _away(error) from error


async def _renewed(file: discord.Attachment, message: discord.Message) -> discord.Attachment:
    try:
        again = await message.fetch()
    except discord.NotFound as error:
        if error.code == _UNKNOWN_MESSAGE:
            raise BadReference("That message is gone, and its picture with it.") from error
        raise _expired() from error
    except discord.Forbidden as error:
        raise _expired() from error
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        raise _away(error) from error
    for holder in (again, *again.message_snapshots):
        for each in holder.attachments:
            if each.id == file.id:
                return each
    # Taken out of the message; or Discord withholds what others wrote.
    raise _expired()


def _expired() -> BadReference:
    return BadReference(
        "Discord's link to that picture has expired. Point me at the message once more, or "
        "upload the picture again."
    )


def _away(error: Exception) -> BadReference:
    return BadReference(
        "Discord doesn't hand me that picture just now. Please try again in a minute.",
        operator=f"a file on Discord: {type(error).__name__}",
    )
