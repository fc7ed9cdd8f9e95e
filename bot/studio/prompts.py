"""Styles, and how an order's words become the words that are painted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import BadRequest
from bot.imaging.request import ImageRequest, Shape
from bot.studio.order import Variation

if TYPE_CHECKING:
    from bot.studio.order import Order, Part


@dataclass(frozen=True, slots=True)
class Style:
    """A look by name.

    Attributes:
        words: what is put behind the prompt. The photographic ones are the image API's own
            advice (https://docs.together.ai/docs/quickstart-flux-2).
    """

    name: str
    words: str


_STYLES = (
    Style("photo", "close up photo, photorealistic"),
    Style("film photo", "shot on 35mm film, f/2.8, film grain"),
    Style("80s photo", "80s vintage photo"),
    Style("digicam", "2000s digicam style"),
    Style("phone photo", "picture taken from a vintage cellphone, selfie style"),
    Style("studio photo", "studio photograph, soft box lighting, plain background"),
    Style("nature documentary", "National Geographic style, natural light, telephoto lens"),
    Style("watercolour", "loose watercolor painting on rough paper, visible washes"),
    Style("oil painting", "oil painting on canvas, thick brush strokes"),
    Style("ink", "black ink drawing, fine hatching, white paper"),
    Style("comic", "comic book panel, bold outlines, flat colors, halftone shading"),
    Style("anime", "hand-drawn anime film still, soft light, painted background"),
    Style("pixel art", "16-bit pixel art, limited palette, crisp pixels"),
    Style("low poly", "low poly 3D render, faceted shapes, soft studio light"),
    Style("clay", "claymation figure, handmade modelling clay, miniature set"),
    Style("paper cut", "layered paper cut-out, soft shadows between the layers"),
    Style("sticker", "die-cut sticker, thick white border, plain background"),
    Style("poster", "screen-printed poster, few flat colors, strong composition"),
    Style("infographic", "clean infographic, clear sections, short legible labels"),
)

STYLES = {style.name: style for style in _STYLES}


def find_style(name: str) -> Style:
    """The style called `name`, in whatever case.

    Raises:
        BadRequest: there is none.
    """
    style = STYLES.get(name.strip().casefold())
    if style is None:
        raise BadRequest(
            f"I don't know a style called “{name[:50]}”. Pick one from the list that opens as "
            "you type in the `style` option, or describe the look in the prompt."
        )
    return style


def search_styles(text: str) -> list[Style]:
    """The styles whose name or words contain `text`, in their own order."""
    wanted = text.strip().casefold()
    return [s for s in _STYLES if wanted in s.name or wanted in s.words.casefold()]


#: Told to a model that edits: what stays comes first, since that is what it weighs most.
_VARYING = {
    Variation.SUBTLE: (
        "Paint image 1 again with the same composition, subject, colors and style; change only "
        "small details. It shows: {prompt}"
    ),
    Variation.STRONG: (
        "Paint a new picture of the same subject in the style of image 1, with another "
        "composition, point of view and light. It shows: {prompt}"
    ),
}


def compose(
    order: Order, part: Part, *, seed: int, references: tuple[str, ...] = ()
) -> ImageRequest:
    """A part of an order in the painter's words.

    The prompt comes first, since FLUX weighs the start most.

    Args:
        order: what was asked for, with the ids of who paints it.
        part: which of its pictures.
        seed: the same for every part, so that the words or the model make the difference.
        references: the sources' pictures; what the API is to fetch or decode.
    """
    prompt = part.prompt
    if order.style is not None:
        prompt = f"{prompt}, {find_style(order.style).words}"
    if part.variation is not None:
        prompt = _VARYING[part.variation].format(prompt=prompt)
    follows = part.sources[0].size if part.sources and order.shape is None else None
    return ImageRequest(
        prompt=prompt,
        model=part.model or order.model or "",
        seed=seed,
        count=part.count,
        shape=order.shape or Shape.SQUARE,
        follows=follows,
        quality=order.quality,
        avoid=order.avoid,
        references=references,
    )
