"""Forms as people send them back: text, menus, files and boxes, by custom id or label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wire.files import File

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wire.world import World

Told = dict[str, Any]

TEXT, LABEL, ROW = 4, 18, 1
_ONE_VALUE = frozenset({TEXT, 21, 23})  # text, radio buttons, a box: all others have lists


def filled(world: World, form: Told, fields: Mapping[str, object]) -> Told:
    """The data of the interaction; what is not named keeps its default.

    Raises:
        LookupError: there is no such field.
        ValueError: a required one is missing.
    """
    left, resolved = dict(fields), dict[str, Any]()
    components = [_top(world, component, left, resolved) for component in form["components"]]
    if left:
        raise LookupError(f"the form has no {sorted(left)}")
    data: Told = {"custom_id": form["custom_id"], "components": components}
    if resolved:
        data["resolved"] = {"attachments": resolved}
    return data


def _top(world: World, top: Told, left: dict[str, object], resolved: Told) -> Told:
    """A label with its one field, a row of old, or a text that is only read."""
    if top["type"] == LABEL:
        inner = _field(world, top["component"], top["label"], left, resolved)
        return {"type": LABEL, "id": top.get("id", 0), "component": inner}
    if top["type"] == ROW:
        inners = [_field(world, c, c.get("label"), left, resolved) for c in top["components"]]
        return {"type": ROW, "id": top.get("id", 0), "components": inners}
    return {"type": top["type"], "id": top.get("id", 0)}


def _field(
    world: World, field: Told, label: str | None, left: dict[str, object], resolved: Told
) -> Told:
    custom_id, kind = field["custom_id"], field["type"]
    given = left.pop(custom_id, None)
    if given is None and label is not None:
        given = left.pop(label, None)
    if given is None:
        given = _default(field)
    if given is None and field.get("required", True):
        raise ValueError(f"{label or custom_id} must be filled in")
    answer: Told = {"type": kind, "id": field.get("id", 0), "custom_id": custom_id}
    if kind in _ONE_VALUE:
        return answer | {"value": "" if given is None and kind == TEXT else given}
    values = list(given) if isinstance(given, list | tuple) else [] if given is None else [given]
    for value in values:
        if isinstance(value, File):
            resolved[str(value.id)] = value.wire(world.cdn, world.clock())
    return answer | {"values": [str(v.id) if isinstance(v, File) else v for v in values]}


def _default(field: Told) -> object:
    chosen = [option["value"] for option in field.get("options", []) if option.get("default")]
    return field.get("value") or (chosen or None) or field.get("default")
