"""The recipe travels inside the file; the pixels do not notice."""

from __future__ import annotations

import io
import random
import tracemalloc
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.imaging.containers import PARTS_MAX, Malformed, parts_of, png_chunk, webp_chunk
from bot.imaging.pictures import MediaType, Picture, inspect
from bot.imaging.recipe import TEXT_MAX, Recipe, embed, read

RECIPE = Recipe(
    id="k3x9qa2mzp",
    prompt="a fox in the snow, at dusk",
    model="black-forest-labs/FLUX.2-dev",
    seed=2_147_483_647,
    width=1344,
    height=768,
    avoid="people",
    steps=28,
    guidance=3.5,
)
FORMS = {
    "jpeg": ("JPEG", "RGB", {}),
    "progressive": ("JPEG", "RGB", {"progressive": True}),
    "jpeg-exif": ("JPEG", "RGB", {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"}),
    "jpeg-adobe": ("JPEG", "CMYK", {}),
    "png": ("PNG", "RGB", {}),
    "png-palette": ("PNG", "P", {}),
    "webp": ("WEBP", "RGB", {}),
    "webp-lossless": ("WEBP", "RGB", {"lossless": True}),
    "webp-lossless-alpha": ("WEBP", "RGBA", {"lossless": True, "exact": True}),
    "webp-alpha": ("WEBP", "RGBA", {}),
}
HOSTILE = (
    "\"'><&]]>--><![CDATA[",
    "</easel:recipe></rdf:RDF><easel:recipe>{}</easel:recipe>",
    "{model} {prompt!r} %s \\ \\u0041 \\n",
    "null \0 bell \a escape \x1b del \x7f next \x85",
    "\r\n\r\ttabs\n\nand lines\u2028\u2029",
    "\U0001f469\u200d\U0001f680\U0001f3f3\ufe0f\u200d\U0001f308",
    "\u05e9\u05dc\u05d5\u05dd \u202eevil\u202c \u200f\u0639\u0631\u0628\u0649",
    "\ufffe\uffff\ufeff\U0010ffff",
    "&amp;lt;&#0;&quot;",
    "<?xpacket end='w'?>",
)


def picture(name: str, width: int = 96, height: int = 64) -> Picture:
    kind, mode, options = FORMS[name]
    source = mode if mode != "P" else "L"
    pixels = random.Random(3).randbytes(width * height * len(source))
    image = Image.frombytes(source, (width, height), pixels).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return inspect(buffer.getvalue())


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("size", [(96, 64), (33, 5)])
def test_every_form_gives_back_what_was_written(name, size):
    before = picture(name, *size)
    after = embed(before, RECIPE)
    assert read(before.data) is None
    assert read(after.data) == RECIPE
    assert inspect(after.data) == after, "still a whole file of the same kind and size"


@pytest.mark.parametrize("name", FORMS)
def test_pixels_stay_as_they_are(name):
    before = picture(name)
    after = embed(before, RECIPE)
    assert pixel_bytes(after) == pixel_bytes(before), "the compressed pixels moved"
    one, other = opened(before.data), opened(after.data)
    assert other.mode == one.mode
    assert other.tobytes() == one.tobytes()


def pixel_bytes(picture: Picture) -> list[bytes]:
    names = {
        MediaType.JPEG: (b"\xda", b"\xc4", b"\xdb", b"\xc0", b"\xc2", b"\xee"),
        MediaType.PNG: (b"IHDR", b"IDAT", b"PLTE", b"tRNS"),
        MediaType.WEBP: (b"VP8 ", b"VP8L", b"ALPH"),
    }[picture.media_type]
    parts = parts_of(picture.data, picture.media_type)
    found = [part.whole(picture.data) for part in parts if part.name in names]
    assert found
    return found


@pytest.mark.parametrize("name", FORMS)
def test_a_second_recipe_takes_the_place_of_the_first(name):
    once = embed(picture(name), RECIPE)
    other = replace(RECIPE, prompt="a heron", avoid=None)
    twice = embed(once, other)
    assert read(twice.data) == other
    assert twice == embed(picture(name), other), "nothing of the first is left"
    assert embed(once, RECIPE) == once


def test_the_packet_of_another_program_gives_way():
    buffer = io.BytesIO()
    Image.new("RGB", (20, 20)).save(buffer, "JPEG", xmp=b"<x:xmpmeta>somebody's</x:xmpmeta>")
    after = embed(inspect(buffer.getvalue()), RECIPE)
    assert b"somebody" not in after.data
    assert after.data.count(b"http://ns.adobe.com/xap/1.0/\0") == 1


@pytest.mark.parametrize("name", ["jpeg", "png", "webp"])
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_prompts_survive(name, text):
    recipe = replace(RECIPE, prompt=text, avoid=text, model=text, id=text)
    after = embed(picture(name), recipe)
    assert read(after.data) == recipe
    root = ET.fromstring(opened(after.data).info["xmp"])
    assert len(root.findall(".//{urn:easel:recipe/}recipe")) == 1, "text became markup"


@settings(max_examples=150, deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=400),
    st.none() | st.text(max_size=50),
    st.integers(0, 2**31 - 1),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
)
def test_any_recipe_survives(prompt, avoid, seed, guidance):
    recipe = replace(RECIPE, prompt=prompt, avoid=avoid, seed=seed, guidance=guidance)
    for name in ("jpeg", "png", "webp"):
        after = embed(SMALL[name], recipe)
        assert read(after.data) == recipe
        ET.fromstring(opened(after.data).info["xmp"])


SMALL = {name: picture(name, 8, 8) for name in ("jpeg", "png", "webp")}


def test_half_a_surrogate_pair_becomes_a_replacement_character():
    after = embed(SMALL["jpeg"], replace(RECIPE, prompt="half \ud83d pair"))
    assert read(after.data).prompt == "half \ufffd pair"


@pytest.mark.parametrize("character", ["&", "\x01", "\uffff", "🦊", "\\", "x"])
@pytest.mark.parametrize("name", ["jpeg", "png", "webp"])
def test_the_longest_texts_still_fit_into_a_segment(name, character):
    recipe = replace(RECIPE, prompt=character * 2000, avoid=character * TEXT_MAX)
    recipe = replace(recipe, model=character * 100, id=character * 100)
    after = embed(picture(name), recipe)
    assert read(after.data) == recipe
    opened(after.data)


def test_texts_beyond_every_limit_are_cut_and_say_so():
    recipe = replace(RECIPE, prompt="&" * 50_000, model="m" * 5000)
    written = read(embed(picture("jpeg"), recipe).data)
    assert written.prompt == "&" * (TEXT_MAX - 1) + "…"
    assert written.model == "m" * 99 + "…"
    assert written.seed == RECIPE.seed


def test_photo_software_finds_prompt_model_and_the_mark_of_ai():
    for name in FORMS:
        xmp = opened(embed(picture(name), RECIPE).data).info["xmp"]
        root = ET.fromstring(xmp)
        texts = {element.tag.rpartition("}")[2]: element.text for element in root.iter()}
        assert texts["li"] == RECIPE.prompt, f"{name}: no description"
        assert texts["CreatorTool"] == "Easel"
        assert texts["AISystemUsed"] == RECIPE.model
        assert texts["AIPromptInformation"] == RECIPE.prompt
        assert texts["DigitalSourceType"] == (
            "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
        )


def test_a_png_also_says_it_in_the_form_of_image_generators():
    text = opened(embed(picture("png"), RECIPE).data).text["parameters"]
    assert text == (
        "a fox in the snow, at dusk\n"
        "Negative prompt: people\n"
        "Steps: 28, CFG scale: 3.5, Seed: 2147483647, Size: 1344x768, "
        "Model: black-forest-labs/FLUX.2-dev"
    )


def test_only_text_chunks_of_those_names_are_replaced():
    plain = picture("png").data
    private = png_chunk(b"teSt", b"parameters\0of somebody else")
    old = png_chunk(b"tEXt", b"parameters\0a cat")
    after = embed(inspect(plain[:33] + private + old + plain[33:]), RECIPE)
    assert private in after.data
    assert old not in after.data


def test_jfif_and_exif_keep_their_place_at_the_head():
    before = picture("jpeg-exif")
    after = embed(before, RECIPE)
    names = [part.name for part in parts_of(after.data, MediaType.JPEG)]
    assert names[:3] == [b"\xe0", b"\xe1", b"\xe1"]
    assert opened(after.data).info["exif"] == opened(before.data).info["exif"]


def test_a_simple_webp_gets_the_header_that_xmp_needs():
    for name, flags in (("webp", 0x04), ("webp-lossless", 0x04), ("webp-lossless-alpha", 0x14)):
        before = picture(name, 33, 5)
        assert before.data[12:16] != b"VP8X", "the sample is meant to be a simple file"
        after = embed(before, RECIPE)
        assert after.data[12:16] == b"VP8X"
        assert after.data[20] == flags, name


def test_an_odd_chunk_without_its_padding_is_mended():
    simple = picture("webp-lossless", 9, 9).data
    odd = webp_chunk(b"JUNK", b"abc")[:-1]
    size = len(simple) - 8 + len(odd)
    data = simple[:4] + size.to_bytes(4, "little") + simple[8:] + odd
    after = embed(inspect(data), RECIPE)
    assert read(after.data) == RECIPE
    assert len(after.data) % 2 == 0


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[]",
        b"not json",
        b"\xff\xfe",
        b"[" * 50_000,
        b'{"id":1,"prompt":"p","model":"m","seed":1,"width":1,"height":1}',
        b'{"id":"a","prompt":"p","model":"m","seed":"1","width":1,"height":1}',
        b'{"id":"a","prompt":"p","model":"m","seed":1,"width":1}',
    ],
)
def test_a_forged_or_broken_recipe_is_none(text):
    packet = b"http://ns.adobe.com/xap/1.0/\0<easel:recipe>" + text + b"</easel:recipe>"
    segment = b"\xff\xe1" + (len(packet) + 2).to_bytes(2) + packet
    plain = picture("jpeg").data
    forged = plain[:2] + segment + plain[2:]
    inspect(forged)
    assert read(forged) is None


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"GIF89a", picture("png").data[:-9]])
def test_no_picture_has_no_recipe(data):
    assert read(data) is None


