"""A PNG read by bands is the picture that Pillow sees as a whole, or is refused as it would be."""

from __future__ import annotations

import io
import random
import struct
import time
import zlib
from contextlib import suppress

import pytest
from PIL import Image, ImageChops

from bot.imaging.bands import Bands, comes_in_bands
from bot.imaging.cleaning import Trouble, Unclean, clean
from bot.imaging.containers import png_chunk
from bot.imaging.shrinking import fitted, reduced

WIDTH, HEIGHT = 37, 23
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
#: Colours and depth: https://www.w3.org/TR/png-3/#table111
ALL = [
    *((0, depth) for depth in (1, 2, 4, 8, 16)),
    *((3, depth) for depth in (1, 2, 4, 8)),
    *((colours, depth) for colours in (2, 4, 6) for depth in (8, 16)),
]
IN_BANDS = [(colours, depth) for colours, depth in ALL if colours in (2, 4, 6) or depth == 16]
SEE_THROUGH = {0: b"\x21\x21", 2: b"\x21\x21\x42\x42\x63\x63", 3: bytes(range(0, 256, 16))}
PALETTE = random.Random(3).randbytes(768)


def header(colours: int, depth: int, size=(WIDTH, HEIGHT), interlaced: int = 0) -> bytes:
    return png_chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, colours, 0, 0, interlaced))


def png(*chunks: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def rows(colours: int, depth: int) -> bytes:
    """Noise, by every filter in turn; now and then the colour that may be see-through."""
    chance = random.Random(f"{colours} {depth}")
    length = (WIDTH * CHANNELS[colours] * depth + 7) // 8
    lines = [bytes([y % 5]) + chance.randbytes(length) for y in range(HEIGHT)]
    key = SEE_THROUGH.get(colours, b"\0\0")
    key = key if depth == 16 else key[1::2]
    lines[5] = b"\0" + (key * length)[:length]
    return b"".join(lines)


def sample(colours: int, depth: int, *, see_through: bool = False) -> bytes:
    chunks = [header(colours, depth)]
    if colours == 3:
        chunks.append(png_chunk(b"PLTE", PALETTE[: 3 << depth]))
    if see_through:
        key = SEE_THROUGH[colours]
        short = depth < 16 and colours == 2
        limited = b"".join(b"\0%c" % each for each in key[1::2]) if short else key
        chunks.append(png_chunk(b"tRNS", limited))
    pixels = png_chunk(b"IDAT", zlib.compress(rows(colours, depth)))
    return png(*chunks, pixels, png_chunk(b"IEND", b""))


def whole(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        if image.mode.startswith("I"):
            high = image.tobytes()[1::2]
            return Image.frombytes("L", image.size, high).convert("RGBA")
        return image.convert("RGBA")


def joined(data: bytes, rows_each: int) -> Image.Image:
    bands = list(Bands(data).of(rows_each))
    assert [band.height for band in bands[:-1]] == [rows_each] * (len(bands) - 1)
    image = Image.new("RGBA", (WIDTH, HEIGHT))
    for place, band in enumerate(bands):
        image.paste(band.convert("RGBA"), (0, place * rows_each))
    assert sum(band.height for band in bands) == HEIGHT
    return image


# The same pixels


def test_those_that_are_large_in_memory_come_in_bands() -> None:
    assert [each for each in ALL if comes_in_bands(sample(*each))] == sorted(IN_BANDS)
    assert not comes_in_bands(png(header(6, 8, interlaced=1)))


@pytest.mark.parametrize("rows_each", [1, 2, 7, HEIGHT, 100])
@pytest.mark.parametrize(("colours", "depth"), IN_BANDS)
def test_the_bands_are_the_whole(colours, depth, rows_each) -> None:
    data = sample(colours, depth)
    assert joined(data, rows_each).tobytes() == whole(data).tobytes()


@pytest.mark.parametrize("depth", [8, 16])
def test_a_colour_that_one_can_see_through(depth) -> None:
    data = sample(2, depth, see_through=True)
    image = joined(data, 4)
    assert image.tobytes() == whole(data).tobytes()
    assert see_through_row(image)


def test_of_sixteen_bits_the_upper_eight_say_which_colour_that_is() -> None:
    data = sample(2, 16)
    mark = png_chunk(b"tRNS", b"\x21\x99\x42\x99\x63\x99")
    assert see_through_row(joined(data[:33] + mark + data[33:], 4))


def see_through_row(image: Image.Image) -> bool:
    alpha = image.getchannel("A")
    return alpha.crop((0, 5, WIDTH, 6)).getextrema() == (0, 0) and alpha.getextrema() == (0, 255)


@pytest.mark.parametrize(
    ("colours", "depth", "see_through"),
    [
        *((colours, depth, False) for colours, depth in ALL),
        *(
            (colours, depth, True)
            for colours, depth in ALL
            if colours == 3 or (colours, depth) == (2, 8)
        ),
    ],
)
def test_every_kind_comes_out_with_its_pixels(colours, depth, see_through) -> None:
    data = sample(colours, depth, see_through=see_through)
    result, media_type, *size = clean(data)
    assert size == [WIDTH, HEIGHT]
    expected = whole(data)
    if media_type == "image/png":
        # What nobody can see is gone.
        assert whole(result).tobytes() == expected.convert("RGBa").convert("RGBA").tobytes()
    else:
        assert expected.getchannel("A").getextrema() == (255, 255)
        buffer = io.BytesIO()
        expected.convert("RGB").save(buffer, "JPEG", quality=92, subsampling=0)
        assert whole(result).tobytes() == whole(buffer.getvalue()).tobytes()


def test_a_large_one_is_reduced_as_a_whole_would_be() -> None:
    image = Image.effect_noise((4100, 4000), 90).convert("RGB")
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    bands = Bands(buffer.getvalue())
    assert reduced(image, bands.size, bands.of).tobytes() == image.reduce(2).tobytes()


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "CMYK"])
def test_strips_have_no_seams(mode) -> None:
    image = Image.effect_noise((2500, 2300), 90).convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.effect_noise(image.size, 200))
    result = fitted(image)
    expected = image.resize(result.size, Image.Resampling.LANCZOS)
    # Of colours that can hardly be seen nothing is to be said.
    seen, meant = (each.convert("RGBa" if mode == "RGBA" else mode) for each in (result, expected))
    assert max(most for _, most in bounds(ImageChops.difference(seen, meant))) <= 2


