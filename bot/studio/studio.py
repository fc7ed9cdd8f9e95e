"""What cogs and buttons call besides the intake: see, page through, cancel, decide."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import NotAllowed, NotFound, Refusal
from bot.imaging.archive import ArchiveUnreadable, PictureMissing
from bot.store import generations, people, servers
from bot.studio.gathering import see_to_edit
from bot.studio.generation import Generation
from bot.studio.viewing import family_of, page_of, see, shown_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from bot.imaging.archive import Archive
    from bot.imaging.catalogue import Catalogue
    from bot.store.database import Database
    from bot.store.generations import Counts
    from bot.store.people import Limits, Usage
    from bot.store.schema import Editors
    from bot.studio.gathering import Ours
    from bot.studio.generation import KeptPicture, Shown, Viewer
    from bot.studio.intake import Intake
    from bot.studio.line import Standing
    from bot.studio.viewing import Family, Page
    from bot.studio.votes import Votes
    from bot.studio.work import Work


@dataclass(frozen=True, slots=True)
class Queued:
    """A generation that has not ended, and its place where it waits."""

    generation: Generation
    standing: Standing | None


@dataclass(frozen=True, slots=True)
class Queue:
    """One's own, and the numbers of the server (None where there is no server)."""

    own: tuple[Queued, ...]
    server: Counts | None
    everywhere: Counts


class TooLate(Refusal):
    def __init__(self) -> None:
        super().__init__("Nothing of yours is waiting: painting has begun, or it is done.")


class Studio:
    """The front door: what people can do with pictures, whatever the way they ask."""

    def __init__(
        self,
        database: Database,
        archive: Archive,
        catalogue: Catalogue,
        intake: Intake,
        work: Work,
        *,
        votes: Votes,
        limits: Limits,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.catalogue = catalogue
        self.intake = intake
        self.votes = votes
        self.limits = limits
        self._work = work
        self._database = database
        self._archive = archive
        self._clock = clock

    async def cancel(self, generation_id: str, person_id: int) -> Generation:
        """Takes one's own generation out of the line; its allowance goes back.

        Raises:
            NotFound: there is none.
            NotAllowed: it is somebody else's.
            TooLate: it is being painted, or done.
        """
        row = await self._database.read(generations.get, generation_id)
        if row is None:
            raise NotFound
        generation = Generation.from_row(row)
        if generation.person_id != person_id:
            raise NotAllowed(f"Only <@{generation.person_id}>, who asked for it, can cancel it.")
        if not await self._work.cancel(generation, "You cancelled it."):
            raise TooLate
        return generation

    async def cancel_all(self, person_id: int) -> int:
        """Takes whatever a person has in line out of it; how many that were.

        Raises:
            TooLate: none was still waiting.
        """
        cancelled = 0
        for queued in (await self.queue(person_id, None)).own:
            with suppress(TooLate):
                await self.cancel(queued.generation.id, person_id)
                cancelled += 1
        if not cancelled:
            raise TooLate
        return cancelled

    async def queue(self, person_id: int, server_id: int | None) -> Queue:
        """What one has under way, and how much the server has."""
        own, server, everywhere = await self._database.read(_open, person_id, server_id)
        # Not on the store's thread: meanwhile, the line moves here.
        queued = tuple(Queued(each, self._work.standing(each.id)) for each in own)
        return Queue(queued, server, everywhere)

    def model_name(self, generation: Generation, picture: KeptPicture | None = None) -> str:
        """How the model that painted, or will paint, is called; or that of one picture."""
        painted_by = generation.model if picture is None else generation.model_of(picture)
        return self.catalogue.get(painted_by or generation.order.model or "").name

    async def see(self, generation_id: str, viewer: Viewer) -> Shown:
        """A generation, where the viewer may see it.

        Raises:
            NotFound: there is none, or it is not the viewer's to see.
        """
        return await see(self._database, generation_id, viewer)

    async def see_to_edit(self, generation_id: str, viewer: Viewer) -> Shown:
        """A generation whose pictures the viewer may work from.

        Raises:
            NotFound: there is none, or it is not the viewer's to see.
            NotAllowed: the server leaves that to the author.
        """
        return await see_to_edit(self._database, generation_id, viewer)

    async def is_ours(
        self, picture: Ours, viewer: Viewer, *, message_id: int | None, size: int
    ) -> bool:
        """Whether a file is the picture that it is named after, and the viewer may see that.

        Args:
            picture: by the name of the file.
            viewer: who points at it.
            message_id: that the file was in at first, as far as that is known.
            size: of the file, in bytes; it tells where the picture was posted once more.
        """
        shown = await self._database.read(shown_of, picture.generation_id)
        if shown is None or not viewer.may_see(shown.generation):
            return False
        delivered_in = shown.generation.message_id
        in_result = delivered_in is not None and delivered_in == message_id
        return any(
            kept.position == picture.position and (in_result or kept.bytes == size)
            for kept in shown.pictures
        )

    async def family(self, generation_id: str, viewer: Viewer, *, at_most: int) -> Family:
        """The relatives of a generation that the viewer may see, itself among them.

        Raises:
            NotFound: there is none, or it is not the viewer's to see.
        """
        await self.see(generation_id, viewer)
        return await self._database.read(family_of, generation_id, viewer, at_most)

    async def editors(self, server_id: int) -> Editors:
        """Who may work on with the pictures of others in a server."""
        return await self._database.read(servers.editors_in, server_id)

    async def let_edit(self, server_id: int, editors: Editors) -> None:
        """Decides who may, for whoever manages the server."""
        await self._database.write(servers.let_edit, server_id, editors, self._clock())

    async def page(self, person_id: int, *, before: int | None, size: int) -> Page:
        """A page of a person's own generations."""
        return await self._database.read(page_of, person_id, before, size)

    async def usage(self, person_id: int) -> Usage:
        """What the person has used of the limits."""
        return await self._database.read(people.usage, person_id, self._clock())

    async def before(self, shown: Shown, picture: KeptPicture, viewer: Viewer) -> bytes | None:
        """The first of what a picture was worked from; None where the viewer is not to see it.

        What was brought along with a command, nobody but the one who did has seen, and so it
        stays, whoever works from it later; with a reply, it was there for all to see.
        """
        generation = shown.generation
        source = next(iter(generation.order.parts[picture.part].sources), None)
        if source is None:
            return None
        brought_unseen = source.parent_id is None and generation.place.reply_to is None
        if brought_unseen and source.brought_by != viewer.person_id:
            return None
        try:
            if source.parent_id is not None:
                await self.see(source.parent_id, viewer)
            [data] = await self._archive.get(source.key)
        except (NotFound, PictureMissing, ArchiveUnreadable):
            return None
        return data

    async def files(self, pictures: Sequence[KeptPicture]) -> list[bytes]:
        """The files of pictures.

        Raises:
            PictureMissing: one is no longer in the archive.
        """
        return await self._archive.get(*(picture.key for picture in pictures))


def _open(
    connection: Connection, person_id: int, server_id: int | None
) -> tuple[list[Generation], Counts | None, Counts]:
    """Of one person, of the server, and of all."""
    own = [Generation.from_row(row) for row in generations.open_of(connection, person_id)]
    server = None if server_id is None else generations.count_open(connection, server_id)
    return own, server, generations.count_open(connection)
