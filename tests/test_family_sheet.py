"""The drawing of a family of pictures, and a before beside an after."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pixels import changed, inside, meet, noisy, opened, painted, segments, where

from bot.imaging.family import MEMBERS_MAX, Member, draw_family, draw_pair
from bot.imaging.family_plan import PLAN_MAX, Plan, Relative, plan

GROUND, RECESS, GOLD = (0x2B, 0x2D, 0x31), (0x23, 0x24, 0x28), (0xF0, 0xB2, 0x32)
RED, GREEN, BLUE = (200, 0, 0), (0, 160, 0), (0, 0, 200)
PALETTE = [RED, GREEN, BLUE, (200, 0, 200), (0, 200, 200), (255, 160, 0), (150, 130, 255)]
PALETTE += [(130, 255, 0)]
SIZES = [(300, 300), (474, 190), (190, 474), (400, 225), (245, 367)]


def member(number: int, *parents: int, colour=RED, pictures=None, label="", positions=()) -> Member:
    shown = (painted(colour),) if pictures is None else tuple(pictures)
    return Member(str(number), tuple(map(str, parents)), shown, number, label, tuple(positions))


def drawn(members, here=None) -> Image.Image:
    return opened(draw_family(members, here=here))


# ------------------------------------------------------------------------------- where things go


@st.composite
def families(draw, *, orderly=True) -> list[Relative]:
    """Any shape of family; one that is not `orderly` has rings, strangers and doubles, too."""
    count = draw(st.integers(1, MEMBERS_MAX))
    reach = draw(st.sampled_from([1, 2, 4, MEMBERS_MAX]))
    relatives = []
    for number in range(count):
        known = st.integers(max(0, number - reach), number - 1) if number else st.nothing()
        anyone = known if orderly else st.integers(-1, count)
        most = draw(st.sampled_from([1, 1, 1, 3])) if number or not orderly else 0
        parents = draw(st.lists(anyone, max_size=most, min_size=min(most, 1), unique=orderly))
        size = draw(st.sampled_from(SIZES))
        relatives.append(Relative(str(number), tuple(map(str, parents)), *size))
    return relatives


def check_tiles(layout: Plan, relatives) -> None:
    canvas = (0, 0, layout.width, layout.height)
    assert max(layout.width, layout.height) <= PLAN_MAX
    assert layout.tiles.keys() == {relative.id for relative in relatives}
    for relative in relatives:
        box = layout.tiles[relative.id]
        assert inside(box, canvas, slack=-2), f"{relative.id} leaves the canvas: {box}"
        scaled = relative.width * layout.scale, relative.height * layout.scale
        assert box.size == pytest.approx(scaled, abs=1), f"{relative.id} is out of form"
    apart = 20 * layout.scale
    for (one, box), (other, its_box) in combinations(layout.tiles.items(), 2):
        assert not meet(box, its_box, apart), f"{one} and {other} are too close"


def check_lines(layout: Plan) -> None:
    canvas = (0, 0, layout.width, layout.height)
    for line in layout.lines:
        start, end = layout.tiles[line.tie.parent], layout.tiles[line.tie.child]
        assert line.points[0].x == start.right, f"{line.tie} begins elsewhere"
        assert start.top < line.points[0].y < start.bottom, f"{line.tie} begins elsewhere"
        assert line.points[-1].x == end.left, f"{line.tie} ends elsewhere"
        assert end.top < line.points[-1].y < end.bottom, f"{line.tie} ends elsewhere"
        for part in segments(line.points):
            assert part[0] == part[2] or part[1] == part[3], f"{line.tie} is slanted: {part}"
            assert inside(part, canvas), f"{line.tie} leaves the canvas"
            # Lines have no width here: a part that lies on an edge is not in the tile.
            thick = (part[0], part[1] - 1, part[2], part[3] + 1)
            crossed = [name for name, box in layout.tiles.items() if meet(thick, box)]
            assert not crossed, f"{line.tie} runs across {crossed}"


def check_lanes(layout: Plan) -> None:
    """Lines that have nothing to do with each other may cross, but never run as one."""
    for one, other in combinations(layout.lines, 2):
        if (one.tie.parent, one.tie.extra) == (other.tie.parent, other.tie.extra):
            continue
        together = one.tie.child == other.tie.child and one.tie.extra and other.tie.extra
        others = list(segments(other.points))[: -1 if together else None]
        for part in list(segments(one.points))[: -1 if together else None]:
            for its_part in others:
                low = max(part[0], its_part[0]), max(part[1], its_part[1])
                high = min(part[2], its_part[2]), min(part[3], its_part[3])
                shared = high[0] - low[0], high[1] - low[1]
                assert min(shared) < 0 or max(shared) <= 0, f"{one.tie} and {other.tie} merge"


@given(families(), st.sampled_from([0, 48]))
@settings(max_examples=40, deadline=None)
def test_tiles_never_overlap_and_lines_never_cross_one(relatives, caption):
    layout = plan(relatives, caption=caption)
    check_tiles(layout, relatives)
    check_lines(layout)
    check_lanes(layout)
    ties = {(line.tie.parent, line.tie.child) for line in layout.lines}
    assert ties == {(parent, one.id) for one in relatives for parent in one.parents}


@given(families())
@settings(max_examples=25, deadline=None)
def test_time_runs_to_the_right_and_siblings_stand_in_order(relatives):
    layout = plan(relatives)
    tiles = layout.tiles
    siblings: dict[str, list[str]] = {}
    for relative in relatives:
        for parent in relative.parents[:1]:
            right_of = tiles[relative.id].left > tiles[parent].right
            below = tiles[relative.id].top > tiles[parent].bottom
            assert right_of or below, f"{relative.id} stands before its parent"
            siblings.setdefault(parent, []).append(relative.id)
    for one, other in (pair for born in siblings.values() for pair in pairwise(born)):
        first, second = tiles[one], tiles[other]
        lower = second.top + second.bottom > first.top + first.bottom
        assert lower or second.left > first.right, f"{other} stands before {one}"


@given(families(orderly=False))
@settings(max_examples=25, deadline=None)
def test_rings_strangers_and_doubles_do_no_harm(relatives):
    layout = plan(relatives)
    check_tiles(layout, relatives)
    check_lines(layout)
    firsts = [line.tie.child for line in layout.lines if not line.tie.extra]
    assert len(firsts) == len(set(firsts)), "nobody stands beside two"
    assert not [line.tie for line in layout.lines if line.tie.parent == line.tie.child]


@pytest.mark.parametrize(
    ("parents", "columns"),
    [({}, 1), ({2: 1}, 2), ({2: 1, 3: 2}, 3), ({n: n - 1 for n in range(2, 7)}, 6)],
)
def test_a_short_chain_is_one_row(parents, columns):
    relatives = [
        Relative(str(number), (str(parents[number]),) if number in parents else (), 300, 300)
        for number in range(1, columns + 1)
    ]
    layout = plan(relatives)
    assert len({box.top for box in layout.tiles.values()}) == 1
    lefts = [layout.tiles[relative.id].left for relative in relatives]
    assert lefts == sorted(lefts)


@pytest.mark.parametrize(
    "parent_of",
    [
        lambda number: number - 1,
        lambda _: 1,
        lambda number: number // 2,
        lambda _: None,
        lambda number: number - 1 if number % 2 == 0 else number - 2,
    ],
    ids=["a chain", "a star", "a pyramid", "strangers", "tries and steps back"],
)
def test_a_large_family_keeps_a_shape_that_a_message_shows_well(parent_of):
    relatives = [Relative("1", (), 300, 300)]
    relatives += [Relative(str(n), (str(parent_of(n)),), 300, 300) for n in range(2, 25)]
    layout = plan(relatives, caption=48)
    assert 0.7 < layout.width / layout.height < 2
    assert min(box.size[0] for box in layout.tiles.values()) > 180


DIGEST = """
import hashlib
from bot.imaging.family_plan import Relative, plan
kin = [Relative(f"k{n}", (f"k{n // 2}", f"k{n // 3}", "gone"), 300, 300) for n in range(24)]
print(hashlib.sha256(repr(plan(kin)).encode()).hexdigest())
"""


def test_a_family_looks_the_same_in_every_process():
    seen = set()
    for seed in ("1", "2"):
        command, environment = [sys.executable, "-c", DIGEST], os.environ | {"PYTHONHASHSEED": seed}
        done = subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60)
        seen.add(done.stdout)
    assert len(seen) == 1, "it depends on the order of a set"


# ------------------------------------------------------------------------------- what is drawn


@pytest.mark.parametrize("count", [1, 3, 7, MEMBERS_MAX])
def test_a_family_is_a_picture_of_bounded_size(count):
    noise = noisy((320, 320))
    members = [member(n, n // 2, pictures=[noise]) for n in range(1, count + 1)]
    data = draw_family(members, here="1")
    assert max(opened(data).size) <= PLAN_MAX
    assert len(data) < 4_000_000


def test_nobody_is_no_family():
    with pytest.raises(ValueError, match="at least one"):
        draw_family([], here=None)


def lines_of_words(image: Image.Image) -> int:
    """How many bands of light pixels there are below all pictures."""
    below = image.crop((0, where(image, BLUE)[3] + 4, *image.size)).convert("L")
    width = below.width
    rows = [below.crop((0, y, width, y + 1)).getextrema()[1] > 150 for y in range(below.height)]
    return sum(now and not before for before, now in pairwise([False, *rows]))


def test_how_many_are_not_shown_is_said():
    members = [member(number, 1, colour=BLUE, label="vary") for number in range(1, 31)]
    assert lines_of_words(drawn(members[:MEMBERS_MAX])) == 1, "labels alone"
    assert lines_of_words(drawn(members)) == 2, "labels, and something below them"


def test_the_one_that_it_is_about_has_a_gold_frame():
    members = [member(1, colour=RED), member(2, 1, colour=GREEN), member(3, 2, colour=BLUE)]
    assert where(drawn(members), GOLD) is None
    first = drawn(members, here="1")
    frame, tile = where(first, GOLD), where(first, RED)
    assert inside(tile, frame), "all around it"
    assert inside(frame, tile, slack=24), "and near it"


def test_the_way_to_it_is_gold_too():
    members = [member(1, colour=RED), member(2, 1, colour=GREEN), member(3, 2, colour=BLUE)]
    image = drawn(members, here="2")
    red, green, blue = (where(image, colour) for colour in (RED, GREEN, BLUE))
    middle = (red[1] + red[3]) // 2
    between = image.crop((red[2] + 2, middle - 6, green[0] - 24, middle + 6))
    assert where(between, GOLD), "the line to it"
    head = image.crop((green[0] - 30, middle - 12, green[0] - 26, middle + 12))
    top, bottom = where(head, GOLD)[1::2]
    assert bottom - top > 10, "the arrow is whole before the frame"
    after = image.crop((green[2] + 24, middle - 6, blue[0] - 2, middle + 6))
    assert where(after, GOLD) is None, "not the line from it"


def test_it_is_drawn_the_same_every_time():
    members = [member(n, n // 2, n // 3, label=f"no. {n}") for n in range(1, 8)]
    assert draw_family(members, here="5") == draw_family(members, here="5")


def test_an_unknown_one_is_not_highlighted():
    members = [member(1), member(2, 1)]
    assert draw_family(members, here="9") == draw_family(members, here=None)


def test_a_ring_is_drawn_as_well():
    drawn([member(1, 3), member(2, 1), member(3, 2), member(4, 4)], here="3")


@pytest.mark.parametrize("count", range(1, 9))
def test_all_pictures_of_a_member_are_in_its_tile(count):
    shown = [painted(colour) for colour in PALETTE[:count]]
    image = drawn([member(1, pictures=shown)])
    boxes = [where(image, colour) for colour in PALETTE[:count]]
    assert all(boxes), f"missing: {[n for n, box in enumerate(boxes, 1) if not box]}"
    for one, other in combinations(boxes, 2):
        assert not meet(one, other), "side by side"
    for left, top, right, bottom in boxes:
        assert (right - left) / (bottom - top) == pytest.approx(1, abs=0.06), "whole squares"


@pytest.mark.parametrize("size", [(640, 320), (320, 640), (512, 512), (630, 270)])
def test_a_picture_keeps_its_form(size):
    left, top, right, bottom = where(drawn([member(1, pictures=[painted(BLUE, size)])]), BLUE)
    assert (right - left) / (bottom - top) == pytest.approx(size[0] / size[1], rel=0.02)


@pytest.mark.parametrize("size", [(1200, 20), (20, 1200), (1, 1)])
def test_a_strange_form_is_cut_to_a_tile(size):
    image = drawn([member(1, pictures=[painted(BLUE, size)])])
    assert 0.3 < image.width / image.height < 3


@pytest.mark.parametrize("pictures", [[b"junk"], [b""], [], [b"", painted(RED)[:40]]])
def test_a_broken_picture_is_an_empty_tile(pictures):
    image = drawn([member(1, colour=BLUE), member(2, 1, pictures=pictures)])
    blue = where(image, BLUE)
    tile = image.crop((image.width - blue[2], blue[1], image.width - blue[0], blue[3]))
    corner = tile.crop((tile.width // 2, tile.height * 3 // 4, *tile.size))
    assert where(corner.crop((0, 0, 80, 40)), RECESS, near=8) == (0, 0, 80, 40)


def test_one_broken_picture_of_several_leaves_the_others():
    image = drawn([member(1, pictures=[painted(RED), b"junk", painted(GREEN), painted(BLUE)])])
    assert all(where(image, colour) for colour in (RED, GREEN, BLUE))
    assert where(image, BLUE)[2] > where(image, RED)[2], "each in its own place"


def quadrant(box, position: int) -> tuple[int, int, int, int]:
    left, top, right, bottom = box
    column, row = (position - 1) % 2, (position - 1) // 2
    width, height = (right - left) // 2, (bottom - top) // 2
    x, y = left + column * width, top + row * height
    return x, y, x + width, y + height


@pytest.mark.parametrize("position", [1, 2, 3, 4])
def test_the_picture_that_led_on_bears_the_child_s_number(position):
    four = [painted(BLUE)] * 4
    plain = drawn([member(1, pictures=four), member(2, 1)])
    marked = drawn([member(1, pictures=four), member(2, 1, positions=[position])])
    box = changed(plain, marked)
    assert box, "there is a mark"
    assert inside(box, quadrant(where(plain, BLUE), position), slack=3)


@pytest.mark.parametrize("position", [0, -1, 5])
def test_no_mark_for_a_picture_that_is_not_there(position):
    four = [painted(BLUE)] * 4
    plain = [member(1, pictures=four), member(2, 1)]
    odd = [member(1, pictures=four), member(2, 1, positions=[position, 3])]
    assert draw_family(plain, here=None) == draw_family(odd, here=None)


def test_many_children_of_one_picture_stay_in_it():
    def family(positions):
        children = [member(n, 1, positions=positions) for n in range(100, 120)]
        return drawn([member(1, pictures=[painted(BLUE)] * 4), *children])

    plain, marked = family([]), family([2])
    assert inside(changed(plain, marked), quadrant(where(plain, BLUE), 2), slack=3)


def test_the_children_s_numbers_stay_clear_of_the_tile_s_own():
    wide = [painted(BLUE, (448, 192))] * 4

    def family(number, positions):
        children = [member(n, 7, 8, positions=positions * 2) for n in range(100, 112)]
        return drawn([member(number, pictures=wide), *children])

    children = changed(family(7, [0]), family(7, [1]))
    own = changed(family(7, [0]), family(8, [0]))
    assert not meet(children, own, apart=8)


def test_every_tile_has_its_number():
    one, other = drawn([member(1, colour=BLUE)]), drawn([member(8, colour=BLUE)])
    left, top, right, bottom = changed(one, other)
    tile = where(one, BLUE)
    assert inside((left, top, right, bottom), tile)
    assert right < (tile[0] + tile[2]) / 2, "at the left"
    assert bottom < (tile[1] + tile[3]) / 2, "at the top"


@pytest.mark.parametrize("number", [0, 24, 10**12, -5])
def test_any_number_stays_in_its_tile(number):
    plain, numbered = drawn([member(1, colour=BLUE)]), drawn([member(number, colour=BLUE)])
    box = changed(plain, numbered) or (200, 200, 201, 201)
    assert inside(box, where(plain, BLUE), slack=1)


def test_a_long_label_is_clipped_to_its_tile():
    def family(label):
        return drawn([member(1, colour=BLUE, label="x"), member(2, 1, colour=RED, label=label)])

    short, long = family("y"), family("lanterns over the river " * 40)
    left, top, right, bottom = changed(short, long)
    tile = where(long, RED)
    assert tile[0] - 2 <= left
    assert right <= tile[2] + 2
    assert top >= tile[3]
    assert bottom <= long.height - 4


@pytest.mark.parametrize("label", ["", " \n ", "\0\x1b", "猫と雪", "🦊", "שלום", "\u0301"])
def test_a_label_without_a_letter_that_can_be_drawn_is_none(label):
    assert draw_family([member(1, label=label)], here=None) == draw_family([member(1)], here=None)
    other = member(2, 1, label="misty")
    assert draw_family([member(1, label=label), other], here=None) == draw_family(
        [member(1), other], here=None
    )


def test_only_labels_take_room_for_labels():
    bare, labelled = drawn([member(1)]), drawn([member(1, label="misty")])
    assert bare.width == bare.height
    assert labelled.height > bare.height + 30


# ------------------------------------------------------------------------------- before and after


def test_before_and_after_stand_side_by_side_at_one_height():
    image = opened(draw_pair(painted(RED, (480, 480)), painted(BLUE, (600, 300))))
    assert image.height == 480
    before, after = where(image, RED), where(image, BLUE)
    assert before[2] <= after[0]
    assert (before[1], before[3]) == (after[1], after[3]) == (0, 480)
    assert after[2] - after[0] == pytest.approx(960, abs=2), "the second grew in proportion"


def test_a_light_line_divides_even_two_dark_pictures():
    image = opened(draw_pair(painted("black", (480, 480)), painted("black", (480, 480))))
    line = image.crop((476, 100, 490, 480)).convert("L")
    assert line.getextrema()[1] > 150
    assert where(image.crop((0, 100, 480, 480)), (0, 0, 0)) == (0, 0, 480, 380)


def test_both_bear_their_word():
    plain = Image.new("RGB", (966, 480), "white")
    image = opened(draw_pair(painted("white", (480, 480)), painted("white", (480, 480))))
    for left in (0, 486):
        corner = image.crop((left, 0, left + 200, 90))
        box = changed(corner, plain.crop((0, 0, 200, 90)))
        assert box, "a badge"
        assert box[2] < 190, "small"
        assert corner.crop(box).convert("L").getextrema()[0] < 80, "dark, to be read on white"


def test_a_narrow_half_has_its_whole_word():
    wide = opened(draw_pair(painted("white", (420, 420)), painted("white", (420, 420))))
    narrow = opened(draw_pair(painted("white", (172, 400)), painted("white", (172, 400))))
    badge = 8, 8, 165, 80
    assert changed(wide.crop(badge), narrow.crop(badge)) is None


@pytest.mark.parametrize("broken", [b"", b"junk", painted(RED)[:40]])
def test_a_broken_half_is_empty(broken):
    image = opened(draw_pair(painted(BLUE, (480, 480)), broken))
    assert where(image, BLUE)
    assert image.size == (966, 480)
    assert where(image.crop((500, 400, 960, 470)), RECESS, near=8) == (0, 0, 460, 70)
    assert opened(draw_pair(broken, broken)).width > 600


@pytest.mark.parametrize(
    "sizes",
    [
        ((2560, 1097), (2560, 1097)),
        ((1, 1), (1, 1)),
        ((3000, 8), (8, 3000)),
        ((8, 3000), (8, 3000)),
        ((64, 64), (4000, 4000)),
    ],
)
def test_any_pair_fits_a_message(sizes):
    image = opened(draw_pair(*(painted(RED, size, "JPEG") for size in sizes)))
    assert image.width <= 2000
    assert 200 <= image.height <= 1000
