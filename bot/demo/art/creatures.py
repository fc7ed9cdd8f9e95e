"""Little figures: animals."""

from __future__ import annotations

from bot.demo.art.shapes import Emblem, Shape, both, line, oval, poly


def _sitting(ears: list[Shape], face: list[Shape], tail: list[Shape]) -> tuple[Shape, ...]:
    """An animal that sits and looks at us: fox, cat, dog, rabbit and bear share it."""
    torso = [
        *oval("body", 30, 56, 70, 97),
        *both(oval("shade", 26, 76, 46, 97)),
        *oval("light", 40, 60, 60, 90),
        *both(oval("body", 38, 86, 50, 97)),
    ]
    head = oval("body", 26, 20, 74, 62)
    eyes = [*both(oval("ink", 36, 36, 42, 43)), *both(oval("white", 38, 37, 40, 39))]
    return (*tail, *torso, *both(ears), *head, *face, *eyes)


_POINTED = [*poly("body", 28, 36, 26, 6, 48, 24), *poly("shade", 31, 28, 30, 13, 40, 23)]
_NOSE = oval("ink", 46, 48, 54, 54)
_MUZZLE = [*oval("light", 38, 44, 62, 62), *_NOSE]
_FOX_FACE = [
    *both(poly("light", 27, 42, 44, 46, 50, 62, 38, 58)),
    *poly("body", 40, 30, 60, 30, 50, 54),
    *oval("ink", 45, 52, 55, 60),
]
_BRUSH = [
    *poly("body", 60, 92, 84, 88, 97, 66, 93, 42, 84, 58, 66, 74),
    *poly("light", 93, 42, 97, 62, 88, 60, 86, 54),
]
_CURL = line("body", 7, 64, 90, 84, 88, 90, 74, 84, 62, 88, 54)
_WHISKERS = both(line("light", 0.9, 42, 52, 22, 49) + line("light", 0.9, 42, 54, 23, 57))

CREATURES: dict[str, Emblem] = {
    "fox": Emblem((222, 108, 48), _sitting(_POINTED, _FOX_FACE, _BRUSH)),
    "cat": Emblem((92, 92, 108), _sitting(_POINTED, [*_WHISKERS, *_MUZZLE], _CURL)),
    "dog": Emblem(
        (186, 134, 84),
        _sitting(poly("shade", 30, 24, 40, 22, 32, 56, 20, 54, 19, 38), _MUZZLE, _CURL),
    ),
    "rabbit": Emblem(
        (196, 184, 174),
        _sitting(
            [*oval("body", 33, -2, 47, 40), *oval("pink", 37, 4, 43, 34)],
            [*oval("light", 41, 45, 59, 60), *oval("pink", 47, 46, 53, 51)],
            oval("light", 62, 78, 80, 94),
        ),
    ),
    "bear": Emblem(
        (112, 78, 56),
        _sitting([*oval("body", 24, 12, 42, 30), *oval("light", 28, 16, 38, 26)], _MUZZLE, []),
    ),
    "owl": Emblem(
        (140, 104, 74),
        (
            *both(poly("body", 26, 40, 28, 8, 46, 22)),
            *oval("body", 24, 14, 76, 94),
            *both(poly("shade", 25, 44, 36, 52, 34, 90, 24, 74)),
            *oval("light", 36, 50, 64, 90),
            *both(oval("white", 29, 24, 50, 46) + oval("ink", 35, 29, 45, 40)),
            *poly("glow", 46, 42, 54, 42, 50, 52),
            *both(line("glow", 3, 42, 92, 42, 97)),
        ),
    ),
    "bird": Emblem(
        (236, 240, 244),
        (
            *poly("shade", 50, 56, 74, 10, 82, 16, 66, 56),
            *poly("body", 8, 50, 30, 42, 64, 48, 92, 62, 60, 68, 30, 62),
            *poly("body", 46, 50, 30, 6, 44, 10, 66, 52),
            *oval("body", 14, 40, 36, 58),
            *poly("glow", 4, 50, 16, 46, 16, 53),
            *oval("ink", 20, 45, 24, 49),
        ),
        "air",
    ),
    "fish": Emblem(
        (240, 140, 60),
        (
            *poly("shade", 66, 50, 96, 26, 90, 50, 96, 74),
            *poly("shade", 36, 32, 52, 14, 62, 34),
            *oval("body", 8, 28, 76, 72),
            *poly("light", 40, 30, 48, 50, 40, 70, 34, 50),
            *poly("shade", 46, 54, 62, 62, 44, 68),
            *oval("white", 16, 40, 28, 52),
            *oval("ink", 19, 43, 25, 49),
        ),
        "water",
    ),
    "whale": Emblem(
        (78, 118, 164),
        (
            *line("white", 2.5, 34, 34, 34, 20, 24, 12, 20, 16),
            *line("white", 2.5, 34, 20, 44, 12, 48, 16),
            *poly("body", 70, 64, 84, 50, 80, 32, 90, 42, 99, 36, 94, 54, 82, 78),
            *oval("body", 4, 36, 86, 92),
            *poly("light", 6, 68, 30, 76, 60, 76, 74, 80, 56, 90, 34, 91, 16, 84),
            *poly("shade", 44, 70, 60, 70, 54, 86),
            *oval("ink", 18, 56, 24, 62),
        ),
        "water",
    ),
    "butterfly": Emblem(
        (224, 110, 60),
        (
            *both(poly("body", 50, 44, 30, 12, 6, 14, 10, 40, 34, 56)),
            *both(poly("shade", 48, 52, 16, 58, 20, 80, 36, 84, 49, 64)),
            *both(oval("light", 16, 22, 28, 34) + oval("light", 26, 64, 35, 73)),
            *oval("ink", 47, 32, 53, 78),
            *both(line("ink", 1.4, 50, 34, 42, 20, 38, 18)),
        ),
        "air",
    ),
}
