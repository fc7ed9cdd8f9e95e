"""Files that outlast a power cut, on every file system, and past the page cache where it knows."""

from __future__ import annotations

import errno
import os
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.imaging import lasting
from bot.imaging.places import place_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.imaging.places import Place

_MIB = 1024 * 1024

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="O_DIRECT is Linux's own")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    opened = place_at(str(tmp_path))
    opened.check()
    return opened


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, _MIB, _MIB + 1, 3 * _MIB + 4095])
def test_every_byte_and_none_besides(tmp_path: Path, size: int) -> None:
    files = {tmp_path / f"{n}.part": random.Random(n).randbytes(size) for n in range(3)}
    lasting.write_new(files)
    for file, data in files.items():
        assert file.read_bytes() == data


def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"old")
    with pytest.raises(FileExistsError):
        lasting.write_new({tmp_path / "a": b"new", tmp_path / "b": b"new"})
    assert (tmp_path / "b").read_bytes() == b"old"


@linux_only
def test_every_file_is_written_before_the_first_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the disk notes down each of them by itself."""
    calls: list[str] = []
    spy_on(monkeypatch, "write", lambda: calls.append("write"))
    spy_on(monkeypatch, "fsync", lambda: calls.append("fsync"))
    lasting.write_new({tmp_path / name: bytes(5000) for name in "abc"})
    assert calls == ["write"] * 6 + ["fsync"] * 3


@linux_only
def test_pictures_push_nothing_out_of_the_page_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags: list[int] = []
    real = os.open

    def spy(path: Path, how: int, mode: int = 0o777) -> int:
        flags.append(how)
        return real(path, how, mode)

    monkeypatch.setattr(os, "open", spy)
    lasting.write_new({tmp_path / "a": bytes(300_000)})
    assert flags[0] & os.O_DIRECT


@linux_only
def test_a_file_system_that_knows_no_way_past_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some say so when a file is opened."""
    real = os.open

    def refuse(path: Path, how: int, mode: int = 0o777) -> int:
        if how & os.O_DIRECT:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return real(path, how, mode)

    monkeypatch.setattr(os, "open", refuse)
    lasting.write_new({tmp_path / "a": b"x" * 9000})
    assert (tmp_path / "a").read_bytes() == b"x" * 9000


@linux_only
@pytest.mark.parametrize("taken", [None, 4096, 100], ids=["none", "a block", "part of a block"])
def test_blocks_that_are_not_taken_whole_go_the_usual_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: int | None
) -> None:
    """Some say so when a file is written, and a disk that fills up takes only a part."""
    real, first = os.write, True

    def stumble(handle: int, data: memoryview) -> int:
        nonlocal first
        if first:
            first = False
            if taken is None:
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
            return taken
        return real(handle, data)

    monkeypatch.setattr(os, "write", stumble)
    data = random.Random(1).randbytes(9000)
    lasting.write_new({tmp_path / "a": data})
    assert (tmp_path / "a").read_bytes() == data


@linux_only
@pytest.mark.parametrize("name", ["write", "fsync"])
def test_a_disk_that_fails_leaves_no_file_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    before = open_files()
    real, calls = getattr(os, name), 0

    def fail(*args: object) -> object:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*args)

    monkeypatch.setattr(os, name, fail)
    with pytest.raises(OSError, match="No space left"):
        lasting.write_new({tmp_path / file: bytes(9000) for file in "abc"})
    assert open_files() == before


@pytest.mark.parametrize("gone", ["ab", ".unfinished"])
def test_a_folder_that_somebody_took_away_is_made_anew(
    place: Place, tmp_path: Path, gone: str
) -> None:
    place.put({"ab/ab1-1.jpg": b"first"})
    for file in (tmp_path / gone).iterdir():
        file.unlink()
    (tmp_path / gone).rmdir()
    place.put({"ab/ab2-1.jpg": b"second"})
    assert place.get("ab/ab2-1.jpg") == b"second"
    assert list((tmp_path / ".unfinished").iterdir()) == []


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def spy_on(monkeypatch: pytest.MonkeyPatch, name: str, told: Callable[[], None]) -> None:
    real = getattr(os, name)

    def spy(*args: object) -> object:
        told()
        return real(*args)

    monkeypatch.setattr(os, name, spy)
