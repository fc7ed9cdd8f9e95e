"""The sea: a headland far off, water that mirrors the light, a shore in front."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.demo.art.brushes import fill, gradient, mix, profile, skyline
from bot.demo.art.ridges import BLACK, toned

if TYPE_CHECKING:
    from bot.demo.art.scene import Work
    from bot.demo.art.words import Colour

_DEEP: Colour = (16, 62, 92)
_STROKES = 420


def paint_sea(work: Work) -> None:
    _headland(work)
    _water(work)
    _glints(work)
    ground, height = work.scene.ground, work.height
    shore = skyline(profile(work.rng, 7, 0.36), work.width, height * 0.95, height * 0.08, height)
    fill(work.picture, shore, (mix(ground, BLACK, 0.25), mix(ground, BLACK, 0.5)))


def _headland(work: Work) -> None:
    heights = profile(work.rng, 6, 0.45)
    half = len(heights) // 2
    faded = [h * max(0, 1 - i / half) for i, h in enumerate(heights)]
    if work.rng.choice((True, False)):
        faded.reverse()
    foot = work.scene.horizon + 2
    outline = skyline(faded, work.width, foot, work.height * 0.12, foot)
    fill(work.picture, outline, toned(work.scene, 0.2))


def _water(work: Work) -> None:
    scene = work.scene
    deep = mix(scene.sky[0], _DEEP, 0.55)
    stops = (mix(scene.air, deep, 0.18), mix(scene.air, deep, 0.7), deep)
    size = (work.width, work.height - scene.horizon)
    work.picture.paste(gradient(size, stops), (0, scene.horizon))


def _glints(work: Work) -> None:
    """Short strokes of light on the water, longer towards the front; half lie under the lamp."""
    scene, rng, draw = work.scene, work.rng, work.draw
    depth = work.height - scene.horizon - 3
    for stroke in range(_STROKES):
        near = rng.random() ** 1.6
        y = scene.horizon + 3 + near * depth
        long = work.width * (0.008 + 0.045 * near) * rng.uniform(0.4, 1.4)
        if scene.clear and stroke % 2:
            x = rng.gauss(scene.lamp[0], work.width * (0.02 + 0.05 * near)) - long / 2
            light, share = scene.light, rng.uniform(0.3, 0.75)
        else:
            x = rng.uniform(-long, work.width)
            light, share = rng.choice((scene.light, scene.sky[0])), rng.uniform(0.1, 0.4)
        colour = mix(_under(work, x, y), light, share)
        draw.line((x, y, x + long, y), fill=colour, width=max(1, round(3.2 * near)))


def _under(work: Work, x: float, y: float) -> Colour:
    place = (min(work.width - 1, max(0, round(x))), min(work.height - 1, round(y)))
    match work.picture.getpixel(place):
        case (int(red), int(green), int(blue)):
            return red, green, blue
        case _:
            return work.scene.air
