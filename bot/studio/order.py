"""What a person asks for: words, options, and pictures to work from."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from bot.errors import BadRequest
from bot.imaging.request import COUNT_MAX, SEED_MAX, Quality, Shape, Size, clean_text
from bot.store.schema import PICTURES_MAX
from bot.studio.permutations import LOOKED_AT_MAX, combinations, ways

PROMPT_MAX = 2000
_TOO_MANY = (
    f"I paint at most {PICTURES_MAX} pictures at a time. Take some words out of the braces, or "
    "lower `count`."
)


class Variation(StrEnum):
    """How far a picture may move from the one that it is painted after."""

    SUBTLE = "subtle"
    STRONG = "strong"


@dataclass(frozen=True, slots=True)
class Source:
    """A picture to work from, which is safely in the archive.

    Attributes:
        key: its name there.
        parent_id, parent_position: the picture of ours that it is; None when it was brought along.
        link: where others can fetch it, for a while; None where there is no such place.
        prompt: the words that a picture of ours was painted from.
        brought_by: who brought it along; None for a picture of ours, and where nobody knows.
    """

    key: str
    size: Size
    parent_id: str | None = None
    parent_position: int | None = None
    link: str | None = None
    prompt: str | None = None
    brought_by: int | None = None


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a picture that came of another comes from.

    Attributes:
        prompt: of the first picture of all; empty where that is not for everybody's eyes.
        authors: who asked for the pictures before it, each once, the first of all first.
        step: 1 for what came of the first picture, and so on.
    """

    prompt: str
    authors: tuple[int, ...]
    step: int


