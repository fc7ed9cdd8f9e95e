"""The README says what the code does: its tables are made from the commands and the settings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from discord import app_commands

from bot.settings import describe

if TYPE_CHECKING:
    from world import World

#: What is about a server, and nothing elsewhere.
OF_SERVERS = {"settings", "vote"}
README = Path(__file__).parents[1] / "README.md"


def table(name: str) -> str:
    """What stands between the marks `<!-- name -->` and `<!-- /name -->`."""
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", README.read_text(), re.DOTALL)
    assert found, f"README.md has no table marked {name}"
    return found[1]


def settings_table() -> str:
    rows = ["| Setting | Default | What it is |", "|---|---|---|"]
    for doc in describe():
        default = "required" if doc.default is None else f"`{doc.default}`" if doc.default else ""
        rows.append(f"| `{doc.name}` | {default} | {doc.description} |")
    return "\n".join(rows) + "\n"


def test_the_table_of_settings_is_the_settings() -> None:
    assert table("settings") == settings_table()


async def test_the_table_of_commands_is_the_command_tree(world: World) -> None:
    rows = ["| Command | What it does |", "|---|---|"]
    rows += [
        f"| `/{command.qualified_name}` | {command.description} |"
        for command in world.client.tree.walk_commands()
        if isinstance(command, app_commands.Command)
    ]
    assert sorted(table("commands").splitlines()) == sorted(rows)


async def test_every_command_works_in_servers_in_direct_messages_and_for_its_owner(
    world: World,
) -> None:
    for command in world.client.tree.get_commands():
        payload = command.to_dict(world.client.tree)
        everywhere = command.name not in OF_SERVERS
        installs, contexts = ([0, 1], [0, 1, 2]) if everywhere else ([0], [0])
        assert payload["integration_types"] == installs, f"/{command.name}: servers, users"
        assert payload["contexts"] == contexts, f"/{command.name}: servers, DMs, group DMs"
