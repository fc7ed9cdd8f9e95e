"""What a refusal teaches about a model: pure, a model in and a wiser one out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.imaging.model import Confidence, Fact, Parameter, Takes
from bot.imaging.request import Size
from bot.imaging.sizes import Menu, Ratios, Window, within

if TYPE_CHECKING:
    from bot.errors import AllowedSizes, ParameterRefused
    from bot.imaging.model import Model
    from bot.imaging.sizes import SizeRule

#: How a 400 may call what Easel keeps under one name.
_ALSO_CALLED = {
    "width": Parameter.WIDTH_HEIGHT,
    "height": Parameter.WIDTH_HEIGHT,
    "width/height": Parameter.WIDTH_HEIGHT,
    "dimensions": Parameter.WIDTH_HEIGHT,
    "size": Parameter.WIDTH_HEIGHT,
    "guidance": Parameter.GUIDANCE_SCALE,
}


def wiser(model: Model, refusal: ParameterRefused, standard: Menu) -> Model:
    """The model with what its refusal said; an equal one when that was known already.

    Args:
        model: as known until now.
        refusal: what the API said.
        standard: the sizes to try where `aspect_ratio` turns out not to be taken.
    """
    if refusal.sizes and (rule := _rule(model.size, refusal.sizes)):
        return _with_sizes(model, rule)
    name = refusal.parameter.strip("'\"` ").lower()
    parameter = _ALSO_CALLED.get(name) or _parameter(name)
    if parameter is None:
        return model
    limited = _limited(model, parameter, refusal.maximum) if refusal.maximum else None
    return limited or _without(model, parameter, standard)


def _parameter(name: str) -> Parameter | None:
    return Parameter(name) if name in set(Parameter) else None


def _rule(known: SizeRule, said: AllowedSizes) -> SizeRule | None:
    """The rule that was named; numbers that make no sense count as not said."""
    menu = tuple(Size(width, height) for width, height in said.menu if width > 0 < height)
    if menu:
        return Menu(menu)
    ratio = said.ratio if said.ratio and min(said.ratio) > 0 else None
    if not (said.area or ratio):
        return None
    window = known if isinstance(known, Window) else Window()
    return replace(window, area=said.area or window.area, ratio=ratio or window.ratio)


def _with_sizes(model: Model, rule: SizeRule) -> Model:
    taken = {Parameter.WIDTH_HEIGHT: Fact(Takes.YES, Confidence.MEASURED)}
    return replace(
        model,
        size=rule,
        size_confidence=Confidence.MEASURED,
        facts={**model.facts, **taken},
    )


def _limited(model: Model, parameter: Parameter, maximum: int) -> Model | None:
    """The model with a maximum; None for a parameter that knows none."""
    match parameter:
        case Parameter.STEPS:
            return replace(model, max_steps=min(model.max_steps, maximum))
        case Parameter.GUIDANCE_SCALE:
            return replace(model, max_guidance=min(model.max_guidance or maximum, maximum))
        case Parameter.N:
            return replace(model, max_count=min(model.count_per_call, maximum))
        case Parameter.REFERENCE_IMAGES | Parameter.IMAGE_URL:
            return replace(model, max_references=min(model.max_references or maximum, maximum))
        case Parameter.WIDTH_HEIGHT if not isinstance(model.size, Ratios):
            rule = within(model.size, maximum)
            return _with_sizes(model, rule) if rule else None
        case _:
            return None


def _without(model: Model, parameter: Parameter, standard: Menu) -> Model:
    facts = {**model.facts, parameter: Fact(Takes.NO, Confidence.MEASURED)}
    if parameter is Parameter.N:
        return replace(model, facts=facts, max_count=1)
    if parameter is Parameter.ASPECT_RATIO and isinstance(model.size, Ratios):
        return replace(model, facts=facts, size=standard, size_confidence=None)
    return replace(model, facts=facts)
