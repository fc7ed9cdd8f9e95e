"""Bytes from an API become pictures only when they are whole, and fit where they are sent."""

from __future__ import annotations

import io
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from bot.errors import BadAnswer, EaselError
from bot.imaging.containers import png_chunk
from bot.imaging.pictures import PIXELS_MAX, MediaType, Picture, decode, fit, inspect
from bot.imaging.recipe import Recipe, embed, read

RECIPE = Recipe("k3x9", "a fox", "FLUX.2-dev", 7, 640, 480)


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    return Image.frombytes(
        mode, (width, height), random.Random(1).randbytes(width * height * len(mode))
    )


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def sample(name: str, width: int = 64, height: int = 40) -> bytes:
    kind, options, mode = {
        "jpeg": ("JPEG", {}, "RGB"),
        "progressive": ("JPEG", {"progressive": True}, "RGB"),
        "restarts": ("JPEG", {"restart_marker_blocks": 2}, "RGB"),
        "grey": ("JPEG", {}, "L"),
        "cmyk": ("JPEG", {}, "CMYK"),
        "exif": ("JPEG", {"exif": turned_exif(), "comment": b"\xff\xd9 hello"}, "RGB"),
        "png": ("PNG", {}, "RGB"),
        "png-alpha": ("PNG", {}, "RGBA"),
        "webp": ("WEBP", {}, "RGB"),
        "webp-lossless": ("WEBP", {"lossless": True}, "RGB"),
        "webp-alpha": ("WEBP", {}, "RGBA"),
        "webp-exif": ("WEBP", {"exif": turned_exif()}, "RGB"),
    }[name]
    return encoded(noise(width, height, mode), kind, **options)


def turned_exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


SAMPLES = (
    "jpeg",
    "progressive",
    "restarts",
    "grey",
    "cmyk",
    "exif",
    "png",
    "png-alpha",
    "webp",
    "webp-lossless",
    "webp-alpha",
    "webp-exif",
)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("size", [(64, 40), (1, 1), (37, 129)])
def test_inspect_agrees_with_the_decoder(name, size):
    data = sample(name, *size)
    with Image.open(io.BytesIO(data)) as image:
        expected = (image.get_format_mimetype(), *image.size)
    picture = inspect(data)
    assert (picture.media_type, picture.width, picture.height) == expected
    assert picture.data is data, "whole bytes are handed on, not copied"


@pytest.mark.parametrize("name", SAMPLES)
def test_no_cut_off_file_passes(name):
    data = sample(name)
    for length in {*range(40), *range(40, len(data), 97), *range(len(data) - 20, len(data))}:
        assert not passes(data[:length]), f"{length} of {len(data)} bytes passed as whole"


def passes(data: bytes) -> bool:
    try:
        inspect(data)
    except BadAnswer:
        return False
    return True


@pytest.mark.parametrize("name", SAMPLES)
def test_what_follows_the_picture_is_cut_off(name):
    data = sample(name)
    assert inspect(data + b"<script>alert(1)</script>").data == data


@pytest.mark.parametrize("at", [20, 45, 300, -6])
def test_a_png_with_one_wrong_bit_is_refused(at):
    data = bytearray(sample("png"))
    data[at] ^= 1
    with pytest.raises(BadAnswer, match="damaged"):
        inspect(bytes(data))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xd9",
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", bytes(13)) + png_chunk(b"IEND", b""),
        b"\x89PNG\r\n\x1a\n" + png_chunk(b"IEND", b""),
        b"RIFF\x04\0\0\0WEBP",
        b"RIFF\x0c\0\0\0WEBPVP8 \0\0\0\0",
        b"RIFF\x0c\0\0\0WEBPEXIF\0\0\0\0",
        b"RIFF\xff\xff\xff\xffWEBPVP8 \xff\xff\xff\xff",
        b'{"error": {"message": "internal"}}',
        b"<html>502 Bad Gateway</html>",
        b"GIF89a" + bytes(40),
    ],
)
def test_what_is_no_picture_is_refused_and_the_operator_told(data):
    with pytest.raises(BadAnswer) as caught:
        inspect(data)
    assert caught.value.operator
    assert str(len(data)) in caught.value.operator
    assert "bytes" not in caught.value.sentence, "people are told in their own words"


def test_a_webp_whose_chunk_is_longer_than_the_file_is_refused():
    data = sample("webp")
    assert data[12:16] == b"VP8 "
    longer = (int.from_bytes(data[16:20], "little") + 4).to_bytes(4, "little")
    with pytest.raises(BadAnswer):
        inspect(data[:16] + longer + data[20:])


def png_that_claims(width: int, height: int) -> bytes:
    header = width.to_bytes(4) + height.to_bytes(4) + b"\x08\x02\0\0\0"
    chunks = png_chunk(b"IHDR", header), png_chunk(b"IDAT", b"x\x9c"), png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize("size", [(8000, 5001), (40_000, 2), (2**31 - 1, 2**31 - 1), (0, 5)])
