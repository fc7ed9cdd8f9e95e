"""Whatever a picture file holds, pixels alone come out of it, or a plain refusal."""

from __future__ import annotations

import io
import random
import struct
import time
import zlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_files import (
    BLUE,
    CANARY,
    FOREIGN,
    GREEN,
    RED,
    SRGB,
    TALKATIVE,
    YELLOW,
    animated,
    assert_only_pixels,
    encoded,
    exif,
    gif_that_claims,
    gif_with_a_larger_frame,
    half_clear,
    jpeg_segment,
    jpeg_that_claims,
    png,
    png_that_claims,
    png_with_a_bomb_in,
    quarters,
    real_bomb,
    webp_that_claims,
)
from PIL import Image

from bot.imaging.claims import claimed_size, coefficient_bytes, kind_of, seems
from bot.imaging.cleaning import CLEAN_BYTES_MAX, Trouble, Unclean, clean
from bot.imaging.containers import png_chunk, sniff
from bot.imaging.room import PIXELS_MAX, SIDE_MAX
from bot.imaging.shrinking import CLEAN_PIXELS_MAX

# Pillow warns of some damage before it gives up.
pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning"),
]


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    return Image.frombytes(
        mode, (width, height), random.Random(1).randbytes(width * height * len(mode))
    )


def opened(data: bytes) -> Image.Image:
    """What came of it, checked to be what it says and nothing but pixels."""
    result, media_type, width, height = clean(data)
    image = Image.open(io.BytesIO(result))
    image.load()
    assert (image.get_format_mimetype(), *image.size) == (media_type, width, height)
    assert width * height <= CLEAN_PIXELS_MAX
    assert len(result) <= CLEAN_BYTES_MAX
    assert_only_pixels(result)
    assert sniff(result) == media_type
    return image


def trouble(data: bytes) -> Unclean:
    with pytest.raises(Unclean) as caught:
        clean(data)
    assert caught.value.cause, "the operator is told why"
    return caught.value


