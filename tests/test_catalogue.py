"""Finding models, who paints for whom, and the live list."""

from __future__ import annotations

import pytest

from bot.errors import UnknownModel
from bot.imaging.catalogue import AWAY_S, Catalogue, ListedModel
from bot.imaging.model import Parameter, PriceUnit, Role, Takes
from bot.imaging.request import ImageRequest

BFL = "black-forest-labs/"
PRO, DEV, FLEX = (f"{BFL}FLUX.2-{kind}" for kind in ("pro", "dev", "flex"))
FLUX_11 = f"{BFL}FLUX.1.1-pro"
KONTEXT = f"{BFL}FLUX.1-kontext-pro"
SCHNELL = f"{BFL}FLUX.1-schnell"
SEEDREAM = "ByteDance-Seed/Seedream-4.0"
IDEOGRAM = "ideogram/ideogram-3.0"


class Clock:
    def __init__(self) -> None:
        self.now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def catalogue(clock: Clock) -> Catalogue:
    return Catalogue.load(clock=clock)


def listed(model_id: str, name: str = "", usd: float | None = None, unit: str | None = None):
    return ListedModel(model_id, name, "", usd, unit)


# Finding one


@pytest.mark.parametrize("name", [PRO, PRO.upper(), " flux.2 [PRO] ", "flux.2-pro"])
def test_a_model_is_found_by_id_and_by_name(catalogue, name):
    assert catalogue.find(name).id == PRO


def test_a_misspelt_name_gets_at_most_two_suggestions(catalogue):
    with pytest.raises(UnknownModel, match=r"Did you mean FLUX\.2 \[(pro|max)\]") as caught:
        catalogue.find("flux.2-prox")
    assert caught.value.sentence.count(" or ") <= 1
    with pytest.raises(UnknownModel) as caught:
        catalogue.find("zzzzzz")
    assert "Did you mean" not in caught.value.sentence


@pytest.mark.parametrize(
    ("gone", "instead"),
    [
        (SCHNELL, "FLUX1.1 [pro]"),
        (f"{BFL}FLUX.1-kontext-dev", "FLUX.1 Kontext [max] or FLUX.1 Kontext [pro]"),
        ("Lykon/DreamShaper", "SD XL"),
        ("google/imagen-4.0-ultra", "Flash Image 2.5 (Nano Banana)"),  # the same house
        ("HiDream-ai/HiDream-I1-Fast", "FLUX.2 [pro]"),  # nobody of its kin is left
    ],
)
def test_a_model_that_is_gone_suggests_a_living_relative(catalogue, gone, instead):
    with pytest.raises(UnknownModel) as caught:
        catalogue.find(gone)
    assert f"Did you mean {instead}" in caught.value.sentence


def test_suggestions_leave_out_models_that_are_away(catalogue):
    catalogue.mark_away(FLUX_11)
    with pytest.raises(UnknownModel) as caught:
        catalogue.find(SCHNELL)
    assert "FLUX1.1" not in caught.value.sentence


def test_first_choices_are_offered_first_then_all_by_name(catalogue):
    ids = [model.id for model in catalogue.offered()]
    assert ids[:3] == [PRO, DEV, FLEX]
    names = [model.name.lower() for model in catalogue.offered()[3:]]
    assert names == sorted(names)


def test_search(catalogue):
    def found(text, limit=25):
        return [model.id for model in catalogue.search(text, limit)]

    assert found("") == [model.id for model in catalogue.offered()][:25]
    assert found("FLUX pro")[0] == PRO
    assert set(found("text in")) == {FLEX, IDEOGRAM, "ideogram/ideogram-4.0"}
    assert found("seedream", 2) == ["ByteDance-Seed/Seedream-3.0", SEEDREAM]
    assert found("schnell") == [], "unlisted models are not on offer"
    catalogue.mark_away(FLEX)
    assert found("text in")[-1] == FLEX


# The owner's choices


def test_the_owners_choice_goes_first(clock):
    catalogue = Catalogue.load(roles={Role.EVERYDAY: "flux.2 [dev]", Role.TEXT: " "}, clock=clock)
    assert catalogue.for_role(Role.EVERYDAY).id == DEV
    assert catalogue._roles[Role.EVERYDAY].count(DEV) == 1
    assert catalogue.for_role(Role.TEXT).id == FLEX, "a blank setting is no choice"


def test_a_dedicated_model_works_with_everything_unknown(clock):
    catalogue = Catalogue.load(roles={Role.EVERYDAY: "acme/our-own-flux-1a2b"}, clock=clock)
    model = catalogue.find("OUR-OWN-FLUX-1a2b")
    assert model == catalogue.for_role(Role.EVERYDAY) == catalogue.offered()[0]
    assert model.price is None
    fields = catalogue.plan(ImageRequest("a fox", model.id, 7, count=2)).calls[0].fields
    assert fields == {
        "model": "acme/our-own-flux-1a2b",
        "prompt": "a fox",
        "n": 2,
        "seed": 7,
        "width": 1024,
        "height": 1024,
    }


