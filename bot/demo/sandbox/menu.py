"""The models that the sandbox serves, and what each takes and refuses.

Written from public documents and measurements of the real service, independently of
`bot/imaging/models.toml`, so that a mistake there cannot agree with itself here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Sides:
    """Any width and height within limits, in steps of 16."""

    low: int = 256
    high: int = 2048


@dataclass(frozen=True, slots=True)
class Closed:
    """These sizes and no others."""

    sizes: tuple[Size, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """Any size whose area and ratio lie within limits."""

    area: tuple[int, int]
    ratio: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Following:
    """The output has the form of the reference, or of one of a few named ratios."""


SizeRule = Sides | Closed | Window | Following


@dataclass(frozen=True, slots=True)
class Model:
    """One dish.

    Attributes:
        usd: the price of one `unit`.
        takes: parameters beyond those that all models take; None for a lenient model, which
            ignores whatever it does not know.
        references: how many input pictures it works from.
        png: whether `output_format: png` has an effect.
        listed: whether `GET /v1/models` names it.
    """

    id: str
    name: str
    organization: str
    usd: float
    unit: Literal["image", "megapixel"] = "image"
    sizes: SizeRule = Sides()
    default_size: Size = (1024, 1024)
    takes: frozenset[str] | None = frozenset()
    references: int = 0
    steps_max: int = 50
    default_steps: int = 0
    png: bool = False
    listed: bool = True


def _sizes(text: str) -> tuple[Size, ...]:
    pairs = (size.split("x") for size in text.split())
    return tuple((int(width), int(height)) for width, height in pairs)


_REFERENCES = frozenset({"reference_images"})
_TUNED = frozenset({"steps", "guidance_scale"})
_AVOIDING = frozenset({"negative_prompt"})
_FLUX_2 = Sides(256, 1920)
_NANO_1K = _sizes(
    "1024x1024 1264x848 848x1264 1200x896 896x1200 928x1152 1152x928 768x1376 1376x768 1584x672"
)
_NANO_WIDE = _sizes("2048x512 512x2048 3072x384 384x3072")
_NANO_2K = _sizes(
    "2048x2048 2528x1696 1696x2528 2400x1792 1792x2400 1856x2304 2304x1856 1536x2752 2752x1536"
    " 3168x1344"
)
_NANO_4K = _sizes(
    "4096x4096 5056x3392 3392x5056 4800x3584 3584x4800 3712x4608 4608x3712 3072x5504 5504x3072"
    " 6336x2688"
)
_NANO_FIRST = _sizes(
    "1024x1024 1248x832 832x1248 1184x864 864x1184 896x1152 1152x896 768x1344 1344x768 1536x672"
)
_GPT_15 = _sizes("1024x1024 1536x1024 1024x1536")
_BFL = "Black Forest Labs"

_ALL = (
    # Other providers' models, passed through: what they do not know, they refuse.
    Model(
        "openai/gpt-image-2", "GPT Image 2", "OpenAI", 0.053,
        sizes=Sides(480, 3840), takes=_REFERENCES, references=16,
    ),
    Model(
        "openai/gpt-image-1.5", "GPT Image 1.5", "OpenAI", 0.034,
        sizes=Closed(_GPT_15), takes=_REFERENCES, references=16,
    ),
    Model(
        "google/flash-image-2.5", "Gemini Flash Image 2.5 (Nano Banana)", "Google", 0.039,
        sizes=Closed(_NANO_FIRST), takes=_REFERENCES, references=3,
    ),
    Model(
        "google/gemini-3-pro-image", "Gemini 3 Pro Image (Nano Banana Pro)", "Google", 0.134,
        sizes=Closed(_NANO_1K + _NANO_2K + _NANO_4K), takes=_REFERENCES, references=14,
    ),
    Model(
        "google/flash-image-3.1", "Gemini 3.1 Flash Image (Nano Banana 2)", "Google", 0.05,
        sizes=Closed(_NANO_1K + _NANO_WIDE), takes=_REFERENCES, references=14,
    ),
    Model(
        "google/flash-image-3.1-lite", "Gemini 3.1 Flash-Lite Image", "Google", 0.069,
        sizes=Closed(_NANO_1K + _NANO_WIDE),
    ),
    Model(
        "black-forest-labs/FLUX.2-pro", "FLUX.2 [pro]", _BFL, 0.03,
        sizes=_FLUX_2, takes=_REFERENCES | {"prompt_upsampling"}, references=8, png=True,
    ),
    Model(
        "black-forest-labs/FLUX.2-dev", "FLUX.2 [dev]", _BFL, 0.0154,
        sizes=_FLUX_2, takes=_REFERENCES | _TUNED, references=6, default_steps=28, png=True,
    ),
    Model(
        "black-forest-labs/FLUX.2-flex", "FLUX.2 [flex]", _BFL, 0.03,
        sizes=_FLUX_2, takes=_REFERENCES | _TUNED, references=10, png=True,
    ),
    Model("ByteDance/Seedream-5.0-lite", "Seedream 5.0 Lite", "ByteDance", 0.035),
    Model(
        "ByteDance-Seed/Seedream-4.0", "Seedream 4.0", "ByteDance", 0.03,
        takes=_REFERENCES, references=14,
    ),
    Model("ByteDance-Seed/Seedream-3.0", "Seedream 3.0", "ByteDance", 0.018, takes=_TUNED),
    Model(
        "Qwen/Qwen-Image-2.0-Pro", "Qwen Image 2.0 Pro", "Qwen", 0.075,
        takes=_REFERENCES | _AVOIDING, references=3,
    ),
    Model(
        "Qwen/Qwen-Image-2.0", "Qwen Image 2.0", "Qwen", 0.035,
        takes=_REFERENCES | _AVOIDING, references=3,
    ),
    Model("Qwen/Qwen-Image", "Qwen Image", "Qwen", 0.0058, takes=_TUNED | _AVOIDING),
    Model(
        "Wan-AI/Wan2.6-image", "Wan 2.6 Image", "Wan-AI", 0.03,
        sizes=Window((1265**2, 1440**2), (0.25, 4.0)), default_size=(1280, 1280),
        takes=_REFERENCES | _AVOIDING, references=4,
    ),
    Model("ideogram/ideogram-4.0", "Ideogram 4.0", "Ideogram", 0.06),
    Model("ideogram/ideogram-3.0", "Ideogram 3.0", "Ideogram", 0.06),
    Model("prunaai/p-image-ideogram", "P-Image Ideogram", "Pruna AI", 0.00225),
    # Served by the service itself: what these do not know, they ignore.
    Model(
        "black-forest-labs/FLUX.2-max", "FLUX.2 [max]", _BFL, 0.07, "megapixel",
        sizes=_FLUX_2, takes=None, references=8, default_steps=50, png=True,
    ),
    Model(
        "black-forest-labs/FLUX.1.1-pro", "FLUX1.1 [pro]", _BFL, 0.04, "megapixel",
        sizes=Sides(256, 1440), takes=None, png=True,
    ),
    Model(
        "black-forest-labs/FLUX.1-kontext-pro", "FLUX.1 Kontext [pro]", _BFL, 0.04, "megapixel",
        sizes=Following(), takes=None, references=1, default_steps=28, png=True,
    ),
    Model(
        "black-forest-labs/FLUX.1-kontext-max", "FLUX.1 Kontext [max]", _BFL, 0.08, "megapixel",
        sizes=Following(), takes=None, references=1, default_steps=28, png=True,
    ),
    Model(
        "black-forest-labs/FLUX.1-schnell", "FLUX.1 [schnell]", _BFL, 0.0027, "megapixel",
        sizes=Sides(64, 1792), takes=None, steps_max=12, default_steps=4, png=True, listed=False,
    ),
    Model(
        "RunDiffusion/Juggernaut-pro-flux", "Juggernaut Pro Flux", "RunDiffusion", 0.0049,
        takes=None,
    ),
    Model(
        "Rundiffusion/Juggernaut-Lightning-Flux", "Juggernaut Lightning Flux", "RunDiffusion",
        0.0017, takes=None,
    ),
    Model(
        "stabilityai/stable-diffusion-xl-base-1.0", "SDXL 1.0", "Stability AI", 0.0019,
        takes=None,
    ),
)  # fmt: skip
MODELS = {model.id: model for model in _ALL}


def listing() -> list[dict[str, object]]:
    """What `GET /v1/models` answers: a bare array, and not only of image models."""
    return [_CHAT_MODEL, *(_listed(model) for model in _ALL if model.listed), _EMBEDDING_MODEL]


def _listed(model: Model) -> dict[str, object]:
    return _entry(model.id, "image", model.name, model.organization) | {
        "pricing": {**_NO_TOKENS, **_price(model)}
    }


def _price(model: Model) -> dict[str, object]:
    if model.unit == "megapixel":
        steps = model.default_steps or 1
        return {"image_pixel": {"price_per_megapixel": model.usd, "min_steps": steps}}
    return {"image": {"example_price": model.usd, "example_description": "per image"}}


def _entry(model_id: str, kind: str, name: str, organization: str) -> dict[str, object]:
    return {
        "id": model_id,
        "object": "model",
        "created": 1_760_000_000,
        "type": kind,
        "running": False,
        "display_name": name,
        "organization": organization,
        "link": "",
        "license": None,
        "context_length": None,
    }


_NO_TOKENS: dict[str, object] = {"hourly": 0, "input": 0, "output": 0, "base": 0, "finetune": 0}
_CHAT_MODEL = _entry("sandbox/talk", "chat", "Sandbox Talk", "Sandbox") | {
    "context_length": 8192,
    "pricing": {**_NO_TOKENS, "input": 0.2, "output": 0.2},
}
_EMBEDDING_MODEL = _entry("sandbox/embed", "embedding", "Sandbox Embed", "Sandbox") | {
    "pricing": {**_NO_TOKENS, "input": 0.01}
}
