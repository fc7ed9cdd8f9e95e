"""What is known of a model: what it takes and refuses, how sure that is, what it costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from bot.imaging.request import COUNT_MAX, Quality

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from bot.imaging.request import Size
    from bot.imaging.sizes import SizeRule

#: The API's documented range of `steps` is 1 to 50.
STEPS_MAX: Final = 50
#: Discord's limit for what stands in an autocomplete choice.
# https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-option-choice-structure
LABEL_MAX: Final = 100
#: What a picture without a known size is counted as: the service's default, 1024 by 1024.
_USUAL_PIXELS: Final = 1024 * 1024
#: 2K tiers end below, 4K tiers begin above.
_BEYOND_2K: Final = 8_000_000
_MICROS: Final = 1_000_000


class Role(StrEnum):
    """What a model is used for when nobody names one."""

    EVERYDAY = "everyday"
    DRAFT = "draft"
    EDIT = "edit"
    TEXT = "text"


class Parameter(StrEnum):
    """The API's own names; `width_height` stands for the two that only go together."""

    N = "n"
    SEED = "seed"
    WIDTH_HEIGHT = "width_height"
    ASPECT_RATIO = "aspect_ratio"
    OUTPUT_FORMAT = "output_format"
    STEPS = "steps"
    GUIDANCE_SCALE = "guidance_scale"
    NEGATIVE_PROMPT = "negative_prompt"
    PROMPT_UPSAMPLING = "prompt_upsampling"
    IMAGE_URL = "image_url"
    REFERENCE_IMAGES = "reference_images"
    IMAGE_LORAS = "image_loras"
    DISABLE_SAFETY_CHECKER = "disable_safety_checker"


class Takes(StrEnum):
    """Whether a model takes a parameter; unknown is an answer of its own."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Confidence(StrEnum):
    """How something is known, best first."""

    MEASURED = "measured"
    DOCUMENTED = "documented"
    UPSTREAM = "upstream"
    INFERRED = "inferred"


class Status(StrEnum):
    """Whether the API's list had the model when models.toml was written."""

    LISTED = "listed"
    UNLISTED = "unlisted"
    REMOVED = "removed"


class PriceUnit(StrEnum):
    """What a price is for; the estimated one passes on what the provider charges."""

    IMAGE = "image"
    IMAGE_ESTIMATED = "image_estimated"
    MEGAPIXEL = "megapixel"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Fact:
    takes: Takes
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Price:
    """In millionths of a dollar.

    Attributes:
        unit: None when unknown; it is then counted by the picture, since a picture is
            about a megapixel and either reading comes to about the same.
        as_of: when it was read, as a year and month or a full date.
        micros_4k: for one picture beyond 2K, where that is dearer.
    """

    micros: int
    unit: PriceUnit | None
    as_of: str
    micros_4k: int | None = None

    @property
    def words(self) -> str:
        """As people read it: `about $0.03 a picture`."""
        if self.unit is PriceUnit.FREE:
            return "free"
        unit = "megapixel" if self.unit is PriceUnit.MEGAPIXEL else "picture"
        return f"about {dollars(self.micros)} a {unit}"


@dataclass(frozen=True, slots=True)
class Model:
    """One model, with what this process has learnt of it.

    Attributes:
        price: None when unknown.
        size: which sizes it paints; `size_confidence` is None for the documented set of
            most models, about which nobody says that it holds for this one.
        areas: the area in pixels that a quality aims at, where sizes come in tiers.
        max_count: pictures in one call; None when unknown.
        max_references: pictures to work from; None when unknown.
        facts: what it takes and refuses; a parameter that is absent is unknown.
        good_for: a short phrase for people; empty where the facts support none.
    """

    id: str
    name: str
    organisation: str
    family: str
    status: Status
    size: SizeRule
    size_confidence: Confidence | None = None
    areas: Mapping[Quality, int] = field(default_factory=dict[Quality, int], hash=False)
    removed: dt.date | None = None
    price: Price | None = None
    default_steps: int | None = None
    max_steps: int = STEPS_MAX
    max_guidance: int | None = None
    max_count: int | None = None
    max_references: int | None = None
    facts: Mapping[Parameter, Fact] = field(default_factory=dict[Parameter, Fact], hash=False)
    good_for: str = ""

    def takes(self, parameter: Parameter) -> Takes:
        fact = self.facts.get(parameter)
        return fact.takes if fact else Takes.UNKNOWN

    def confidence(self, parameter: Parameter) -> Confidence | None:
        """How it is known whether the model takes this; None when it is not."""
        fact = self.facts.get(parameter)
        return fact.confidence if fact else None

    @property
    def reference_field(self) -> Parameter | None:
        """The parameter that carries pictures to work from, if one is known to."""
        fields = (Parameter.REFERENCE_IMAGES, Parameter.IMAGE_URL)
        return next((each for each in fields if self.takes(each) is Takes.YES), None)

    @property
    def takes_references(self) -> Takes:
        if self.reference_field:
            return Takes.YES
        fields = (Parameter.REFERENCE_IMAGES, Parameter.IMAGE_URL)
        refused = all(self.takes(each) is Takes.NO for each in fields)
        return Takes.NO if refused else Takes.UNKNOWN

    @property
    def count_per_call(self) -> int:
        """Pictures to ask of one call; what is unknown is tried as documented, 1 to 4."""
        return self.max_count or COUNT_MAX

    @property
    def label(self) -> str:
        """One line for a choice among models."""
        parts = (self.name, self.price.words if self.price else "", self.good_for)
        text = " · ".join(part for part in parts if part)
        return text if len(text) <= LABEL_MAX else f"{text[: LABEL_MAX - 1]}…"

    def works_from(self, count: int) -> bool:
        """Whether it is known to take that many pictures to work from."""
        if not self.reference_field:
            return False
        return self.max_references is None or count <= self.max_references

    def cost(self, size: Size | None, count: int, steps: int | None) -> int | None:
        """Estimated, in millionths of a dollar and rounded up; None when unknown.

        By the megapixel it is W x H / 1e6 x price x (steps / default steps, if more);
        fewer steps are not cheaper.
        """
        # https://docs.together.ai/docs/serverless-models#image-models
        if self.price is None:
            return None
        pixels = size.width * size.height if size else _USUAL_PIXELS
        match self.price.unit:
            case PriceUnit.FREE:
                return 0
            case PriceUnit.MEGAPIXEL:
                usual = self.default_steps
                share, whole = (max(steps or usual, usual), usual) if usual else (1, 1)
                return -(-self.price.micros * pixels * share * count // (_MICROS * whole))
            case _:
                dearer = self.price.micros_4k if pixels > _BEYOND_2K else None
                return (self.price.micros if dearer is None else dearer) * count


def total(prices: Iterable[int | None]) -> int | None:
    """Of all together; None when one is unknown."""
    listed = list(prices)
    known = [price for price in listed if price is not None]
    return sum(known) if len(known) == len(listed) else None


def micros(usd: float) -> int:
    """Dollars in millionths of one."""
    return round(usd * _MICROS)


def dollars(amount: int) -> str:
    """Millionths as people read them, exact and with two digits or more: $0.03, $0.0017."""
    whole, rest = divmod(amount, _MICROS)
    return f"${whole:,}.{f'{rest:06}'.rstrip('0'):0<2}"