def test_a_recipe_in_the_pixels_or_a_comment_is_not_read():
    buffer = io.BytesIO()
    hidden = b"<easel:recipe>" + b'{"id":"a","prompt":"p"}' + b"</easel:recipe>"
    Image.new("RGB", (20, 20)).save(buffer, "JPEG", comment=hidden)
    assert read(buffer.getvalue()) is None


def test_a_prompt_cannot_pass_itself_off_as_a_recipe():
    forged = '<easel:recipe>{"id":"x","prompt":"p","model":"m","seed":1,"width":1,"height":1}'
    prompt = f"{forged}</easel:recipe>"
    for name in FORMS:
        after = embed(picture(name), replace(RECIPE, prompt=prompt))
        assert read(after.data) == replace(RECIPE, prompt=prompt), name


def png_of(*chunks: bytes) -> bytes:
    plain = picture("png").data
    return plain[:33] + b"".join(chunks) + plain[33:]


def webp_of(*chunks: bytes) -> bytes:
    body = b"WEBP" + picture("webp").data[12:] + b"".join(chunks)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


#: Hardly a picture, and a million parts.
CROWDED = {
    MediaType.JPEG: lambda: b"\xff\xd8" + b"\xff\xe0\0\2" * 1_000_000 + picture("jpeg").data[2:],
    MediaType.PNG: lambda: png_of(png_chunk(b"tEXt", b"") * 1_000_000),
    MediaType.WEBP: lambda: webp_of(webp_chunk(b"JUNK", b"") * 1_000_000),
}


