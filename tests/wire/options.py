"""Options of commands as Discord's own client would send them: typed, checked and resolved."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any

from wire.files import File
from wire.members import Person, Role
from wire.world import Channel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wire.world import World

Told = dict[str, Any]


class CommandType(IntEnum):
    SLASH = 1
    MESSAGE = 3


class OptionType(IntEnum):
    """https://discord.com/developers/docs/interactions/application-commands"""

    SUBCOMMAND = 1
    GROUP = 2
    STRING = 3
    INTEGER = 4
    BOOLEAN = 5
    USER = 6
    CHANNEL = 7
    ROLE = 8
    MENTIONABLE = 9
    NUMBER = 10
    ATTACHMENT = 11


_PYTHON: dict[int, type | tuple[type, ...]] = {
    OptionType.STRING: str,
    OptionType.INTEGER: int,
    OptionType.BOOLEAN: bool,
    OptionType.USER: Person,
    OptionType.CHANNEL: Channel,
    OptionType.ROLE: Role,
    OptionType.MENTIONABLE: Person,
    OptionType.NUMBER: (int, float),
    OptionType.ATTACHMENT: File,
}


def find_command(commands: list[Told], name: str, kind: CommandType) -> Told:
    """A registered command."""
    for command in commands:
        if command["name"] == name and command["type"] == kind:
            return command
    raise LookupError(f"{name!r} is not registered, only {[c['name'] for c in commands]}")


def option_values(
    world: World, command: Told, path: str, given: Mapping[str, object], *, complete: bool = True
) -> tuple[list[Told], Told]:
    """(options, resolved); `path` names the subcommand behind the command.

    Raises:
        LookupError: there is no such option or subcommand.
        ValueError: Discord's client would not send that.
    """
    schema, groups = command.get("options", []), []
    for name in path.split()[1:]:
        group = _named(schema, name, path)
        groups.append({"name": name, "type": group["type"]})
        schema = group.get("options", [])
    resolved: Told = {}
    values = [_value(world, _named(schema, n, path), v, resolved) for n, v in given.items()]
    missing = [o["name"] for o in schema if o.get("required") and o["name"] not in given]
    if missing and complete:
        raise ValueError(f"/{path} needs {missing}")
    for group in reversed(groups):
        values = [group | {"options": values}]
    return values, resolved


def _named(schema: list[Told], name: str, path: str) -> Told:
    for option in schema:
        if option["name"] == name:
            return option
    raise LookupError(f"/{path} has no {name!r}, only {[option['name'] for option in schema]}")


def _value(world: World, option: Told, value: object, resolved: Told) -> Told:
    name, kind = option["name"], option["type"]
    expected = _PYTHON[kind]
    if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
        raise ValueError(f"{name}: {value!r} does not fit")
    _check_bounds(option, value)
    sent: object = value
    if isinstance(value, File):
        sent = str(value.id)
        told = value.wire(world.cdn, world.clock()) | {"ephemeral": True}
        resolved.setdefault("attachments", {})[sent] = told
    elif isinstance(value, Person):
        sent = str(value.id)
        member = value.member() | {"permissions": str(int(value.may))}
        del member["user"]
        resolved.setdefault("users", {})[sent] = value.wire()
        resolved.setdefault("members", {})[sent] = member
    elif isinstance(value, Role):
        sent = str(value.id)
        resolved.setdefault("roles", {})[sent] = value.wire()
    elif isinstance(value, Channel):
        sent = str(value.id)
        told = value.wire(world.bot) | {"permissions": str(int(value.bot_may))}
        resolved.setdefault("channels", {})[sent] = told
    return {"name": name, "type": kind, "value": sent}


def _check_bounds(option: Told, value: object) -> None:
    choices = [choice["value"] for choice in option.get("choices") or []]
    if choices and value not in choices:
        raise ValueError(f"{option['name']}: {value!r} is none of {choices}")
    size: float = len(value) if isinstance(value, str) else 0
    low, high = option.get("min_length", 0), option.get("max_length", 6000)
    if isinstance(value, int | float):
        size = value
        low, high = option.get("min_value", -(2**53)), option.get("max_value", 2**53)
    if not low <= size <= high:
        raise ValueError(f"{option['name']}: {size} is not from {low} to {high}")
