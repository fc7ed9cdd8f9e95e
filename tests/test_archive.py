"""What the archive has acknowledged is there, whole, whatever happens next."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from bot.errors import BadAnswer, EaselError, Refusal, StoreUnavailable
from bot.imaging.archive import Archive, ArchiveUnreadable, PictureMissing, key_for
from bot.imaging.pictures import MediaType

KEY = key_for("k3x9qa2mzp", 1, MediaType.JPEG)
PROJECT = Path(__file__).parent.parent


@pytest.fixture(params=["path", "file://", "memory://"])
async def archive(request, tmp_path):
    url = {
        "path": str(tmp_path / "pictures"),
        "file://": (tmp_path / "with space" / "pictures").as_uri(),
        "memory://": "memory:///",
    }[request.param]
    async with Archive.open(url) as opened:
        await opened.check()
        yield opened


@pytest.fixture
async def folder(tmp_path):
    async with Archive.open(str(tmp_path)) as opened:
        yield opened


async def read_back(archive, *keys: str) -> list[bytes]:
    """From where they are kept; the first time, what was just put comes from memory."""
    fresh = await archive.get(*keys)
    kept = await archive.get(*keys)
    assert kept == fresh
    return kept


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


async def test_a_picture_comes_back_as_it_was_put(archive):
    data = random.Random(1).randbytes(300_000)
    assert not await archive.exists(KEY)
    await archive.put({KEY: data})
    assert await archive.exists(KEY)
    [back] = await read_back(archive, KEY)
    assert back == data
    assert type(back) is bytes


async def test_a_picture_can_be_replaced(archive):
    await archive.put({KEY: b"first, and longer"})
    await archive.put({KEY: b"second"})
    assert await read_back(archive, KEY) == [b"second"]


async def test_a_missing_picture_says_so_kindly(archive):
    with pytest.raises(PictureMissing) as caught:
        await archive.get(KEY)
    assert isinstance(caught.value, Refusal)
    assert caught.value.sentence == "That picture is no longer in the archive."
    assert KEY in caught.value.operator


async def test_deleting_is_final_and_may_be_repeated(archive):
    await archive.delete(KEY)
    await archive.put({KEY: b"x"})
    await archive.delete(KEY)
    assert not await archive.exists(KEY)
    with pytest.raises(PictureMissing):
        await archive.get(KEY)
    await archive.delete(KEY)


async def test_bytes_are_made_where_they_are_written(archive):
    made_on: list[str] = []

    def make() -> tuple[int, dict[str, bytes]]:
        made_on.append(threading.current_thread().name)
        return 7, {KEY: b"made"}

    assert await archive.put_made(make) == 7
    assert await read_back(archive, KEY) == [b"made"]
    assert made_on[0].startswith("archive"), "neither the event loop nor a thread of its own"


async def test_what_cannot_be_made_is_said_as_it_is(archive):
    def make() -> tuple[None, dict[str, bytes]]:
        raise BadAnswer("no whole picture in it")

    with pytest.raises(BadAnswer):
        await archive.put_made(make)
    assert not await archive.exists(KEY)


async def test_many_at_once_do_not_mix(archive):
    keys = {
        key_for(f"{n % 7}abc{n}", n % 4, MediaType.PNG): str(n).encode() * 999 for n in range(99)
    }
    await asyncio.gather(*(archive.put({key: data}) for key, data in keys.items()))
    found = await read_back(archive, *keys)
    assert found == list(keys.values())


async def test_writers_of_one_key_leave_one_whole_version(folder, tmp_path):
    versions = [bytes([n]) * 200_000 for n in range(8)]
    await asyncio.gather(*(folder.put({KEY: version}) for version in versions))
    [fresh], [left] = await folder.get(KEY), await folder.get(KEY)
    assert {fresh, left} <= set(versions)
    assert files_in(tmp_path) == [KEY]


@pytest.mark.parametrize(
    "key",
    [
        "",
        "../secret",
        "k3/../../etc/passwd",
        "/etc/passwd",
        "k3/k3x9-1.jpg/../../x",
        "k3\\k3x9-1.jpg",
        "k3/k3x9-1.jpg\n",
        "k3/k3x9-1.jpg\0",
        "k3/k3x9-1.svg",
        "k3/k3x9.jpg",
        "k3/zz99-1.jpg",
        "k3/.k3x9-1.jpg.0011.part",
        ".easel-check",
        "~/k3x9-1.jpg",
        f"k3/k3{'x' * 300}-1.jpg",
        "k٣/k٣x-1.jpg",
    ],
)
async def test_only_our_own_keys_are_touched(archive, key):
    for work in (archive.get, archive.exists, archive.delete, lambda key: archive.put({key: b"x"})):
        with pytest.raises(ValueError, match="archive key"):
            await work(key)


def test_keys():
    assert key_for("k3x9qa2mzp", 4, MediaType.JPEG) == "k3/k3x9qa2mzp-4.jpg"
    assert key_for("7", 1, MediaType.WEBP) == "7/7-1.webp"
    for strange in ("", "../x", "a/b", ".x", "é", "x" * 65):
        with pytest.raises(ValueError, match="archive key"):
            key_for(strange, 1, MediaType.PNG)


@pytest.mark.parametrize(
    "url",
    ["", "ftp://example.org/x", "s3://", "file://data/pictures", "https://example.org", "s3://[x"],
)
def test_an_address_without_sense_is_a_clear_error(url):
    with pytest.raises(EaselError, match="ARCHIVE_URL"):
        Archive.open(url)


async def test_a_password_in_an_address_is_not_repeated(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-key")
    for url in ("ftp://me:canary-word@host/x", "s3://me:canary-word@"):
        with pytest.raises(EaselError) as caught:
            Archive.open(url)
        assert "canary" not in f"{caught.value.sentence} {caught.value.operator}"


async def test_opening_touches_nothing_and_checking_makes_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    async with Archive.open("data/deep/pictures") as archive:
        assert files_in(tmp_path) == []
        await archive.check()
        monkeypatch.chdir("/")
        await archive.put({KEY: b"x"})
    assert files_in(tmp_path) == [f"data/deep/pictures/{KEY}"], "no probe is left behind"


async def test_a_folder_that_is_a_file_is_a_clear_error(tmp_path):
    (tmp_path / "pictures").write_text("not a folder")
    async with Archive.open(str(tmp_path / "pictures")) as archive:
        with pytest.raises(EaselError, match="ARCHIVE_URL") as caught:
            await archive.check()
    assert str(tmp_path / "pictures") in caught.value.sentence


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
async def test_a_disk_that_fails_leaves_the_old_picture(folder, tmp_path, monkeypatch, code):
    await folder.put({KEY: b"old"})

    def fail(_handle):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StoreUnavailable) as caught:
        await folder.put({KEY: b"new"})
    monkeypatch.undo()
    assert os.strerror(code) in caught.value.operator
    assert KEY in caught.value.operator
    assert await read_back(folder, KEY) == [b"old"]
    assert files_in(tmp_path) == [KEY], "what was half written is gone"


async def test_a_full_disk_is_said_by_a_real_kernel(tmp_path):
    """A file-size limit stops a write in the middle, as a full disk does."""
    done = run_child(
        """
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            await archive.put({KEY: bytes(300_000)})
        except StoreUnavailable as error:
            print("refused", error.operator)
        print(await archive.exists(KEY))
        await archive.put({KEY: bytes(1000)})
        try:
            await archive.probe()
        except StoreUnavailable as error:
            print("refused", error.operator)
        await archive.get(KEY)
        print(len((await archive.get(KEY))[0]))
        """,
        tmp_path,
    )
    refused, exists, no_room, length = done.splitlines()
    assert no_room == "refused archive: cannot keep anything: [Errno 27] File too large"
    assert refused.startswith(f"refused archive: cannot keep {KEY}: [Errno 27]")
    assert (exists, length) == ("False", "1000"), "it works again when there is room"
    assert files_in(tmp_path) == [KEY]


async def test_a_read_only_folder_is_refused(tmp_path):
    (tmp_path / "k3").mkdir()
    for path in (tmp_path / "k3", tmp_path):
        path.chmod(stat.S_IRUSR | stat.S_IXUSR | stat.S_IROTH | stat.S_IXOTH)
    done = run_child(
        """
        import os
        if os.getuid() == 0:
            for parent in Path(FOLDER).parents:
                if parent.name.startswith("pytest-"):
                    parent.chmod(0o711)
            os.setuid(65534)  # to root nothing is read-only
        for work in (archive.put({KEY: b"x"}), archive.check()):
            try:
                await work
            except EaselError as error:
                print(type(error).__name__, error.operator or error.sentence)
        """,
        tmp_path,
    )
    put, check = done.splitlines()
    assert put.startswith(f"StoreUnavailable archive: cannot keep {KEY}: [Errno 13]")
    assert check.startswith("EaselError I can't write to the archive")


async def test_a_disk_that_is_gone_is_not_written_beneath(tmp_path):
    root = tmp_path / "mount"
    async with Archive.open(str(root)) as archive:
        await archive.check()
        shutil.rmtree(root)
        with pytest.raises(StoreUnavailable):
            await archive.put({KEY: b"x"})
        with pytest.raises(StoreUnavailable):
            await archive.probe()
    assert not root.exists()


async def test_what_cannot_be_read_is_not_called_missing(folder, tmp_path):
    (tmp_path / KEY).mkdir(parents=True)
    with pytest.raises(ArchiveUnreadable) as caught:
        await folder.get(KEY)
    assert isinstance(caught.value, StoreUnavailable)
    assert "write" not in caught.value.sentence
    assert KEY in caught.value.operator


async def test_left_over_temporary_files_are_no_pictures(folder, tmp_path):
    (tmp_path / "k3").mkdir()
    (tmp_path / "k3" / f".{Path(KEY).name}.00112233.part").write_bytes(b"half")
    assert not await folder.exists(KEY)
    with pytest.raises(PictureMissing):
        await folder.get(KEY)


async def test_a_start_clears_away_what_was_left_over_long_ago(folder, tmp_path):
    await folder.put({KEY: b"x"})
    left, busy = (tmp_path / ".unfinished" / f"{name}.part" for name in ("left", "busy"))
    left.write_bytes(b"half")
    busy.write_bytes(b"half")
    hours_ago = time.time() - 2 * 60 * 60
    os.utime(left, (hours_ago, hours_ago))
    await folder.check()
    assert not left.exists(), "it stays for ever"
    assert busy.exists(), "another process was writing it"
    assert await read_back(folder, KEY) == [b"x"]


async def test_bytes_are_synced_before_they_have_a_name_and_the_name_after(
    folder, tmp_path, monkeypatch
):
    calls: list[tuple[str, str]] = []
    fsync, rename = os.fsync, os.replace

    def spy_fsync(handle):
        calls.append(("fsync", Path(f"/proc/self/fd/{handle}").readlink().name))
        fsync(handle)

    def spy_rename(source, target):
        calls.append(("rename", Path(target).name))
        rename(source, target)

    monkeypatch.setattr(os, "fsync", spy_fsync)
    monkeypatch.setattr(os, "replace", spy_rename)
    monkeypatch.setattr(os, "rename", spy_rename)
    await folder.put({KEY: b"x"})
    kinds = [(kind, name if not name.endswith(".part") else "temporary") for kind, name in calls]
    assert kinds == [
        ("fsync", tmp_path.name),
        ("fsync", tmp_path.name),
        ("fsync", "temporary"),
        ("rename", Path(KEY).name),
        ("fsync", "k3"),
    ], "a power cut could lose what was acknowledged"


async def test_a_slow_disk_does_not_stop_the_loop(folder, monkeypatch):
    released = threading.Event()
    fsync = os.fsync

    def slow(handle):
        assert released.wait(10)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", slow)
    putting = [asyncio.create_task(folder.put({KEY: b"x"})) for _ in range(40)]
    await asyncio.sleep(0.01)
    assert await asyncio.wait_for(asyncio.to_thread(lambda: "free"), 5) == "free"
    released.set()
    await asyncio.gather(*putting)


async def test_closing_waits_for_what_is_being_written(tmp_path):
    archive = Archive.open(str(tmp_path))
    putting = asyncio.create_task(archive.put({KEY: bytes(2_000_000)}))
    await asyncio.sleep(0)
    await archive.close()
    assert files_in(tmp_path) == [KEY]
    await putting


CHILD = """
import asyncio, hashlib, itertools, os, random, sys
from pathlib import Path
from bot.errors import EaselError, StoreUnavailable
from bot.imaging.archive import Archive

