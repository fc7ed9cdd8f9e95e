"""The city: rows of blocks, with windows that are lit by night."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.demo.art.brushes import fill, mix, skyline
from bot.demo.art.ridges import base_line, toned
from bot.demo.art.words import Colour, Time

if TYPE_CHECKING:
    from bot.demo.art.scene import Work

_WINDOW: Colour = (255, 214, 130)
_ANTENNAS = 0.25
_LIT_BY_NIGHT = 0.55
_LIT_BY_DAY = 0.2


def paint_city(work: Work) -> None:
    for depth in (0, 0.35, 0.7):
        _blocks(work, depth)
    street = skyline([0, 0], work.width, base_line(work, 1), 0, work.height)
    fill(work.picture, street, toned(work.scene, 1))


def _blocks(work: Work, depth: float) -> None:
    rng, draw = work.rng, work.draw
    wall, _ = toned(work.scene, depth)
    foot = base_line(work, depth) + work.height * 0.1
    pane = work.height * (0.006 + 0.006 * depth)
    x = -work.width * 0.04 * rng.random()
    while x < work.width:
        wide = work.width * rng.uniform(0.05, 0.11)
        roof = foot - work.height * (0.12 + 0.3 * rng.random() ** 2)
        draw.rectangle((x, roof, x + wide, work.height), fill=wall)
        if rng.random() < _ANTENNAS:
            mast = (x + wide / 2, roof - (foot - roof) * 0.18, x + wide / 2, roof)
            draw.line(mast, fill=wall, width=max(2, round(pane / 2)))
        _windows(work, (x, roof, x + wide, foot), pane, wall)
        x += wide * rng.uniform(0.95, 1.15)


def _windows(
    work: Work, block: tuple[float, float, float, float], pane: float, wall: Colour
) -> None:
    rng, draw = work.rng, work.draw
    left, top, right, bottom = block
    evening = work.scene.time in (Time.NIGHT, Time.SUNSET)
    lit = _LIT_BY_NIGHT if evening else _LIT_BY_DAY
    unlit = mix(wall, work.scene.sky[0], 0.3)
    y = top + 2 * pane
    while y + pane < bottom:
        x = left + 1.6 * pane
        while x + 2 * pane < right:
            colour = mix(wall, _WINDOW, rng.uniform(0.5, 0.95)) if rng.random() < lit else unlit
            draw.rectangle((x, y, x + pane, y + 1.3 * pane), fill=colour)
            x += 2.4 * pane
        y += 3 * pane
