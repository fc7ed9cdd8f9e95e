"""Pictures that people give: read in a process apart, which may die, lie or hang."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import random
import struct
import subprocess
import sys
import threading
import time
import zlib
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from odd_files import (
    encoded,
    gif_with_a_larger_frame,
    jpeg_that_claims,
    png_that_claims,
    webp_that_claims,
)
from PIL import Image

from bot.errors import Refusal
from bot.imaging import child
from bot.imaging.cleaning import CLEAN_BYTES_MAX
from bot.imaging.containers import MediaType, png_chunk
from bot.imaging.references import (
    BYTES_MAX,
    BadReference,
    Reference,
    References,
    data_uri,
)
from bot.imaging.shrinking import CLEAN_PIXELS_MAX

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

ROOT = Path(__file__).resolve().parent.parent

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


READABLE = "I can read PNG, JPEG, WebP and GIF, up to 25 MB and 40 megapixels."
SMALL = encoded(Image.new("RGB", (64, 40), "teal"), "PNG")


def large_png(
    width: int = 8000, height: int = 5000, size: int = BYTES_MAX, depth: int = 8
) -> bytes:
    """RGBA, and as many bytes as may be given."""
    row = width * depth // 2 + 1
    noisy = (size - 700_000) // row
    pack = zlib.compressobj(1)
    chance = random.Random(1)
    pixels = [pack.compress(b"\0" + chance.randbytes(row - 1)) for _ in range(noisy)]
    pixels += [pack.compress(bytes(row)) for _ in range(height - noisy)]
    header = struct.pack(">IIBBBBB", width, height, depth, 6, 0, 0, 0)
    body = b"".join([*pixels, pack.flush()])
    chunks = (b"IHDR", header), (b"IDAT", body), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


@pytest.fixture(scope="module")
def forty_megapixels() -> bytes:
    data = large_png()
    assert BYTES_MAX * 0.95 < len(data) <= BYTES_MAX
    return data


def script(source: str, *arguments: object) -> tuple[str, ...]:
    """A process that takes the place of the real one."""
    return (sys.executable, "-I", "-S", "-c", source, *map(str, arguments))


#: No process may be started at all.
NOBODY = ("/nowhere/at-all",)
READ = "import sys; n = int(sys.stdin.buffer.readline()); sys.stdin.buffer.read(n); "


async def refusal(references: References, data: bytes = SMALL) -> BadReference:
    with pytest.raises(BadReference) as caught:
        await references.clean(data)
    assert isinstance(caught.value, Refusal)
    assert "Traceback" not in caught.value.sentence
    return caught.value


# What comes out


async def test_pictures_of_every_kind_come_out_clean() -> None:
    references = References()
    teal = Image.new("RGB", (64, 40), "teal")
    clear = Image.new("RGBA", (64, 40), (0, 128, 128, 99))
    given = [
        encoded(teal, "JPEG", comment=b"canary"),
        encoded(teal, "GIF"),
        encoded(teal, "WEBP"),
        encoded(teal, "MPO", save_all=True, append_images=[teal]),
        encoded(clear, "PNG"),
        encoded(teal.quantize(4), "PNG"),
        encoded(Image.new("I;16", (64, 40), 9000), "PNG"),
    ]
    results = await asyncio.gather(*map(references.clean, given))
    kinds = [result.media_type for result in results]
    assert kinds == [*[MediaType.JPEG] * 4, MediaType.PNG, *[MediaType.JPEG] * 2]
    for result in results:
        with Image.open(io.BytesIO(result.data)) as image:
            assert image.size == (result.width, result.height) == (64, 40)
            assert image.get_format_mimetype() == result.media_type
        assert b"canary" not in result.data


def test_a_data_uri_holds_the_picture() -> None:
    head, text = data_uri(SMALL).split(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(text) == SMALL


async def test_a_picture_of_our_own_goes_the_same_way() -> None:
    references = References()
    result = await references.clean_own(SMALL)
    assert (result.media_type, result.width, result.height) == (MediaType.JPEG, 64, 40)
    with pytest.raises(BadReference, match="picture of mine") as caught:
        await references.clean_own(SMALL[:60])
    assert "archive" in (caught.value.operator or "")
    with pytest.raises(BadReference, match="just now"):
        await References(command=NOBODY).clean_own(SMALL)


# What is refused, and how


async def test_too_many_bytes_are_refused_before_anything_is_started() -> None:
    refused = await refusal(References(command=NOBODY), SMALL + bytes(BYTES_MAX))
    assert refused.sentence == (
        "That file has more than 25 MB, and I can take no more. A smaller copy of the picture "
        "will do."
    )


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"<svg xmlns=''/>", "That's an SVG drawing; I can read PNG, JPEG, WebP and GIF."),
        (b"%PDF-1.7", "That's a PDF document; I can read PNG, JPEG, WebP and GIF."),
        (
            b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
            "That's a HEIC photo; I can read PNG, JPEG, WebP and GIF.",
        ),
        (b"<!doctype html>", "That's a web page; I can read PNG, JPEG, WebP and GIF."),
        (b"anything", f"I can't tell what that file is. {READABLE}"),
        (b"", f"That file is empty. {READABLE}"),
    ],
)
async def test_what_is_no_picture_is_refused_before_anything_is_started(data, sentence) -> None:
    assert (await refusal(References(command=NOBODY), data)).sentence == sentence


SMALLER = "A smaller copy will do."
PLAIN = "A smaller copy will do, or the same saved as a plain PNG or JPEG."
ANEW = "Save the picture anew, or choose another one."


async def test_what_is_too_large_or_damaged_is_told_in_figures() -> None:
    references = References()
    told = {
        png_that_claims(30_000, 10_000): (
            "That picture has 30,000 × 10,000 pixels; 16,383 pixels are the longest side that "
            f"I can take. {SMALLER}"
        ),
        png_that_claims(13_000, 13_000): (
            "That picture has 13,000 × 13,000 pixels; 40 megapixels are the most that I can "
            f"take. {SMALLER}"
        ),
        webp_that_claims(8000, 5000): (
            "That picture has 8,000 × 5,000 pixels; 8 megapixels are the most that I can take "
            f"of a WebP. {PLAIN}"
        ),
        webp_that_claims(8000, 6000): (
            "That picture has 8,000 × 6,000 pixels; 40 megapixels are the most that I can "
            f"take. {SMALLER}"
        ),
        png_that_claims(8000, 5000, interlaced=True): (
            "That picture has 8,000 × 5,000 pixels; 32 megapixels are the most that I can take "
            f"of an interlaced PNG. {PLAIN}"
        ),
        jpeg_that_claims(8000, 5000, progressive=True): (
            "That picture has 8,000 × 5,000 pixels; 32 megapixels are the most that I can take "
            f"of a progressive JPEG. {PLAIN}"
        ),
        jpeg_that_claims(8000, 5000, progressive=True, subsampling=0): (
            "That picture has 8,000 × 5,000 pixels; 18 megapixels are the most that I can take "
            f"of a progressive JPEG. {PLAIN}"
        ),
        jpeg_that_claims(8000, 5000, "CMYK", progressive=True, subsampling=0): (
            "That picture has 8,000 × 5,000 pixels; 14 megapixels are the most that I can take "
            f"of a progressive JPEG. {PLAIN}"
        ),
        jpeg_that_claims(8001, 5000, progressive=True): (
            "That picture has 8,001 × 5,000 pixels; 40 megapixels are the most that I can "
            f"take. {SMALLER}"
        ),
        gif_with_a_larger_frame(9000, 9000): (
            f"{HEAVY} Save it anew as a smaller PNG or JPEG, and try that."
        ),
        SMALL[:90]: f"That PNG is damaged or cut off. {ANEW}",
        encoded(Image.new("RGB", (64, 40)), "WEBP")[
            :40
        ]: f"That WebP is damaged or cut off. {ANEW}",
    }
    refused = await asyncio.gather(*(refusal(references, data) for data in told))
    assert [each.sentence for each in refused] == [*told.values()]
    [damaged] = (each for each in refused if each.sentence.startswith("That PNG"))
    assert "bytes: PNG: " in (damaged.operator or ""), "the operator reads what was wrong"


async def test_mutated_files_end_in_a_reference_or_a_refusal() -> None:
    references, chance = References(), random.Random(7)
    samples = [
        encoded(Image.new("RGB", (64, 40), "teal"), kind) for kind in ("PNG", "JPEG", "GIF", "WEBP")
    ]

    async def ends(data: bytearray) -> None:
        for _ in range(3):
            data[chance.randrange(12, len(data))] = chance.randrange(256)
        with suppress(BadReference):
            assert isinstance(await references.clean(bytes(data)), Reference)

    await asyncio.gather(*(ends(bytearray(sample)) for sample in samples * 2))


# The event loop, memory and time


@asynccontextmanager
async def loop_at_work() -> AsyncIterator[None]:
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - began)

    ticking = asyncio.create_task(tick())
    yield
    await asyncio.sleep(0.01)  # who waits longest is heard, too
    ticking.cancel()
    assert longest < 0.5, f"the loop stood still for {longest:.2f} s"


async def test_the_loop_goes_on_while_forty_megapixels_are_cleaned(forty_megapixels) -> None:
    async with loop_at_work():
        began = time.perf_counter()
        result = await References().clean(forty_megapixels)
        seconds = time.perf_counter() - began
    assert result.width * result.height <= CLEAN_PIXELS_MAX
    assert len(result.data) <= CLEAN_BYTES_MAX
    assert result.width * result.height > CLEAN_PIXELS_MAX * 0.8
    assert seconds < 15, f"{seconds:.1f} s"


async def test_the_loop_goes_on_while_a_header_is_looked_for() -> None:
    data = jpeg_that_claims(8000, 5000, progressive=True)
    long = data[:2] + b"\xff\xe0\0\2" * 2_000_000 + data[2:]
    async with loop_at_work():
        refused = await refusal(References(), long)
    assert "32 megapixels" in refused.sentence


#: Runs what is to be measured, and tells its peak once no file can be opened any more.
MEASURED = """
import runpy, sys
status = open("/proc/self/status")
sys.path.insert(0, sys.argv[1])
runpy.run_module("bot.imaging.cleaning", run_name="__main__")
status.seek(0)
print(next(line for line in status if line.startswith("VmHWM")), file=sys.stderr)
"""


def peak(data: bytes) -> tuple[float, bytes]:
    """Most megabytes in memory, and the first line of the answer."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", MEASURED, str(ROOT)],
        input=b"%d\n" % len(data) + data,
        capture_output=True,
        check=True,
    )
    return int(done.stderr.split()[1]) * 1024 / 1e6, done.stdout.split(b"\n")[0]