FOLDER, KEY = sys.argv[1:]

async def main():
    async with Archive.open(FOLDER) as archive:
{body}

asyncio.run(main())
"""


def child_command(body: str, folder: Path) -> list[str]:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return [sys.executable, "-c", CHILD.replace("{body}", lines), str(folder), KEY]


def run_child(body: str, folder: Path) -> str:
    command = child_command(body, folder)
    done = subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


PUT_FOR_EVER = """
        async def lane(number):
            for turn in itertools.count():
                key = f"{number}x/{number}x{turn % 3}-1.jpg"
                body = random.Random(turn).randbytes(1) * random.randrange(1, 3_000_000)
                data = hashlib.sha256(body).digest() + body
                await archive.put({key: data})
                os.write(1, f"{key} {hashlib.sha256(data).hexdigest()}\\n".encode())

        await asyncio.gather(*(lane(number) for number in range(4)))
"""


@pytest.mark.parametrize("acknowledged", [1, 7, 20, 33, 60])
def test_a_kill_in_the_middle_loses_nothing_that_was_acknowledged(tmp_path, acknowledged):
    child = subprocess.Popen(
        child_command(PUT_FOR_EVER, tmp_path), cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )
    lines = [child.stdout.readline() for _ in range(acknowledged)]
    child.send_signal(signal.SIGKILL)
    lines += child.stdout.readlines()
    child.wait(10)
    child.stdout.close()
    assert child.returncode == -signal.SIGKILL, "it ended before it was killed"
    keys = {line.split()[0] for line in lines}
    for key in keys:
        assert (tmp_path / key).is_file(), f"{key} was acknowledged and is gone"
    pictures = [path for path in tmp_path.glob("[!.]*/*") if path.is_file()]
    assert {str(path.relative_to(tmp_path)) for path in pictures} >= keys
    for path in pictures:
        data = path.read_bytes()
        whole = data[:32] == hashlib.sha256(data[32:]).digest()
        assert whole, f"{path.name}: {len(data)} bytes are only a part"


async def test_a_start_after_a_kill_goes_on(tmp_path):
    command = child_command(PUT_FOR_EVER, tmp_path)
    child = await asyncio.create_subprocess_exec(
        *command, cwd=PROJECT, stdout=asyncio.subprocess.PIPE
    )
    await child.stdout.readline()
    child.kill()
    await child.communicate()
    async with Archive.open(str(tmp_path)) as archive:
        await archive.check()
        await archive.put({"0x/0x0-1.jpg": b"after"})
        assert await read_back(archive, "0x/0x0-1.jpg") == [b"after"]
