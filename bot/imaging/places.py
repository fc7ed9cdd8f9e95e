"""Where an archive's bytes can rest: a folder, synced to the disk, or a bucket."""

from __future__ import annotations

import re
import secrets
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname

import obstore
from obstore.exceptions import BaseError
from obstore.store import from_url

from bot.errors import EaselError
from bot.imaging import lasting

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

    from obstore.store import ObjectStore, RetryConfig

#: What the methods of a place raise, besides FileNotFoundError from `get`.
PlaceError = (OSError, BaseError)

_PROBE = ".easel-check"
#: A full disk takes empty files.
_PROBE_BYTES = 1024 * 1024
_UNFINISHED = ".unfinished"
_UNFINISHED_FOR_S = 60 * 60
_BUCKETS = ("s3", "gs", "az", "memory")
#: The client's own options stay untouched (5 s to connect, 30 s in all): setting one here
#: would undo what the environment says of them, AWS_ALLOW_HTTP for one.
_RETRIES: RetryConfig = {"max_retries": 4, "retry_timeout": timedelta(seconds=30)}


class Place(Protocol):
    """What keeps the bytes. All methods block; `get` raises FileNotFoundError."""

    def check(self) -> None: ...
    def probe(self) -> None: ...
    def put(self, files: Mapping[str, bytes]) -> None: ...
    def get(self, key: str) -> bytes: ...
    def exists(self, key: str) -> bool: ...
    def delete(self, key: str) -> None: ...


def said(error: Exception) -> str:
    """The first line without the queries of addresses, where signatures stand."""
    line = (str(error).splitlines() or [type(error).__name__])[0]
    return re.sub(r"\?\S+", "?…", line)


def place_at(url: str) -> Place:
    """A folder or bucket by its address; nothing is touched yet.

    Raises:
        EaselError: the address makes no sense.
    """
    try:
        parts = urlsplit(url)
        if parts.scheme == "file":
            return _folder_at(parts)
        if url and "://" not in url:
            return _Folder(Path(url).expanduser().absolute())
        if parts.scheme in _BUCKETS:
            store = from_url(url, retry_config=_RETRIES)
            return _Bucket(f"{parts.scheme}://{parts.hostname or ''}{parts.path}", store)
    except (ValueError, BaseError) as error:
        raise EaselError(f"I can't use `ARCHIVE_URL`: {said(error)}.") from None
    raise EaselError(
        f"`ARCHIVE_URL` begins with “{url.partition('://')[0]}”. I can keep pictures in a "
        "folder (a path, or file:///path) or in a bucket (s3://, gs:// or az://)."
    )


def _folder_at(parts: SplitResult) -> Place:
    if parts.netloc not in ("", "localhost"):
        raise EaselError(
            f"`ARCHIVE_URL` names a computer, “{parts.netloc}”. A folder is written with "
            "three slashes, file:///like/this, or simply as a path."
        )
    return _Folder(Path(url2pathname(parts.path)).absolute())


class _Folder:
    """Files below a folder.

    Not obstore's own LocalStore: that one returns before the bytes are on the disk.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._unfinished = root / _UNFINISHED
        self._lasting: set[Path] = {root}

    def __str__(self) -> str:
        return f"the folder {self._root}"

    def check(self) -> None:
        new = [folder for folder in (self._root, *self._root.parents) if not folder.exists()]
        self._root.mkdir(parents=True, exist_ok=True)
        for folder in new:
            lasting.sync_folder(folder.parent)
        self.probe()
        self._clear_away()

    def probe(self) -> None:
        # Makes no folder: see `_make_lasting`.
        self.put({_PROBE: bytes(_PROBE_BYTES)})
        self.delete(_PROBE)

    def put(self, files: Mapping[str, bytes]) -> None:
        try:
            self._put(files)
        except FileNotFoundError:
            # Somebody took a folder away, or the whole disk, of which none is made anew.
            self._lasting.clear()
            self._put(files)

    def _put(self, files: Mapping[str, bytes]) -> None:
        targets, token = [self._root / key for key in files], secrets.token_hex(8)
        folders = {target.parent for target in targets}
        unfinished = [self._unfinished / f"{target.name}.{token}.part" for target in targets]
        try:
            for folder in {self._unfinished, *folders} - self._lasting:
                self._make_lasting(folder)
            lasting.write_new(dict(zip(unfinished, files.values(), strict=True)))
            for file, target in zip(unfinished, targets, strict=True):
                file.replace(target)
        except OSError:
            for file in unfinished:
                with suppress(OSError):
                    file.unlink()
            raise
        for folder in folders:
            lasting.sync_folder(folder)

    def get(self, key: str) -> bytes:
        return (self._root / key).read_bytes()

    def exists(self, key: str) -> bool:
        return (self._root / key).is_file()

    def delete(self, key: str) -> None:
        target = self._root / key
        with suppress(FileNotFoundError):
            target.unlink()
            lasting.sync_folder(target.parent)

    def _clear_away(self) -> None:
        """What a process wrote that died over it; another one may be writing just now."""
        old = time.time() - _UNFINISHED_FOR_S
        for temporary in self._unfinished.glob("*.part"):
            with suppress(FileNotFoundError):
                if temporary.stat().st_mtime < old:
                    temporary.unlink()

    def _make_lasting(self, folder: Path) -> None:
        # Only the last level: a root that vanished is a disk that is not mounted, and its
        # pictures must not end up beneath the mount point.
        if folder != self._root:
            folder.mkdir(exist_ok=True)
        lasting.sync_folder(self._root)
        self._lasting.add(folder)


class _Bucket:
    """Objects in a bucket; a provider says yes only when they are safe.

    Blocking calls in threads of ours: obstore's async ones finish on its own threads, which
    abort the process when the interpreter ends first
    (https://github.com/PyO3/pyo3-async-runtimes/issues/40).
    """

    def __init__(self, name: str, store: ObjectStore) -> None:
        self._name = name
        self._store = store

    def __str__(self) -> str:
        return f"the bucket {self._name}"

    def check(self) -> None:
        self.probe()

    def probe(self) -> None:
        self.put({_PROBE: bytes(_PROBE_BYTES)})
        self.delete(_PROBE)

    def put(self, files: Mapping[str, bytes]) -> None:
        # In one request each: an upload in pieces that breaks off leaves pieces that are billed.
        for key, data in files.items():
            obstore.put(self._store, key, data, use_multipart=False)

    def get(self, key: str) -> bytes:
        return bytes(obstore.get(self._store, key).bytes())

    def exists(self, key: str) -> bool:
        try:
            obstore.head(self._store, key)
        except FileNotFoundError:
            return False
        return True

    def delete(self, key: str) -> None:
        with suppress(FileNotFoundError):
            obstore.delete(self._store, key)