def corners(image: Image.Image) -> list[tuple[int, ...]]:
    width, height = image.size
    places = [(x, y) for y in (height // 4, height * 3 // 4) for x in (width // 4, width * 3 // 4)]
    return [image.convert("RGB").getpixel(place) for place in places]


def assert_quarters(image: Image.Image, *, tolerance: int = 30) -> None:
    for seen, meant in zip(corners(image), (RED, GREEN, BLUE, YELLOW), strict=True):
        off = max(abs(a - b) for a, b in zip(seen, meant, strict=True))
        assert off <= tolerance, f"{seen} instead of {meant}"


def interlaced(data: bytes) -> bytes:
    """The same PNG in one of Adam7's passes: all others are empty in so small a picture."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    pixels = b"".join(
        b"\0" + bytes(v for x in range(left, image.width, dx) for v in image.getpixel((x, y)))
        for left, top, dx, dy in ADAM7
        for y in range(top, image.height, dy)
        if left < image.width
    )
    header = struct.pack(">IIBBBBB", *image.size, 8, 2, 0, 0, 1)
    return png(header, zlib.compress(pixels))


#: Left, top, step right, step down: https://www.w3.org/TR/png-3/#8Interlace
ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)


def deep_png() -> bytes:
    """16 bits for each grey: dark on the left, bright on the right."""
    row = b"\0" + struct.pack(">64H", *([0x2000] * 32), *([0xE000] * 32))
    return png(struct.pack(">IIBBBBB", 64, 40, 16, 0, 0, 0, 0), zlib.compress(row * 40))


COLOURFUL = {
    "jpeg": lambda: encoded(quarters(), "JPEG"),
    "progressive": lambda: encoded(quarters(), "JPEG", progressive=True),
    "cmyk": lambda: encoded(quarters().convert("CMYK"), "JPEG"),
    "mpo": lambda: encoded(quarters(), "MPO", save_all=True, append_images=[quarters()]),
    "png": lambda: encoded(quarters(), "PNG"),
    "png-palette": lambda: encoded(quarters().quantize(8), "PNG"),
    "png-interlaced": lambda: interlaced(encoded(quarters(), "PNG")),
    "png-alpha": lambda: encoded(quarters().convert("RGBA"), "PNG"),
    "apng": lambda: animated("PNG"),
    "gif": lambda: encoded(quarters(), "GIF"),
    "gif-interlaced": lambda: encoded(quarters(), "GIF", interlace=1),
    "gif-animated": lambda: animated("GIF"),
    "webp": lambda: encoded(quarters(), "WEBP"),
    "webp-lossless": lambda: encoded(quarters(), "WEBP", lossless=True),
    "webp-animated": lambda: animated("WEBP"),
    "webp-exif": lambda: encoded(quarters(), "WEBP", exif=exif()),
}
GREY = {
    "jpeg-grey": lambda: encoded(quarters().convert("L"), "JPEG"),
    "png-grey": lambda: encoded(quarters().convert("L"), "PNG"),
    "png-1-bit": lambda: encoded(quarters().convert("1"), "PNG"),
    "png-grey-alpha": lambda: encoded(quarters().convert("LA"), "PNG"),
    "png-16-bit": deep_png,
}
SAMPLES = COLOURFUL | GREY


# What comes out


@pytest.mark.parametrize("name", COLOURFUL)
def test_the_first_frame_of_every_kind_comes_out_in_its_colours(name) -> None:
    image = opened(COLOURFUL[name]())
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (64, 40))
    assert_quarters(image)


@pytest.mark.parametrize("name", GREY)
def test_grey_ones_become_colour_pictures(name) -> None:
    image = opened(GREY[name]())
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (64, 40))


def test_sixteen_bits_keep_their_brightness() -> None:
    dark, bright, *_ = corners(opened(deep_png()))
    assert dark == pytest.approx((0x20,) * 3, abs=4)
    assert bright == pytest.approx((0xE0,) * 3, abs=4)


@pytest.mark.parametrize("bits", [0, 255, 4, 65535])
@pytest.mark.parametrize(("depth", "colour"), [(16, 0), (16, 2), (8, 0), (8, 2), (2, 0)])
def test_every_way_to_say_which_colour_is_transparent_is_read(bits, depth, colour) -> None:
    channels = 3 if colour else 1
    row = b"\0" + bytes(64 * channels * depth // 8)
    header = struct.pack(">IIBBBBB", 64, 40, depth, colour, 0, 0, 0)
    mark = png_chunk(b"tRNS", struct.pack(">H", bits) * channels)
    image = opened(png(header, zlib.compress(row * 40), mark))
    assert image.size == (64, 40)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (16_383, 1), (1, 16_383)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_the_smallest_and_the_thinnest_keep_their_size(kind, size) -> None:
    image = opened(encoded(Image.new("L", size, 200), kind))
    assert image.size == size
    assert image.getpixel((0, 0)) == pytest.approx((200,) * 3, abs=3)


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        ("PNG", (2000, 2000)),
        ("PNG", (2001, 2000)),
        ("PNG", (3900, 2900)),
        ("PNG", (16_383, 300)),
        ("PNG", (300, 16_383)),
        ("JPEG", (2600, 2400)),
        ("JPEG", (5200, 4400)),
        ("WEBP", (2200, 2000)),
        ("GIF", (2200, 2000)),
    ],
)
def test_large_ones_come_out_just_small_enough(kind, size) -> None:
    options = {"PNG": {"compress_level": 1}, "WEBP": {"quality": 1, "method": 0}}
    image = opened(encoded(quarters(*size), kind, **options.get(kind, {})))
    assert size != (2000, 2000) or image.size == size
    assert image.width / image.height == pytest.approx(size[0] / size[1], rel=0.01)
    assert image.width * image.height > CLEAN_PIXELS_MAX * 0.65, "no smaller than it must be"
    assert_quarters(image)


def test_a_large_one_is_evenly_reduced() -> None:
    """Its bands are put together without seams."""
    slope = Image.linear_gradient("L").resize((5000, 5001))
    image = opened(encoded(slope, "PNG", compress_level=1)).convert("L")
    column = [image.getpixel((image.width // 2, y)) for y in range(image.height)]
    steps = [abs(b - a) for a, b in pairwise(column)]
    assert max(steps) <= 4, "a seam"
    assert column[0] < 8
    assert column[-1] > 247


def test_what_does_not_compress_is_made_to_fit() -> None:
    image = opened(encoded(noise(2000, 2000), "PNG", compress_level=0))
    assert image.format == "JPEG"
    assert image.size == (2000, 2000), "quality falls before size"


def test_transparency_that_does_not_fit_is_laid_on_white() -> None:
    image = opened(encoded(noise(1200, 1200, "RGBA"), "PNG", compress_level=0))
    assert (image.format, image.size) == ("JPEG", (1200, 1200))
    assert image.convert("L").resize((1, 1)).getpixel((0, 0)) > 170, "about half of it is white"


# See-through


@pytest.mark.parametrize(
    "make",
    [
        lambda: encoded(half_clear(), "PNG"),
        lambda: encoded(half_clear(), "WEBP", lossless=True),
        lambda: encoded(half_clear("LA"), "PNG"),
        lambda: encoded(half_clear().quantize(16), "PNG"),
        lambda: encoded(half_clear(), "GIF"),
        lambda: encoded(quarters(), "PNG", transparency=RED),
    ],
    ids=["png", "webp", "grey", "palette", "gif", "one colour"],
)
def test_transparency_is_kept(make) -> None:
    image = opened(make())
    assert (image.format, image.mode) == ("PNG", "RGBA")
    assert image.getpixel((5, 5))[3] == 0
    assert image.getpixel((60, 5))[3] == 255


def test_what_transparency_hides_is_gone() -> None:
    image = opened(encoded(half_clear(), "PNG"))
    assert image.getpixel((5, 5)) == (0, 0, 0, 0), "not the colour that was under it"


def test_an_alpha_channel_without_transparency_is_none() -> None:
    assert opened(encoded(quarters().convert("RGBA"), "PNG")).format == "JPEG"


# Which way up


STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", STORED)
def test_every_orientation_ends_upright(orientation, kind) -> None:
    turn = STORED[orientation]
    stored = quarters() if turn is None else quarters().transpose(turn)
    image = opened(encoded(stored, kind, exif=exif(orientation)))
    assert image.size == (64, 40)
    assert_quarters(image)


def test_a_large_photograph_is_turned_as_well() -> None:
    stored = quarters(3000, 2000).transpose(Image.Transpose.ROTATE_90)
    image = opened(encoded(stored, "JPEG", exif=exif(6)))
    assert image.width > image.height
    assert_quarters(image)


@pytest.mark.parametrize(
    "broken",
    [
        b"Exif\0\0",
        b"Exif\0\0" + b"x" * 40,
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + bytes(40),
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\0\0\0\x04abc\0" + bytes(4),
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x09\0\0" + bytes(4),
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x05\0\0\0\x01\0\0\0\x1a" + bytes(12),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_damage_in_the_metadata_is_no_reason_to_refuse(kind, broken) -> None:
    assert_quarters(opened(encoded(quarters(), kind, exif=broken)))


# What must not come out


@pytest.mark.parametrize("name", TALKATIVE)
def test_nothing_but_pixels_comes_out(name) -> None:
    data = TALKATIVE[name]()
    assert CANARY in data
    image = opened(data)
    assert not image.getexif()
    assert image.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_a_colour_profile_is_applied_and_left_behind() -> None:
    """In this one red and green have changed places."""
    swapped = SRGB.replace(b"rXYZ", b"TEMP").replace(b"gXYZ", b"rXYZ").replace(b"TEMP", b"gXYZ")
    image = opened(encoded(quarters(), "JPEG", icc_profile=swapped))
    red, green, *_ = corners(image)
    assert red == pytest.approx(GREEN, abs=30)
    assert green == pytest.approx(RED, abs=30)
    clear = half_clear()
    image = opened(encoded(clear, "PNG", icc_profile=swapped))
    assert image.getpixel((60, 5)) == pytest.approx((*RED, 255), abs=30)
    assert image.getpixel((5, 5))[3] == 0


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("space", [b"RGB ", b"GRAY", b"CMYK", b"Lab ", b"\xff\xff\xff\xff"])
def test_a_profile_that_makes_no_sense_is_ignored(space, mode) -> None:
    for wrong in (SRGB[:16] + space + SRGB[20:], SRGB[:16] + space + SRGB[20:200]):
        image = opened(encoded(quarters().convert(mode), "JPEG", icc_profile=wrong))
        if mode != "L":
            assert_quarters(image)


# Bombs


@pytest.mark.parametrize(
    ("make", "size"),
    [
        (png_that_claims, (30_000, 30_000)),
        (png_that_claims, (13_000, 13_000)),
        (png_that_claims, (6400, 6251)),
        (png_that_claims, (16_384, 1)),
        (png_that_claims, (2**31 - 1, 2**31 - 1)),
        (gif_that_claims, (65_535, 65_535)),
        (gif_that_claims, (8000, 5001)),
        (jpeg_that_claims, (65_500, 65_500)),
        (jpeg_that_claims, (8000, 5001)),
        (webp_that_claims, (16_383, 16_383)),
        (webp_that_claims, (2**24, 2**24)),
        (webp_that_claims, (4001, 2000)),
    ],
)
def test_a_bomb_is_refused_by_what_it_claims(make, size) -> None:
    began = time.process_time()
    refused = trouble(make(*size))
    assert refused.trouble is Trouble.LARGE
    assert (refused.width, refused.height) == size
    assert time.process_time() - began < 0.5, "it was not unpacked"


def test_a_real_bomb_is_not_unpacked() -> None:
    data = real_bomb()
    assert len(data) < 600_000
    assert trouble(data).trouble is Trouble.LARGE


def test_a_frame_larger_than_its_gif_is_refused() -> None:
    liar = gif_with_a_larger_frame(9000, 9000)
    assert claimed_size(liar, "GIF") == (64, 40)
    refused = trouble(liar)
    assert (refused.trouble, refused.width, refused.height) == (Trouble.LARGE, 9000, 9000)


def test_a_second_frame_header_does_not_fool_the_check() -> None:
    """The first, small one is read here; a decoder may take the last."""
    data = encoded(quarters(), "JPEG")
    at = data.index(b"\xff\xc0")
    header = bytearray(data[at : at + 19])
    header[5:9] = struct.pack(">HH", 30_000, 30_000)
    refused = trouble(data[: at + 19] + bytes(header) + data[at + 19 :])
    assert refused.trouble in (Trouble.LARGE, Trouble.HEAVY)


@pytest.mark.parametrize("chunk", [b"zTXt", b"iCCP"])
def test_text_that_unpacks_without_end_is_not_unpacked(chunk) -> None:
    data = png_with_a_bomb_in(chunk)
    began = time.process_time()
    outcome(data)
    assert time.process_time() - began < 0.5


def test_three_thousand_frames_cost_no_more_than_one() -> None:
    data = animated("GIF", 3000)
    with Image.open(io.BytesIO(data)) as image:
        assert image.n_frames == 3000
    best = min(_seconds(lambda: clean(data)) for _ in range(3))
    assert best < 0.05, f"{best * 1000:.0f} ms"


def _seconds(work) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


# Damage


def outcome(data: bytes) -> tuple[bytes, str, int, int] | Trouble:
    """Anything else that is raised fails the test."""
    try:
        result = clean(data)
    except Unclean as unclean:
        return unclean.trouble
    opened(data)
    return result


@pytest.mark.parametrize("name", SAMPLES)
def test_cut_off_files_are_refused(name) -> None:
    data = SAMPLES[name]()
    animation = name in ("apng", "gif-animated", "webp-animated", "mpo")
    for length in {*range(0, len(data), 41), *range(40)}:
        got = outcome(data[:length])
        whole = isinstance(got, tuple)
        # An animation's first frame may be whole all the same.
        if length < len(data) // (5 if animation else 2):
            assert not whole, f"{length} of {len(data)} bytes passed as whole"


@pytest.mark.parametrize("name", SAMPLES)
def test_a_damaged_file_says_so(name) -> None:
    data = SAMPLES[name]()
    assert trouble(data[: max(16, len(data) // 8)]).trouble is Trouble.DAMAGED


@settings(max_examples=200)
@given(st.sampled_from(sorted(SAMPLES)), st.randoms(use_true_random=False))
def test_mutated_files_end_in_a_picture_or_a_refusal(name, chance) -> None:
    data = bytearray(SAMPLES[name]())
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(min(len(data), chance.choice((60, 700, len(data)))))
        data[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
    outcome(bytes(data))


@settings(max_examples=120)
@given(st.sampled_from(sorted(TALKATIVE)), st.randoms(use_true_random=False))
def test_mutated_metadata_does_no_harm_either(name, chance) -> None:
    data = bytearray(TALKATIVE[name]())
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(min(len(data), 400))
        data[at] = chance.choice((0, 1, 0x7F, 0xFF, chance.randrange(256)))
    outcome(bytes(data))


@settings(max_examples=100)
@given(st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a"]), st.binary(max_size=99))
def test_a_signature_and_anything_end_in_a_refusal(signature, rest) -> None:
    outcome(signature + rest)


# What files claim


@given(st.sampled_from(["PNG", "JPEG", "GIF", "WEBP"]), st.integers(1, 300), st.integers(1, 300))
def test_the_claimed_size_is_the_real_one(kind, width, height) -> None:
    data = encoded(Image.new("RGB", (width, height)), kind)
    assert kind_of(data) == kind
    assert claimed_size(data, kind) == (width, height)


@pytest.mark.parametrize("options", [{"lossless": True}, {"exif": exif()}, {"quality": 5}])
def test_each_form_of_webp_tells_its_size(options) -> None:
    data = encoded(quarters(), "WEBP", **options)
    assert claimed_size(data, "WEBP") == (64, 40)


def frame(marker: int, *factors: int) -> bytes:
    parts = b"".join(bytes([n, each, 0]) for n, each in enumerate(factors))
    return jpeg_segment(marker, struct.pack(">BHHB", 8, 5000, 8000, len(factors)) + parts)


def scan(components: int) -> bytes:
    return jpeg_segment(0xDA, bytes([components]) + bytes(2 * components + 3))


@pytest.mark.parametrize(
    ("segments", "held"),
    [
        (frame(0xC0, 0x22, 0x11, 0x11) + scan(3), 0),
        (frame(0xC0, 0x22, 0x11, 0x11) + scan(1), 3),
        (frame(0xC2, 0x22, 0x11, 0x11) + scan(3), 3),
        (frame(0xC2, 0x21, 0x11, 0x11) + scan(1), 4),
        (frame(0xC2, 0x11, 0x11, 0x11) + scan(1), 6),
        (frame(0xCA, 0x22, 0x22, 0x22, 0x22) + scan(4), 8),
        (frame(0xC2, 0x11) + scan(1), 2),
        (frame(0xC2, 0x41, 0x14) + scan(1), 1),
        (frame(0xC2, 0x11, 0x11, 0x11), 0),
        (frame(0xC2, 0x00, 0x10) + scan(1), 0),
        (frame(0xC2) + scan(1), 0),
        (frame(0xC2, 0x11, 0x11)[:12], 0),
        (scan(1), 0),
    ],
)
def test_coefficients_are_counted_where_they_are_held(segments, held) -> None:
    assert coefficient_bytes(b"\xff\xd8" + jpeg_segment(0xE1, b"\xff\xc2" * 9) + segments) == held


@given(st.binary(max_size=60))
def test_coefficients_of_anything_can_be_counted(rest) -> None:
    for start in (b"\xff\xd8\xff\xc2", b"\xff\xd8\xff\xda"):
        assert 0 <= coefficient_bytes(start + rest) <= 2 * 255


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\xff\xd8\xff", b"RIFF....WEBPVP8 "])
def test_no_size_is_claimed_where_there_is_no_header(data) -> None:
    assert claimed_size(data, kind_of(data) or "PNG") is None


@pytest.mark.parametrize("data", FOREIGN)
def test_what_is_no_picture_is_known_for_what_it_seems(data) -> None:
    assert kind_of(data) is None
    assert seems(data) == FOREIGN[data]
    assert trouble(data).trouble is Trouble.FOREIGN


@pytest.mark.parametrize("filler", [b"<!---->", b"<!-- -->\n", b"<?xml?>", b" ", b"<!doctype svg "])
def test_a_long_prologue_is_read_once(filler) -> None:
    began = time.process_time()
    assert seems(filler * 10_000) is None
    assert time.process_time() - began < 0.1


@given(st.binary(max_size=200))
def test_seems_survives_anything(data) -> None:
    assert seems(data) is None or seems(data).startswith(("a ", "an "))


def test_the_limits_are_the_ones_that_people_are_told() -> None:
    assert (PIXELS_MAX, SIDE_MAX) == (40_000_000, 16_383)
