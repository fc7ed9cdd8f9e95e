"""The sandbox's pictures: real, of the asked size, repeatable, and following what they are told."""

from __future__ import annotations

import statistics
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from bot.demo.art.emblems import EMBLEMS
from bot.demo.art.finish import printable
from bot.demo.art.words import _SUBJECTS, COLOURS, Place, Style, Time, Weather, read
from bot.demo.canvas import UnreadableReference, paint, size_of


def painted(prompt: str = "a red fox in fresh snow", **changed: object) -> bytes:
    arguments = {"width": 256, "height": 256, "seed": 1, "index": 0, "image_format": "jpeg"}
    return paint(prompt, **(arguments | changed))


def opened(data: bytes) -> Image.Image:
    picture = Image.open(BytesIO(data))
    picture.load()
    return picture


def brightness(data: bytes) -> float:
    return ImageStat.Stat(opened(data).convert("L")).mean[0]


def difference(one: bytes, other: bytes) -> float:
    """The mean distance of two pictures' values, 0 to 255."""
    gap = ImageChops.difference(opened(one).convert("RGB"), opened(other).convert("RGB"))
    return statistics.fmean(ImageStat.Stat(gap).mean)


@pytest.mark.parametrize(
    "size", [(1024, 1024), (64, 64), (1344, 768), (3072, 384), (384, 3072), (16, 2048)]
)
@pytest.mark.parametrize("image_format", ["jpeg", "png"])
def test_a_picture_is_real_and_of_exactly_the_asked_size(size, image_format):
    picture = opened(painted(width=size[0], height=size[1], image_format=image_format))
    assert picture.size == size
    assert picture.format == image_format.upper()
    assert picture.mode == "RGB"


def test_the_same_request_gives_the_same_bytes():
    assert painted() == painted(), "two paintings of one request differ"


@pytest.mark.parametrize(
    "changed", [{"prompt": "a red fox in fresh rain"}, {"seed": 2}, {"index": 1}]
)
def test_another_prompt_seed_or_index_gives_a_visibly_other_picture(changed):
    assert difference(painted(), painted(**changed)) > 3


def test_a_picture_of_the_usual_size_weighs_as_much_as_a_real_one():
    weight = len(painted(width=1024, height=1024))
    assert 60_000 < weight < 250_000, f"{weight} bytes"


def test_night_is_darker_than_day():
    assert brightness(painted("hills at night")) < brightness(painted("hills at noon")) - 40


def test_a_colour_word_colours_the_picture():
    def blueness(data: bytes) -> float:
        red, _, blue = ImageStat.Stat(opened(data)).mean
        return blue - red

    assert blueness(painted("blue dunes")) > blueness(painted("orange dunes")) + 20


@pytest.mark.parametrize("place", Place)
@pytest.mark.parametrize("weather", [None, *Weather])
def test_every_place_can_be_painted_in_every_weather(place, weather):
    words = f"{place} {weather or ''} with two foxes, a whale and a balloon"
    assert opened(painted(words, width=320, height=192)).size == (320, 192)


@pytest.mark.parametrize("time", Time)
@pytest.mark.parametrize("place", [Place.SEA, Place.SPACE, Place.CITY])
def test_every_hour_can_be_painted(time, place):
    assert opened(painted(f"{place} at {time}")).size == (256, 256)


@pytest.mark.parametrize("style", Style)
def test_a_style_changes_the_whole_picture(style):
    words = {Style.PIXELS: "pixel", Style.SKETCH: "pencil"}.get(style, style)
    plain, styled = painted("a castle zzz"), painted(f"a castle {words}")
    assert read(f"a castle {words}").style is style
    assert difference(plain, styled) > 1.5


@pytest.mark.parametrize("name", sorted(EMBLEMS))
def test_every_figure_can_be_drawn_and_asked_for(name):
    assert read(f"one {name}").subjects[0].name == name
    assert difference(painted(f"{name} hills"), painted("qqq hills")) > 1


def test_every_subject_that_is_understood_can_be_drawn():
    assert set(_SUBJECTS.values()) == set(EMBLEMS)


@given(st.text(max_size=300))
@settings(max_examples=25, deadline=None)
def test_no_prompt_breaks_the_painter(prompt):
    assert opened(painted(prompt, width=64, height=64)).size == (64, 64)


