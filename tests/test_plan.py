"""What is sent for a request, and what people are told about the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ParameterRefused
from bot.imaging.catalogue import Catalogue
from bot.imaging.model import Parameter, Takes
from bot.imaging.plan import plan
from bot.imaging.request import SEED_MAX, ImageRequest, Lora, Quality, Shape, Size

BFL = "black-forest-labs/"
PRO, DEV, FLEX, MAX = (f"{BFL}FLUX.2-{kind}" for kind in ("pro", "dev", "flex", "max"))
FLUX_11 = f"{BFL}FLUX.1.1-pro"
KONTEXT = f"{BFL}FLUX.1-kontext-pro"
SCHNELL = f"{BFL}FLUX.1-schnell"
GEMINI = "google/gemini-3-pro-image"
NANO = "google/flash-image-2.5"
SEEDREAM = "ByteDance-Seed/Seedream-4.0"
KNOWN = Catalogue.load()
MODELS = tuple(KNOWN._models)


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue.load()


def ask(model: str, **wishes) -> ImageRequest:
    return ImageRequest("a fox in the snow", model, wishes.pop("seed", 7), **wishes)


def body(catalogue: Catalogue, model: str, **wishes) -> dict[str, object]:
    """The fields of the only call."""
    (call,) = catalogue.plan(ask(model, **wishes)).calls
    return dict(call.fields)


def everything_asked(model: str, references: tuple[str, ...] = ()) -> ImageRequest:
    return ask(
        model,
        count=2,
        avoid="dogs",
        steps=9,
        guidance=4.0,
        upsampling=True,
        output_format="png",
        references=references,
        loras=(Lora("me/style", 0.8),),
        unsafe=True,
    )


# Which field goes to which model


ALWAYS = {"model", "prompt", "n", "seed"}
SIDES = {"width", "height"}


@pytest.mark.parametrize(
    ("model", "sent"),
    [
        (SCHNELL, SIDES | {"steps", "output_format", "disable_safety_checker"}),
        (FLUX_11, SIDES | {"negative_prompt", "output_format", "disable_safety_checker"}),
        (PRO, SIDES | {"prompt_upsampling", "output_format", "disable_safety_checker"}),
        (DEV, SIDES | {"steps", "guidance_scale", "output_format", "disable_safety_checker"}),
        (FLEX, SIDES | {"steps", "guidance_scale", "output_format", "disable_safety_checker"}),
        (MAX, SIDES | {"output_format", "disable_safety_checker"}),
        (KONTEXT, {"aspect_ratio", "steps", "output_format", "disable_safety_checker"}),
        (NANO, SIDES | {"disable_safety_checker"}),
        (GEMINI, SIDES | {"disable_safety_checker"}),
        (SEEDREAM, SIDES | {"disable_safety_checker"}),
        (f"{BFL}FLUX.1-dev-lora", SIDES | {"image_loras", "disable_safety_checker"}),
        (f"{BFL}FLUX.1-pro", SIDES),
        ("acme/dedicated", SIDES | {"disable_safety_checker"}),
    ],
)
def test_each_model_is_sent_what_it_takes_and_no_more(catalogue, model, sent):
    (call,) = catalogue.plan(everything_asked(model)).calls
    assert set(call.fields) == ALWAYS | sent


@pytest.mark.parametrize(
    ("model", "field"),
    [
        (PRO, "reference_images"),  # the documents say image_url; measured: refused
        (DEV, "reference_images"),
        (FLEX, "reference_images"),
        (NANO, "reference_images"),
        (GEMINI, "reference_images"),
        (KONTEXT, "image_url"),
    ],
)
def test_pictures_to_work_from_travel_in_the_right_field(catalogue, model, field):
    fields = body(catalogue, model, references=("data:,1",))
    assert {"image_url", "reference_images"} & set(fields) == {field}
    assert fields[field] == ("data:,1" if field == "image_url" else ["data:,1"])


def test_the_order_of_pictures_is_kept(catalogue):
    pictures = ("data:,1", "data:,2", "https://cdn.example/3.png")
    assert body(catalogue, PRO, references=pictures)["reference_images"] == list(pictures)


@pytest.mark.parametrize("model", MODELS)
def test_no_model_is_ever_sent_a_field_it_is_not_known_to_take(catalogue, model):
    known = catalogue.get(model)
    only_if_known = set(Parameter) - {Parameter.N, Parameter.SEED, Parameter.WIDTH_HEIGHT}
    pictures = ("data:,1",) if known.reference_field else ()
    for call in catalogue.plan(everything_asked(model, pictures)).calls:
        for name in set(call.fields) - ALWAYS - SIDES:
            assert Parameter(name) in only_if_known
            assert known.takes(Parameter(name)) is Takes.YES, name


def test_values_as_they_are_sent(catalogue):
    plain = body(catalogue, PRO, count=3, shape=Shape.WIDE)
    assert plain == {
        "model": PRO,
        "prompt": "a fox in the snow",
        "n": 3,
        "seed": 7,
        "width": 1280,
        "height": 720,
        "prompt_upsampling": False,  # the service's own default is true
    }
    lora = dict(catalogue.plan(everything_asked(f"{BFL}FLUX.1-dev-lora")).calls[0].fields)
    assert lora["image_loras"] == [{"path": "me/style", "scale": 0.8}]
    assert lora["disable_safety_checker"] is True
    assert body(catalogue, FLUX_11, avoid="dogs")["negative_prompt"] == "dogs"
    assert body(catalogue, KONTEXT, shape=Shape.PHOTO)["aspect_ratio"] == "3:2"
    assert body(catalogue, DEV, guidance=4.5)["guidance_scale"] == pytest.approx(4.5)


def test_the_safety_checker_is_left_alone_unless_asked(catalogue):
    assert "disable_safety_checker" not in body(catalogue, PRO)


def test_another_model_can_stand_in(catalogue):
    planned = catalogue.plan(ask(PRO), catalogue.get(DEV))
    assert planned.model.id == planned.calls[0].fields["model"] == DEV


def test_a_snapshot_is_planned_with_what_was_learnt_since(catalogue):
    snapshot = catalogue.get(DEV)
    catalogue.learn(DEV, ParameterRefused("No.", parameter="steps"))
    assert "steps" not in catalogue.plan(ask(DEV, steps=5), snapshot).calls[0].fields


# Counts and seeds


def test_more_pictures_than_a_call_makes_become_several_calls(catalogue):
    catalogue.learn(PRO, ParameterRefused("No.", parameter="n", maximum=1))
    planned = catalogue.plan(ask(PRO, count=3, seed=SEED_MAX - 1))
    assert [call.fields["seed"] for call in planned.calls] == [SEED_MAX - 1, SEED_MAX, 0]
    assert [call.fields["n"] for call in planned.calls] == [1, 1, 1]
    assert planned.price == 90_000


def test_a_model_that_refuses_n_is_not_sent_any(catalogue):
    catalogue.learn(PRO, ParameterRefused("No.", parameter="n"))
    calls = catalogue.plan(ask(PRO, count=2)).calls
    assert ["n" in call.fields for call in calls] == [False, False]
    assert [call.fields["seed"] for call in calls] == [7, 8]


@given(
    count=st.integers(1, 4),
    most=st.integers(1, 5),
    seed=st.integers(0, SEED_MAX),
    model=st.sampled_from(MODELS),
)
def test_every_picture_is_asked_for_once_and_no_two_share_a_seed(count, most, seed, model):
    limited = replace(KNOWN.get(model), max_count=most)
    calls = plan(ask(model, count=count, seed=seed), limited).calls
    counts = [call.fields["n"] for call in calls]
    assert sum(counts) == count
    assert max(counts) <= most
    taken = [
        (call.fields["seed"] + picture) % (SEED_MAX + 1)
        for call in calls
        for picture in range(call.fields["n"])
    ]
    assert taken == [(seed + picture) % (SEED_MAX + 1) for picture in range(count)]


# Quality and steps


@pytest.mark.parametrize(
    ("model", "most", "steps"),
    [
        (DEV, None, [4, 12, 28, 42]),
        (KONTEXT, None, [4, 12, 28, 42]),
        (FLEX, None, [4, 12, 28, 42]),  # no stated default: that of its relatives
        (SCHNELL, None, [1, 3, 5, 7]),  # four by default, at most twelve
        (FLEX, 12, [1, 3, 7, 12]),
        (FLEX, 1, [1, 1, 1, 1]),
    ],
)
def test_quality_becomes_steps(catalogue, model, most, steps):
    if most:
        catalogue.learn(model, ParameterRefused("No.", parameter="steps", maximum=most))
    plans = [catalogue.plan(ask(model, quality=quality)) for quality in Quality]
    assert [planned.steps for planned in plans] == steps
    assert [planned.calls[0].fields["steps"] for planned in plans] == steps


@given(most=st.integers(1, 50), quality=st.sampled_from(Quality))
def test_steps_stay_within_what_was_learnt_and_grow_with_quality(most, quality):
    limited = replace(KNOWN.get(DEV), max_steps=most)
    steps = [plan(ask(DEV, quality=each), limited).steps for each in Quality]
    assert steps == sorted(steps)
    assert 1 <= steps[list(Quality).index(quality)] <= most


def test_steps_are_the_models_own_when_nobody_asks(catalogue):
    planned = catalogue.plan(ask(DEV))
    assert planned.steps is None
    assert "steps" not in planned.calls[0].fields


def test_steps_that_were_asked_for_outrank_quality(catalogue):
    planned = catalogue.plan(ask(DEV, quality=Quality.PREVIEW, steps=33))
    assert (planned.steps, planned.notes) == (33, ())


def test_steps_make_a_megapixel_dearer(catalogue):
    usual, best = (catalogue.plan(ask(KONTEXT, quality=each)).price for each in (None, "best"))
    assert (usual, best) == (41_944, 62_915)


def test_quality_chooses_the_tier_where_sizes_come_in_tiers(catalogue):
    plans = [catalogue.plan(ask(GEMINI, quality=quality)) for quality in Quality]
    assert [planned.size.width for planned in plans] == [1024, 1024, 2048, 4096]
    assert [planned.price for planned in plans] == [134_000, 134_000, 134_000, 240_000]
    assert [planned.notes for planned in plans] == [()] * 4
    wide = catalogue.plan(ask(GEMINI, quality=Quality.BEST, shape=Shape.WIDE))
    assert wide.size == Size(5504, 3072)
