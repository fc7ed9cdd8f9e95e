"""A page of the history as one picture."""

from __future__ import annotations

import subprocess
import sys

import pytest
from PIL import Image, ImageChops, ImageFont
from pixels import assert_near, noisy, opened, painted

from bot.imaging.sheet import TILES_MAX, Tile, clipped, contact_sheet, drawable

GROUND = (0x2B, 0x2D, 0x31)
RECESS = (0x23, 0x24, 0x28)
GAP, CELL = 12, 320


def sheet_of(tiles, **options) -> Image.Image:
    return opened(contact_sheet(tiles, **options))


def at(image, row: int, column: int, x: float = 0.5, y: float = 0.5):
    """The pixel at a share of a cell's width and height."""
    left, top = GAP + column * (CELL + GAP), GAP + row * (CELL + GAP)
    return image.getpixel((int(left + x * CELL), int(top + y * CELL)))


@pytest.mark.parametrize(
    ("count", "columns", "size"),
    [
        (1, 3, (344, 344)),
        (2, 3, (676, 344)),
        (6, 3, (1008, 676)),
        (7, 3, (1008, 1008)),
        (12, 4, (1340, 1008)),
        (3, 1, (344, 1008)),
        (2, 0, (344, 676)),
    ],
)
def test_cells_are_equal_and_rows_as_many_as_needed(count, columns, size):
    assert sheet_of([Tile(None, "")] * count, columns=columns).size == size


def test_pictures_stand_in_order():
    colours = [(200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 200, 0), (0, 200, 200)]
    image = sheet_of([Tile(painted(colour, (400, 400)), "1") for colour in colours])
    for index, colour in enumerate(colours):
        assert_near(at(image, *divmod(index, 3)), colour, f"tile {index}")
    assert_near(at(image, 1, 2), GROUND, "no sixth tile")


def test_a_picture_is_fitted_whole_and_in_the_middle():
    image = sheet_of([Tile(painted((220, 30, 30), (1200, 400), "JPEG"), "")])
    assert_near(at(image, 0, 0, 0.5, 0.5), (220, 30, 30))
    assert_near(at(image, 0, 0, 0.03, 0.5), (220, 30, 30), "reaches the left edge")
    assert_near(at(image, 0, 0, 0.97, 0.5), (220, 30, 30), "reaches the right edge")
    assert_near(at(image, 0, 0, 0.5, 0.28), RECESS, "nothing above")
    assert_near(at(image, 0, 0, 0.5, 0.72), RECESS, "nothing below")


def test_a_small_picture_is_not_blown_up():
    image = sheet_of([Tile(painted((220, 30, 30), (64, 64)), "")])
    assert_near(at(image, 0, 0), (220, 30, 30))
    assert_near(at(image, 0, 0, 0.35, 0.5), RECESS)


