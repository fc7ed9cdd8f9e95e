"""Which models Discord is told to offer, where it shows 25 of each a hundred characters."""

from __future__ import annotations

from dataclasses import replace

from bot.imaging.catalogue import Catalogue, ListedModel
from bot.views.options import model_menu, models, offer
from bot.views.wording import CHOICE_MAX, CHOICES_MAX

CATALOGUE = Catalogue.load()
EDITORS = CATALOGUE.editors(1)
BLIND = next(model for model in CATALOGUE.offered() if not model.works_from(1))


def crowded() -> Catalogue:
    """With more strangers than there are places, whose names leave room for nothing else."""
    catalogue = Catalogue.load()
    for number in range(40):
        name = f"A {number} {'long ' * 40}"
        catalogue.refresh([ListedModel(f"a/{number}", name, "", None, None)])
    return catalogue


def test_models_that_can_are_never_pushed_out() -> None:
    strangers = [replace(BLIND, id=f"a/{number}") for number in range(40)]
    offers = offer([*strangers, *EDITORS], 1)
    assert len(offers) == CHOICES_MAX
    assert [each.model for each in offers[: len(EDITORS)]] == list(EDITORS)
    assert not any(each.why_not for each in offers[: len(EDITORS)])
    assert all(each.why_not for each in offers[len(EDITORS) :])


def test_the_reason_is_told_whatever_the_name() -> None:
    offered = models(crowded(), "long", 1)
    assert len(offered) == CHOICES_MAX
    for each in offered:
        assert len(each.name) <= CHOICE_MAX
        assert each.name.endswith("… · not known to work from pictures")


def test_a_menu_holds_what_discord_takes() -> None:
    for pictures in (0, 1, 4):
        menu = model_menu(crowded(), pictures, BLIND)
        assert len(menu) == CHOICES_MAX
        assert [each.value for each in menu if each.default] == ([] if pictures else [BLIND.id])
        for each in menu:
            assert len(each.label) <= CHOICE_MAX
            assert len(each.description or "") <= CHOICE_MAX
