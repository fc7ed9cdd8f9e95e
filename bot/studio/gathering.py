"""Pictures to work from: brought along, behind a link, or our own; safe in the archive at last."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.errors import BadRequest, NotAllowed, NotFound
from bot.imaging.archive import key_for
from bot.imaging.request import Size
from bot.imaging.turns import Turns
from bot.store import generations, servers
from bot.store.schema import Editors
from bot.studio.order import Lineage, Source
from bot.studio.viewing import see

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.imaging.archive import Archive
    from bot.imaging.links import Links
    from bot.imaging.references import Reference, References
    from bot.store.database import Database
    from bot.studio.generation import Generation, Shown, Viewer
    from bot.studio.order import Order

#: As many as the usual editor takes.
SOURCES_MAX = 8
#: Of 25 MB each.
_HELD_AT_ONCE, _PATIENCE_S = 2, 15.0
#: Their places in the archive come behind those of a generation's own pictures.
_FIRST_PLACE = 11
# As in Midjourney, links before the words are pictures to work from.
_LEADING_LINK = re.compile(r"\s*<?(https?://[^\s<>]+)>?(?:\s+|$)")

_LINKS_ALONE = (
    "A link alone doesn't tell me what to paint. Write after it what to make of its picture, such "
    "as `https://example.com/cat.png make it night`."
)


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture that somebody brought along.

    Attributes:
        link: where others can fetch it, for a while.
    """

    data: bytes
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The same, not fetched yet: many megabytes that need not wait in memory."""

    read: Callable[[], Awaitable[Upload]]


@dataclass(frozen=True, slots=True)
class Linked:
    """A picture behind a link that somebody typed."""

    url: str


@dataclass(frozen=True, slots=True)
class Ours:
    """A picture that was painted here.

    Attributes:
        link: where others can fetch it, for a while; None where nobody pointed at a message.
    """

    generation_id: str
    position: int
    link: str | None = None


Given = Upload | Elsewhere | Linked | Ours


@dataclass(frozen=True, slots=True)
class Gathered:
    """Sources in the order in which they were given, and where they come from."""

    sources: tuple[Source, ...]
    lineage: Lineage | None


def split_links(prompt: str) -> tuple[str, tuple[Linked, ...]]:
    """The words of a prompt, and the links before them."""
    links: list[Linked] = []
    while found := _LEADING_LINK.match(prompt):
        links.append(Linked(found[1]))
        prompt = prompt[found.end() :]
    return prompt, tuple(links)


def words_and_links(order: Order) -> tuple[str, tuple[Linked, ...]]:
    """An order's words, and the links before them, which are pictures to work from.

    Of a variation, the words are its picture's own, where a link is but a word.

    Raises:
        BadRequest: there are links alone.
    """
    if order.variation is not None:
        return order.prompt, ()
    prompt, links = split_links(order.prompt)
    if links and not prompt:
        raise BadRequest(_LINKS_ALONE)
    return prompt, links


def check_count(given: int) -> None:
    """Before any of them is fetched.

    Raises:
        BadRequest: those are too many.
    """
    if given > SOURCES_MAX:
        raise BadRequest(
            f"Those are {given} pictures; {SOURCES_MAX} are the most that I can work from."
        )


async def see_to_edit(database: Database, generation_id: str, viewer: Viewer) -> Shown:
    """A generation whose pictures the viewer may work from.

    Raises:
        NotFound: there is none, or it is not the viewer's to see.
        NotAllowed: the server leaves that to the author.
    """
    shown = await see(database, generation_id, viewer)
    author_id = shown.generation.person_id
    if not await _may_edit(database, author_id, viewer):
        raise NotAllowed(
            f"In this server, only <@{author_id}>, who asked for that picture, can work on "
            "with it. Everybody may use its words: `Remix…` paints a new one from them."
        )
    return shown


async def _may_edit(database: Database, author_id: int | None, viewer: Viewer) -> bool:
    if author_id == viewer.person_id or viewer.server_id is None:
        return True
    return await database.read(servers.editors_in, viewer.server_id) is Editors.EVERYONE


class Gatherer:
    """Makes what people give into sources, each by its own way."""

    def __init__(
        self, database: Database, archive: Archive, references: References, links: Links
    ) -> None:
        self._database = database
        self._archive = archive
        self._references = references
        self._links = links
        # From the first byte until it is clean.
        self._turns = Turns(_HELD_AT_ONCE, patience_s=_PATIENCE_S)

    async def gather(
        self,
        given: Sequence[Given],
        owner_id: str,
        viewer: Viewer,
        *,
        private: bool,
    ) -> Gathered:
        """All of them, or none: a refusal leaves nothing behind.

        Args:
            given: in the order in which the prompt may count them.
            owner_id: of the generation or draft that keeps what was brought along.
            viewer: who works from them.
            private: whether nobody else will see what comes of it.

        Raises:
            Refusal: one is no picture, cannot be had, or is not the viewer's to work from.
        """
        check_count(len(given))
        ours = [each for each in given if isinstance(each, Ours)]
        parents = {
            each.generation_id: await see_to_edit(self._database, each.generation_id, viewer)
            for each in {each.generation_id: each for each in ours}.values()
        }
        clean = await asyncio.gather(*(self._brought(each, viewer) for each in given))
        sources: list[Source] = []
        files: dict[str, bytes] = {}
        for place, (each, brought) in enumerate(zip(given, clean, strict=True), _FIRST_PLACE):
            if isinstance(each, Ours):
                sources.append(_source_of(parents[each.generation_id], each))
            elif brought is not None:
                reference, link = brought
                key = key_for(owner_id, place, reference.media_type)
                files[key] = reference.data
                size = Size(reference.width, reference.height)
                sources.append(Source(key, size, link=link, brought_by=viewer.person_id))
        if files:
            await self._archive.put(files)
        lines = [_line_of(shown.generation, sources, private=private) for shown in parents.values()]
        return Gathered(tuple(sources), _lineage(lines))

    async def check(self, sources: Sequence[Source], viewer: Viewer) -> None:
        """Whether the viewer may work from what another gathered, as those who reroll do.

        Raises:
            NotAllowed: the server leaves that to the author, or to who brought them along.
        """
        for person_id in dict.fromkeys(s.brought_by for s in sources if not s.parent_id):
            if not await _may_edit(self._database, person_id, viewer):
                who = f"<@{person_id}>, who did so," if person_id else "who did so"
                raise NotAllowed(
                    "That came of a picture that was brought along, and in this server only "
                    f"{who} can work on with it. Everybody may use its words: `/imagine` paints a "
                    "new one."
                )
        for parent_id in dict.fromkeys(s.parent_id for s in sources if s.parent_id):
            parent = await self._database.read(generations.get, parent_id)
            if parent and not await _may_edit(self._database, parent.person_id, viewer):
                raise NotAllowed(
                    f"That came of a picture by <@{parent.person_id}>, and in this server only "
                    f"<@{parent.person_id}> can work on with it. Everybody may use its words: "
                    "`/imagine` paints a new one."
                )

    async def let_go(self, sources: Sequence[Source], owner_id: str) -> None:
        """Forgets what was kept for an order that was not accepted."""
        for source in sources:
            if source.parent_id is None and owner_id in source.key:
                await self._archive.delete(source.key)

    async def _brought(self, given: Given, viewer: Viewer) -> tuple[Reference, str | None] | None:
        match given:
            case Upload(data, link):
                return await self._references.clean(data), link
            case Elsewhere(read):
                async with self._turns.one(viewer.person_id):
                    upload = await read()
                    return await self._references.clean(upload.data), upload.link
            case Linked(url):
                async with self._turns.one(viewer.person_id):
                    return await self._references.clean(await self._links.fetch(url)), url
            case Ours():
                return None


def _source_of(shown: Shown, given: Ours) -> Source:
    for picture in shown.pictures:
        if picture.position == given.position:
            return Source(
                picture.key,
                picture.size,
                given.generation_id,
                given.position,
                link=given.link,
                prompt=shown.generation.prompt_of(picture),
            )
    raise NotFound


def _lineage(lines: Sequence[Lineage]) -> Lineage | None:
    """From the first parent; with the authors of all."""
    if not lines:
        return None
    authors = tuple(dict.fromkeys(author for line in lines for author in line.authors))
    return replace(lines[0], authors=authors, step=lines[0].step + 1)


def _line_of(parent: Generation, sources: Sequence[Source], *, private: bool) -> Lineage:
    """What leads to a parent; without the words of one that is private, where others read them."""
    known = parent.order.lineage
    if known is None:
        words = {source.prompt for source in sources if source.parent_id == parent.id}
        first = words.pop() if len(words) == 1 else None
        known = Lineage(first or parent.order.prompt, (), 0)
    prompt = "" if parent.order.private and not private else known.prompt
    return replace(known, prompt=prompt, authors=(*known.authors, parent.person_id))
