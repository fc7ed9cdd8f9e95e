"""What the sandbox painter understands of a prompt: a time, a place, weather, colours, subjects.

English nouns and colours only; whatever is not understood still picks a palette by its hash.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Colour = tuple[int, int, int]

#: Longer prompts are legal; nobody paints more than this much of one.
_READ_MAX = 4000
_SUBJECTS_MAX = 3


class Time(StrEnum):
    DAWN = "dawn"
    DAY = "day"
    SUNSET = "sunset"
    NIGHT = "night"


class Place(StrEnum):
    HILLS = "hills"
    MOUNTAINS = "mountains"
    FOREST = "forest"
    SEA = "sea"
    DESERT = "desert"
    CITY = "city"
    SPACE = "space"
    MEADOW = "meadow"


class Weather(StrEnum):
    SNOW = "snow"
    RAIN = "rain"
    FOG = "fog"
    AUTUMN = "autumn"


class Style(StrEnum):
    WATERCOLOUR = "watercolour"
    SKETCH = "sketch"
    PIXELS = "pixels"
    MONOCHROME = "monochrome"
    VINTAGE = "vintage"
    VIVID = "vivid"
    SOFT = "soft"


@dataclass(frozen=True, slots=True)
class Subject:
    """Something to draw.

    Attributes:
        name: the emblem's.
        colour: the one that the prompt gives it.
        present: spoken of as already there ("the fox"): an edit need not add it.
    """

    name: str
    colour: Colour | None = None
    count: int = 1
    present: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """A prompt understood; None where it does not say."""

    time: Time | None = None
    place: Place | None = None
    weather: Weather | None = None
    style: Style | None = None
    tint: Colour | None = None
    subjects: tuple[Subject, ...] = ()


Meaning = TypeVar("Meaning")


def _table(rows: Iterable[tuple[Meaning, str]]) -> dict[str, Meaning]:
    return {word: meaning for meaning, words in rows for word in words.split()}


COLOURS: Mapping[str, Colour] = _table(
    [
        ((214, 62, 52), "red crimson scarlet ruby"),
        ((242, 134, 48), "orange amber copper ginger"),
        ((240, 190, 60), "gold golden yellow honey"),
        ((86, 160, 84), "green emerald jade lime"),
        ((52, 168, 170), "teal turquoise cyan mint"),
        ((58, 112, 206), "blue azure sapphire navy cobalt"),
        ((132, 88, 190), "purple violet lavender lilac indigo"),
        ((236, 128, 172), "pink rose magenta coral"),
        ((240, 240, 244), "white ivory silver pale"),
        ((44, 44, 54), "black ebony obsidian"),
        ((146, 152, 164), "grey gray"),
        ((128, 86, 58), "brown bronze chocolate"),
    ]
)
_TIMES = _table(
    [
        (Time.DAWN, "dawn sunrise morning daybreak spring"),
        (Time.DAY, "day noon midday afternoon summer sunny"),
        (Time.SUNSET, "sunset sundown dusk evening twilight hour"),
        (Time.NIGHT, "night midnight moon moonlight moonlit stars starry nocturnal neon aurora"),
    ]
)
_PLACES = _table(
    [
        (Place.MOUNTAINS, "mountain mountains peak summit alps cliff volcano glacier"),
        (Place.FOREST, "forest wood woods woodland jungle grove taiga"),
        (
            Place.SEA,
            "sea ocean lake beach coast harbour harbor island river bay waves shore underwater",
        ),
        (Place.DESERT, "desert dune dunes sahara savanna canyon mars"),
        (Place.CITY, "city town skyline street tokyo paris cyberpunk skyscraper village"),
        (Place.SPACE, "space galaxy nebula cosmos cosmic planet orbit universe"),
        (Place.MEADOW, "meadow field garden prairie farm blossom park"),
        (Place.HILLS, "hill hills valley countryside vineyard"),
    ]
)
_WEATHERS = _table(
    [
        (Weather.SNOW, "snow snowy winter ice icy frozen blizzard frost christmas"),
        (Weather.RAIN, "rain rainy storm stormy drizzle thunder"),
        (Weather.FOG, "fog foggy mist misty haze"),
        (Weather.AUTUMN, "autumn autumnal fall october"),
    ]
)
_STYLES = _table(
    [
        (Style.WATERCOLOUR, "watercolour watercolor painting oil impressionist gouache ghibli"),
        (Style.SKETCH, "sketch pencil drawing charcoal engraving lineart"),
        (Style.PIXELS, "pixel pixels pixelart mosaic minecraft voxel lego"),
        (Style.MONOCHROME, "monochrome noir greyscale grayscale"),
        (Style.VINTAGE, "vintage sepia retro faded polaroid antique"),
        (Style.VIVID, "vivid vibrant saturated pop comic cartoon anime"),
        (Style.SOFT, "soft dreamy blurred pastel bokeh"),
    ]
)
_SUBJECTS = _table(
    [
        ("fox", "fox wolf"),
        ("cat", "cat kitten tiger lion"),
        ("dog", "dog puppy corgi"),
        ("rabbit", "rabbit bunny hare"),
        ("bear", "bear panda"),
        ("owl", "owl penguin"),
        ("bird", "bird seagull sparrow crane swallow"),
        ("fish", "fish koi goldfish"),
        ("whale", "whale dolphin"),
        ("butterfly", "butterfly moth"),
        ("tree", "tree oak maple"),
        ("pine", "pine fir spruce cedar"),
        ("flower", "flower tulip sunflower poppy daisy"),
        ("mushroom", "mushroom toadstool"),
        ("cactus", "cactus"),
        ("lighthouse", "lighthouse"),
        ("boat", "boat ship sailboat yacht"),
        ("house", "house cottage cabin hut barn"),
        ("castle", "castle fortress tower"),
        ("rocket", "rocket spaceship"),
        ("robot", "robot android"),
        ("balloon", "balloon"),
        ("star", "star comet"),
        ("heart", "heart love"),
        ("cup", "tea teapot cup coffee"),
    ]
)
#: Places that a subject brings with it when the prompt names none.
_HOMES = _table(
    [
        (Place.SEA, "boat whale fish lighthouse"),
        (Place.DESERT, "cactus"),
        (Place.MEADOW, "flower butterfly"),
    ]
)
_NUMBERS = {"two": 2, "pair": 2, "couple": 2, "three": 3, "four": 4, "several": 4}
_DEFINITE = ("the", "this", "that", "his", "her", "its", "their", "my")
_BREAKS = (*",.;:!?", "and", "with", "or")
_ALL = (_SUBJECTS, COLOURS, _TIMES, _PLACES, _WEATHERS, _STYLES, _NUMBERS)
#: How many words after a colour or a number still belong to it: "a red and very sly fox".
_REACH = 3


def read(prompt: str) -> Reading:
    """Pure and quick: a dictionary look-up a word."""
    words = [_known_form(word) for word in _words(prompt)]
    subjects, spent = _subjects(words)
    place = _first(words, _PLACES)
    if place is None and subjects:
        place = _HOMES.get(subjects[0].name)
    return Reading(
        time=_first(words, _TIMES),
        place=place,
        weather=_first(words, _WEATHERS),
        style=_style(words),
        tint=next(
            (COLOURS[w] for i, w in enumerate(words) if w in COLOURS and i not in spent), None
        ),
        subjects=subjects,
    )


def _words(prompt: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", prompt[:_READ_MAX]).casefold()
    return re.findall(r"[^\W\d_]+|[,.;:!?]", plain)


def _known_form(word: str) -> str:
    """The singular, where only that is in the tables: foxes, cats."""
    for ending in ("", "s", "es"):
        stem = word.removesuffix(ending)
        if any(stem in table for table in _ALL):
            return stem
    return word


def _first(words: list[str], table: Mapping[str, Meaning]) -> Meaning | None:
    return next((table[word] for word in words if word in table), None)


def _style(words: list[str]) -> Style | None:
    if any(words[at : at + 3] == ["black", "and", "white"] for at in range(len(words))):
        return Style.MONOCHROME
    return _first(words, _STYLES)


def _belonging(words: list[str], noun: int) -> range:
    """Where the words stand that may describe a noun: before it, in the same clause."""
    start = noun
    while start > max(0, noun - _REACH) and words[start - 1] not in _BREAKS:
        start -= 1
    return range(start, noun)


def _subjects(words: list[str]) -> tuple[tuple[Subject, ...], set[int]]:
    """The subjects in order, and the places of the colour words that are theirs."""
    found: dict[str, Subject] = {}
    spent: set[int] = set()
    for at, word in enumerate(words):
        name = _SUBJECTS.get(word)
        if name is None or name in found or len(found) == _SUBJECTS_MAX:
            continue
        near = _belonging(words, at)
        colour_at = next((i for i in reversed(near) if words[i] in COLOURS), None)
        count = next((_NUMBERS[words[i]] for i in near if words[i] in _NUMBERS), 1)
        colour = None if colour_at is None or colour_at in spent else COLOURS[words[colour_at]]
        if colour_at is not None:
            spent.add(colour_at)
        present = any(words[i] in _DEFINITE for i in near)
        found[name] = Subject(name, colour, count, present)
    return tuple(found.values()), spent
