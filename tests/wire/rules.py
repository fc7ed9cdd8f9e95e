"""What Discord checks in a message before it takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wire.messages import COMPONENTS_V2, interactive, walk
from wire.rejected import Code, Rejected, invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wire.bodies import Upload

CONTENT_MAX, FILES_MAX, DESCRIPTION_MAX, NONCE_MAX = 2000, 10, 1024, 25
EMBEDS_MAX, EMBEDS_TEXT_MAX = 10, 6000
ROWS_MAX, ROW_MAX, ALL_V2_MAX = 5, 5, 40
CUSTOM_ID_MAX, LABEL_MAX, OPTIONS_MAX, CHOICE_MAX = 100, 80, 25, 100
ROW, MENU = 1, 3


def check_message(
    fields: Mapping[str, Any], uploads: Mapping[int, Upload], *, kept: int, file_max: int
) -> None:
    """The fields of a message that is posted or edited; `kept` files stay with it.

    Raises:
        Rejected: as Discord would.
    """
    for check in _CHECKS:
        check(fields)
    if len(uploads) + kept > FILES_MAX:
        raise invalid("attachments", "BASE_TYPE_MAX_LENGTH", "Must be 10 or fewer in length.")
    for upload in uploads.values():
        if len(upload.data) > file_max:
            raise Rejected(Code.TOO_LARGE)


def _content(fields: Mapping[str, Any]) -> None:
    if len(fields.get("content") or "") > CONTENT_MAX:
        words = f"Must be {CONTENT_MAX} or fewer in length."
        raise invalid("content", "BASE_TYPE_MAX_LENGTH", words)


def _nonce(fields: Mapping[str, Any]) -> None:
    if len(str(fields.get("nonce") or "")) > NONCE_MAX:
        words = f"Must be {NONCE_MAX} or fewer in length."
        raise invalid("nonce", "NONCE_TYPE_TOO_LONG", words)


def _descriptions(fields: Mapping[str, Any]) -> None:
    for place, told in enumerate(fields.get("attachments") or ()):
        if len(told.get("description") or "") > DESCRIPTION_MAX:
            words = f"Must be {DESCRIPTION_MAX} or fewer in length."
            raise invalid(f"attachments.{place}.description", "BASE_TYPE_MAX_LENGTH", words)


def _embeds(fields: Mapping[str, Any]) -> None:
    embeds = fields.get("embeds") or []
    if len(embeds) > EMBEDS_MAX:
        raise invalid("embeds", "BASE_TYPE_MAX_LENGTH", "Must be 10 or fewer in length.")
    if sum(map(_text_of, embeds)) > EMBEDS_TEXT_MAX:
        words = "Embed size exceeds maximum size of 6000"
        raise invalid("embeds", "MAX_EMBED_SIZE_EXCEEDED", words)


def _text_of(embed: Mapping[str, Any]) -> int:
    texts = [embed.get("title"), embed.get("description")]
    texts += [(embed.get(part) or {}).get("text") for part in ("footer",)]
    texts += [(embed.get(part) or {}).get("name") for part in ("author",)]
    texts += [text for row in embed.get("fields", []) for text in (row["name"], row["value"])]
    return sum(len(text or "") for text in texts)


def _components(fields: Mapping[str, Any]) -> None:
    rows = fields.get("components") or []
    if (fields.get("flags") or 0) & COMPONENTS_V2:
        _v2(fields, rows)
    elif len(rows) > ROWS_MAX:
        raise invalid("components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
    seen: set[str] = set()
    for number, row in enumerate(rows):
        where = f"components.{number}"
        if row.get("type") == ROW and not 1 <= len(row.get("components", [])) <= ROW_MAX:
            words = "Must be between 1 and 5 in length."
            raise invalid(f"{where}.components", "BASE_TYPE_BAD_LENGTH", words)
        for place, component in enumerate(interactive([row])):
            _component(component, f"{where}.components.{place}", seen)


def _component(component: Mapping[str, Any], where: str, seen: set[str]) -> None:
    custom_id: str = component["custom_id"]
    if not 1 <= len(custom_id) <= CUSTOM_ID_MAX:
        words = f"Must be between 1 and {CUSTOM_ID_MAX} in length."
        raise invalid(f"{where}.custom_id", "BASE_TYPE_BAD_LENGTH", words)
    if custom_id in seen:
        words = "Component custom id cannot be duplicated"
        raise invalid(f"{where}.custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED", words)
    seen.add(custom_id)
    if len(component.get("label") or "") > LABEL_MAX:
        words = f"Must be {LABEL_MAX} or fewer in length."
        raise invalid(f"{where}.label", "BASE_TYPE_MAX_LENGTH", words)
    if component["type"] == MENU:
        _options(component.get("options", []), where)


def _options(options: list[dict[str, Any]], where: str) -> None:
    if not 1 <= len(options) <= OPTIONS_MAX:
        words = f"Must be between 1 and {OPTIONS_MAX} in length."
        raise invalid(f"{where}.options", "BASE_TYPE_BAD_LENGTH", words)
    for place, option in enumerate(options):
        for part in ("label", "value"):
            if not 1 <= len(option[part]) <= CHOICE_MAX:
                words = f"Must be between 1 and {CHOICE_MAX} in length."
                raise invalid(f"{where}.options.{place}.{part}", "BASE_TYPE_BAD_LENGTH", words)
    if len({option["value"] for option in options}) < len(options):
        words = "The specified option value is already used"
        raise invalid(f"{where}.options", "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", words)


def _v2(fields: Mapping[str, Any], rows: list[dict[str, Any]]) -> None:
    for part in ("content", "embeds", "poll", "sticker_ids"):
        if fields.get(part):
            words = f"The '{part}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
            raise invalid(part, "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", words)
    if sum(1 for _ in walk(rows)) > ALL_V2_MAX:
        words = f"Must be {ALL_V2_MAX} or fewer in length."
        raise invalid("components", "BASE_TYPE_MAX_LENGTH", words)


_CHECKS: tuple[Callable[[Mapping[str, Any]], None], ...] = (
    _content,
    _nonce,
    _descriptions,
    _embeds,
    _components,
)