def test_corners_are_rounded_and_gaps_are_ground():
    image = sheet_of([Tile(painted("white", (320, 320)), "")] * 2)
    assert_near(image.getpixel((GAP, GAP)), GROUND, "corner")
    assert_near(image.getpixel((GAP + CELL + GAP // 2, 170)), GROUND, "gap")


def test_see_through_pixels_show_the_recess():
    image = sheet_of([Tile(painted((0, 0, 0, 0), (300, 300), mode="RGBA"), "")])
    assert_near(at(image, 0, 0), RECESS)


def test_a_missing_and_a_broken_picture_look_alike_and_quiet():
    missing = sheet_of([Tile(None, "4")])
    cut = painted("red", (300, 300))[:-30]
    for broken in (b"", b"junk", cut, painted("red")[:20]):
        difference = ImageChops.difference(missing, sheet_of([Tile(broken, "4")]))
        assert difference.getbbox() is None
    brightest = missing.crop((60, 60, 344, 344)).convert("L").getextrema()[1]
    assert 60 < brightest < 110, "there is a sign, and it does not shout"


def test_a_label_can_be_read_on_any_picture():
    for ground in ("white", "black"):
        plain = sheet_of([Tile(painted(ground, (320, 320)), "")])
        labelled = sheet_of([Tile(painted(ground, (320, 320)), "12")])
        box = ImageChops.difference(plain, labelled).convert("L").point(lambda v: v > 40 and 255)
        left, top, right, bottom = box.getbbox()
        assert (left, top) >= (GAP, GAP)
        assert right < GAP + 70, f"{ground}: small"
        assert bottom < GAP + 60
        badge = labelled.crop((20, 20, 54, 54)).convert("L").getextrema()
        assert badge[0] < 80, f"{ground}: dark badge"
        assert badge[1] > 200, f"{ground}: light text"


@pytest.mark.parametrize("label", ["x" * 500, "two\nlines", "\0\x1b", "🦊", "שלום", " \n "])
def test_no_label_breaks_the_sheet(label):
    image = sheet_of([Tile(None, label)] * 2)
    assert image.size == (676, 344)
    assert_near(image.getpixel((GAP + CELL + GAP // 2, 30)), GROUND, "stays in its cell")


def test_a_label_stays_on_one_line():
    assert contact_sheet([Tile(None, " two\nlines ")]) == contact_sheet([Tile(None, "two lines")])


@pytest.mark.parametrize("count", [0, TILES_MAX + 1])
def test_too_few_or_too_many_tiles(count):
    with pytest.raises(ValueError, match="1 to 12 tiles"):
        contact_sheet([Tile(None, "")] * count)


def test_jpegs_are_decoded_small(monkeypatch):
    sizes: list[tuple[int, int]] = []
    thumbnail = Image.Image.thumbnail

    def spy(self, size, *args, **options):
        if self.mode == "RGB":
            sizes.append(self.size)
        return thumbnail(self, size, *args, **options)

    monkeypatch.setattr(Image.Image, "thumbnail", spy)
    contact_sheet([Tile(painted("red", (2560, 2560), "JPEG"), "1")])
    assert sizes == [(320, 320)], "draft mode decodes an eighth of the size at once"


def test_a_sheet_of_noise_still_fits_a_message():
    noise = noisy((1344, 768))
    tiles = [Tile(noise, str(number)) for number in range(12)]
    assert len(contact_sheet(tiles, columns=4)) < 2_000_000


MEMORY = """
import resource, sys
from bot.imaging.sheet import Tile, contact_sheet

data = open(sys.argv[1], "rb").read()
contact_sheet([Tile(data, "1")])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
contact_sheet([Tile(data, str(number)) for number in range(6)])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_six_pictures_take_the_memory_of_one(tmp_path):
    file = tmp_path / "large.png"
    file.write_bytes(painted("red", (3000, 3000)))
    command = [sys.executable, "-c", MEMORY, str(file)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    one_decoded = 3000 * 3000 * 3 // 1024
    assert int(done.stdout) < one_decoded, f"{done.stdout.strip()} KiB more than for one"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a fox", "a fox"),
        (" two\n\tlines ", "two lines"),
        ("Crème brûlée, Łódź, Straße", "Creme brulee, Lodz, Strasse"),
        ("„quoted“ – a × b", "quoted“ - a x b"),
        ("猫 in the snow", "… in the snow"),
        ("горы на закате", "…"),
        ("fox 🦊🏽‍🔥 \u202efire\0", "fox fire"),
        ("", ""),
    ],
)
def test_words_are_told_in_letters_that_the_font_has(text, shown):
    assert drawable(text) == shown


def test_the_font_has_every_letter_that_is_kept():
    font = ImageFont.load_default(40)
    missing = bytes(font.getmask("\uffff"))
    kept = [chr(code) for code in range(0x3000) if drawable(chr(code)) == chr(code)]
    assert len(kept) > 95
    assert [letter for letter in kept if bytes(font.getmask(letter)) == missing] == []


def test_what_does_not_fit_is_cut_with_a_sign():
    font = ImageFont.load_default(20)
    text = "a lantern, over the river"
    whole = round(font.getlength(text)) + 1
    assert clipped(text, font, whole) == text
    for width in range(30, whole):
        cut = clipped(text, font, width)
        assert font.getlength(cut) <= width
        assert cut == text or text.startswith(cut.removesuffix("…"))
    assert clipped(text, font, round(font.getlength("a lantern,…")) + 1) == "a lantern…"
    assert clipped(text, font, 0) == "…"
