"""Reads a request as the real service does: each model refuses, or ignores, in its own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar, cast

from bot.demo.sandbox.answers import Refused, against_policy, bad_request, unsafe
from bot.demo.sandbox.menu import Closed, Following, Model, Sides, Size, Window

Body = Mapping[str, object]
Value = TypeVar("Value")

#: Words that nobody writes by accident: the sandbox's safety checker, and a provider's policy.
SAFETY_WORD = "forbidden-fruit"
POLICY_WORD = "borrowed-hero"

SEED_MAX = 2_147_483_647
_COUNT_MAX = 4
_SIDE_STEP = 16
#: Every model takes these. `size` is another service's spelling: taken, and without effect.
_COMMON = frozenset(
    [
        "model",
        "prompt",
        "n",
        "width",
        "height",
        "seed",
        "response_format",
        "output_format",
        "disable_safety_checker",
        "size",
    ]
)
#: Together's own parameters, whose refusal is worded differently from that of unknown ones.
_OWN = frozenset({"image_url", "steps", "reference_images", "image_loras"})
# The service's own typography.
_WINDOW_TEXT = (
    "Invalid dimensions. The total area (width × height) must be within the range of "  # noqa: RUF001 - verbatim
    "1265×1265 to 1440×1440. The aspect ratio must be between 1:4 and 4:1. For example, "  # noqa: RUF001 - verbatim
    "768*2700 is a valid resolution."
)
_RATIO_SIZES: Mapping[str, Size] = {
    "1:1": (1024, 1024),
    "16:9": (1344, 768),
    "9:16": (768, 1344),
    "4:3": (1184, 864),
    "3:2": (1248, 832),
}


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be painted.

    Attributes:
        size: None when the first reference decides it.
        references: data URIs or links, as they came.
    """

    prompt: str
    model: str
    count: int
    size: Size | None
    seed: int | None
    image_format: Literal["jpeg", "png"]
    as_url: bool
    references: tuple[str, ...]


def take_order(body: Body, model: Model) -> Order:
    """Raises `Refused` with a 400 or a 422; nothing is rendered then."""
    body = {name: value for name, value in body.items() if value is not None}
    _refuse_unknown(body, model)
    prompt = _prompt(body)
    _steps(body, model)
    _number(body, "guidance_scale")
    _typed(body, "negative_prompt", str)
    order = Order(
        prompt=prompt,
        model=model.id,
        count=_whole(body, "n", 1, _COUNT_MAX) or 1,
        seed=_seed(body),
        references=(references := _references(body, model)),
        size=_size(body, model, with_references=bool(references)),
        image_format=_image_format(body, model),
        as_url=_choice(body, "response_format", ("url", "base64", "b64_json"), "url") == "url",
    )
    _refuse_words(prompt, checked=body.get("disable_safety_checker") is not True)
    return order


def _refuse_unknown(body: Body, model: Model) -> None:
    if model.takes is None:
        return
    for name in body:
        if name in _COMMON or name in model.takes:
            continue
        if name in _OWN:
            raise bad_request(
                f"Unsupported use of '{name}' parameter. This parameter is not supported for the "
                "selected model."
            )
        raise bad_request(
            f"Invalid parameter detected. The parameter \"'{name}'\" is not recognized or "
            "supported."
        )


def _refuse_words(prompt: str, *, checked: bool) -> None:
    words = prompt.casefold()
    if POLICY_WORD in words:
        raise Refused(against_policy())
    if checked and SAFETY_WORD in words:
        raise Refused(unsafe())


def _prompt(body: Body) -> str:
    prompt = _typed(body, "prompt", str)
    if not prompt or not prompt.strip():
        raise bad_request("Invalid value for 'prompt' parameter. A prompt is required.")
    return prompt


def _typed(body: Body, name: str, kind: type[Value]) -> Value | None:
    value = body.get(name)
    if value is None or (isinstance(value, kind) and not isinstance(value, bool)):
        return value
    raise bad_request(f"Invalid value for '{name}' parameter. Expected {kind.__name__}.")


def _number(body: Body, name: str) -> None:
    value = body.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise bad_request(f"Invalid value for '{name}' parameter. Expected number.")


