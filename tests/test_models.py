"""What models.toml says: who takes what, in which sizes, for how much."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest

from bot.demo.sandbox.menu import MODELS
from bot.imaging.catalogue import Catalogue
from bot.imaging.model import Confidence, Parameter, Role, Status, Takes, dollars
from bot.imaging.request import Size
from bot.imaging.sizes import Menu, Ratios, Window

BFL = "black-forest-labs/"
PRO, DEV, FLEX, MAX = (f"{BFL}FLUX.2-{kind}" for kind in ("pro", "dev", "flex", "max"))
FLUX_11 = f"{BFL}FLUX.1.1-pro"
KONTEXT = f"{BFL}FLUX.1-kontext-pro"
SCHNELL = f"{BFL}FLUX.1-schnell"
LITE = "google/flash-image-3.1-lite"
GEMINI = "google/gemini-3-pro-image"
WAN = "Wan-AI/Wan2.6-image"
SEEDREAM = "ByteDance-Seed/Seedream-4.0"
IDEOGRAM = "ideogram/ideogram-3.0"


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue.load()


def everything(catalogue: Catalogue):
    return tuple(catalogue._models.values())


def test_every_known_model_is_there(catalogue):
    models = everything(catalogue)
    assert len(models) == 46
    assert Counter(model.status for model in models) == {
        Status.LISTED: 26,
        Status.UNLISTED: 11,
        Status.REMOVED: 9,
    }
    assert {model.id for model in catalogue.offered()} == {
        model.id for model in models if model.status is Status.LISTED
    }


def test_names_are_unique_and_removals_are_dated(catalogue):
    models = everything(catalogue)
    assert len({model.name.lower() for model in models}) == 46, "two models share a name"
    for model in models:
        assert (model.removed is not None) == (model.status is Status.REMOVED), model.id
    assert catalogue.get(f"{BFL}FLUX.1-krea-dev").removed == dt.date(2026, 5, 27)


def test_roles_name_only_listed_models_and_never_schnell(catalogue):
    for role, ids in catalogue._roles.items():
        assert len(ids) >= 4, f"{role} has too few to fall back on"
        for model_id in ids:
            assert catalogue.get(model_id).status is Status.LISTED, f"{role}: {model_id}"
            assert "schnell" not in model_id
    assert catalogue.for_role(Role.EVERYDAY).id == PRO
    assert catalogue.for_role(Role.DRAFT).id == DEV
    assert catalogue.for_role(Role.EDIT).id == PRO
    assert catalogue.for_role(Role.TEXT).id == FLEX
    assert all(catalogue.get(each).works_from(1) for each in catalogue._roles[Role.EDIT])


@pytest.mark.parametrize(
    ("model_id", "yes", "no", "unknown"),
    [
        (PRO, "prompt_upsampling reference_images", "steps image_url negative_prompt", ""),
        (PRO, "n seed width_height output_format", "guidance_scale aspect_ratio", ""),
        (DEV, "steps guidance_scale reference_images", "negative_prompt prompt_upsampling", ""),
        (FLEX, "steps guidance_scale reference_images", "negative_prompt", "image_url"),
        (
            MAX,
            "n seed reference_images",
            "negative_prompt image_url",
            "steps guidance_scale prompt_upsampling",
        ),
        (FLUX_11, "negative_prompt width_height", "steps guidance_scale reference_images", ""),
        (KONTEXT, "aspect_ratio steps image_url", "guidance_scale reference_images", ""),
        (SCHNELL, "steps width_height", "negative_prompt image_url reference_images", ""),
        ("google/flash-image-2.5", "reference_images", "steps image_url negative_prompt", "n"),
        (LITE, "width_height", "steps", "reference_images image_url seed"),
        ("google/imagen-4.0-fast", "", "steps image_url reference_images", "negative_prompt"),
        (WAN, "seed width_height reference_images", "image_url", "steps negative_prompt"),
        (SEEDREAM, "reference_images", "image_url", "steps n seed negative_prompt"),
        ("openai/gpt-image-2", "reference_images", "image_url", "seed n steps width_height"),
        ("Rundiffusion/Juggernaut-Lightning-Flux", "", "negative_prompt", "steps"),
        (f"{BFL}FLUX.1-dev-lora", "image_loras", "", "steps"),
        (f"{BFL}FLUX.1-pro", "", "disable_safety_checker", ""),
        (f"{BFL}FLUX.1-schnell-Free", "", "disable_safety_checker", "reference_images"),
    ],
)
def test_each_model_takes_what_the_facts_say(catalogue, model_id, yes, no, unknown):
    model = catalogue.get(model_id)
    for names, answer in ((yes, Takes.YES), (no, Takes.NO), (unknown, Takes.UNKNOWN)):
        for name in names.split():
            assert model.takes(Parameter(name)) is answer, f"{model_id}: {name}"


def test_who_works_from_pictures_and_how_sure_that_is(catalogue):
    offered = catalogue.offered()
    editors = {model.id: model for model in offered if model.takes_references is Takes.YES}
    fields = {key: model.reference_field for key, model in editors.items()}
    sure = {
        key
        for key, model in editors.items()
        if model.confidence(fields[key]) in (Confidence.MEASURED, Confidence.DOCUMENTED)
    }
    kontext = {key for key, field in fields.items() if field is Parameter.IMAGE_URL}
    assert kontext == {KONTEXT, f"{BFL}FLUX.1-kontext-max"}
    assert sure == kontext | {PRO, DEV, FLEX, "google/flash-image-2.5", GEMINI}
    assert editors.keys() - sure == {
        "openai/gpt-image-2",
        "openai/gpt-image-1.5",
        "google/flash-image-3.1",
        MAX,
        SEEDREAM,
        "Qwen/Qwen-Image-2.0",
        "Qwen/Qwen-Image-2.0-Pro",
        WAN,
    }
    assert {each.id for each in catalogue.editors(1)[: len(sure)]} == sure, "the sure ones first"
    never = {model.id for model in offered if model.takes_references is Takes.NO}
    assert never == {FLUX_11, "ByteDance-Seed/Seedream-3.0"}, "of the others nobody says anything"


def test_the_sandbox_paints_from_pictures_by_the_same_models(catalogue):
    for model in catalogue.offered():
        most = MODELS[model.id].references
        assert model.works_from(1) == (most > 0), model.id
        assert model.max_references in (None, most), model.id


def test_what_holds_for_the_whole_endpoint_holds_unless_a_model_says_otherwise(catalogue):
    said = {
        parameter: Counter(model.takes(parameter) for model in everything(catalogue))
        for parameter in (Parameter.DISABLE_SAFETY_CHECKER, Parameter.IMAGE_LORAS)
    }
    assert said[Parameter.DISABLE_SAFETY_CHECKER] == {Takes.YES: 44, Takes.NO: 2}
    assert said[Parameter.IMAGE_LORAS] == {Takes.NO: 45, Takes.YES: 1}


def test_how_a_fact_is_known_is_kept(catalogue):
    pro = catalogue.get(PRO)
    assert pro.confidence(Parameter.STEPS) is Confidence.MEASURED
    assert pro.confidence(Parameter.NEGATIVE_PROMPT) is Confidence.DOCUMENTED
    assert pro.confidence(Parameter.IMAGE_URL) is Confidence.MEASURED
    assert catalogue.get("openai/gpt-image-2").size_confidence is Confidence.UPSTREAM
    assert catalogue.get(IDEOGRAM).size_confidence is None


def test_size_rules(catalogue):
    def rule(model_id):
        return catalogue.get(model_id).size

    assert rule(PRO) == Window((256, 1920))
    assert rule(SCHNELL) == Window((64, 1792))
    assert rule(WAN) == Window(area=(1265**2, 1440**2), ratio=(0.25, 4.0))
    assert rule(KONTEXT) == Ratios(((1, 1), (16, 9), (9, 16), (4, 3), (3, 2)))
    assert len(rule(LITE).sizes) == 14
    assert Size(3072, 384) in rule(LITE).sizes
    assert {Size(n, n) for n in (1024, 2048, 4096)} <= set(rule(GEMINI).sizes)
    assert rule(IDEOGRAM) == rule("xai/grok-imagine-image-pro"), "both unstated: standard"
    assert len(rule(IDEOGRAM).sizes) == 7


def test_menus_hold_multiples_of_sixteen(catalogue):
    for model in everything(catalogue):
        sizes = model.size.sizes if isinstance(model.size, Menu) else ()
        odd = [str(size) for size in sizes if size.width % 16 or size.height % 16]
        assert not odd, f"{model.id}: {odd}"


# Prices and labels


@pytest.mark.parametrize(
    ("model_id", "size", "count", "steps", "micros"),
    [
        (PRO, Size(1920, 1920), 1, None, 30_000),  # by the picture, whatever its size
        (PRO, Size(1024, 1024), 4, None, 120_000),
        (FLUX_11, Size(1024, 1024), 1, None, 41_944),  # 1.048576 MP x $0.04, rounded up
        (FLUX_11, Size(1024, 1024), 3, None, 125_830),
        (KONTEXT, None, 1, None, 41_944),  # it chooses the size: counted as 1024 x 1024
        (MAX, Size(1000, 1000), 1, 100, 140_000),  # twice its 50 steps
        (MAX, Size(1000, 1000), 1, 10, 70_000),  # fewer are not cheaper
        (GEMINI, Size(2048, 2048), 1, None, 134_000),
        (GEMINI, Size(4096, 4096), 2, None, 480_000),
        (f"{BFL}FLUX.1-schnell-Free", Size(1024, 1024), 4, None, 0),
        (f"{BFL}FLUX.1-redux", Size(1024, 1024), 1, None, None),
        ("somebody/unheard-of", Size(1024, 1024), 1, None, None),
    ],
)
def test_prices(catalogue, model_id, size, count, steps, micros):  # noqa: PLR0917 - a table's columns
    assert catalogue.price(catalogue.get(model_id), size, count, steps) == micros


def test_labels_say_name_price_and_purpose(catalogue):
    labels = {model.id: model.label for model in everything(catalogue)}
    assert labels[PRO] == "FLUX.2 [pro] · about $0.03 a picture · everyday pictures"
    assert labels[KONTEXT] == (
        "FLUX.1 Kontext [pro] · about $0.04 a megapixel · edits of one picture"
    )
    assert labels[f"{BFL}FLUX.1-schnell-Free"] == "FLUX.1 [schnell] Free · free"
    assert labels[f"{BFL}FLUX.1-redux"] == "FLUX.1 Redux [dev]"
    assert catalogue.get("me/" + "x" * 300).label == "x" * 99 + "…"
    for model_id, label in labels.items():
        assert len(label) <= 100, model_id


def test_dollars_are_exact():
    amounts = (0, 30_000, 2_250, 500_000, 1_234_500_000, 1)
    assert [dollars(each) for each in amounts] == [
        *("$0.00", "$0.03", "$0.00225", "$0.50", "$1,234.50", "$0.000001")
    ]
