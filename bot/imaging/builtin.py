"""The models that Easel knows without asking: models.toml, read and checked."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - pydantic reads the annotations
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from bot.imaging.model import (
    STEPS_MAX,
    Confidence,
    Fact,
    Model,
    Parameter,
    Price,
    PriceUnit,
    Role,
    Status,
    Takes,
    micros,
)
from bot.imaging.request import Quality, Size
from bot.imaging.sizes import Menu, Ratios, Window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.imaging.sizes import SizeRule

_FILE = Path(__file__).with_name("models.toml")


def _pair(text: object) -> object:
    """`1024x1024` and `16:9` as two whole numbers."""
    return text.replace(":", "x").split("x") if isinstance(text, str) else text


Pair = Annotated[tuple[int, int], BeforeValidator(_pair)]
Known = dict[Confidence, tuple[Parameter, ...]]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Price(_Table):
    usd: float
    unit: PriceUnit | None = None
    as_of: str
    usd_4k: float | None = None

    def built(self) -> Price:
        dearer = None if self.usd_4k is None else micros(self.usd_4k)
        return Price(micros(self.usd), self.unit, self.as_of, dearer)


class _Size(_Table):
    basis: Confidence
    menu: tuple[Pair, ...] = ()
    ratios: tuple[Pair, ...] = ()
    sides: tuple[int, int] = Window().sides
    area: tuple[int, int] | None = None
    ratio: tuple[Pair, Pair] | None = None
    by_quality: dict[Quality, Pair] = {}

    def built(self) -> SizeRule:
        if self.menu:
            return Menu(tuple(Size(*pair) for pair in self.menu))
        if self.ratios:
            return Ratios(self.ratios)
        lowest, highest = self.ratio or (None, None)
        bounds = (lowest[0] / lowest[1], highest[0] / highest[1]) if lowest and highest else None
        return Window(self.sides, area=self.area, ratio=bounds)


class _Knowledge(_Table):
    takes: Known = {}
    refuses: Known = {}

    def facts(self) -> dict[Parameter, Fact]:
        return {
            parameter: Fact(answer, confidence)
            for answer, known in ((Takes.YES, self.takes), (Takes.NO, self.refuses))
            for confidence, parameters in known.items()
            for parameter in parameters
        }


class _Model(_Knowledge):
    id: str
    name: str
    organisation: str
    family: str
    status: Status = Status.LISTED
    removed: dt.date | None = None
    price: _Price | None = None
    default_steps: int | None = None
    max_steps: int = STEPS_MAX
    max_count: int | None = None
    max_references: int | None = None
    size: _Size | None = None
    good_for: Annotated[str, StringConstraints(max_length=40)] = ""

    def built(self, standard: SizeRule, endpoint: Mapping[Parameter, Fact]) -> Model:
        by_quality = self.size.by_quality if self.size else {}
        return Model(
            id=self.id,
            name=self.name,
            organisation=self.organisation,
            family=self.family,
            status=self.status,
            size=self.size.built() if self.size else standard,
            size_confidence=self.size.basis if self.size else None,
            areas={quality: width * height for quality, (width, height) in by_quality.items()},
            removed=self.removed,
            price=self.price.built() if self.price else None,
            default_steps=self.default_steps,
            max_steps=self.max_steps,
            max_count=self.max_count,
            max_references=self.max_references,
            facts={**endpoint, **self.facts()},
            good_for=self.good_for,
        )


class _File(_Table):
    standard_sizes: tuple[Pair, ...]
    roles: dict[Role, tuple[str, ...]]
    defaults: _Knowledge
    model: Annotated[tuple[_Model, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Builtin:
    """What models.toml says.

    Attributes:
        roles: for each role the ids of its models, the first choice first.
        standard: the sizes of a model about whose sizes nothing is stated.
        endpoint: what is true of every model that does not say otherwise.
    """

    models: tuple[Model, ...]
    roles: Mapping[Role, tuple[str, ...]]
    standard: Menu
    endpoint: Mapping[Parameter, Fact]


def read_builtin() -> Builtin:
    """Read models.toml; blocking, and meant for the start."""
    file = _File.model_validate(tomllib.loads(_FILE.read_text(encoding="utf-8")))
    standard = Menu(tuple(Size(*pair) for pair in file.standard_sizes))
    endpoint = file.defaults.facts()
    models = tuple(row.built(standard, endpoint) for row in file.model)
    return Builtin(models, file.roles, standard, endpoint)