def noisy(mode: str, width: int, height: int) -> Image.Image:
    """As heavy as photographs are, and quick to make."""
    image = Image.new(mode, (width, height))
    part = Image.frombytes(mode, (500, 500), random.Random(1).randbytes(250_000 * len(mode)))
    for at in ((x, y) for x in range(0, width, 500) for y in range(0, height, 500)):
        image.paste(part, at)
    return image


PLAIN_KINDS = {
    "png": large_png,
    "png, 16 bits": lambda: large_png(depth=16),
    "jpeg": lambda: encoded(noisy("RGB", 8000, 5000), "JPEG", quality=30, subsampling=0),
    "jpeg, cmyk": lambda: encoded(noisy("CMYK", 8000, 5000), "JPEG", quality=10),
    "gif": lambda: encoded(noisy("L", 8000, 5000), "GIF"),
}


@on_linux
@pytest.mark.parametrize("name", PLAIN_KINDS)
def test_forty_megapixels_take_less_than_half_of_the_memory_there_is(name) -> None:
    most, answer = peak(PLAIN_KINDS[name]())
    assert answer.startswith(b"image/"), answer
    assert most < 100, f"{most:.0f} MB at the peak"


def interlaced_png(width: int, height: int) -> bytes:
    """RGBA without a pattern, which is the same in every order."""
    pack = zlib.compressobj(1)
    pixels = [pack.compress(bytes(row)) for row in adam7(width, height)] + [pack.flush()]
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 1)
    chunks = (b"IHDR", header), (b"IDAT", b"".join(pixels)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def adam7(width: int, height: int) -> Iterator[int]:
    """The lengths of all rows: https://www.w3.org/TR/png-3/#8Interlace."""
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4))
    for left, top, across, down in (*passes, (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)):
        for _ in range(top, height, down):
            yield 1 + 4 * len(range(left, width, across))


