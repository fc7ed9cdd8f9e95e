"""What a person asks for, in Easel's words and not yet in any model's."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from bot.errors import BadRequest

#: The API's own range, from its 400 text (facts: seed must be 0..2147483647).
SEED_MAX = 2_147_483_647
COUNT_MAX = 4
#: Two joiners that emoji and Persian or Indic scripts are written with.
_JOINERS = "\u200c\u200d"
#: The last of them is U+3000.
_SPACES = "".join(filter(str.isspace, map(chr, range(0x3001))))
_MARKS_IN_A_ROW = 2


class Shape(StrEnum):
    """The form of a picture; each model's best allowed size is chosen for it."""

    SQUARE = "square"
    LANDSCAPE = "landscape"
    PORTRAIT = "portrait"
    WIDE = "wide"
    TALL = "tall"
    PHOTO = "photo"
    PHOTO_TALL = "photo-tall"
    PANORAMA = "panorama"

    @property
    def ratio(self) -> tuple[int, int]:
        """Width to height."""
        return _RATIOS[self]


_RATIOS = {
    Shape.SQUARE: (1, 1),
    Shape.LANDSCAPE: (4, 3),
    Shape.PORTRAIT: (3, 4),
    Shape.WIDE: (16, 9),
    Shape.TALL: (9, 16),
    Shape.PHOTO: (3, 2),
    Shape.PHOTO_TALL: (2, 3),
    Shape.PANORAMA: (21, 9),
}


class Quality(StrEnum):
    """How much work a picture gets; becomes steps where the model takes steps."""

    PREVIEW = "preview"
    GOOD = "good"
    HIGH = "high"
    BEST = "best"


@dataclass(frozen=True, slots=True)
class Size:
    """In pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}×{self.height}"  # noqa: RUF001 - the typographer's times sign


@dataclass(frozen=True, slots=True)
class Lora:
    """A style adapter, for dedicated models that take them.

    Attributes:
        path: a repository name or the address of a `.safetensors` file.
        scale: 0.3 is subtle, 1.2 the strongest that the API's guide names.
    """

    path: str
    scale: float


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """One request for pictures. `prompt` and `avoid` are already clean (`clean_text`).

    Attributes:
        prompt: the words to paint, style included.
        model: the id of the model that was asked for.
        seed: 0 to 2,147,483,647; always known, so that a picture can be made again.
        count: pictures, 1 to 4.
        avoid: what should not be in the picture; None when nothing.
        steps, guidance: expert values that override `quality`; None otherwise.
        upsampling: whether the service may rewrite the prompt (where it offers that).
        output_format: "jpeg" or "png"; None leaves it to the model.
        references: data URIs or links of pictures to work from, in order.
        follows: the size of a picture whose form is wanted, instead of `shape`; None otherwise.
        unsafe: ask the API to leave its own checker out (never set by a person).
    """

    prompt: str
    model: str
    seed: int
    count: int = 1
    shape: Shape = Shape.SQUARE
    quality: Quality | None = None
    avoid: str | None = None
    steps: int | None = None
    guidance: float | None = None
    upsampling: bool = False
    output_format: str | None = None
    references: tuple[str, ...] = ()
    follows: Size | None = None
    loras: tuple[Lora, ...] = ()
    unsafe: bool = False

    @property
    def ratio(self) -> tuple[int, int]:
        """Width to height, as wanted."""
        return (self.follows.width, self.follows.height) if self.follows else self.shape.ratio

    def __post_init__(self) -> None:
        if not self.prompt:
            raise BadRequest("Tell me what to paint: the prompt is empty.")
        if not 0 <= self.seed <= SEED_MAX:
            raise BadRequest(f"A seed is a whole number from 0 to {SEED_MAX:,}.")
        if not 1 <= self.count <= COUNT_MAX:
            raise BadRequest(f"I paint 1 to {COUNT_MAX} pictures at a time.")


def clean_text(text: str) -> str:
    """Text that cannot disturb a message: NFC, no invisible controls, no stacked marks.

    Newlines stay, other control and format characters go (the joiners of emoji and of
    some scripts excepted), and at most two combining marks follow one another. Spaces of every
    kind go from both ends, so that what is all space is empty.
    """
    kept: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", text):
        category = unicodedata.category(character)
        if category in ("Cc", "Cf", "Cs", "Co", "Cn") and character not in f"\n{_JOINERS}":
            kept.append(" " if character in "\t\r\v\f" else "")
            continue
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks <= _MARKS_IN_A_ROW:
            kept.append(character)
    return "".join(kept).strip(f"{_SPACES}{_JOINERS}")
