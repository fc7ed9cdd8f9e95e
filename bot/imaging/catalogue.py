"""Every model that can be asked for, and what this process has learnt of each."""

from __future__ import annotations

import datetime as dt
import difflib
import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self

from bot.errors import UnknownModel
from bot.imaging.builtin import read_builtin
from bot.imaging.learning import wiser
from bot.imaging.model import (
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
from bot.imaging.plan import plan

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from bot.errors import ParameterRefused
    from bot.imaging.builtin import Builtin
    from bot.imaging.plan import Plan
    from bot.imaging.request import ImageRequest, Size

#: How long a model that answered 404 is left alone.
AWAY_S: Final = 3600.0
_SUGGESTIONS: Final = 2


@dataclass(frozen=True, slots=True)
class ListedModel:
    """One picture model of the API's live list.

    Attributes:
        price_unit: "image", "image_estimated", "megapixel" or "free"; None when unknown.
    """

    id: str
    name: str
    organisation: str
    price_usd: float | None
    price_unit: str | None


class Catalogue:
    """The models, by id.

    Everything here is in memory and synchronous. A `Model` is a snapshot: whoever keeps
    one across a refusal asks again, by its id.
    """

    def __init__(self, builtin: Builtin, clock: Callable[[], float] = time.time) -> None:
        self._models = {model.id: model for model in builtin.models}
        self._roles = {role: builtin.roles.get(role, ()) for role in Role}
        self._offered = {model.id for model in builtin.models if model.status is Status.LISTED}
        self._away_until: dict[str, float] = {}
        self._standard = builtin.standard
        self._endpoint = builtin.endpoint
        self._clock = clock

    @classmethod
    def load(
        cls, *, roles: Mapping[Role, str] | None = None, clock: Callable[[], float] = time.time
    ) -> Self:
        """Read models.toml (blocking, for the start).

        Args:
            roles: the owner's first choice for a role: any id or name, known or not.
            clock: the time in seconds.
        """
        catalogue = cls(read_builtin(), clock)
        for role, name in (roles or {}).items():
            if name.strip():
                catalogue._prefer(role, name.strip())
        return catalogue

    def find(self, name: str) -> Model:
        """The model that a person names, by id (with or without organisation) or name.

        Raises:
            UnknownModel: there is none, or it is no longer offered.
        """
        known = self._lookup(name)
        if known and known.id in self._offered:
            return known
        raise UnknownModel(name, self._relatives(known) if known else self._resembling(name))

    def get(self, model_id: str) -> Model:
        """What is known by now of the model with this id; everything unknown if none has it."""
        return self._models.get(model_id) or self._stranger(model_id)

    def offered(self) -> tuple[Model, ...]:
        """The models that people may name: the first of each role, then by name."""
        first = list(dict.fromkeys(models[0] for models in self._roles.values() if models))
        rest = sorted(self._offered.difference(first), key=lambda each: self.get(each).name.lower())
        return tuple(self.get(each) for each in (*first, *rest))

    def search(self, text: str, limit: int = 25) -> tuple[Model, ...]:
        """Offered models with every word of the text in id, name or purpose; away ones last."""
        words = text.lower().split()
        found = [
            model
            for model in self.offered()
            if all(word in f"{model.id} {model.name} {model.good_for}".lower() for word in words)
        ]
        found.sort(key=lambda model: self.is_away(model.id))
        return tuple(found[:limit])

    def for_role(self, role: Role) -> Model:
        """The first that is not away; the first of all when everyone is."""
        models = self._roles[role]
        return self.get(next((each for each in models if not self.is_away(each)), models[0]))

    def mark_away(self, model_id: str) -> None:
        """It answered 404: leave it alone for an hour."""
        self._away_until[model_id] = self._clock() + AWAY_S

    def is_away(self, model_id: str) -> bool:
        return self._clock() < self._away_until.get(model_id, -math.inf)

    def substitute(
        self, model: Model, *, references: int = 0, besides: Collection[str] = ()
    ) -> Model | None:
        """Who paints while this model cannot; None when nobody can, but those who do already.

        The next of the role that the model ranks highest in, everyday when it has none.
        With pictures to work from it is the next that takes so many.
        """
        line = self._roles[Role.EDIT if references else self._main_role(model.id)]
        here = line.index(model.id) + 1 if model.id in line else 0
        able = [
            each
            for each in (*line[here:], *line[:here])
            if each not in (model.id, *besides)
            and not self.is_away(each)
            and (not references or self.get(each).works_from(references))
        ]
        return self.get(able[0]) if able else None

    def editors(self, references: int) -> tuple[Model, ...]:
        """Models here that take so many pictures to work from, the surest first."""
        able = [
            model
            for model in self.offered()
            if model.works_from(references) and not self.is_away(model.id)
        ]
        return tuple(sorted(able, key=_unsure_of_references))

    def plan(self, request: ImageRequest, model: Model | None = None) -> Plan:
        """The calls for a request, on its own model or on another that stands in.

        Raises:
            BadRequest: the model does not take that many pictures to work from.
        """
        painter = self.get(model.id if model else request.model)
        references = len(request.references)
        return plan(request, painter, editors=self.editors(references) if references else ())

    def price(self, model: Model, size: Size | None, count: int, steps: int | None) -> int | None:
        """Estimated, in millionths of a dollar; None when unknown."""
        return self.get(model.id).cost(size, count, steps)

    def learn(
        self, model_id: str, refusal: ParameterRefused, *, since: Model | None = None
    ) -> bool:
        """Remember a refusal for as long as this process lives.

        Args:
            model_id: who refused.
            refusal: what it said.
            since: the model as the refused plan knew it (`Plan.model`). Of many that are
                refused at once only the first teaches anything, yet each may plan anew.

        Returns:
            Whether a new plan would know more than the refused one did.
        """
        before = self.get(model_id)
        self._models[model_id] = wiser(before, refusal, self._standard)
        return self._models[model_id] != (since or before)

    def refresh(self, entries: Iterable[ListedModel]) -> None:
        """Take names, prices and new models from the live list.

        The list is a hint and no gate: it does not prove that a model can be called, and
        one that it lacks stays on offer.
        """
        today = dt.datetime.fromtimestamp(self._clock(), dt.UTC).date().isoformat()
        for entry in entries:
            model = self.get(entry.id)
            self._models[entry.id] = replace(
                model,
                name=" ".join(entry.name.split()) or model.name,
                organisation=entry.organisation or model.organisation,
                price=_fresh_price(model.price, entry, today),
            )
            self._offered.add(entry.id)

    def _prefer(self, role: Role, name: str) -> None:
        model = self._lookup(name) or self._stranger(name)
        if role is Role.EDIT and model.takes_references is Takes.UNKNOWN:
            # Whoever names a model for edits knows that it can; a refusal unlearns it.
            edits = {Parameter.REFERENCE_IMAGES: Fact(Takes.YES, Confidence.INFERRED)}
            model = replace(model, facts={**model.facts, **edits})
        self._models[model.id] = model
        self._offered.add(model.id)
        self._roles[role] = tuple(dict.fromkeys((model.id, *self._roles[role])))

    def _stranger(self, model_id: str) -> Model:
        """A model of which nothing is known but what holds for the whole endpoint."""
        organisation, _, name = model_id.rpartition("/")
        return Model(
            id=model_id,
            name=name or model_id,
            organisation=organisation,
            family="",
            status=Status.UNLISTED,
            size=self._standard,
            facts=self._endpoint,
        )

    def _lookup(self, name: str) -> Model | None:
        wanted = name.strip().lower()
        called = (model for model in self._models.values() if wanted in _spellings(model))
        return min(called, key=lambda model: model.id not in self._offered, default=None)

    def _resembling(self, name: str) -> tuple[str, ...]:
        names = {
            spelling: model.name
            for model in self.offered()
            if not self.is_away(model.id)
            for spelling in _spellings(model)
        }
        close = difflib.get_close_matches(name.strip().lower(), names, n=2 * _SUGGESTIONS)
        return tuple(dict.fromkeys(names[spelling] for spelling in close))[:_SUGGESTIONS]

    def _relatives(self, gone: Model) -> tuple[str, ...]:
        """A living model of the same family, else of the same house, else the everyday one."""
        living = [model for model in self.offered() if not self.is_away(model.id)]
        family = [model for model in living if model.family and model.family == gone.family]
        house = [model for model in living if model.organisation == gone.organisation]
        found: Sequence[Model] = family or house or [self.for_role(Role.EVERYDAY)]
        return tuple(model.name for model in found[:_SUGGESTIONS])

    def _main_role(self, model_id: str) -> Role:
        ranks = {
            role: models.index(model_id)
            for role, models in self._roles.items()
            if model_id in models
        }
        return min(ranks, key=lambda role: ranks[role], default=Role.EVERYDAY)


def _spellings(model: Model) -> tuple[str, ...]:
    """The id, the id without its organisation, and the display name."""
    return model.id.lower(), model.id.rpartition("/")[2].lower(), model.name.lower()


def _unsure_of_references(model: Model) -> bool:
    sure = (Confidence.MEASURED, Confidence.DOCUMENTED)
    return not (model.reference_field and model.confidence(model.reference_field) in sure)


def _fresh_price(known: Price | None, entry: ListedModel, today: str) -> Price | None:
    """The listed price; a zero that nobody calls free is an absent one."""
    unit = PriceUnit(entry.price_unit) if entry.price_unit in set(PriceUnit) else None
    if entry.price_usd is None or not math.isfinite(entry.price_usd) or entry.price_usd < 0:
        return known
    if not entry.price_usd and unit is not PriceUnit.FREE:
        return known
    return Price(
        micros(entry.price_usd),
        unit or (known.unit if known else None),
        today,
        known.micros_4k if known else None,
    )
