"""From what a person asks for to the bodies that one model takes. All of it is pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bot.errors import BadRequest
from bot.imaging.model import STEPS_MAX, Parameter, Takes
from bot.imaging.request import SEED_MAX, Quality
from bot.imaging.sizes import USUAL_AREA, Ratios, best_ratio, best_size, differs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bot.imaging.model import Model
    from bot.imaging.request import ImageRequest, Size

#: The API's guide to steps, and what of a model's usual steps is aimed at within it.
# https://docs.together.ai/docs/images-overview
_STEPS: Final = {
    Quality.PREVIEW: (1, 4, 1.0),
    Quality.GOOD: (6, 12, 1.0),
    Quality.HIGH: (20, 30, 1.0),
    Quality.BEST: (30, 50, 1.5),
}
#: Assumed of a model that takes steps without a stated default: that of its relatives.
_USUAL_STEPS: Final = 28
#: How many models a refusal names.
_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Call:
    """One JSON body, complete but for `response_format`."""

    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be sent, and what a person should know about it.

    Attributes:
        model: as it was known when this was planned.
        size: None where the model chooses it.
        steps: None where the model takes none or nobody asked.
        notes: short sentences about options that could not be followed.
        price: estimated, in millionths of a dollar; None when unknown.
    """

    model: Model
    size: Size | None
    steps: int | None
    calls: tuple[Call, ...]
    notes: tuple[str, ...]
    price: int | None


@dataclass(frozen=True, slots=True)
class _Part:
    """What one option of a request comes to."""

    fields: Mapping[Parameter, object] = field(default_factory=dict[Parameter, object])
    notes: tuple[str, ...] = ()


def plan(request: ImageRequest, model: Model, *, editors: Sequence[Model] = ()) -> Plan:
    """The calls that paint a request on a model, as far as it takes what was asked.

    Args:
        request: what a person asks for.
        model: who paints, with what has been learnt of it.
        editors: models that take as many pictures to work from, for a refusal to name.

    Raises:
        BadRequest: the model does not take that many pictures to work from.
    """
    size = _size(request, model)
    parts = (
        _references(request, model, editors),
        _canvas(request, model, size),
        _steps(request, model),
        _guidance(request, model),
        _avoid(request, model),
        _seed(model),
        _loras(request, model),
        _switches(request, model),
    )
    fields = {name: value for part in parts for name, value in part.fields.items()}
    steps = fields.get(Parameter.STEPS)
    steps = steps if isinstance(steps, int) else None
    return Plan(
        model=model,
        size=size,
        steps=steps,
        calls=tuple(_calls(request, model, _body(fields, size))),
        notes=tuple(note for part in parts for note in part.notes),
        price=model.cost(size, request.count, steps),
    )


def _calls(request: ImageRequest, model: Model, body: Mapping[str, object]) -> Iterator[Call]:
    """As many calls as the model needs; no two pictures share a seed."""
    for first in range(0, request.count, model.count_per_call):
        fields: dict[str, object] = {"model": model.id, "prompt": request.prompt}
        if model.takes(Parameter.N) is not Takes.NO:
            fields["n"] = min(model.count_per_call, request.count - first)
        if model.takes(Parameter.SEED) is not Takes.NO:
            fields["seed"] = (request.seed + first) % (SEED_MAX + 1)
        yield Call({**fields, **body})


def _body(fields: Mapping[Parameter, object], size: Size | None) -> dict[str, object]:
    sides = {"width": size.width, "height": size.height} if size else {}
    return {**sides, **{name.value: value for name, value in fields.items()}}


def _size(request: ImageRequest, model: Model) -> Size | None:
    if isinstance(model.size, Ratios) or model.takes(Parameter.WIDTH_HEIGHT) is Takes.NO:
        return None
    area = model.areas.get(request.quality, USUAL_AREA) if request.quality else USUAL_AREA
    return best_size(model.size, request.ratio, area)


def _canvas(request: ImageRequest, model: Model, size: Size | None) -> _Part:
    """The ratio where the model takes that, and what became of the shape in any case."""
    wanted = request.ratio
    if size:
        painted, said, fields = (size.width, size.height), str(size), {}
    elif isinstance(model.size, Ratios) and model.takes(Parameter.ASPECT_RATIO) is Takes.YES:
        painted = best_ratio(model.size, wanted)
        said = f"{painted[0]}:{painted[1]}"
        fields = {Parameter.ASPECT_RATIO: said}
    else:
        note = f"{model.name} chooses its own size, so `shape` changes nothing there."
        return _Part(notes=() if wanted == (1, 1) or request.follows else (note,))
    if request.follows:
        note = f"{model.name} has no size of that form; the nearest is {said}."
    else:
        note = f"{model.name} has no {request.shape} size, so `shape` became {said}."
    return _Part(fields, (note,) if differs(painted, wanted) else ())