def progressive(mode: str, width: int, height: int, subsampling: int) -> bytes:
    image = noisy(mode, width, height)
    return encoded(image, "JPEG", progressive=True, subsampling=subsampling, quality=30)


HUNGRY_KINDS = {
    "progressive": lambda: progressive("RGB", 6600, 4840, 2),
    "progressive, all colour": lambda: progressive("RGB", 5000, 3650, 0),
    "progressive, cmyk": lambda: progressive("CMYK", 3900, 3640, 0),
    "progressive, too small for half": lambda: progressive("CMYK", 3400, 3390, 0),
    "progressive, grey": lambda: progressive("L", 8000, 5000, 0),
    "interlaced": lambda: interlaced_png(6600, 4840),
    "webp": lambda: encoded(noisy("RGBA", 4000, 2000), "WEBP", quality=30, method=0),
    "webp, lossless": lambda: encoded(
        noisy("RGBA", 4000, 2000), "WEBP", lossless=True, quality=0, method=0
    ),
}


@on_linux
@pytest.mark.parametrize("name", HUNGRY_KINDS)
def test_the_largest_of_the_hungry_kinds_fit_between_the_walls(name) -> None:
    """They are in memory as a whole, and more than once, before their first pixel is there."""
    most, answer = peak(HUNGRY_KINDS[name]())
    assert answer.startswith(b"image/"), answer
    assert 80 < most < 180, f"{most:.0f} MB at the peak"


