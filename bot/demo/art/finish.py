"""Last touches: weather in the air, the look of a technique, the sandbox's label."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

from bot.demo.art.brushes import curved, fading, mix, noise, stretched
from bot.demo.art.words import Style, Weather

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_LABEL_MAX = 60


def add_weather(picture: Image.Image, weather: Weather | None, rng: Random) -> None:
    if weather is not None:
        _WEATHERS[weather](picture, rng)


def _snow(picture: Image.Image, rng: Random) -> None:
    mask = Image.new("L", (picture.width * 2, picture.height * 2))
    draw = ImageDraw.Draw(mask)
    unit = min(picture.size) / 500
    for _ in range(260):
        radius = unit * (1 + 5 * rng.random() ** 3)
        x, y = rng.uniform(0, mask.width), rng.uniform(0, mask.height)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=rng.randint(120, 235))
    picture.paste((252, 253, 255), (0, 0), mask.reduce(2))


def _rain(picture: Image.Image, rng: Random) -> None:
    mask = Image.new("L", (picture.width * 2, picture.height * 2))
    draw = ImageDraw.Draw(mask)
    for _ in range(340):
        x, y = rng.uniform(0, mask.width * 1.1), rng.uniform(-0.05, 1) * mask.height
        long = mask.height * rng.uniform(0.015, 0.05)
        draw.line((x, y, x - long * 0.22, y + long), fill=rng.randint(50, 140), width=3)
    picture.paste((214, 226, 240), (0, 0), mask.reduce(2))


def _fog(picture: Image.Image, rng: Random) -> None:
    small = (max(8, picture.width // 8), max(8, picture.height // 8))
    haze = curved(noise(rng, small, (2, 6)), lambda v: min(225, (v - 70) * 2))
    mask = ImageChops.multiply(haze, fading(small, 30, 120, 235, 190, 40))
    picture.paste((224, 228, 232), (0, 0), stretched(mask, picture.size))


def _leaves(picture: Image.Image, rng: Random) -> None:
    draw = ImageDraw.Draw(picture)
    unit = min(picture.size) / 1000
    for _ in range(70):
        x, y = rng.uniform(0, picture.width), rng.uniform(0, picture.height)
        wide, high = unit * rng.uniform(5, 11), unit * rng.uniform(3, 7)
        tone = mix((206, 62, 40), (246, 184, 62), rng.random())
        slant = rng.uniform(-1, 1) * high
        draw.polygon(
            [(x - wide, y - slant), (x, y - high), (x + wide, y + slant), (x, y + high)], fill=tone
        )


_WEATHERS: Mapping[Weather, Callable[[Image.Image, Random], None]] = {
    Weather.SNOW: _snow,
    Weather.RAIN: _rain,
    Weather.FOG: _fog,
    Weather.AUTUMN: _leaves,
}


def apply_style(picture: Image.Image, style: Style | None) -> Image.Image:
    return picture if style is None else _STYLES[style](picture)


def _watercolour(picture: Image.Image) -> Image.Image:
    """Pooled colour with darker rims, on paper."""
    half = picture.reduce(3).filter(ImageFilter.MedianFilter(5))
    rims = half.filter(ImageFilter.FIND_EDGES).convert("L").filter(ImageFilter.BoxBlur(1))
    rims = curved(rims, lambda v: 255 - v * 100 / 255)
    pooled = ImageChops.multiply(half, Image.merge("RGB", (rims,) * 3))
    washed = Image.blend(pooled, Image.new("RGB", half.size, (250, 244, 230)), 0.16)
    return stretched(washed, picture.size)


def _sketch(picture: Image.Image) -> Image.Image:
    """Pencil lines along the edges, over a faint shading of the tones."""
    grey = picture.convert("L")
    edges = grey.filter(ImageFilter.GaussianBlur(1)).filter(ImageFilter.FIND_EDGES)
    # The filter takes the rim of the canvas for an edge.
    ImageDraw.Draw(edges).rectangle((0, 0, grey.width - 1, grey.height - 1), outline=0, width=4)
    lines = curved(edges.filter(ImageFilter.GaussianBlur(1)), lambda v: 255 - 9 * v)
    shading = curved(grey, lambda v: 150 + v * 105 / 255)
    return ImageOps.colorize(ImageChops.multiply(lines, shading), (46, 44, 52), (250, 246, 236))


def _pixels(picture: Image.Image) -> Image.Image:
    width, height = picture.size
    cell = max(2, min(width, height) // 128)
    small = stretched(picture, (-(-width // cell), -(-height // cell)), Image.Resampling.BOX)
    few = small.quantize(56, method=Image.Quantize.MAXCOVERAGE).convert("RGB")
    large = stretched(few, (few.width * cell, few.height * cell), Image.Resampling.NEAREST)
    return large.crop((0, 0, width, height))


def _monochrome(picture: Image.Image) -> Image.Image:
    return ImageOps.autocontrast(picture.convert("L"), cutoff=1).convert("RGB")


def _vintage(picture: Image.Image) -> Image.Image:
    sepia = ImageOps.colorize(picture.convert("L"), (48, 30, 26), (252, 236, 204), (176, 128, 88))
    return Image.blend(picture, sepia, 0.78)


def _vivid(picture: Image.Image) -> Image.Image:
    return ImageEnhance.Color(ImageEnhance.Contrast(picture).enhance(1.12)).enhance(1.55)


def _soft(picture: Image.Image) -> Image.Image:
    haze = stretched(picture.reduce(4).filter(ImageFilter.GaussianBlur(6)), picture.size)
    lit = ImageChops.screen(picture, curved(haze, lambda v: v / 2))
    return Image.blend(lit, haze, 0.35)


_STYLES: Mapping[Style, Callable[[Image.Image], Image.Image]] = {
    Style.WATERCOLOUR: _watercolour,
    Style.SKETCH: _sketch,
    Style.PIXELS: _pixels,
    Style.MONOCHROME: _monochrome,
    Style.VINTAGE: _vintage,
    Style.VIVID: _vivid,
    Style.SOFT: _soft,
}


def label(picture: Image.Image, prompt: str, *, across: bool = False) -> None:
    """Say in a corner that no model painted this.

    An edit's label goes `across` the foot, and so covers the one of the picture before.
    """
    size = max(11, round(min(picture.size) * 0.024))
    # A font a call: FreeType's faces are not for sharing between threads.
    font = ImageFont.load_default(size)
    pad = round(size * 0.55)
    text = _fitting(f"sandbox · {printable(prompt)}".rstrip(" ·"), font, picture.width - 4 * pad)
    height = size + pad
    top = picture.height - height - pad
    if across:
        foot = (0, top - pad, picture.width, picture.height)
        picture.paste((14, 16, 24), foot)
    else:
        plate = Image.new("L", ((round(font.getlength(text)) + 2 * pad) * 2, height * 2))
        ImageDraw.Draw(plate).rounded_rectangle((0, 0, *plate.size), pad * 2, 130)
        picture.paste((8, 10, 18), (pad, top), plate.reduce(2))
    place = (2 * pad, top + height / 2 - across * pad * 0.1)
    ImageDraw.Draw(picture).text(place, text, (240, 240, 236), font, "lm")


def _fitting(text: str, font: Font, room: float) -> str:
    while font.getlength(text) > room and len(text) > 1:
        text = f"{text[:-2].rstrip(' ·')}…"
    return text


def printable(prompt: str) -> str:
    """What the built-in font has letters for; anything else shrinks to an ellipsis."""
    plain = unicodedata.normalize("NFKD", prompt[: 4 * _LABEL_MAX])
    kept = "".join(
        c
        if c.isascii() and c.isprintable()
        else ""
        if unicodedata.combining(c)
        else " "
        if c.isspace()
        else "…"
        for c in plain
    )
    words = " ".join(kept.split())
    while "……" in words or "… …" in words:
        words = words.replace("……", "…").replace("… …", "…")
    return "" if words == "…" else words[:_LABEL_MAX]
