"""The rules of the house that no linter knows; every complaint names its file and line."""

from __future__ import annotations

import ast
import os
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).resolve().parent.parent
COG_LINES, BOT_LINES, FUNCTION_LINES = 200, 400, 50

DISCORD_SIDE = ("bot.client", "bot.tree", "bot.delivery", "bot.views", "cogs")
TEST_ONLY = ("tests", "bench", "pytest", "hypothesis", "unittest.mock")
#: Who may not import what. The first part is a folder or a file, without its ending.
FORBIDDEN: dict[str, tuple[str, ...]] = {
    "bot": ("cogs", "simcord", *TEST_ONLY),  # cogs are loaded as discord.py's extensions
    "cogs": ("cogs", "simcord", "bot.store", "bot.app", "bot.demo", "sqlalchemy", *TEST_ONLY),
    "bot.imaging": ("bot.store", "bot.studio", "bot.app", "bot.demo", "sqlalchemy", *DISCORD_SIDE),
    "bot.store": ("bot.imaging", "bot.studio", "bot.app", "bot.demo", "aiohttp", *DISCORD_SIDE),
    "bot.studio": ("bot.app", "bot.demo", "aiohttp", *DISCORD_SIDE),
    "bot.views": ("cogs", "bot.store", "bot.app", "bot.demo", "sqlalchemy"),
}
#: What a longer name may although a shorter one above may not.
ALLOWED: dict[str, tuple[str, ...]] = {"bot.demo": ("simcord",)}
#: Data of the store travels through them; they never ask it for any.
ALLOWED_AS_TYPES: dict[str, tuple[str, ...]] = {"bot.views": ("bot.store",), "cogs": ("bot.store",)}
DISCORD_USERS = (*DISCORD_SIDE, "bot.app", "bot.demo")

#: Where a loop or a task ends: "file:function" and why it must catch everything.
BROAD_EXCEPTS: dict[str, str] = {
    "bot/store/database.py:Database._flush": "a loop's edge: the failure is its callers'",
    "bot/store/database.py:_one": "one caller's failure must not end the others' transaction",
    "bot/studio/alarm.py:Alarm._ring_and_wait": "a loop's edge: it rings again",
    "bot/studio/announcer.py:Announcer._go_round": "a loop's edge: the next round tries again",
    "bot/studio/announcer.py:Announcer._tell": "a word's edge: the others are to hear theirs",
    "bot/studio/life.py:Life.deliver": "a delivery's edge: it is put off, and not for ever",
    "bot/studio/life.py:Life.tell": "a word's edge: it is tried again, and not for ever",
    "bot/studio/recovery.py:Recovery._go_round": "a loop's edge: the next round tries again",
    "bot/studio/recovery.py:Recovery._see_to": "a row's edge: the others may be sound",
    "bot/studio/referee.py:Referee._guarded": "a task's edge: the row is there, and due again",
    "bot/studio/scoreboard.py:Scoreboard._try": "a task's edge: the next press shows it again",
    "bot/studio/work.py:_guarded": "a task's edge: the row is there, and a sweep finds it",
    "bot/views/base.py:_Persistent.callback": "discord.py would swallow it",
    "cogs/replies.py:Replies.on_message": "a listener's edge: discord.py would tell nobody",
}
#: A migration lists its tables and is never touched again: its length is no burden.
ANY_LENGTH = ("bot.store.migrations.versions",)

# Classes of one character keep the patterns from finding themselves.
REGISTRIES = re.compile(
    r"https?://[^\s\"'<>]+/\+?simpl[e](?=[/\s\"']|$)"
    r"|(?<!no-emit-)\b(?:extra-|default-)?inde[x]-url"
    r"|\b(?:PIP|UV)_(?:\w+_)?INDE[X]"
    r"|\b(?:pyp[i]\.org|pythonhoste[d]\.org|registry\.npmj[s])"
)
MACHINE_PATHS = re.compile(
    r"(?:(?<=file://)|(?<![\w.~$}/-]))/(?:wor[k]|roo[t]|User[s]|hom[e]/(?!easel\b)\w+)/"
)


class Source(NamedTuple):
    path: str
    text: str

    @property
    def module(self) -> str:
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)


