"""Files and names that outlast a power cut."""

from __future__ import annotations

import errno
import mmap
import os
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: What every disk and file system takes whole: https://man7.org/linux/man-pages/man2/open.2.html
_BLOCK = 4096
_PIECE = 1024 * 1024
_PAST_THE_CACHE = os.O_DIRECT if sys.platform == "linux" else 0


class _Pages(threading.local):
    """Memory that begins with a page, as O_DIRECT wants it; each thread has its own."""

    def __init__(self) -> None:
        self.view = memoryview(mmap.mmap(-1, _PIECE))


_pages = _Pages()


def write_new(files: Mapping[Path, bytes]) -> None:
    """Makes files, synced to the disk; their names are not yet (see `sync_folder`). Blocking.

    Pictures are written once and seldom read again. Going through the page cache, they push out
    what is read all the time, and to find pages for them costs more than the writing.

    Raises:
        OSError: there is one of that name, or the disk takes them not or not whole.
    """
    handles: list[int] = []
    try:
        for file, data in files.items():
            handles.append(_write(file, data))
        # Once all are written: the first sync takes along what the disk must know of the others.
        for handle in handles:
            os.fsync(handle)
    finally:
        for handle in handles:
            os.close(handle)


def _write(file: Path, data: bytes) -> int:
    """A file that is still open."""
    try:
        return _written(file, data, _PAST_THE_CACHE)
    except OSError as error:
        # What file systems say that know no such way, and a limit on sizes that ends in a block.
        if not _PAST_THE_CACHE or error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
            raise
    file.unlink(missing_ok=True)
    return _written(file, data, 0)


def _written(file: Path, data: bytes, way: int) -> int:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | way, 0o666)
    try:
        rest = memoryview(data)
        if way:
            import fcntl  # noqa: PLC0415 - Windows has none

            blocks = len(rest) - len(rest) % _BLOCK
            for start in range(0, blocks, _PIECE):
                _write_blocks(handle, rest[start : min(start + _PIECE, blocks)])
            rest = rest[blocks:]
            fcntl.fcntl(handle, fcntl.F_SETFL, 0)  # the end of a file seldom fills a block
        while rest:
            rest = rest[os.write(handle, rest) :]
    except OSError:
        os.close(handle)
        raise
    return handle


def _write_blocks(handle: int, piece: memoryview) -> None:
    _pages.view[: len(piece)] = piece
    written = os.write(handle, _pages.view[: len(piece)])
    if written < len(piece):
        raise OSError(errno.EINVAL, "only a part of the blocks was taken")


def sync_folder(folder: Path) -> None:
    """Makes the names in it last: https://man7.org/linux/man-pages/man2/fsync.2.html."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