def bounds(image: Image.Image) -> list[tuple[int, int]]:
    return [band.getextrema() for band in image.split()]


# What accompanies them


def with_pixels(*packed: bytes, after: bytes = b"") -> bytes:
    parts = [png_chunk(b"IDAT", part) for part in packed]
    return png(header(2, 8), *parts, after, png_chunk(b"IEND", b""))


def test_pixels_may_be_cut_into_any_pieces() -> None:
    packed = zlib.compress(rows(2, 8))
    pieces = [packed[at : at + 1] for at in range(len(packed))]
    data = with_pixels(b"", *pieces[:100], b"", b"", *pieces[100:])
    assert joined(data, 4).tobytes() == whole(sample(2, 8)).tobytes()


def test_what_is_said_after_the_pixels_is_heard() -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    exif = png_chunk(b"eXIf", turned.tobytes().removeprefix(b"Exif\0\0"))
    *_, width, height = clean(with_pixels(zlib.compress(rows(2, 8)), after=exif))
    assert (width, height) == (HEIGHT, WIDTH)


def test_an_end_that_is_missing_is_no_reason_to_refuse() -> None:
    *_, width, height = clean(sample(2, 8)[:-12])
    assert (width, height) == (WIDTH, HEIGHT)


def test_a_second_header_has_no_say() -> None:
    data = sample(2, 8)
    liar = data[:33] + header(2, 8, (30_000, 30_000)) + data[33:]
    *_, width, height = clean(liar)
    assert (width, height) == (WIDTH, HEIGHT)


# Damage


def refused(data: bytes) -> Trouble:
    with pytest.raises(Unclean) as caught:
        clean(data)
    return caught.value.trouble


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"no zlib",
        zlib.compress(b""),
        zlib.compress(rows(2, 8)[:-1]),
        zlib.compress(rows(2, 8))[:-200],
        zlib.compress(rows(2, 8)[:-1]) + zlib.compress(b"and the rest"),
        zlib.compress(b"\x05" + rows(2, 8)[1:]),
        zlib.compress(rows(2, 8)[: -(1 + 3 * WIDTH)] + b"\xff" + bytes(3 * WIDTH)),
    ],
    ids=["none", "foreign", "empty", "one less", "cut", "twice", "no filter", "no last filter"],
)
def test_pixels_that_are_wrong_or_missing_are_damage(packed) -> None:
    assert refused(with_pixels(packed)) is Trouble.DAMAGED


def test_every_byte_of_the_pixels_may_be_wrong() -> None:
    packed, chance = zlib.compress(rows(2, 8)), random.Random(5)
    for at in range(0, len(packed), 7):
        wrong = packed[:at] + bytes([packed[at] ^ chance.randrange(1, 256)]) + packed[at + 1 :]
        try:
            clean(with_pixels(wrong))
        except Unclean as unclean:
            assert unclean.trouble is Trouble.DAMAGED  # noqa: PT017 - either is an end


def test_pixels_behind_the_end_are_none() -> None:
    packed = zlib.compress(rows(2, 8))
    data = with_pixels(packed[:-200]) + png_chunk(b"IDAT", packed[-200:])
    assert refused(data) is Trouble.DAMAGED


@pytest.mark.parametrize("missing", [0, 1])
@pytest.mark.parametrize("filler", [b"", b"\0"], ids=["none", "one byte"])
def test_a_million_pieces_take_no_time(filler, missing) -> None:
    pieces = 1_000_000 * png_chunk(b"IDAT", filler)
    pixels = rows(2, 8)
    packed = zlib.compress(pixels[: len(pixels) - missing])
    began = time.process_time()
    with suppress(Unclean):
        clean(with_pixels(packed, after=pieces))
    assert time.process_time() - began < 8


def test_pixels_without_end_are_not_unpacked() -> None:
    pack = zlib.compressobj(1)
    bomb = pack.compress(rows(2, 8)) + b"".join(pack.compress(bytes(1 << 20)) for _ in range(500))
    began = time.process_time()
    clean(with_pixels(bomb + pack.flush()))
    assert time.process_time() - began < 0.5
