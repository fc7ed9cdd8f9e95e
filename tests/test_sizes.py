"""For every model and every shape the best size that the model allows."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.imaging.catalogue import Catalogue
from bot.imaging.request import Shape, Size
from bot.imaging.sizes import (
    USUAL_AREA,
    Menu,
    Ratios,
    Window,
    allows,
    best_ratio,
    best_size,
    differs,
)

MODELS = tuple(Catalogue.load()._models.values())
PIXEL_RULES = {model.size for model in MODELS if not isinstance(model.size, Ratios)}


def off_by(ratio: float, shape: Shape) -> float:
    width, height = shape.ratio
    return round(abs(math.log(ratio * height / width)), 9)


def obeys(rule: Menu | Window, size: Size) -> bool:
    """The rule in its own words, written a second time."""
    if isinstance(rule, Menu):
        return size in rule.sizes
    pixels, ratio = size.width * size.height, size.width / size.height
    return (
        all(side % rule.multiple == 0 for side in (size.width, size.height))
        and all(rule.sides[0] <= side <= rule.sides[1] for side in (size.width, size.height))
        and (rule.area is None or rule.area[0] <= pixels <= rule.area[1])
        and (rule.ratio is None or rule.ratio[0] <= ratio <= rule.ratio[1])
    )


def every_size(rule: Menu | Window) -> list[Size]:
    if isinstance(rule, Menu):
        return list(rule.sizes)
    first = -(-rule.sides[0] // rule.multiple) * rule.multiple
    sides = range(first, rule.sides[1] + 1, rule.multiple)
    sizes = (Size(width, height) for width in sides for height in sides)
    return [size for size in sizes if obeys(rule, size)]


def check(rule: Menu | Window, sizes: list[Size], shape: Shape, area: int) -> None:
    best = best_size(rule, shape.ratio, area)
    if not sizes:
        assert best is None, f"{rule} allows nothing, and yet {best}"
        return
    assert best is not None, f"{rule} allows {len(sizes)} sizes, none was chosen for {shape}"
    assert obeys(rule, best), f"{best} breaks {rule}"
    assert allows(rule, best)
    error = off_by(best.width / best.height, shape)
    errors = {size: off_by(size.width / size.height, shape) for size in sizes}
    assert error == min(errors.values()), f"{shape}: {best}, but another is nearer"
    away = abs(best.width * best.height - area)
    for size, other in errors.items():
        turned = (size.width > size.height) != (best.width > best.height)
        if other == error and not turned:
            assert away <= abs(size.width * size.height - area), f"{shape}: {best}, not {size}"


@pytest.mark.parametrize("rule", sorted(PIXEL_RULES, key=str), ids=lambda rule: str(rule)[:48])
def test_each_models_best_size_obeys_its_rule_and_no_other_is_nearer(rule):
    sizes = every_size(rule)
    assert sizes
    for shape in Shape:
        check(rule, sizes, shape, USUAL_AREA)
        best = best_size(rule, shape.ratio)
        assert best is not None
        assert best.width % 16 == 0 == best.height % 16, f"{shape}: {best}"


_areas = st.tuples(st.integers(1, 400_000), st.integers(1, 400_000)).map(
    lambda pair: (min(pair), max(pair))
)
_ratios = st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)).map(
    lambda pair: (round(min(pair), 2), round(max(pair), 2))
)
_windows = st.builds(
    Window,
    sides=st.tuples(st.integers(1, 200), st.integers(150, 600)),
    multiple=st.sampled_from((8, 16, 64)),
    area=st.none() | _areas,
    ratio=st.none() | _ratios,
)
_menus = st.lists(
    st.builds(Size, st.integers(1, 6000), st.integers(1, 6000)), min_size=1, max_size=20
).map(lambda sizes: Menu(tuple(sizes)))


@given(rule=_windows | _menus, shape=st.sampled_from(Shape), area=st.integers(1, 500_000))
def test_any_rule_that_might_be_learnt_is_obeyed(rule, shape, area):
    check(rule, every_size(rule), shape, area)


@given(rule=_windows, width=st.integers(1, 700), height=st.integers(1, 700))
def test_allows_says_what_the_rule_says(rule, width, height):
    for size in (Size(width, height), Size(width // 16 * 16 or 16, height // 16 * 16 or 16)):
        assert allows(rule, size) == obeys(rule, size)


@given(
    ratios=st.lists(st.tuples(st.integers(1, 32), st.integers(1, 32)), min_size=1),
    shape=st.sampled_from(Shape),
)
def test_the_nearest_ratio_is_chosen(ratios, shape):
    width, height = best_ratio(Ratios(tuple(ratios)), shape.ratio)
    nearest = min(off_by(each[0] / each[1], shape) for each in ratios)
    assert off_by(width / height, shape) == nearest


@pytest.mark.parametrize(
    ("model_id", "sizes"),
    [
        (
            "black-forest-labs/FLUX.2-pro",
            "1024x1024 1152x864 864x1152 1280x720 720x1280 1248x832 832x1248 1568x672",
        ),
        (
            "Wan-AI/Wan2.6-image",
            "1280x1280 1472x1104 1104x1472 1792x1008 1008x1792 1584x1056 1056x1584 2016x864",
        ),
        (
            "google/flash-image-3.1-lite",
            "1024x1024 1200x896 896x1200 1376x768 768x1376 1264x848 848x1264 1584x672",
        ),
        (
            "ideogram/ideogram-3.0",
            "1024x1024 1184x864 864x1184 1344x768 768x1344 1248x832 832x1248 1344x768",
        ),
        (
            "openai/gpt-image-1.5",
            "1024x1024 1536x1024 1024x1536 1536x1024 1024x1536 1536x1024 1024x1536 1536x1024",
        ),
    ],
)
def test_the_sizes_that_people_get(model_id, sizes):
    rule = next(model.size for model in MODELS if model.id == model_id)
    got = [best_size(rule, shape.ratio) for shape in Shape]
    assert " ".join(f"{size.width}x{size.height}" for size in got) == sizes


@pytest.mark.parametrize(
    ("shape", "ratio"),
    [
        (Shape.SQUARE, (1, 1)),
        (Shape.LANDSCAPE, (4, 3)),
        (Shape.PORTRAIT, (9, 16)),  # half way between 9:16 and 1:1; upright stays upright
        (Shape.WIDE, (16, 9)),
        (Shape.TALL, (9, 16)),
        (Shape.PHOTO, (3, 2)),
        (Shape.PHOTO_TALL, (9, 16)),
        (Shape.PANORAMA, (16, 9)),
    ],
)
def test_kontexts_five_ratios(shape, ratio):
    rule = next(model.size for model in MODELS if model.id.endswith("kontext-pro"))
    assert best_ratio(rule, shape.ratio) == ratio


def test_only_what_can_be_seen_is_called_different():
    assert not differs((1344, 768), (16, 9))
    assert not differs((1184, 864), (4, 3))
    assert differs((9, 16), (3, 4))
    assert differs((1344, 768), (21, 9))
