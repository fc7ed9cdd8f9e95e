"""What people are told when a model cannot do what they ask."""

from __future__ import annotations

import pytest

from bot.errors import BadRequest, ParameterRefused
from bot.imaging.catalogue import Catalogue
from bot.imaging.request import ImageRequest, Lora, Quality, Shape

BFL = "black-forest-labs/"
PRO, DEV = f"{BFL}FLUX.2-pro", f"{BFL}FLUX.2-dev"
FLUX_11 = f"{BFL}FLUX.1.1-pro"
KONTEXT = f"{BFL}FLUX.1-kontext-pro"
SCHNELL = f"{BFL}FLUX.1-schnell"
SEEDREAM = "ByteDance-Seed/Seedream-4.0"
IDEOGRAM = "ideogram/ideogram-3.0"
EDITORS = "FLUX.2 [pro], FLUX.2 [dev] and FLUX.2 [flex] can."


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue.load()


def ask(model: str, **wishes) -> ImageRequest:
    return ImageRequest("a fox in the snow", model, 7, **wishes)


@pytest.mark.parametrize(
    ("model", "wishes", "note"),
    [
        (
            PRO,
            {"quality": Quality.BEST},
            "FLUX.2 [pro] takes no steps setting, so `quality` changes nothing there.",
        ),
        (
            SEEDREAM,
            {"quality": Quality.HIGH},
            "Seedream 4.0 isn't known to take a steps setting, so `quality` changes nothing there.",
        ),
        (
            PRO,
            {"steps": 5, "quality": Quality.BEST},
            "FLUX.2 [pro] takes no steps setting, so I left `steps` out.",
        ),
        (
            SCHNELL,
            {"steps": 40},
            "FLUX.1 [schnell] takes `steps` from 1 to 12, so it became 12.",
        ),
        (
            PRO,
            {"guidance": 3.0},
            "FLUX.2 [pro] takes no guidance setting, so I left `guidance` out.",
        ),
        (
            PRO,
            {"avoid": "dogs"},
            "FLUX.2 [pro] doesn't follow `avoid`; say in the prompt what should be there instead.",
        ),
        (
            SEEDREAM,
            {"avoid": "dogs"},
            (
                "I don't know whether Seedream 4.0 follows `avoid`, so I left it out; say in the "
                "prompt what should be there instead."
            ),
        ),
        (
            KONTEXT,
            {"shape": Shape.PORTRAIT},
            "FLUX.1 Kontext [pro] has no portrait size, so `shape` became 9:16.",
        ),
        (
            SEEDREAM,
            {"shape": Shape.PANORAMA},
            "Seedream 4.0 has no panorama size, so `shape` became 1344×768.",
        ),
        (
            PRO,
            {"loras": (Lora("me/style", 0.8),)},
            "FLUX.2 [pro] takes no LoRA styles, so I left them out.",
        ),
    ],
)
def test_people_are_told_what_could_not_be_followed(catalogue, model, wishes, note):
    assert catalogue.plan(ask(model, **wishes)).notes == (note,)


@pytest.mark.parametrize(
    ("model", "wishes"),
    [
        (PRO, {"quality": Quality.PREVIEW}),
        (PRO, {"shape": Shape.PANORAMA, "upsampling": True, "output_format": "png"}),
        (SEEDREAM, {"shape": Shape.WIDE}),
        (FLUX_11, {"avoid": "dogs"}),
        (DEV, {"steps": 50, "guidance": 9.0}),
    ],
)
def test_nobody_is_told_what_need_not_be_said(catalogue, model, wishes):
    assert catalogue.plan(ask(model, **wishes)).notes == ()


def test_learnt_limits_are_kept_and_told(catalogue):
    catalogue.learn(DEV, ParameterRefused("No.", parameter="guidance_scale", maximum=8))
    planned = catalogue.plan(ask(DEV, guidance=9.5))
    assert planned.calls[0].fields["guidance_scale"] == pytest.approx(8.0)
    assert planned.notes == ("FLUX.2 [dev] takes `guidance` up to 8, so it became 8.",)


def test_a_model_that_refuses_sizes_chooses_its_own(catalogue):
    catalogue.learn(PRO, ParameterRefused("No.", parameter="width"))
    planned = catalogue.plan(ask(PRO, shape=Shape.WIDE))
    assert planned.size is None
    assert not {"width", "height"} & set(planned.calls[0].fields)
    assert planned.notes == (
        "FLUX.2 [pro] chooses its own size, so `shape` changes nothing there.",
    )
    assert catalogue.plan(ask(PRO)).notes == ()


# Pictures to work from


@pytest.mark.parametrize(
    ("model", "pictures", "sentence"),
    [
        (FLUX_11, 1, f"FLUX1.1 [pro] can't work from pictures. {EDITORS}"),
        (KONTEXT, 2, f"FLUX.1 Kontext [pro] works from 1 picture, not from 2. {EDITORS}"),
        (IDEOGRAM, 1, f"I don't know whether Ideogram 3.0 can work from pictures. {EDITORS}"),
        (
            PRO,
            9,
            (
                "FLUX.2 [pro] works from 8 pictures, not from 9. FLUX.2 [dev], FLUX.2 [flex] and "
                "Flash Image 2.5 (Nano Banana) can."
            ),
        ),
    ],
)
def test_too_many_pictures_are_refused_with_models_that_take_them(
    catalogue, model, pictures, sentence
):
    with pytest.raises(BadRequest) as caught:
        catalogue.plan(ask(model, references=("data:,x",) * pictures))
    assert caught.value.sentence == sentence


def test_a_refused_reference_field_is_refused_by_us_the_next_time(catalogue):
    catalogue.learn(PRO, ParameterRefused("No.", parameter="reference_images"))
    with pytest.raises(BadRequest, match=r"can't work from pictures\. FLUX\.2 \[dev\]"):
        catalogue.plan(ask(PRO, references=("data:,x",)))