@dataclass(frozen=True, slots=True)
class Part:
    """What of an order is painted at once: some pictures with the same words.

    Attributes:
        variation: as in an order.
        model: who paints it; None for the order's.
    """

    prompt: str
    sources: tuple[Source, ...]
    count: int
    variation: Variation | None = None
    model: str | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of the sources in the archive."""
        return tuple(source.key for source in self.sources)


@dataclass(frozen=True, slots=True)
class Order:
    """What a person asked for, option by option, kept whole so that it can be done again.

    Attributes:
        prompt: with `{red|blue}` where every combination is to be painted.
        model: as typed, later a model's id; None for the one whose work it is.
        models: several, likewise, instead of `model`, which later is the first of them: each
            paints one picture, with the same words and from the same seed.
        shape: None for that of the first source, and square where there is none.
        count: pictures of each combination; None for the usual number.
        seed: as typed; None when one is to be drawn.
        sources: pictures to work from, in the order in which the prompt may count them.
        variation: the words are those of the source, which the picture stays close to.
        changes: instructions that people suggest: each is painted as one edit of the sources,
            and what remains of `count` as variations. Of more changes than that, the first.
        each: one picture from each source, instead of all from all of them.
        lineage: None where no picture of ours is worked from.
    """

    prompt: str
    model: str | None = None
    models: tuple[str, ...] = ()
    shape: Shape | None = None
    count: int | None = None
    quality: Quality | None = None
    style: str | None = None
    avoid: str | None = None
    seed: int | None = None
    private: bool = False
    sources: tuple[Source, ...] = ()
    variation: Variation | None = None
    changes: tuple[str, ...] = ()
    each: bool = False
    lineage: Lineage | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of the sources in the archive."""
        return tuple(source.key for source in self.sources)

    @property
    def parts(self) -> tuple[Part, ...]:
        """What is painted, in the order in which it is shown."""
        if self.changes:
            return self._edits_and_variations()
        # The words of a source are one combination already, or were never meant for any.
        prompts = combinations(self.prompt) if self.variation is None else (self.prompt,)
        if self.each:
            return tuple(
                Part(prompt, (one,), 1, self.variation)
                for one in self.sources
                for prompt in ((one.prompt,) if one.prompt else prompts)
            )
        if self.compares_models:
            return tuple(
                Part(prompt, self.sources, 1, self.variation, model)
                for model in self.models
                for prompt in prompts
            )
        count = self.count or (COUNT_MAX if len(prompts) == 1 else 1)
        return tuple(Part(prompt, self.sources, count, self.variation) for prompt in prompts)

    def _edits_and_variations(self) -> tuple[Part, ...]:
        count = self.count or COUNT_MAX
        edits = [Part(change, self.sources, 1) for change in self.changes[:count]]
        left = count - len(edits)
        varied = [Part(self.prompt, self.sources, left, self.variation)] if left else []
        return (*edits, *varied)

    @property
    def speaks(self) -> bool:
        """Whether its own words are painted, and not those of its sources alone."""
        if self.variation is not None:
            return False
        return not self.each or not all(source.prompt for source in self.sources)

    @property
    def compares_models(self) -> bool:
        """Whether the pictures differ by who painted them."""
        return len(self.models) > 1

    @property
    def wanted(self) -> int:
        """Pictures in all."""
        return sum(part.count for part in self.parts)

    def cleaned(self) -> Order:
        """With texts that cannot disturb a message.

        Raises:
            BadRequest: nothing is left to paint, it is too long, or the seed cannot be.
        """
        prompt, avoid = clean_text(self.prompt), clean_text(self.avoid or "")
        # The same words once more would be the same picture, since it has the same seed.
        changes = tuple(dict.fromkeys(clean_text(change) for change in self.changes))
        if not prompt:
            raise BadRequest("Tell me what to paint: that prompt has no words that I can read.")
        texts = [("prompt", prompt), ("avoid", avoid), *(("change", each) for each in changes)]
        for option, text in texts:
            if len(text) > PROMPT_MAX:
                raise BadRequest(
                    f"Your `{option}` is {len(text):,} characters long; I can take "
                    f"{PROMPT_MAX:,}. Keep what matters most and put it first."
                )
        if self.seed is not None and not 0 <= self.seed <= SEED_MAX:
            raise BadRequest(f"A `seed` is a whole number from 0 to {SEED_MAX:,}.")
        cleaned = replace(self, prompt=prompt, avoid=avoid or None, changes=changes)
        if len(self.models) == 1:
            cleaned = replace(cleaned, model=self.models[0], models=())
        if cleaned.compares_models:
            _check_models(cleaned)
        if changes:
            _check_changes(cleaned)
        _check_parts(cleaned)
        return cleaned

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Order:
        stored: dict[str, Any] = json.loads(text)
        for name, kind in (("shape", Shape), ("quality", Quality), ("variation", Variation)):
            if stored.get(name) is not None:
                stored[name] = kind(stored[name])
        for name in ("models", "changes"):
            stored[name] = tuple(stored.get(name, ()))
        stored["sources"] = tuple(_source(each) for each in stored.get("sources", ()))
        if lineage := stored.get("lineage"):
            stored["lineage"] = Lineage(**lineage | {"authors": tuple(lineage["authors"])})
        return cls(**stored)


def _check_models(order: Order) -> None:
    if order.each or (order.speaks and len(combinations(order.prompt)) > 1):
        raise BadRequest(
            "Choose between words or between models: several models all paint the same words."
        )
    if order.count not in (None, 1):
        raise BadRequest("With several models, each paints one picture: leave `count` out.")
    if len(order.models) > PICTURES_MAX:
        raise BadRequest(
            f"Those are {len(order.models)} models; I paint at most {PICTURES_MAX} pictures at a "
            "time, one of each."
        )


def _check_changes(order: Order) -> None:
    if not all(order.changes):
        raise BadRequest("One of the changes has no words that I can read.")
    if order.variation is None or order.each or order.compares_models:
        raise BadRequest("Changes are painted beside variations, from the same picture.")


def _check_parts(order: Order) -> None:
    if order.speaks and ways(order.prompt) > LOOKED_AT_MAX:
        raise BadRequest(f"Those are more than {LOOKED_AT_MAX} combinations; {_TOO_MANY}")
    parts = order.parts
    if not all(part.prompt for part in parts):
        raise BadRequest(
            "One of the combinations in your prompt has no words at all. Put some outside of "
            "the braces."
        )
    if order.wanted > PICTURES_MAX:
        raise BadRequest(
            f"Those are {len(parts)} combinations and {order.wanted} pictures; {_TOO_MANY}"
        )


def _source(stored: dict[str, Any]) -> Source:
    size: dict[str, int] = stored.pop("size")
    return Source(size=Size(**size), **stored)
