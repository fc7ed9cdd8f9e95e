"""The sheet of a vote of several rounds, from the first ballot to the last winner."""

from __future__ import annotations

import weakref
import zlib
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from pixels import (
    assert_near,
    changed,
    inside,
    meet,
    noisy,
    opened,
    painted,
    segments,
    where,
)

from bot.imaging.ascent import Candidate, Round, draw_ascent
from bot.imaging.ascent_plan import GOAL, HEIGHT_MAX, WIDTH_MAX, Ballot, plan

GROUND, RECESS, GOLD = (0x2B, 0x2D, 0x31), (0x23, 0x24, 0x28), (0xF0, 0xB2, 0x32)
ASIDE = (0x80, 0x84, 0x8E)
RED, BLUE = (200, 0, 0), (0, 0, 200)
#: One that is missing among them stands for a broken one, too.
SHAPES = [(300, 300), (474, 190), (190, 474), (400, 225), (245, 367), (900, 60), (60, 900), None]
NO_VOTES, ONE, TWO = 0, 1, 2


def held(*votes: int, winner=None, labels=(), colour=BLUE, shape=(300, 300)) -> Round:
    """A ballot of pictures of one colour with so many votes each."""
    words = [*labels, *[""] * len(votes)]
    file = painted(colour, shape)
    return Round(tuple(map(Candidate, [file] * len(votes), words, votes)), winner)


def drawn(*rounds: Round) -> Image.Image:
    return opened(draw_ascent(rounds))


def layout_of(*rounds: Round, lines=0, form=1.0):
    """Where everything stands whose pictures are all of that form."""
    return plan([Ballot((form,) * len(one.candidates), one.winner, lines) for one in rounds])


def around(image: Image.Image, box, rim=4) -> Image.Image:
    """A frame of that width around the box, and nothing but ground in it."""
    left, top, right, bottom = box
    copy = image.crop((left - rim, top - rim, right + rim, bottom + rim))
    ImageDraw.Draw(copy).rectangle((rim, rim, copy.width - rim, copy.height - rim), fill=GROUND)
    return copy


def along(points):
    """Some places on a line, away from its bends and its arrow."""
    for start, end in pairwise(points):
        yield (start.x + end.x) // 2, (start.y + end.y) // 2


# ------------------------------------------------------------------------------- where things go

ballots = st.integers(1, 8).flatmap(
    lambda count: st.builds(
        Ballot,
        st.lists(st.floats(0.4, 2.5), min_size=count, max_size=count).map(tuple),
        st.none() | st.integers(0, count - 1),
        st.integers(0, 2),
    )
)