def _whole(body: Body, name: str, low: int, high: int, step: int = 1) -> int | None:
    value = _typed(body, name, int)
    if value is None or (low <= value <= high and value % step == 0):
        return value
    multiples = f", in multiples of {step}" if step > 1 else ""
    raise bad_request(
        f"Invalid value for '{name}' parameter. {name.capitalize()} must be an integer value "
        f"between {low} and {high}{multiples}."
    )


def _seed(body: Body) -> int | None:
    seed = body.get("seed")
    if seed is None or (type(seed) is int and 0 <= seed <= SEED_MAX):
        return seed
    raise bad_request(
        "Invalid value for 'seed' parameter. Seed must be an integer value between 0 and "
        f"{SEED_MAX}. Default: Random."
    )


def _steps(body: Body, model: Model) -> None:
    steps = _typed(body, "steps", int)
    if steps is not None and not 1 <= steps <= model.steps_max:
        raise bad_request(f"steps must be between 1 and {model.steps_max}")


def _choice(body: Body, name: str, allowed: tuple[str, ...], default: str) -> str:
    value = _typed(body, name, str) or default
    if value in allowed:
        return value
    choices = ", ".join(f"'{choice}'" for choice in allowed)
    raise bad_request(f"Invalid value for '{name}' parameter. Supported values are: {choices}.")


def _image_format(body: Body, model: Model) -> Literal["jpeg", "png"]:
    wanted = _choice(body, "output_format", ("jpeg", "png"), "jpeg")
    return "png" if wanted == "png" and model.png else "jpeg"


def _references(body: Body, model: Model) -> tuple[str, ...]:
    """The inputs that the model looks at; Kontext takes one link, all others a list."""
    if isinstance(model.sizes, Following):
        one = _typed(body, "image_url", str)
        return (one,) if one else ()
    listed = body.get("reference_images")
    if listed is None or not model.references:
        return ()
    if not isinstance(listed, list):
        raise bad_request("Invalid value for 'reference_images' parameter. Expected list.")
    links = [link for link in cast("list[object]", listed) if isinstance(link, str)]
    if len(links) != len(cast("list[object]", listed)) or len(links) > model.references:
        raise bad_request(
            "Invalid value for 'reference_images' parameter. Expected at most "
            f"{model.references} strings."
        )
    return tuple(links)


def _size(body: Body, model: Model, *, with_references: bool) -> Size | None:
    match model.sizes:
        case Following():
            return _followed(body, with_references=with_references)
        case Sides(low, high):
            return _sides(body, low, high, model.default_size)
        case Closed(sizes):
            size = _sides(body, 1, 10_000, model.default_size, step=1)
            if size not in sizes:
                raise bad_request(_closed_menu(sizes))
            return size
        case Window() as window:
            size = _sides(body, 1, 10_000, model.default_size, step=1)
            _check_window(size, window)
            return size


def _sides(body: Body, low: int, high: int, default: Size, step: int = _SIDE_STEP) -> Size:
    width = _whole(body, "width", low, high, step)
    height = _whole(body, "height", low, high, step)
    return width or default[0], height or default[1]


def _followed(body: Body, *, with_references: bool) -> Size | None:
    ratio = _typed(body, "aspect_ratio", str)
    if ratio is not None:
        if ratio not in _RATIO_SIZES:
            choices = ", ".join(f"'{choice}'" for choice in _RATIO_SIZES)
            raise bad_request(
                f"Invalid value for 'aspect_ratio' parameter. Supported values are: {choices}."
            )
        return _RATIO_SIZES[ratio]
    size = _sides(body, 64, 2048, (1024, 1024))
    return None if with_references else size


def _closed_menu(sizes: tuple[Size, ...]) -> str:
    choices = ", ".join(f"'{width}x{height}'" for width, height in sizes)
    return (
        "Unsupported use of width/height parameters. The specified dimensions are not supported "
        f"for the selected model. Supported values are: {choices}."
    )


def _check_window(size: Size, window: Window) -> None:
    width, height = size
    low, high = window.area
    narrow, wide = window.ratio
    if low <= width * height <= high and narrow <= width / height <= wide:
        return
    raise bad_request(_WINDOW_TEXT)


def size_after(reference: Size) -> Size:
    """About one megapixel in the form of the reference, with sides in steps of 16."""
    width, height = reference
    scale = (1024 * 1024 / (width * height)) ** 0.5
    return _stepped(width * scale), _stepped(height * scale)


def _stepped(side: float) -> int:
    return min(2048, max(256, round(side / _SIDE_STEP) * _SIDE_STEP))
