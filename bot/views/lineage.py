"""What a picture came of, in a few words: under a result, in details, and read aloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.views.wording import clip, code, listed, one_line, plural

if TYPE_CHECKING:
    from bot.studio.generation import Generation, KeptPicture
    from bot.studio.order import Lineage, Order

_PROMPT_SHOWN = 80
_AUTHORS_SHOWN = 5


def came_of(order: Order) -> str | None:
    """A line under a result; None where it was painted from words alone."""
    if not order.sources:
        return None
    if order.lineage is None:
        return f"From {_brought(order)}"
    first = f"<@{order.lineage.authors[0]}>'s"
    if order.variation is not None and order.lineage.step == 1:
        # The words are the same, and stand above.
        return f"{_variations(order)} of {first} {_pictures(order)}"
    origin = f"{first} {_words(order.lineage)}"
    if order.variation is not None:
        return f"{_variations(order)} of edit {order.lineage.step - 1} of {origin}"
    return f"Edit {order.lineage.step} of {origin}{_more(order)}"


def chain(generation: Generation, picture: KeptPicture) -> str | None:
    """The same of one picture, with everybody who had a part in it."""
    line, lineage = came_of(generation.order_of(picture)), generation.order.lineage
    if line is None or lineage is None:
        return line
    _first, *others = dict.fromkeys((*lineage.authors, generation.person_id))
    if not others:
        return line
    return f"{line}, with {listed([f'<@{person}>' for person in others], _AUTHORS_SHOWN)}"


def aloud(order: Order) -> str:
    """For a screen reader, which would spell mentions out: what stands before the words."""
    if not order.sources:
        return ""
    if order.lineage is None:
        return f" from {_brought(order)}"
    if order.variation is not None:
        return f", a {order.variation} variation"
    words = clip(one_line(order.lineage.prompt), _PROMPT_SHOWN)
    origin = f"“{words}”" if words else "a picture"
    return f", edit {order.lineage.step} of {origin}"


def summary(order: Order) -> str | None:
    """In a list of a family, what says more than the words, which are those of the parent."""
    if order.variation is None:
        return None
    kind = f"{order.variation} variation"
    if not order.changes:
        return kind if order.wanted == 1 else f"{kind}s"
    varied = sum(part.count for part in order.parts if part.variation is not None)
    edits = plural(order.wanted - varied, "edit")
    return f"{edits} and {plural(varied, kind)}" if varied else edits


def _brought(order: Order) -> str:
    brought = len(order.sources)
    return f"{'a picture' if brought == 1 else plural(brought, 'picture')} brought along"


def _variations(order: Order) -> str:
    kind = summary(order) or ""
    if order.changes:
        return kind
    return f"A {kind}" if order.wanted == 1 else kind.capitalize()


def _pictures(order: Order) -> str:
    return "picture" if len(order.sources) == 1 else "pictures"


def _words(lineage: Lineage) -> str:
    return code(lineage.prompt, _PROMPT_SHOWN) if lineage.prompt else "picture"


def _more(order: Order) -> str:
    more = len(order.sources) - 1
    return f" and {plural(more, 'more picture')}" if more else ""