@pytest.mark.parametrize("media_type", CROWDED)
def test_a_million_parts_are_neither_listed_nor_read(media_type):
    data = CROWDED[media_type]()
    tracemalloc.start()
    try:
        with pytest.raises(Malformed, match="parts"):
            parts_of(data, media_type)
        assert read(data) is None
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 16_000_000, f"{most / 1e6:.0f} MB for what says nothing"


def test_the_largest_picture_in_the_smallest_usual_chunks_is_whole():
    """17 megapixels that do not compress, 8 KB at a time, as the reference encoder writes them."""
    chunk = png_chunk(b"IDAT", b"")
    data = png_of(chunk * (17_000_000 * 4 // 8192))
    assert read(embed(inspect(data), RECIPE).data) == RECIPE
    assert len(parts_of(png_of(chunk * (PARTS_MAX - 5)), MediaType.PNG)) <= PARTS_MAX


def test_a_recipe_longer_than_a_segment_is_no_recipe():
    text = b'{"id":"a","prompt":"' + b"p" * 70_000 + b'","model":"m","seed":1,"width":1,"height":1}'
    packet = b"XML:com.adobe.xmp\0\0\0\0\0<easel:recipe>" + text + b"</easel:recipe>"
    assert read(png_of(png_chunk(b"iTXt", packet))) is None