def sources(*folders: str) -> list[Source]:
    return [
        Source(file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8"))
        for folder in folders
        for file in sorted((ROOT / folder).rglob("*.py"))
    ]


def project_files() -> Iterator[Source]:
    """Every text of the project that git would keep."""
    ignored = [line.strip("/") for line in (ROOT / ".gitignore").read_text().split()] + [".git"]
    for folder, inner, names in os.walk(ROOT):
        inner[:] = [name for name in inner if not any(fnmatch(name, i) for i in ignored)]
        for name in names:
            file = Path(folder, name)
            if file.is_file() and not any(fnmatch(name, i) for i in ignored):
                text = file.read_bytes().decode("utf-8", "ignore")
                yield Source(file.relative_to(ROOT).as_posix(), text)


def within(module: str, names: Iterable[str]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in names)


def imports(source: Source) -> Iterator[tuple[int, str, bool]]:
    """(line, module, whether for types alone) of every import, also within functions."""
    parts = source.module.split(".")
    package = parts if source.path.endswith("__init__.py") else parts[:-1]
    for_types = {
        inner
        for node in ast.walk(source.tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for inner in range(node.lineno, (node.body[-1].end_lineno or 0) + 1)
    }
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            names = [f"{origin}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from ((node.lineno, name, node.lineno in for_types) for name in names)


def rules_for(source: Source, rules: dict[str, tuple[str, ...]]) -> list[str]:
    return [n for user, names in rules.items() if within(source.module, [user]) for n in names]


def bad_imports(source: Source) -> Iterator[str]:
    banned, allowed = rules_for(source, FORBIDDEN), rules_for(source, ALLOWED)
    as_types = rules_for(source, ALLOWED_AS_TYPES)
    if not within(source.module, DISCORD_USERS):
        banned.append("discord")
    for line, name, for_types in imports(source):
        spared = [*allowed, *as_types] if for_types else allowed
        if within(name, banned) and not within(name, spared):
            yield f"{source.path}:{line}: {source.module} may not import {name}"


def functions(source: Source) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef, bool]]:
    """(qualified name, node, whether it is a method) of every function."""

    def walk(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.AST, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{prefix}.{child.name}".lstrip(".")
                if not isinstance(child, ast.ClassDef):
                    yield name, child, isinstance(node, ast.ClassDef)
                yield from walk(child, name)
            else:
                yield from walk(child, prefix)

    yield from walk(source.tree, "")


def too_long(source: Source) -> Iterator[str]:
    most = COG_LINES if within(source.module, ["cogs"]) else BOT_LINES
    if (lines := len(source.text.splitlines())) > most:
        yield f"{source.path}:{most + 1}: the file has {lines} lines, {most} are the most"
    for name, node, _ in functions(source):
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if length > FUNCTION_LINES and not within(source.module, ANY_LENGTH):
            most = FUNCTION_LINES
            yield f"{source.path}:{node.lineno}: {name} has {length} lines, {most} are the most"


def not_annotated(source: Source) -> Iterator[str]:
    for name, node, is_method in functions(source):
        static = any(
            isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list
        )
        positional = [*node.args.posonlyargs, *node.args.args][is_method and not static :]
        extra = [arg for arg in (node.args.vararg, node.args.kwarg) if arg]
        missing = [a.arg for a in [*positional, *node.args.kwonlyargs, *extra] if not a.annotation]
        if not node.returns:
            missing.append("return")
        if missing:
            yield f"{source.path}:{node.lineno}: {name} says no type of {', '.join(missing)}"


def broad(source: Source) -> Iterator[tuple[int, str, str]]:
    """(line, function, what) of everything that catches more than it can know."""
    spans = [(node.lineno, node.end_lineno or 0, name) for name, node, _ in functions(source)]
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler):
            caught = [node.type] if node.type else []
            what = "a bare except" if not caught else "except"
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
            caught, what = node.args, "suppress"
        else:
            continue
        names = {ast.unparse(n).split(".")[-1] for part in caught for n in ast.walk(part)}
        wide = sorted(names & {"Exception", "BaseException"})
        if wide or what == "a bare except":
            around = [name for first, last, name in spans if first <= node.lineno <= last]
            yield node.lineno, around[-1] if around else "", " ".join([what, *wide])


def broad_excepts(source: Source) -> Iterator[str]:
    for line, function, what in broad(source):
        if what == "a bare except" or f"{source.path}:{function}" not in BROAD_EXCEPTS:
            yield f"{source.path}:{line}: {what} in {function or 'the module'}"


def catch_alls(source: Source) -> Iterator[str]:
    if {"util", "utils"} & set(source.module.split(".")):
        yield f"{source.path}:1: a module is named for what is in it, not utils"


def betrayals(source: Source) -> Iterator[str]:
    """Addresses of package registries, and paths of the machine it was written on."""
    for number, line in enumerate(source.text.splitlines(), 1):
        for what, pattern in (("a registry", REGISTRIES), ("a machine's path", MACHINE_PATHS)):
            if found := pattern.search(line):
                yield f"{source.path}:{number}: {found[0]} is {what}"


RULES = [bad_imports, too_long, not_annotated, broad_excepts, catch_alls]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_bot_and_its_cogs(rule) -> None:
    complaints = [complaint for source in sources("bot", "cogs") for complaint in rule(source)]
    assert not complaints, "\n".join(["", *complaints])


def test_no_broad_except_is_allowed_that_is_not_there() -> None:
    there = {f"{s.path}:{function}" for s in sources("bot", "cogs") for _, function, _ in broad(s)}
    assert BROAD_EXCEPTS.keys() <= there, f"gone: {sorted(BROAD_EXCEPTS.keys() - there)}"
    assert all(BROAD_EXCEPTS.values()), "each needs its reason"


def test_nothing_tells_where_it_was_written() -> None:
    complaints = [complaint for source in project_files() for complaint in betrayals(source)]
    assert not complaints, "\n".join(["", *complaints])


#: The ~ keeps the last ones from being found in this file.
SAMPLES = {
    "bot/imaging/x.py": {
        "import discord": bad_imports,
        "def f() -> None:\n    from bot.store.people import x": bad_imports,
        "if TYPE_CHECKING:\n    from bot import studio": bad_imports,
        "from ..store import people": bad_imports,
        "from .. import store": bad_imports,
    },
    "bot/store/__init__.py": {
        "from ..imaging.request import Size": bad_imports,
        "import discord.ext.tasks": bad_imports,
        "import cogs.imagine": bad_imports,
    },
    "bot/studio/x.py": {"from bot import views": bad_imports, "import bot.client": bad_imports},
    "bot/views/x.py": {
        "import simcord": bad_imports,
        "if TYPE_CHECKING:\n    import x\nfrom bot.store import people": bad_imports,
    },
    "bot/logs.py": {"import discord": bad_imports, "from tests import conftest": bad_imports},
    "bot/demo/x.py": {"import cogs": bad_imports},
    "bot/utils/x.py": {"": catch_alls},
    "bot/x.py": {
        "\n" * 401: too_long,
        "def f() -> None:" + "\n    f()" * 50: too_long,
        "class A:\n    async def f(self, x) -> None: ...": not_annotated,
        "class A:\n    @staticmethod\n    def f(x) -> None: ...": not_annotated,
        "def f(*args, **more: int) -> None: ...": not_annotated,
        "def f(x: int): ...": not_annotated,
        "try: f()\nexcept: f()": broad_excepts,
        "try: f()\nexcept (ValueError, Exception): f()": broad_excepts,
        "try: f()\nexcept builtins.BaseException: f()": broad_excepts,
        "try: f()\nexcept* Exception: f()": broad_excepts,
        "with contextlib.suppress(Exception): f()": broad_excepts,
        "x = '/wo~rk/easel/x'": betrayals,
        "x = 'file:///ro~ot/x'": betrayals,
        "pip install --extra-in~dex-url https://x": betrayals,
        "https://mirror.example/root/+si~mple/": betrayals,
        "UV_DEFAULT_IN~DEX=x": betrayals,
    },
    "cogs/x.py": {
        "\n" * 201: too_long,
        "from bot.store import people": bad_imports,
        "from cogs.imagine import x": bad_imports,
    },
}


@pytest.mark.parametrize(
    ("path", "text", "rule"),
    [(path, text, rule) for path, texts in SAMPLES.items() for text, rule in texts.items()],
)
def test_each_rule_finds_what_it_forbids(path: str, text: str, rule) -> None:
    assert [
        complaint
        for complaint in rule(Source(path, text.replace("~", "")))
        if complaint.startswith(f"{path}:")
    ]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("bot/views/x.py", "import discord\nif TYPE_CHECKING:\n    from bot.store import people"),
        ("bot/demo/x.py", "import simcord.preview, discord\nfrom bot.app import open_easel"),
        ("bot/studio/x.py", "from bot.imaging import request\nfrom bot.store import people"),
        ("bot/x.py", "class A:\n    def f(self, *, x: int = 1) -> None:\n        lambda y: y"),
        ("bot/x.py", "try: f()\nexcept (ValueError, OSError): f()\nsuppress(OSError)"),
        (
            "bot/x.py",
            "# https://example.org/work/, ~/work/x, docs/root/x, /simple/; --no-emit-index-url",
        ),
    ],
)
def test_no_rule_minds_what_is_fine(path: str, text: str) -> None:
    source = Source(path, text)
    assert not [complaint for rule in (*RULES, betrayals) for complaint in rule(source)]
