"""The ground of each place, painted from the horizon to the front."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.demo.art.brushes import mix
from bot.demo.art.dunes import paint_desert
from bot.demo.art.ridges import BLACK, base_line, grow_firs, ridge, snowcap
from bot.demo.art.towns import paint_city
from bot.demo.art.waters import paint_sea
from bot.demo.art.words import Colour, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.demo.art.scene import Work

_PETALS: tuple[Colour, ...] = ((236, 92, 96), (250, 204, 92), (240, 240, 250), (196, 120, 210))
_STEM: Colour = (20, 60, 30)


def paint_ground(work: Work) -> None:
    _GROUNDS[work.scene.place](work)


def ground_line(work: Work) -> int:
    """Where the feet of a subject stand."""
    return round(base_line(work, 1.0) + work.height * 0.06)


def _hills(work: Work) -> None:
    for depth, wooded in ((0, False), (0.25, False), (0.5, True), (0.75, True), (1, False)):
        crest = ridge(work, depth, rise=0.16, rough=0.34)
        if wooded:
            grow_firs(work, crest, depth=depth, density=0.12)


def _mountains(work: Work) -> None:
    for depth, rise in ((0, 0.42), (0.22, 0.34)):
        snowcap(work, ridge(work, depth, rise=rise, rough=0.56))
    for depth, rise in ((0.5, 0.16), (0.75, 0.12)):
        crest = ridge(work, depth, rise=rise, rough=0.38)
        grow_firs(work, crest, depth=depth, density=0.45)
    ridge(work, 1, rise=0.08, rough=0.38)


def _forest(work: Work) -> None:
    ridge(work, 0, rise=0.22, rough=0.42)
    for depth in (0.2, 0.45, 0.7):
        crest = ridge(work, depth, rise=0.1, rough=0.36)
        grow_firs(work, crest, depth=depth, density=1)
    ridge(work, 1, rise=0.1, rough=0.36)


def _meadow(work: Work) -> None:
    ridge(work, 0, rise=0.12, rough=0.3)
    crest = ridge(work, 0.3, rise=0.12, rough=0.3)
    grow_firs(work, crest, depth=0.3, density=0.2)
    for depth in (0.6, 1):
        ridge(work, depth, rise=0.12, rough=0.3)
    _flowers(work)


def _flowers(work: Work) -> None:
    scene, rng, draw = work.scene, work.rng, work.draw
    top = base_line(work, 0.85)
    stem = mix(scene.ground, _STEM, 0.6)
    for _ in range(150):
        near = rng.random()
        x, y = rng.uniform(0, work.width), top + near * (work.height - top)
        radius = work.height * (0.002 + 0.005 * near)
        petal = rng.choice(_PETALS)
        if scene.dark:
            petal = mix(petal, scene.sky[0], 0.5)
        draw.line((x, y, x, y + 4 * radius), fill=stem, width=max(1, round(radius / 2)))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=petal)


def _moonscape(work: Work) -> None:
    for depth in (0.25, 0.6, 1):
        ridge(work, depth, rise=0.14, rough=0.44)
    rng, draw = work.rng, work.draw
    hollow, rim = mix(work.scene.ground, BLACK, 0.5), mix(work.scene.ground, BLACK, 0.38)
    for _ in range(9):
        x = rng.uniform(0, work.width)
        y = rng.uniform(base_line(work, 1.1), work.height)
        wide = work.width * rng.uniform(0.02, 0.06)
        draw.ellipse((x - wide, y - wide / 4, x + wide, y + wide / 4), fill=hollow)
        draw.ellipse((x - wide, y - wide / 5, x + wide, y + wide / 3.4), fill=rim)


_GROUNDS: Mapping[Place, Callable[[Work], None]] = {
    Place.HILLS: _hills,
    Place.MOUNTAINS: _mountains,
    Place.FOREST: _forest,
    Place.SEA: paint_sea,
    Place.DESERT: paint_desert,
    Place.CITY: paint_city,
    Place.SPACE: _moonscape,
    Place.MEADOW: _meadow,
}