def test_absurd_dimensions_are_refused(size):
    with pytest.raises(BadAnswer):
        inspect(png_that_claims(*size))


def test_the_largest_real_pictures_pass():
    for width, height in ((8000, 5000), (6336, 2688), (3072, 384)):
        picture = inspect(png_that_claims(width, height))
        assert (picture.width, picture.height) == (width, height)
    assert PIXELS_MAX == 40_000_000


@pytest.mark.filterwarnings("ignore")  # Pillow warns of some damage before it gives up
@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SAMPLES), st.randoms(use_true_random=False))
def test_damaged_files_raise_nothing_but_bad_answer(name, chance):
    data = bytearray(sample(name))
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(min(len(data), chance.choice((60, 700, len(data)))))
        data[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
    for look in (inspect, decode, read):
        try:
            look(bytes(data))
        except BadAnswer:
            continue


def test_inspecting_is_quick_enough_for_the_event_loop():
    data = encoded(noise(420, 420), "JPEG", quality=75)
    assert 100_000 < len(data) < 300_000
    best = min(_seconds(lambda: inspect(data)) for _ in range(30))
    assert best < 0.001, f"{best * 1000:.2f} ms for {len(data)} bytes"


def _seconds(work) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def test_a_picture_under_the_limit_is_left_alone():
    picture = inspect(sample("png"))
    assert fit(picture, len(picture.data)) is picture


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("share", [0.9, 0.3, 0.05])
def test_fit_keeps_the_limit_and_the_form(name, share):
    picture = inspect(sample(name, 640, 400))
    limit = int(len(picture.data) * share)
    fitted = fit(picture, limit)
    assert len(fitted.data) <= limit
    assert fitted == inspect(fitted.data), "what it says of itself is true"
    assert fitted.media_type is MediaType.JPEG
    width, height = (400, 640) if "exif" in name else (640, 400)
    assert fitted.width <= width, "never larger than it was"
    assert fitted.width / fitted.height == pytest.approx(width / height, rel=0.05)


def test_quality_falls_before_size():
    picture = inspect(sample("png", 640, 400))
    fitted = fit(picture, len(picture.data) // 2)
    assert (fitted.width, fitted.height) == (640, 400)


def test_the_recipe_outlives_fitting():
    picture = embed(inspect(sample("png", 640, 480)), RECIPE)
    for share in (0.5, 0.05):
        limit = int(len(picture.data) * share)
        fitted = fit(picture, limit)
        assert read(fitted.data) == RECIPE
        assert len(fitted.data) <= limit, "with the recipe in it"


def test_private_metadata_does_not_outlive_fitting():
    picture = inspect(sample("exif", 640, 480))
    fitted = fit(picture, len(picture.data) // 2)
    assert b"Exif" not in fitted.data
    assert b"hello" not in fitted.data


@pytest.mark.parametrize(("mode", "kept"), [("RGB", True), ("L", False)])
def test_a_colour_profile_is_kept_where_it_is_still_true(mode, kept):
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    if mode == "L":
        profile[16:20] = b"GRAY"
    picture = inspect(encoded(noise(300, 300, mode), "PNG", icc_profile=bytes(profile)))
    fitted = fit(picture, len(picture.data) // 2)
    with Image.open(io.BytesIO(fitted.data)) as image:
        assert ("icc_profile" in image.info) is kept


def test_see_through_pixels_become_white_not_black():
    see_through = Image.new("RGBA", (400, 400), (0, 0, 0, 0))
    see_through.paste(noise(200, 200).convert("RGBA"))
    picture = inspect(encoded(see_through, "PNG"))
    fitted = fit(picture, len(picture.data) // 4)
    corner = decode(fitted.data).getpixel((fitted.width - 1, fitted.height - 1))
    assert min(corner) > 250


def test_a_bomb_is_not_unpacked():
    # Hand-made, as if it had come by another way than `inspect`.
    data = encoded(Image.new("L", (7000, 6000)), "PNG")
    assert len(data) < 100_000
    with pytest.raises(BadAnswer, match="damaged"):
        fit(Picture(data, MediaType.PNG, 10, 10), 1000)


def test_pixels_that_cannot_be_decoded_are_a_bad_answer():
    hollow = png_that_claims(800, 600)
    with pytest.raises(BadAnswer):
        fit(inspect(hollow), 10)


def test_an_impossible_limit_is_an_error_and_not_an_endless_loop():
    with pytest.raises(EaselError, match="small enough"):
        fit(inspect(sample("png", 300, 200)), 100)


def test_a_thumbnail_is_decoded_no_larger_than_it_must_be():
    data = sample("jpeg", 1600, 1600)
    assert decode(data, within=(320, 320)).size == (400, 400)


def test_extensions():
    assert [kind.extension for kind in MediaType] == ["jpg", "png", "webp"]