# Walls


#: Says what it may still do.
PRISONER = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from bot.imaging.cleaning import confine
before = sorted(sys.modules)
confine()
def attempt(work):
    try:
        work()
    except (OSError, MemoryError) as error:
        return type(error).__name__
    return "done"
import resource
print(json.dumps({
    "modules": before,
    "read": attempt(lambda: open("/etc/passwd")),
    "write": attempt(lambda: open(sys.argv[2], "w")),
    "socket": attempt(lambda: __import__("_socket").socket()),
    "memory": attempt(lambda: bytearray(1 << 30)),
    "most": resource.getrlimit(resource.RLIMIT_AS),
    "core": resource.getrlimit(resource.RLIMIT_CORE),
    "cpu": resource.getrlimit(resource.RLIMIT_CPU),
    "files": resource.getrlimit(resource.RLIMIT_NOFILE),
}))
"""


@on_linux
def test_the_walls_stand(tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", "import _socket\n" + PRISONER, str(ROOT), str(tmp_path / "x")],
        capture_output=True,
        check=True,
        env={},
    )
    found = json.loads(done.stdout)
    assert found["read"] == found["write"] == found["socket"] == "OSError"
    assert found["memory"] == "MemoryError"
    assert found["most"] == [200_000_000, 200_000_000]
    assert found["core"] == found["files"] == [0, 0]
    assert 0 < found["cpu"][0] == found["cpu"][1] <= 60
    ours = {name for name in found["modules"] if name.startswith("bot")}
    parts = ("bands", "claims", "cleaning", "containers", "room", "shrinking")
    assert ours == {"bot", "bot.imaging", *(f"bot.imaging.{part}" for part in parts)}
    assert not {"asyncio", "aiohttp", "pydantic", "discord", "ssl"} & {*found["modules"]}


async def test_the_process_inherits_no_environment(monkeypatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "a secret")
    tell = READ + (
        "import os; said = sorted(set(os.environ) - {'LC_CTYPE', 'SYSTEMROOT'});"
        "print('damaged 0 0', len(repr(said))); print(said, end='')"
    )
    refused = await refusal(References(command=script(tell)))
    assert (refused.operator or "").endswith(": []"), refused.operator


# Processes that do not do what they should


async def test_a_process_that_cannot_be_started_is_not_the_pictures_fault() -> None:
    refused = await refusal(References(command=NOBODY))
    assert refused.sentence.startswith("I can't look at pictures just now.")
    assert "/nowhere/at-all" in (refused.operator or "")


HEAVY = "That picture takes me too long to read, or too much memory."
LIES = {
    "dies": ("raise SystemExit('no more')", "no more"),
    "dies late": (READ + "raise MemoryError('so much')", "so much"),
    "killed": (READ + "import os; os.kill(os.getpid(), 9)", "ended with -9"),
    "silent": (READ, ""),
    "rubbish": (READ + "print('hello')", "ValueError"),
    "bytes": (READ + "sys.stdout.buffer.write(bytes(range(256)) * 9)", "Error"),
    "no line": (READ + "print('x' * 1_000_000)", "ValueError"),
    "negative": (READ + "print('image/png 1 1 -1')", "ValueError"),
    "huge": (READ + f"print('image/png 1 1', {CLEAN_BYTES_MAX + 1})", "ValueError"),
    "too few": (READ + "print('image/png 1 1 10'); print('short')", "EOFError 6 of 10"),
    "no picture": (READ + "print('image/png 1 1 4'); print('abcd', end='')", "offset|byte|ends"),
    "gif": (READ + "print('image/gif 1 1 4'); print('GIF8', end='')", "image/gif"),
    "foreign": (READ + "print('foreign 1 1 0')", "foreign"),
}


@pytest.mark.parametrize("name", LIES)
async def test_a_process_that_fails_is_one_refused_picture(name) -> None:
    source, expected = LIES[name]
    refused = await refusal(References(command=script(source)))
    assert refused.sentence.startswith(HEAVY)
    assert any(part in (refused.operator or "") for part in expected.split("|")), refused.operator


@pytest.mark.parametrize("how", ["size", "tail", "webp", "pixels"])
async def test_a_process_that_lies_about_its_picture_is_not_believed(how, tmp_path) -> None:
    result = {
        "size": (b"image/png 65 40", SMALL),
        "tail": (b"image/png 64 40", SMALL + b"<script>"),
        "webp": (b"image/webp 64 40", encoded(Image.new("RGB", (64, 40)), "WEBP")),
        "pixels": (b"image/png 2100 2000", encoded(Image.new("1", (2100, 2000)), "PNG")),
    }[how]
    answer = tmp_path / "answer"
    answer.write_bytes(b"%s %d\n%s" % (result[0], len(result[1]), result[1]))
    say = READ + "sys.stdout.buffer.write(open(sys.argv[1], 'rb').read())"
    refused = await refusal(References(command=script(say, answer)))
    assert refused.sentence.startswith(HEAVY)
    assert "no clean image" in (refused.operator or "")


async def test_a_true_answer_is_believed(tmp_path) -> None:
    """Else the last test would prove nothing."""
    answer = tmp_path / "answer"
    answer.write_bytes(b"image/png 64 40 %d\n%s" % (len(SMALL), SMALL))
    say = READ + "sys.stdout.buffer.write(open(sys.argv[1], 'rb').read())"
    assert await References(command=script(say, answer)).clean(SMALL) == Reference(
        SMALL, MediaType.PNG, 64, 40
    )


ENDLESS = {
    "hangs": READ + "import time; time.sleep(60)",
    "reads nothing": "import time; time.sleep(60)",
    "writes without end": READ + "\nwhile True: sys.stdout.buffer.write(bytes(1 << 20))",
    "complains without end": READ + "\nwhile True: sys.stderr.buffer.write(bytes(1 << 20))",
    "spins": READ + "\nwhile True: pass",
}


@pytest.mark.parametrize("name", ENDLESS)
async def test_a_process_without_end_is_ended(name, tmp_path) -> None:
    note = tmp_path / "pid"
    source = f"import os; open({str(note)!r}, 'w').write(str(os.getpid())); {ENDLESS[name]}"
    references = References(command=script(source), seconds=0.3)
    began = time.perf_counter()
    refused = await refusal(references, SMALL + bytes(4_000_000))
    assert time.perf_counter() - began < 15
    assert refused.sentence.startswith(HEAVY)
    assert ("0.3 s" in (refused.operator or "")) is (name != "writes without end"), (
        "what is too much is not read on"
    )
    assert not alive(note)


def alive(note: Path) -> bool:
    try:
        os.kill(int(note.read_text()), 0)
    except ProcessLookupError:
        return False
    return True


async def started(note: Path) -> None:
    while not written(note):  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(0.01)


def written(note: Path) -> bool:
    return note.exists() and bool(note.read_text())


async def test_who_stops_waiting_stops_the_process(tmp_path) -> None:
    note = tmp_path / "pid"
    source = f"import os; open({str(note)!r}, 'w').write(str(os.getpid())); {ENDLESS['hangs']}"
    waiting = asyncio.create_task(References(command=script(source)).clean(SMALL))
    await started(note)
    assert alive(note)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not alive(note)


async def test_no_more_than_two_at_once(tmp_path) -> None:
    diary = tmp_path / "diary"
    write = "open(sys.argv[1], 'a').write"
    source = READ + f"import time; {write}('+'); time.sleep(0.1); {write}('-')"
    references = References(command=script(source, diary))
    await asyncio.gather(*(refusal(references) for _ in range(5)))
    running = most = 0
    for sign in diary.read_text():
        running += 1 if sign == "+" else -1
        most = max(most, running)
    assert most == 2, diary.read_text()


async def test_a_slot_is_free_again_after_every_end() -> None:
    references = References(at_once=1, seconds=0.2, command=script(ENDLESS["hangs"]))
    for _ in range(2):
        await refusal(references)
    waiting = asyncio.create_task(references.clean(SMALL))
    await asyncio.sleep(0.05)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await asyncio.wait_for(refusal(references), 2)


def test_the_command_is_the_process_of_this_project() -> None:
    assert child.COMMAND[1:] == ("-m", "bot.imaging.cleaning")
    assert child.FOLDER == ROOT


@pytest.mark.parametrize("seconds", [0.0, 0.002, 0.02])
def test_the_loop_can_be_closed_at_any_time(seconds) -> None:
    """With asyncio's own processes it would hang: all tasks are cancelled, theirs as well."""

    async def leave() -> None:
        references = References()
        tasks = [asyncio.create_task(references.clean(SMALL)) for _ in range(3)]
        await asyncio.sleep(seconds)
        assert not all(task.done() for task in tasks)

    closing = threading.Thread(target=asyncio.run, args=(leave(),), daemon=True)
    closing.start()
    closing.join(10)
    assert not closing.is_alive(), "the loop never closed"