def _steps(request: ImageRequest, model: Model) -> _Part:
    takes = model.takes(Parameter.STEPS)
    if takes is not Takes.YES:
        return _Part(notes=_no_steps(request, model, takes))
    if request.steps is not None:
        steps = max(1, min(request.steps, model.max_steps))
        note = f"{model.name} takes `steps` from 1 to {model.max_steps}, so it became {steps}."
        return _Part({Parameter.STEPS: steps}, () if steps == request.steps else (note,))
    if request.quality is None:
        return _Part()
    return _Part({Parameter.STEPS: _steps_for(request.quality, model)})


def _steps_for(quality: Quality, model: Model) -> int:
    """The guide's range, shrunk to a model that needs fewer steps, near its usual number."""
    low, high, share = _STEPS[quality]
    scale = model.max_steps / STEPS_MAX
    aim = (model.default_steps or _USUAL_STEPS) * share
    return max(1, round(min(max(aim, low * scale), high * scale)))


def _no_steps(request: ImageRequest, model: Model, takes: Takes) -> tuple[str, ...]:
    known = "takes no" if takes is Takes.NO else "isn't known to take a"
    if request.steps is not None:
        return (f"{model.name} {known} steps setting, so I left `steps` out.",)
    if request.quality in (Quality.HIGH, Quality.BEST) and request.quality not in model.areas:
        return (f"{model.name} {known} steps setting, so `quality` changes nothing there.",)
    return ()


def _guidance(request: ImageRequest, model: Model) -> _Part:
    if request.guidance is None:
        return _Part()
    takes = model.takes(Parameter.GUIDANCE_SCALE)
    if takes is not Takes.YES:
        known = "takes no" if takes is Takes.NO else "isn't known to take a"
        return _Part(notes=(f"{model.name} {known} guidance setting, so I left `guidance` out.",))
    most = model.max_guidance
    if most is None or request.guidance <= most:
        return _Part({Parameter.GUIDANCE_SCALE: request.guidance})
    note = f"{model.name} takes `guidance` up to {most}, so it became {most}."
    return _Part({Parameter.GUIDANCE_SCALE: float(most)}, (note,))


def _avoid(request: ImageRequest, model: Model) -> _Part:
    if not request.avoid:
        return _Part()
    instead = "say in the prompt what should be there instead"
    match model.takes(Parameter.NEGATIVE_PROMPT):
        case Takes.YES:
            return _Part({Parameter.NEGATIVE_PROMPT: request.avoid})
        case Takes.NO:
            return _Part(notes=(f"{model.name} doesn't follow `avoid`; {instead}.",))
        case Takes.UNKNOWN:
            unsure = f"I don't know whether {model.name} follows `avoid`, so I left it out"
            return _Part(notes=(f"{unsure}; {instead}.",))


def _seed(model: Model) -> _Part:
    """A seed stands under every result, so it is said where it means nothing."""
    if model.takes(Parameter.SEED) is not Takes.NO:
        return _Part()
    return _Part(notes=(f"{model.name} takes no `seed`, so this can't be painted again the same.",))


def _references(request: ImageRequest, model: Model, editors: Sequence[Model]) -> _Part:
    if not request.references:
        return _Part()
    count = len(request.references)
    if not model.works_from(count):
        raise BadRequest(_cannot_work_from(model, count, editors))
    if model.reference_field is Parameter.IMAGE_URL:
        return _Part({Parameter.IMAGE_URL: request.references[0]})
    return _Part({Parameter.REFERENCE_IMAGES: list(request.references)})


def _cannot_work_from(model: Model, count: int, editors: Sequence[Model]) -> str:
    match model.takes_references:
        case Takes.YES:
            most = model.max_references or 0
            pictures = "picture" if most == 1 else "pictures"
            said = f"{model.name} works from {most} {pictures}, not from {count}."
        case Takes.NO:
            said = f"{model.name} can't work from pictures."
        case Takes.UNKNOWN:
            said = f"I don't know whether {model.name} can work from pictures."
    names = [editor.name for editor in editors[:_NAMED]]
    listed = " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
    return f"{said} {listed} can." if names else said


def _loras(request: ImageRequest, model: Model) -> _Part:
    if not request.loras:
        return _Part()
    if model.takes(Parameter.IMAGE_LORAS) is not Takes.YES:
        return _Part(notes=(f"{model.name} takes no LoRA styles, so I left them out.",))
    loras = [{"path": lora.path, "scale": lora.scale} for lora in request.loras]
    return _Part({Parameter.IMAGE_LORAS: loras})


def _switches(request: ImageRequest, model: Model) -> _Part:
    """What is nobody's wish for the picture, and so not worth a note where it is not taken.

    The service rewrites prompts unless it is told not to, so that is always said.
    """
    wanted = {
        Parameter.PROMPT_UPSAMPLING: request.upsampling,
        Parameter.OUTPUT_FORMAT: request.output_format,
        Parameter.DISABLE_SAFETY_CHECKER: request.unsafe or None,
    }
    return _Part(
        {
            parameter: value
            for parameter, value in wanted.items()
            if value is not None and model.takes(parameter) is Takes.YES
        }
    )
