"""Where finished pictures are kept: a folder, or a bucket at a cloud provider."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self, TypeVar, final

from bot.errors import EaselError, Refusal, StoreUnavailable
from bot.imaging.fresh import Fresh
from bot.imaging.places import PlaceError, place_at, said

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from bot.imaging.containers import MediaType
    from bot.imaging.places import Place

_Result = TypeVar("_Result")

#: Our own names only: no separators but one, no dots but one, nothing that climbs.
_KEY = re.compile(
    r"([0-9A-Za-z][0-9A-Za-z_-]?)/(\1[0-9A-Za-z_-]{0,62})-[0-9]{1,6}\.(?:jpg|png|webp)"
)
#: Bytes wait on disks and networks, so they have threads of their own: a slow archive must
#: not keep decoding and name look-ups waiting.
_THREADS = 4
#: Kept in memory of what is about to be shown, in bytes.
_FRESH_MAX = 8 * 1024 * 1024


class PictureMissing(Refusal):
    """The row is there, its bytes are not: erased by hand, or another archive's."""

    def __init__(self, key: str) -> None:
        super().__init__(
            "That picture is no longer in the archive.", operator=f"{key} is not in the archive"
        )


class ArchiveUnreadable(StoreUnavailable):
    """The archive does not answer; whether the picture is there, nobody knows."""

    def __init__(self, operator: str) -> None:
        # Past the parent, whose sentence is about writing.
        super(StoreUnavailable, self).__init__(
            "I can't get at the archive just now. Please try again in a few minutes.",
            operator=operator,
        )


def key_for(generation_id: str, position: int, media_type: MediaType) -> str:
    """The name of a generation's picture; `position` counts from 0 or 1, as the caller does."""
    return _checked(f"{generation_id[:2]}/{generation_id}-{position}.{media_type.extension}")


def _checked(key: str) -> str:
    if _KEY.fullmatch(key) is None:
        raise ValueError(f"{key!r} is no archive key")
    return key


@final
class Archive:
    """Finished pictures under keys from `key_for`. Use it as an async context manager."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="archive")
        self._fresh = Fresh(_FRESH_MAX)

    @classmethod
    def open(cls, url: str) -> Self:
        """An archive in a folder (a path or file://…) or a bucket (s3://, gs://, az://).

        Nothing is touched yet: `check` does that. A bucket's credentials come from the
        environment, by its provider's usual names.

        Raises:
            EaselError: the address makes no sense.
        """
        return cls(place_at(url))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Wait for what is being written; what has not begun is dropped."""
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)

    async def check(self) -> None:
        """Make the folder if need be, and prove that writing and deleting work.

        Raises:
            EaselError: they do not; the sentence is for whoever starts the bot.
        """
        try:
            await self._run(self._place.check)
        except PlaceError as error:
            raise EaselError(
                f"I can't write to the archive, {self._place}: {said(error)}. "
                "Set `ARCHIVE_URL` to a folder or bucket that I may write to."
            ) from None

    async def probe(self) -> None:
        """Prove that there is room for a picture, where `check` has been before.

        Raises:
            StoreUnavailable: there is none.
        """
        with _errors_as(StoreUnavailable, "cannot keep anything"):
            await self._run(self._place.probe)

    async def put(self, files: Mapping[str, bytes]) -> None:
        """Keep bytes under their keys, safe from a crash and a power cut once this returns.

        A key that is there already is replaced at one stroke.

        Raises:
            StoreUnavailable: disk full, read-only, or out of reach.
        """
        await self.put_made(lambda: (None, files))

    async def put_made(self, make: Callable[[], tuple[_Result, Mapping[str, bytes]]]) -> _Result:
        """The same with bytes that take time to make: that is done on the thread that writes them.

        Args:
            make: returns them, and besides what this is to return.

        Raises:
            StoreUnavailable: as `put`; and whatever `make` raises.
        """
        result, files = await self._run(lambda: self._put(make))
        self._fresh.add(files)
        return result

    def _put(
        self, make: Callable[[], tuple[_Result, Mapping[str, bytes]]]
    ) -> tuple[_Result, Mapping[str, bytes]]:
        result, files = make()
        for key in files:
            _checked(key)
        with _errors_as(StoreUnavailable, f"cannot keep {', '.join(files)}"):
            self._place.put(files)
        return result, files

    async def get(self, *keys: str) -> list[bytes]:
        """The bytes of pictures.

        Raises:
            PictureMissing: there is none under one of the keys.
            ArchiveUnreadable: the archive does not answer.
        """
        found = {key: self._fresh.take(_checked(key)) for key in keys}
        rest = [key for key, data in found.items() if data is None]
        if rest:
            with _errors_as(ArchiveUnreadable, f"cannot read {', '.join(rest)}"):
                found |= await self._run(lambda: {key: self._read(key) for key in rest})
        return [data for key in keys if (data := found[key]) is not None]

    def _read(self, key: str) -> bytes:
        try:
            return self._place.get(key)
        except FileNotFoundError:
            raise PictureMissing(key) from None

    async def exists(self, key: str) -> bool:
        """Whether a whole picture is kept under this key.

        Raises:
            ArchiveUnreadable: the archive does not answer.
        """
        _checked(key)
        with _errors_as(ArchiveUnreadable, f"cannot look for {key}"):
            return await self._run(lambda: self._place.exists(key))

    async def delete(self, key: str) -> None:
        """Forget a picture, for good; one that is not there is forgotten already.

        Raises:
            StoreUnavailable: disk read-only, or out of reach.
        """
        self._fresh.take(_checked(key))
        with _errors_as(StoreUnavailable, f"cannot delete {key}"):
            await self._run(lambda: self._place.delete(key))

    async def _run(self, work: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


@contextmanager
def _errors_as(kind: type[StoreUnavailable], what: str) -> Generator[None, None, None]:
    try:
        yield
    except PlaceError as error:
        # The cause stays out: a bucket's may spell out its requests, signatures included.
        raise kind(f"archive: {what}: {said(error)}") from None