@given(st.lists(ballots, min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_any_mix_has_its_place_and_keeps_its_form(votes):
    layout = plan(votes)
    assert layout.width <= WIDTH_MAX
    assert layout.height <= HEIGHT_MAX
    cards = [card for row in layout.rows for card in row]
    for card in cards:
        assert inside(card.box, (0, 0, layout.width, layout.height), slack=-20)
        assert inside(card.picture, card.box, slack=-8)
        assert inside(card.words, card.box)
        assert not meet(card.picture, card.words)
        assert card.picture.size[1] >= (180 if card.beside else 45)
    for one, other in combinations(cards, 2):
        assert not meet(one.box, other.box, apart=16)
    for vote, row in zip(votes, layout.rows, strict=True):
        assert len({card.box.top for card in row}) == 1
        for form, card in zip(vote.forms, row, strict=True):
            width, height = card.picture.size
            assert width == pytest.approx(form * height, abs=2)


@given(st.lists(ballots, min_size=2, max_size=5))
@settings(max_examples=40, deadline=None)
def test_lines_lead_down_and_cross_no_card(votes):
    layout = plan(votes)
    boxes = [card.box for row in layout.rows for card in row]
    for row, vote in enumerate(votes[:-1]):
        start = layout.rows[row][vote.winner or 0].box
        lines = layout.lines(row, vote.winner or 0)
        for line, card in zip(lines, layout.rows[row + 1], strict=True):
            assert (line[0].y, line[-1].y) == (start.bottom, card.box.top)
            assert start.left < line[0].x < start.right
            assert card.box.left < line[-1].x < card.box.right
            for part in segments(line):
                assert part[0] == part[2] or part[1] == part[3], "no part is slanted"
                assert part[1] <= part[3]
                assert not any(meet((*part[:2], part[2] + 1, part[3]), box) for box in boxes)
    assert layout.lines(len(votes) - 1, 0) == ()


def test_the_last_winner_is_the_largest():
    *before, last = layout_of(*[held(1, 2, 3, winner=1)] * 3).rows
    sides = [card.picture.size[1] for card in last]
    assert sides[1] == pytest.approx(GOAL * sides[0], abs=1)
    assert sides[0] == sides[2]
    assert all(len({card.picture.size for card in row}) == 1 for row in before)
    *_, last = layout_of(*[held(1, 2, 3)] * 3).rows
    assert len({card.picture.size for card in last}) == 1, "no winner, no goal"


def test_words_go_where_the_pictures_come_out_larger():
    assert all(card.beside for row in layout_of(*[held(1, 2)] * 5).rows for card in row)
    assert not any(card.beside for row in layout_of(*[held(1, 2, 3, 4)] * 5).rows for card in row)


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("form", [0.5, 1])
def test_five_rounds_of_large_pictures_fit_as_well(count, form):
    layout = layout_of(*[held(*range(count), winner=0)] * 5, lines=2, form=form)
    assert layout.height <= HEIGHT_MAX


def test_a_long_ballot_among_short_ones_has_its_words_below():
    rows = layout_of(held(1, 2), held(1, 2, 3, 4, 5), held(1, 2), held(1, 2), held(1, 2)).rows
    assert [{card.beside for card in row} for row in rows] == [{True}, {False}, *[{True}] * 3]


@pytest.mark.parametrize(("rounds", "count"), [(2, 2), (2, 4), (3, 2), (3, 4), (3, 8), (5, 8)])
def test_it_has_a_shape_that_a_message_shows_well(rounds, count):
    layout = layout_of(*[held(*range(count), winner=0)] * rounds, lines=1)
    assert 0.75 < layout.width / layout.height < 2


# ------------------------------------------------------------------------------- what is drawn

#: Without their files, so that a vote that fails can be read.
shown = st.tuples(
    st.sampled_from(SHAPES),
    st.sampled_from(["", "variation", "make it night", "x" * 90, "a boat on a lake " * 9, "猫"]),
    st.sampled_from([0, 1, 7, 10, 123_456_789]),
)
rounds_of_any_kind = st.lists(shown, min_size=2, max_size=8).flatmap(
    lambda all_shown: st.tuples(st.just(all_shown), st.none() | st.integers(0, len(all_shown) - 1))
)


@given(st.lists(rounds_of_any_kind, min_size=1, max_size=5))
@settings(max_examples=12, deadline=None)
def test_every_vote_is_a_picture_of_bounded_size(rounds):
    files = {shape: shape and painted(RED, shape) for shape in SHAPES}
    data = draw_ascent(
        [
            Round(tuple(Candidate(files[shape], *words) for shape, *words in all_shown), winner)
            for all_shown, winner in rounds
        ]
    )
    image = opened(data)
    assert image.width <= WIDTH_MAX
    assert image.height <= HEIGHT_MAX
    assert len(data) < 1_000_000


@pytest.mark.parametrize("count", [2, 4])
def test_even_noise_fits_a_message(count):
    file = noisy((260, 260))
    candidates = tuple(Candidate(file, "make it night", 3) for _ in range(count))
    assert len(draw_ascent([Round(candidates, 0)] * 5)) < 1_500_000


def test_pictures_are_decoded_one_at_a_time(monkeypatch):
    seen: list[weakref.ref[Image.Image]] = []
    alive: list[int] = []
    thumbnail = Image.Image.thumbnail

    def spy(self, size, *args, **options):
        alive.append(sum(picture() is not None for picture in seen))
        seen.append(weakref.ref(self))
        return thumbnail(self, size, *args, **options)

    monkeypatch.setattr(Image.Image, "thumbnail", spy)
    draw_ascent([held(1, 2, 3, winner=0)] * 3)
    assert len(alive) == 9, "each once"
    assert max(alive) <= 1


def test_winners_have_a_gold_frame_and_nobody_else():
    rounds = [held(1, 5, 2, winner=1), held(4, 0, 2, winner=0), held(1, 2, 3, winner=2)]
    image, layout = drawn(*rounds), layout_of(*rounds)
    for one, row in zip(rounds, layout.rows, strict=True):
        for index, card in enumerate(row):
            frame = around(image, card.box)
            if index == one.winner:
                assert where(frame, GOLD) == (0, 0, *frame.size)
                left, top, right, bottom = card.box
                for x, y in ((left - 3, top + 40), (right + 2, top + 40), (left + 40, bottom + 2)):
                    assert_near(image.getpixel((x, y)), GOLD, "all around it")
            else:
                assert where(frame, GOLD) is None
                assert where(image.crop(card.box), GOLD) is None


def test_without_a_winner_nothing_is_gold():
    assert where(drawn(held(1, 1), held(2, 2, 2)), GOLD) is None


def test_the_way_from_winner_to_winner_is_gold():
    rounds = [held(1, 5, 2, winner=1), held(4, 0, 2, 3, winner=3), held(1, 2, winner=0)]
    image, layout = drawn(*rounds), layout_of(*rounds)
    for row, (one, following) in enumerate(pairwise(rounds)):
        lines = list(layout.lines(row, one.winner))
        for place in along(lines[following.winner]):
            assert_near(image.getpixel(place), GOLD, f"from round {row + 1}")
        lines.pop(following.winner)
        for line in lines:
            tip = line[-1].x, line[-1].y - 8
            assert_near(image.getpixel(tip), ASIDE, "the others only branch off")


def test_a_winner_leads_on_to_a_round_that_nobody_won():
    rounds = [held(1, 5, 2, winner=1), held(2, 2, 2)]
    image, layout = drawn(*rounds), layout_of(*rounds)
    for line in layout.lines(0, 1):
        assert_near(image.getpixel((line[-1].x, line[-1].y - 8)), GOLD)


def test_the_arrow_ends_at_the_frame():
    rounds = [held(1, 5, 2, winner=1), held(1, 5, 2, winner=1)]
    image, layout = drawn(*rounds), layout_of(*rounds)
    tip = layout.lines(0, 1)[1][-1]
    widths = []
    for above in (11, 18, 21):
        level = image.crop((tip.x - 30, tip.y - above, tip.x + 30, tip.y - above + 1))
        left, _, right, _ = where(level, GOLD)
        widths.append(right - left)
    assert widths == sorted(widths), "it points down"
    assert widths[0] < 8
    assert widths[-1] > 12


def test_those_that_did_not_go_on_are_dimmed():
    rounds = [held(1, 5, winner=1, colour="white"), held(3, 2, winner=0, colour="white")]
    image, layout = drawn(*rounds), layout_of(*rounds)
    for one, row in zip(rounds, layout.rows, strict=True):
        for index, card in enumerate(row):
            corner = image.getpixel((card.picture.right - 30, card.picture.bottom - 30))
            if index == one.winner:
                assert_near(corner, (255, 255, 255))
            else:
                assert 140 < corner[0] < 200, "seen, but not as the winner is"


@pytest.mark.parametrize("broken", [b"", b"junk", painted(RED, (300, 300))[:60]])
def test_a_missing_and_a_broken_picture_are_an_empty_tile(broken):
    def vote(data):
        good = held(1, 2, winner=1).candidates
        return Round((Candidate(data, "", 1), *good), 1)

    image = drawn(vote(None))
    assert changed(image, drawn(vote(broken)), least=0) is None
    tile = layout_of(vote(None)).rows[0][0].picture
    right_half = image.crop((tile.left + 80, tile.top + 20, tile.right - 10, tile.bottom - 10))
    darkest, brightest = right_half.convert("L").getextrema()
    assert darkest < 45
    assert 50 < brightest < 110, "there is a sign, and it does not shout"


def spoilt(png: bytes) -> bytes:
    """Whole by its structure, and no pixels in it."""
    start = png.index(b"IDAT")
    length = int.from_bytes(png[start - 4 : start])
    body = b"IDAT" + bytes(length)
    rest = png[start + 4 + length + 4 :]
    return png[:start] + body + zlib.crc32(body).to_bytes(4) + rest


def test_a_picture_whose_pixels_are_gone_is_an_empty_tile():
    wide = painted(RED, (400, 200))
    image = drawn(Round((Candidate(spoilt(wide), "", 1), Candidate(wide, "", 1)), None))
    empty, whole = layout_of(held(1, 1), form=2).rows[0]
    assert where(image.crop(whole.picture), (137, 18, 20))
    assert brightness(image.crop(empty.words)) > 100
    assert image.getpixel((empty.picture.right - 20, empty.picture.bottom - 20))[0] < 50


def test_every_picture_has_its_number():
    image, layout = drawn(held(*[1] * 8)), layout_of(held(*[1] * 8))
    for card in layout.rows[0]:
        picture = image.crop(card.picture)
        corner = picture.crop((10, 10, 52, 50))
        assert corner.convert("L").getextrema()[1] > 200, "light on a dark badge"
    assert changed(image.crop(layout.rows[0][0].picture), image.crop(layout.rows[0][1].picture))


def test_a_picture_too_narrow_for_its_number_has_it_all_the_same():
    wide, narrow = (painted("white", size) for size in ((900, 60), (60, 900)))
    candidates = [Candidate(file, "", 0) for file in (narrow, *[wide] * 7)]
    image = drawn(Round(tuple(candidates), None))
    card = plan([Ballot((0.4, *[2.5] * 7), None, 0)]).rows[0][0]
    assert card.picture.size[0] < 30
    beside = (card.picture.right, card.picture.top, card.box.right, card.picture.bottom)
    digit = where(image.crop(beside), (255, 255, 255), near=90)
    assert digit[3] - digit[1] > 14, "no dots instead"


def test_every_round_has_its_name():
    rounds = [held(1, 2, winner=0)] * 3
    image, layout = drawn(*rounds), layout_of(*rounds)
    names = []
    for row in layout.rows:
        left = image.crop((0, row[0].box.top, 120, row[0].box.bottom))
        assert left.convert("L").getextrema()[1] > 180
        names.append(left.crop((0, 0, 120, 200)))
    assert changed(names[0], names[1]), "a number of its own"


# ------------------------------------------------------------------------------- words


def words_of(*votes: int, index=0, **options) -> Image.Image:
    """What is written for one of a ballot that nobody won."""
    one = held(*votes, **options)
    return drawn(one).crop(layout_of(one).rows[0][index].words)


def brightness(image: Image.Image) -> int:
    return image.convert("L").getextrema()[1]


def test_votes_are_told_and_none_are_quiet():
    told = [words_of(count, 5) for count in (NO_VOTES, ONE, TWO)]
    assert brightness(told[0]) + 10 < brightness(told[1])
    widths = [where(words, (0x94, 0x9B, 0xA4), near=40) for words in told[1:]]
    one, two = (box[2] - box[0] for box in widths)
    assert one < two, "1 vote, 2 votes"


@pytest.mark.parametrize("count", [2, 8])
def test_a_winner_s_votes_are_read_first(count):
    left = held(*[3] * count, winner=None)
    won = held(*[3] * count, winner=0)
    image = drawn(won, left)
    first, other = layout_of(won, left).rows[0][:2]
    assert brightness(image.crop(first.words)) > brightness(image.crop(other.words)) + 30


def test_the_last_winner_s_votes_are_gold():
    won = held(3, 1, winner=0)
    assert where(drawn(won).crop(layout_of(won).rows[0][0].words), GOLD)
    nobody_voted = held(0, 0, winner=0)
    assert where(drawn(nobody_voted).crop(layout_of(nobody_voted).rows[0][0].words), GOLD)


@pytest.mark.parametrize("votes", [10**6, 10**30, -1])
@pytest.mark.parametrize("winner", [None, 0])
def test_any_number_of_votes_stays_in_its_card(votes, winner):
    few, many = (held(count, *[1] * 7, winner=winner) for count in (8, votes))
    words = layout_of(few).rows[0][0].words
    assert inside(changed(drawn(few), drawn(many)), words, slack=1)


@pytest.mark.parametrize("count", [2, 3, 8])
@pytest.mark.parametrize("label", ["lanterns over the river " * 40, "x" * 4000, "W " * 90])
def test_a_long_label_is_clipped_to_its_card(count, label):
    def vote(word):
        return held(*[1] * count, labels=["y" * 80, word], winner=1)

    words = layout_of(vote(label), lines=2).rows[0][1].words
    assert inside(changed(drawn(vote("y")), drawn(vote(label))), words, slack=2)


def lines_of_words(image: Image.Image) -> int:
    rows = [brightness(image.crop((0, y, image.width, y + 1))) > 90 for y in range(image.height)]
    return sum(now and not before for before, now in pairwise([False, *rows]))


def test_what_was_changed_has_a_second_line_when_it_needs_one():
    for label, lines in [("", 0), ("make it night", 1), ("put lanterns over the river at dusk", 2)]:
        one = held(1, 2, 3, 4, labels=[label])
        words = layout_of(one, lines=lines).rows[0][0].words
        assert lines_of_words(drawn(one).crop(words)) == 1 + lines, label


@pytest.mark.parametrize("label", ["", " \n ", "\0\x1b", "…", "猫と雪", "🦊", "שלום", "\u0301"])
def test_a_label_without_a_letter_that_can_be_drawn_is_none(label):
    assert draw_ascent([held(1, 2, labels=[label])]) == draw_ascent([held(1, 2)])


def test_letters_that_the_font_lacks_become_a_sign():
    words = ("猫 at night", "犬 at night", "at night")
    cat, dog, nothing = (draw_ascent([held(1, 2, labels=[label])]) for label in words)
    assert cat == dog != nothing


# ------------------------------------------------------------------------------- what cannot be


@pytest.mark.parametrize("count", [0, 6])
def test_no_rounds_and_too_many(count):
    with pytest.raises(ValueError, match=f"1 to 5 rounds, not {count}"):
        draw_ascent([held(1, 2)] * count)


@pytest.mark.parametrize("count", [0, 9])
def test_a_ballot_has_one_to_eight(count):
    with pytest.raises(ValueError, match=f"1 to 8 pictures, not {count}"):
        draw_ascent([held(1, 2), held(*[1] * count)])


@pytest.mark.parametrize("winner", [-1, 2])
def test_a_winner_is_one_of_its_ballot(winner):
    with pytest.raises(ValueError, match=f"no picture {winner}"):
        draw_ascent([held(1, 2, winner=winner)])


def test_it_is_drawn_the_same_every_time():
    rounds = [held(1, 2, 3, winner=2, labels=["make it night"])] * 2
    assert draw_ascent(rounds) == draw_ascent(rounds)
