"""What a landscape will be: its place and hour, the colours of its sky and its ground."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import ImageDraw

from bot.demo.art.brushes import mix
from bot.demo.art.words import Colour, Place, Reading, Time, Weather

if TYPE_CHECKING:
    from random import Random

    from PIL import Image

Stops = tuple[Colour, ...]

_SKIES: dict[Time, tuple[Stops, ...]] = {
    Time.DAWN: (
        ((74, 92, 152), (152, 140, 190), (240, 178, 176), (255, 226, 190)),
        ((96, 130, 178), (178, 186, 210), (250, 208, 190), (255, 240, 214)),
    ),
    Time.DAY: (
        ((44, 112, 190), (112, 172, 224), (198, 226, 240)),
        ((36, 136, 170), (126, 196, 204), (232, 240, 220)),
        ((82, 128, 200), (168, 198, 232), (246, 232, 214)),
    ),
    Time.SUNSET: (
        ((44, 32, 88), (140, 62, 126), (238, 104, 92), (255, 186, 104)),
        ((34, 52, 108), (122, 84, 146), (244, 136, 104), (255, 214, 140)),
        ((74, 28, 72), (186, 58, 82), (248, 138, 72), (255, 208, 120)),
    ),
    Time.NIGHT: (
        ((8, 12, 36), (18, 32, 78), (52, 78, 132)),
        ((10, 10, 30), (36, 28, 84), (92, 74, 138)),
    ),
}
_SPACE_SKY: Stops = ((8, 6, 22), (20, 14, 48), (40, 22, 66))
_GROUNDS: dict[Place, tuple[Colour, ...]] = {
    Place.HILLS: ((58, 96, 66), (86, 110, 58), (60, 92, 92)),
    Place.MOUNTAINS: ((52, 70, 92), (72, 68, 92), (50, 78, 80)),
    Place.FOREST: ((26, 66, 52), (36, 76, 48), (28, 58, 62)),
    Place.SEA: ((56, 72, 66), (82, 76, 66)),
    Place.DESERT: ((196, 118, 66), (206, 140, 82), (178, 96, 66)),
    Place.CITY: ((46, 50, 76), (60, 52, 78)),
    Place.SPACE: ((66, 56, 92), (88, 66, 84), (58, 74, 96)),
    Place.MEADOW: ((74, 122, 62), (104, 130, 58)),
}
_SNOW_GROUND: Colour = (206, 220, 236)
_AUTUMN_GROUND: Colour = (214, 108, 40)
_NIGHT_SHADE: Colour = (12, 18, 46)
_SHADES = {Time.NIGHT: (_NIGHT_SHADE, 0.6), Time.SUNSET: ((70, 30, 66), 0.36)}
_LIGHTS: dict[Time, Colour] = {
    Time.DAWN: (255, 226, 174),
    Time.DAY: (255, 240, 200),
    Time.SUNSET: (255, 218, 154),
    Time.NIGHT: (236, 238, 226),
}
_VEILS = {
    Weather.RAIN: ((112, 124, 140), 0.62),
    Weather.FOG: ((206, 210, 214), 0.42),
    Weather.SNOW: ((214, 224, 238), 0.3),
}
_LOW_SUN = (Time.DAWN, Time.SUNSET)
_USUAL_TIMES = (Time.DAWN, Time.DAY, Time.DAY, Time.SUNSET)
_USUAL_PLACES = (
    Place.HILLS,
    Place.MOUNTAINS,
    Place.FOREST,
    Place.SEA,
    Place.MEADOW,
    Place.DESERT,
)


@dataclass(frozen=True, slots=True)
class Scene:
    """A landscape's decisions: everything that the layers need, and that subjects stand in.

    Attributes:
        sky: colours from the zenith to the horizon.
        light: what the sun or the moon throws on things.
        clear: whether the sun or the moon can be seen.
        horizon: its height on the canvas; `lamp` is where the sun or the moon stands.
    """

    place: Place
    time: Time
    sky: Stops
    ground: Colour
    light: Colour
    snowy: bool
    clear: bool
    horizon: int
    lamp: tuple[int, int]

    @property
    def air(self) -> Colour:
        """The colour that distance fades into."""
        return self.sky[-1]

    @property
    def dark(self) -> bool:
        return self.time is Time.NIGHT


@dataclass(frozen=True, slots=True)
class Work:
    """A landscape in the making: what every layer's painter needs."""

    picture: Image.Image
    scene: Scene
    rng: Random

    @property
    def width(self) -> int:
        return self.picture.width

    @property
    def height(self) -> int:
        return self.picture.height

    @property
    def draw(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self.picture)


def imagine(reading: Reading, theme: Random, rng: Random, size: tuple[int, int]) -> Scene:
    """Fill in what the prompt left open. `theme` knows the prompt alone, `rng` the picture."""
    place = reading.place or theme.choice(_USUAL_PLACES)
    time = reading.time or theme.choice(_USUAL_TIMES)
    if place is Place.SPACE:
        time = Time.NIGHT
    width, height = size
    horizon = round(height * rng.uniform(0.5, 0.6))
    lamp_height = rng.uniform(0.55, 0.8) if time in _LOW_SUN else rng.uniform(0.22, 0.45)
    side = rng.choice((rng.uniform(0.16, 0.4), rng.uniform(0.6, 0.84)))
    return Scene(
        place=place,
        time=time,
        sky=_sky(reading, place, time, theme),
        ground=_ground(reading, place, time, theme),
        light=_LIGHTS[time],
        snowy=reading.weather is Weather.SNOW,
        clear=reading.weather not in (Weather.RAIN, Weather.FOG),
        horizon=horizon,
        lamp=(round(width * side), round(horizon * lamp_height)),
    )


def _sky(reading: Reading, place: Place, time: Time, theme: Random) -> Stops:
    sky = _SPACE_SKY if place is Place.SPACE else theme.choice(_SKIES[time])
    veil = _VEILS.get(reading.weather) if reading.weather else None
    if veil is not None:
        colour, share = veil
        if time is Time.NIGHT:
            colour = mix(colour, _NIGHT_SHADE, 0.75)
        sky = tuple(mix(stop, colour, share) for stop in sky)
    if reading.tint is not None:
        sky = tuple(mix(stop, reading.tint, 0.38) for stop in sky)
    return sky


def _ground(reading: Reading, place: Place, time: Time, theme: Random) -> Colour:
    ground = theme.choice(_GROUNDS[place])
    if reading.weather is Weather.SNOW:
        ground = _SNOW_GROUND
    if reading.weather is Weather.AUTUMN:
        ground = mix(ground, _AUTUMN_GROUND, 0.85)
    if reading.tint is not None:
        ground = mix(ground, reading.tint, 0.3)
    colour, share = _SHADES.get(time, (ground, 0))
    if place is Place.SPACE:
        share = 0.1
    return mix(ground, colour, share)