def test_an_unlisted_model_that_the_owner_names_is_offered(clock):
    assert Catalogue.load(roles={Role.DRAFT: SCHNELL}, clock=clock).find(SCHNELL).id == SCHNELL


def test_a_model_that_the_owner_names_for_edits_is_trusted_to_take_pictures(clock):
    assert Catalogue.load(clock=clock).get(IDEOGRAM).takes_references is Takes.UNKNOWN
    catalogue = Catalogue.load(roles={Role.EDIT: IDEOGRAM}, clock=clock)
    request = ImageRequest("bluer", IDEOGRAM, 1, references=("data:,a",))
    assert catalogue.plan(request).calls[0].fields["reference_images"] == ["data:,a"]
    catalogue = Catalogue.load(roles={Role.EDIT: FLUX_11}, clock=clock)
    assert not catalogue.for_role(Role.EDIT).works_from(1), "a known no stays a no"


# Away


def test_a_model_is_away_for_an_hour(catalogue, clock):
    catalogue.mark_away(PRO)
    assert catalogue.is_away(PRO)
    assert catalogue.for_role(Role.EVERYDAY).id == FLEX
    clock.now += AWAY_S - 1
    assert catalogue.is_away(PRO)
    clock.now += 1
    assert catalogue.for_role(Role.EVERYDAY).id == PRO


def test_with_all_of_a_role_away_the_first_is_tried(catalogue):
    for model_id in catalogue._roles[Role.TEXT]:
        catalogue.mark_away(model_id)
    assert catalogue.for_role(Role.TEXT).id == FLEX
    assert catalogue.substitute(catalogue.get(FLEX)) is None


@pytest.mark.parametrize(
    ("model_id", "references", "instead"),
    [
        (PRO, 0, FLEX),  # everyday
        (DEV, 0, "Qwen/Qwen-Image"),  # first of the drafts
        (FLEX, 0, IDEOGRAM),  # first for text
        ("google/flash-image-2.5", 0, KONTEXT),  # for edits
        ("openai/gpt-image-2", 0, PRO),  # no role: everyday
        (PRO, 1, FLEX),
        ("google/flash-image-2.5", 2, PRO),  # not Kontext: that takes one
        ("openai/gpt-image-2", 3, PRO),
    ],
)
def test_substitutes(catalogue, model_id, references, instead):
    model = catalogue.get(model_id)
    substitute = catalogue.substitute(model, references=references)
    assert substitute is not None
    assert substitute.id == instead
    catalogue.mark_away(instead)
    other = catalogue.substitute(model, references=references)
    assert other is None or other.id not in (model_id, instead)


# The live list


def test_the_live_list_is_a_hint_and_no_gate(catalogue):
    before = {model.id for model in catalogue.offered()}
    catalogue.refresh(
        [listed("new/Painter-9", "  Painter\n9 ", 0.011, "megapixel"), listed(SCHNELL)]
    )
    assert {model.id for model in catalogue.offered()} == {*before, "new/Painter-9", SCHNELL}
    new = catalogue.find("painter 9")
    assert new.takes(Parameter.STEPS) is Takes.UNKNOWN
    assert new.label == "Painter 9 · about $0.011 a megapixel"
    assert catalogue.find(SCHNELL).name == "FLUX.1 [schnell]", "a blank name is no name"


def test_listed_names_and_prices_are_taken(catalogue):
    catalogue.refresh([listed(PRO, "FLUX 2 Pro", 0.035), listed(KONTEXT, usd=0.05, unit="odd")])
    pro = catalogue.find("flux 2 pro")
    assert pro.price is not None
    assert (pro.price.micros, pro.price.unit) == (35_000, PriceUnit.IMAGE_ESTIMATED)
    assert pro.price.as_of == "2026-11-18"
    assert pro.takes(Parameter.STEPS) is Takes.NO, "what is known stays"
    kontext = catalogue.get(KONTEXT).price
    assert kontext is not None
    assert kontext.unit is PriceUnit.MEGAPIXEL


@pytest.mark.parametrize("usd", [None, 0.0, -1.0, float("nan"), float("inf")])
def test_a_listed_price_that_says_nothing_changes_nothing(catalogue, usd):
    before = catalogue.get(PRO).price
    catalogue.refresh([listed(PRO, usd=usd)])
    assert catalogue.get(PRO).price == before


def test_a_listed_free_price_is_free(catalogue):
    catalogue.refresh([listed(PRO, usd=0.0, unit="free")])
    assert catalogue.price(catalogue.get(PRO), None, 4, None) == 0
