"""Skies by the hour: stars, a sun or a moon with its light, clouds, a planet and a nebula."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageDraw

from bot.demo.art.brushes import curved, disc, fading, glow, gradient, mix, noise, stretched
from bot.demo.art.scene import Work
from bot.demo.art.words import Colour, Place, Time

if TYPE_CHECKING:
    from random import Random

    from bot.demo.art.scene import Scene

_WHITE: Colour = (255, 255, 255)


def begin(scene: Scene, size: tuple[int, int], rng: Random) -> Work:
    """The canvas with the sky on it; the ground is painted next."""
    width, _ = size
    picture = Image.new("RGB", size, scene.air)
    picture.paste(gradient((width, round(scene.horizon * 1.08)), scene.sky))
    work = Work(picture, scene, rng)
    if scene.dark:
        scatter_stars(picture, rng, scene.sky[0])
    if scene.place is Place.SPACE:
        _nebula(work)
        _planet(work)
        return work
    if scene.clear:
        _lamp(work)
    _clouds(work)
    return work


def scatter_stars(picture: Image.Image, rng: Random, dark: Colour) -> None:
    """Faint ones and a few bright ones over the upper three quarters."""
    draw = ImageDraw.Draw(picture)
    unit = min(picture.size) / 1000
    for _ in range(170):
        x, y = rng.uniform(0, picture.width), rng.uniform(0, picture.height * 0.75)
        radius = unit * (0.6 + 2.2 * rng.random() ** 4)
        colour = mix(dark, (255, 252, 240), rng.uniform(0.35, 1))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _nebula(work: Work) -> None:
    small = (max(1, work.width // 4), max(1, work.height // 4))
    clouds: list[Colour] = [(206, 70, 150), (70, 110, 220), (60, 190, 180), (240, 140, 90)]
    for colour in work.rng.sample(clouds, 2):
        mask = curved(noise(work.rng, small, (4, 4)), lambda v: (v - 120) * 1.5)
        work.picture.paste(colour, (0, 0), stretched(mask, work.picture.size))


def _planet(work: Work) -> None:
    rng, picture = work.rng, work.picture
    radius = round(min(picture.size) * rng.uniform(0.14, 0.22))
    x = round(work.width * rng.uniform(0.1, 0.9)) - radius
    y = round(work.height * rng.uniform(0.12, 0.3)) - radius
    tone = rng.choice([(226, 150, 96), (118, 164, 206), (196, 120, 160), (150, 190, 140)])
    bands = [mix(tone, (255, 244, 226), rng.uniform(0, 0.55)) for _ in range(9)]
    ball = gradient((2 * radius, 2 * radius), bands)
    shade = ImageChops.offset(glow(2 * radius), -round(radius * 0.5), -round(radius * 0.4))
    lit = shade.crop((radius, radius, 3 * radius, 3 * radius))
    ball = Image.composite(ball, Image.new("RGB", ball.size, mix(tone, (10, 8, 30), 0.82)), lit)
    picture.paste(ball, (x, y), disc(radius))


def _lamp(work: Work) -> None:
    """The sun or the moon, with its light in the air."""
    scene, (x, y) = work.scene, work.scene.lamp
    radius = max(4, round(min(work.picture.size) * 0.06))
    wide = radius * (9 if scene.time in (Time.DAWN, Time.SUNSET) else 6)
    halo = curved(glow(wide), lambda v: v * 0.75)
    work.picture.paste(scene.light, (x - wide, y - wide), halo)
    face = disc(radius)
    if scene.dark:
        bite = Image.new("L", face.size)
        bite.paste(face, (round(radius * 0.7), -round(radius * 0.3)))
        face = ImageChops.subtract(face, bite)
    work.picture.paste(mix(scene.light, _WHITE, 0.45), (x - radius, y - radius), face)


def _clouds(work: Work) -> None:
    scene = work.scene
    small = (max(4, work.width // 4), max(4, scene.horizon // 4))
    cells = (max(2, round(3 * work.width / work.height)), 5)
    shapes = noise(work.rng, small, cells)
    if scene.clear:
        mask = curved(shapes, lambda v: min(215, (v - 132) * 5))
    else:
        mask = curved(shapes, lambda v: min(200, (v - 92) * 3))
    mask = ImageChops.multiply(mask, fading(small, 200, 150, 0))
    colour = mix(scene.air, scene.light, 0.25) if scene.dark else mix(scene.air, _WHITE, 0.8)
    work.picture.paste(colour, (0, 0), stretched(mask, (work.width, scene.horizon)))
