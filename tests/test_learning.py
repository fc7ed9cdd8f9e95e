"""What a refusal teaches the catalogue, for as long as the process lives."""

from __future__ import annotations

import pytest

from bot.errors import AllowedSizes, ParameterRefused
from bot.imaging.catalogue import Catalogue, ListedModel
from bot.imaging.model import Confidence, Parameter, Takes
from bot.imaging.request import ImageRequest, Size
from bot.imaging.sizes import Menu, Window

BFL = "black-forest-labs/"
PRO, DEV = f"{BFL}FLUX.2-pro", f"{BFL}FLUX.2-dev"
KONTEXT = f"{BFL}FLUX.1-kontext-pro"
LITE = "google/flash-image-3.1-lite"
SEEDREAM = "ByteDance-Seed/Seedream-4.0"
IDEOGRAM = "ideogram/ideogram-3.0"


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue.load()


def refused(parameter: str, **said) -> ParameterRefused:
    return ParameterRefused("The API refused it.", parameter=parameter, **said)


@pytest.mark.parametrize(
    ("said", "learnt"),
    [
        ("steps", Parameter.STEPS),
        ("'negative_prompt'", Parameter.NEGATIVE_PROMPT),
        ("guidance", Parameter.GUIDANCE_SCALE),
        ("width", Parameter.WIDTH_HEIGHT),
        ("width/height", Parameter.WIDTH_HEIGHT),
        ("reference_images", Parameter.REFERENCE_IMAGES),
    ],
)
def test_a_refused_parameter_is_no_longer_taken(catalogue, said, learnt):
    assert catalogue.learn(DEV, refused(said))
    assert catalogue.get(DEV).takes(learnt) is Takes.NO
    assert catalogue.get(DEV).confidence(learnt) is Confidence.MEASURED
    assert not catalogue.learn(DEV, refused(said)), "the second time teaches nothing"


@pytest.mark.parametrize("said", ["prompt", "model", "", "frame_images"])
def test_a_refusal_of_what_is_not_optional_teaches_nothing(catalogue, said):
    assert not catalogue.learn(DEV, refused(said))


def test_maxima_are_learnt(catalogue):
    for parameter, maximum in (("steps", 12), ("n", 2), ("guidance_scale", 8)):
        assert catalogue.learn(DEV, refused(parameter, maximum=maximum))
        assert not catalogue.learn(DEV, refused(parameter, maximum=maximum))
        assert not catalogue.learn(DEV, refused(parameter, maximum=maximum + 9)), "only downwards"
    assert catalogue.learn(PRO, refused("reference_images", maximum=3))
    dev = catalogue.get(DEV)
    assert (dev.max_steps, dev.max_count, dev.max_guidance) == (12, 2, 8)
    assert catalogue.get(PRO).max_references == 3
    assert dev.takes(Parameter.STEPS) is Takes.YES


def test_refusing_n_itself_leaves_one_picture_a_call(catalogue):
    assert catalogue.learn(SEEDREAM, refused("n"))
    assert catalogue.get(SEEDREAM).count_per_call == 1


def test_a_size_menu_is_learnt(catalogue):
    sizes = AllowedSizes(menu=((1040, 1040), (2000, 1000), (0, 5)))
    assert catalogue.learn(IDEOGRAM, refused("width/height", sizes=sizes))
    assert catalogue.get(IDEOGRAM).size == Menu((Size(1040, 1040), Size(2000, 1000)))
    assert not catalogue.learn(IDEOGRAM, refused("width/height", sizes=sizes))


def test_an_area_window_is_learnt_and_keeps_the_known_sides(catalogue):
    said = AllowedSizes(area=(1265**2, 1440**2), ratio=(0.25, 4.0))
    assert catalogue.learn(PRO, refused("dimensions", sizes=said))
    assert catalogue.get(PRO).size == Window(
        (256, 1920), area=(1265**2, 1440**2), ratio=(0.25, 4.0)
    )


def test_a_longest_side_is_learnt(catalogue):
    assert catalogue.learn(PRO, refused("width", maximum=1440))
    assert catalogue.get(PRO).size == Window((256, 1440))
    assert catalogue.learn(LITE, refused("height", maximum=1300))
    assert max(size.height for size in catalogue.get(LITE).size.sizes) <= 1300
    assert catalogue.learn(LITE, refused("height", maximum=100)), "nothing is left: no say"
    assert catalogue.get(LITE).takes(Parameter.WIDTH_HEIGHT) is Takes.NO


def test_a_model_that_refuses_ratios_is_asked_in_pixels(catalogue):
    assert catalogue.learn(KONTEXT, refused("aspect_ratio"))
    assert catalogue.get(KONTEXT).size == catalogue.get(IDEOGRAM).size


def test_of_many_refused_at_once_each_may_plan_anew_but_once(catalogue):
    sent = catalogue.plan(ImageRequest("a fox", DEV, 1)).model
    assert catalogue.learn(DEV, refused("steps"), since=sent)
    assert catalogue.learn(DEV, refused("steps"), since=sent), "the second had planned before"
    assert not catalogue.learn(DEV, refused("steps"), since=catalogue.get(DEV))


def test_nothing_is_learnt_for_other_processes(catalogue):
    catalogue.learn(DEV, refused("steps"))
    assert Catalogue.load().get(DEV).takes(Parameter.STEPS) is Takes.YES


def test_what_was_learnt_survives_a_refresh(catalogue):
    catalogue.learn(SEEDREAM, refused("seed"))
    catalogue.refresh([ListedModel(SEEDREAM, "Seedream 4", "", None, None)])
    assert catalogue.find("Seedream 4").takes(Parameter.SEED) is Takes.NO