@given(st.text(max_size=300))
def test_a_label_has_only_letters_that_the_font_has(prompt):
    words = printable(prompt)
    assert len(words) <= 60
    assert all(c == "…" or (c.isascii() and c.isprintable()) for c in words), words


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("a café  in\nParis", "a cafe in Paris"),
        ("北京的雪", ""),
        ("a fox 🦊 in snow", "a fox … in snow"),
    ],
)
def test_a_label_in_other_scripts(prompt, words):
    assert printable(prompt) == words


def test_reading_a_prompt():
    reading = read("Three red foxes and the black cat at NIGHT in a snowy forest, watercolour")
    fox, cat = reading.subjects
    assert (fox.name, fox.colour, fox.count, fox.present) == ("fox", COLOURS["red"], 3, False)
    assert (cat.name, cat.colour, cat.count, cat.present) == ("cat", COLOURS["black"], 1, True)
    assert (reading.time, reading.place) == (Time.NIGHT, Place.FOREST)
    assert (reading.weather, reading.style) == (Weather.SNOW, Style.WATERCOLOUR)
    assert reading.tint is None, "the colours belong to the animals"
    assert read("purple hills").tint == COLOURS["purple"]
    assert read("a black and white photo").style is Style.MONOCHROME


class TestEdits:
    reference = painted("a boat on the sea at noon", width=512, height=512)

    def edited(self, instruction: str, *references: bytes, **changed: object) -> bytes:
        changed = {"width": 512, "height": 512} | changed
        return painted(instruction, references=references or (self.reference,), **changed)

    def test_an_edit_follows_its_reference(self):
        other = painted("mountains at sunset", width=512, height=512)
        edit = self.edited("add a balloon")
        assert difference(edit, self.reference) < difference(edit, other) / 2

    @pytest.mark.parametrize(
        "instruction", ["gold", "snow", "night", "autumn", "sketch", "add a castle", "xyzzy"]
    )
    def test_an_edit_follows_its_instruction(self, instruction):
        # The painter's own noise and label stay below this.
        assert difference(self.edited(instruction), self.reference) > 6

    def test_night_darkens_and_gold_gilds(self):
        assert brightness(self.edited("make it night")) < brightness(self.reference) - 30
        red, _, blue = ImageStat.Stat(opened(self.edited("make it gold"))).mean
        assert red > blue + 30

    def test_what_is_already_there_is_not_added_again(self):
        plain, spoken = self.edited("gold"), self.edited("gold, keep the whale")
        added = self.edited("gold and a whale")
        # Grain and label differ between any two.
        assert 2 * difference(plain, spoken) < difference(plain, added)

    def test_several_references_share_the_canvas(self):
        dark = painted("hills at midnight", width=512, height=512)
        picture = opened(self.edited("mixed", self.reference, dark)).convert("L")
        halves = [picture.crop((x, 40, x + 200, 400)) for x in (30, 280)]
        left, right = (ImageStat.Stat(half).mean[0] for half in halves)
        assert left > right + 40

    @pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 14])
    @pytest.mark.parametrize("size", [(1344, 768), (768, 1344), (3072, 384)])
    def test_any_number_of_references_fits_any_canvas(self, count, size):
        edit = self.edited("x", *[self.reference] * count, width=size[0], height=size[1])
        assert opened(edit).size == size

    @pytest.mark.parametrize("mode", ["RGBA", "P", "L", "LA", "I;16", "1"])
    def test_a_reference_in_any_colour_mode(self, mode):
        out = BytesIO()
        Image.new(mode, (40, 30)).save(out, "PNG")
        assert size_of(out.getvalue()) == (40, 30)
        assert opened(self.edited("gold", out.getvalue())).size == (512, 512)

    def test_a_reference_is_turned_upright(self):
        out = BytesIO()
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.new("RGB", (40, 30)).save(out, "JPEG", exif=exif)
        assert size_of(out.getvalue()) == (30, 40)

    @pytest.mark.parametrize("data", [b"", b"GIF89a", b"not a picture", reference[:500]])
    def test_an_unreadable_reference_says_so(self, data):
        with pytest.raises(UnreadableReference):
            self.edited("gold", data)

    @pytest.mark.parametrize("side", [4200, 10_000])
    def test_a_picture_that_is_too_large_is_not_decoded(self, side):
        out = BytesIO()
        Image.new("1", (side, side)).save(out, "PNG")
        with pytest.raises(UnreadableReference):
            size_of(out.getvalue())
