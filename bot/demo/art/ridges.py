"""Layers of land in hazy air: ridges, the snow on them and the firs along them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from bot.demo.art.brushes import Point, fill, gradient, mix, profile, skyline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.demo.art.scene import Scene, Work
    from bot.demo.art.words import Colour

BLACK: Colour = (0, 0, 0)
_SNOWCAP: Colour = (244, 248, 252)
_SNOWY_FIR: Colour = (36, 62, 84)
#: A fir: three overlapping triangles, each by its foot, tip and half width.
_FIR = ((0, 0.5, 0.24), (0.25, 0.75, 0.18), (0.5, 1, 0.12))


def toned(scene: Scene, depth: float) -> tuple[Colour, Colour]:
    """A layer's colours, top to foot; depth 0 is at the horizon, 1 right in front."""
    body = mix(scene.air, scene.ground, 0.25 + 0.75 * depth)
    body = mix(body, BLACK, (0.06 if scene.snowy else 0.3) * depth)
    return body, mix(body, scene.air, 0.4 * (1 - depth) + 0.06)


def base_line(work: Work, depth: float) -> float:
    return work.scene.horizon + (work.height - work.scene.horizon) * (0.06 + 0.6 * depth)


def ridge(work: Work, depth: float, *, rise: float, rough: float) -> list[Point]:
    """One layer of land; its crest is returned, for what grows on it."""
    lift = work.height * rise * (1.1 - depth * 0.6)
    heights = profile(work.rng, 7, rough)
    base = base_line(work, depth) + lift * 0.3
    outline = skyline(heights, work.width, base, lift, work.height)
    fill(work.picture, outline, toned(work.scene, depth))
    return outline[: len(heights)]


def snowcap(work: Work, crest: Sequence[Point]) -> None:
    """Snow where the ridge is high, with a ragged lower edge."""
    scene = work.scene
    top, foot = min(y for _, y in crest), max(y for _, y in crest)
    line = top + (foot - top) * (0.75 if scene.snowy else 0.42)
    ragged = [(x, max(y, y + (line - y) * work.rng.uniform(0.55, 1))) for x, y in crest]
    snow = mix(_SNOWCAP, scene.air, 0.25)
    if scene.dark:
        snow = mix(snow, scene.sky[0], 0.45)
    fill(work.picture, [*crest, *reversed(ragged)], (snow, mix(snow, scene.air, 0.5)))


def grow_firs(work: Work, crest: Sequence[Point], *, depth: float, density: float) -> None:
    """Firs along a ridge, nearer ones taller, in the colours of their ridge."""
    tall = work.height * (0.045 + 0.13 * depth)
    top = max(0, round(min(y for _, y in crest) - 1.4 * tall))
    foot = min(work.height, round(max(y for _, y in crest) + 0.3 * tall))
    size = (work.width, foot - top)
    mask = Image.new("L", (size[0] * 2, size[1] * 2))
    draw = ImageDraw.Draw(mask)
    x = -tall * work.rng.random()
    while x < work.width + tall:
        ground = _height_at(crest, x / work.width) - top + 0.12 * tall
        _fir(draw, 2 * x, 2 * ground, 2 * tall * work.rng.uniform(0.55, 1.3))
        x += tall * work.rng.uniform(0.16, 0.4) / density
    colour, foot_colour = toned(work.scene, min(1, depth + 0.12))
    if work.scene.snowy:
        colour = mix(colour, _SNOWY_FIR, 0.55)
    work.picture.paste(gradient(size, (colour, foot_colour)), (0, top), mask.reduce(2))


def _height_at(crest: Sequence[Point], share: float) -> float:
    last = len(crest) - 1
    return crest[min(last, max(0, round(share * last)))][1]


def _fir(draw: ImageDraw.ImageDraw, x: float, foot: float, height: float) -> None:
    for low, high, half in _FIR:
        left, right = (x - half * height, x + half * height)
        base, tip = foot - low * height, foot - high * height
        draw.polygon([(left, base), (right, base), (x, tip)], fill=255)
