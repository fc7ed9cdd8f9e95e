"""What must be true once everything has ended, whatever was killed on the way."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wire.asked import Asked
    from wire.town import Town

ENDS = ("delivered", "failed", "refused", "cancelled")
#: What was to be told so shortly before a kill was perhaps not told any more.
_TELLING_S = 1.0


@dataclass(slots=True)
class Books:
    """What was found.

    Attributes:
        ends: how many generations came to which.
        breaches: what must not be, by rule; no rule is missing.
        silent: ended without a picture, and a kill came before anybody was told.
        unseen: the person can find the result in `/history` alone, since a kill came before
            the acknowledgement.
        orphans: files that no row names, of generations that ended without a picture.
        leftovers: temporary files.
    """

    ends: Counter[str] = field(default_factory=Counter)
    breaches: dict[str, list[str]] = field(default_factory=lambda: {rule: [] for rule in RULES})
    silent: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)


def read_books(town: Town, asked: Sequence[Asked], kills: Sequence[float]) -> Books:
    """Everything that was asked of this town, and when its bot was killed."""
    books = Books()
    generations = {row["interaction_id"]: row for row in rows(town, _GENERATIONS)}
    books.ends.update(row["state"] for row in generations.values())
    for one in asked:
        row = generations.pop(one.interaction.id, None)
        _see(books, one, row)
        if row is not None and row["failure"] is not None:
            _hear(books, one, row, kills)
    books.breaches["one interaction"] += [row["id"] for row in generations.values()]
    for rule, sql in _QUESTIONS.items():
        books.breaches[rule] += [str(tuple(row)) for row in rows(town, sql)]
    books.breaches["archive"] += _archive(town, books)
    return books


def rows(town: Town, sql: str) -> list[sqlite3.Row]:
    with closing(connect(town, mode="ro")) as reader:
        reader.row_factory = sqlite3.Row
        return reader.execute(sql).fetchall()


def connect(town: Town, *, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{town.folder}/easel.db?mode={mode}", uri=True)


_GENERATIONS = """
SELECT *, (SELECT count(*) FROM pictures WHERE generation_id = generations.id) AS made
FROM generations
"""
#: Each finds what must not be.
_QUESTIONS = {
    "one end": """
        SELECT generations.id, state, group_concat(entry) FROM generations
        LEFT JOIN ledger ON generation_id = generations.id GROUP BY generations.id
        HAVING count(entry) != 2 OR min(entry) || ' ' || max(entry) !=
            CASE state WHEN 'delivered' THEN 'reserve settle' ELSE 'refund reserve' END
    """,
    "one interaction": """
        SELECT interaction_id, count(*) FROM generations GROUP BY 1 HAVING count(*) > 1
    """,
    "ledger": """
        SELECT people.id, day_used, delivered, settled FROM people
        JOIN (SELECT person_id, count(key) AS delivered FROM generations
              LEFT JOIN pictures ON generation_id = generations.id AND state = 'delivered'
              GROUP BY 1) AS made ON made.person_id = people.id
        LEFT JOIN (SELECT person_id, sum(pictures) AS settled FROM ledger
                   WHERE entry = 'settle' GROUP BY 1) AS paid ON paid.person_id = people.id
        WHERE day_used != delivered OR delivered != coalesce(settled, 0)
    """,
    "reserved": "SELECT * FROM people WHERE day_reserved != 0 OR waiting != 0",
}
RULES = (*_QUESTIONS, "messages", "notices", "archive")


def _see(books: Books, asked: Asked, row: sqlite3.Row | None) -> None:
    """What was delivered stands there once, with its files; nothing else does."""
    delivered = row is not None and row["state"] == "delivered"
    found = [len(message.files) for message in asked.interaction.channel.shown if message.files]
    found += [len(message.files) for message in asked.said if message.ephemeral and message.files]
    expected = [row["made"]] if delivered else []
    if not found and delivered and asked.interaction.answered_at is None and not row["message_id"]:
        books.unseen.append(row["id"])
    elif found != expected:
        state = "not accepted" if row is None else f"{row['id']} {row['state']}"
        books.breaches["messages"].append(f"{state}: messages with {found} files")
    elif delivered and asked.thinking:
        books.breaches["messages"].append(f"{row['id']}: it still says that it is thinking")


def _hear(books: Books, asked: Asked, row: sqlite3.Row, kills: Sequence[float]) -> None:
    """Who has no picture was told why; of what they cancelled themselves nothing stands there."""
    person, channel = asked.interaction.person, asked.interaction.channel
    heard = [
        m.content for m in (*asked.said, *channel.shown) if m.ephemeral or person in m.mentions
    ]
    if row["state"] == "cancelled":
        told = not asked.thinking
    else:
        told = any(row["failure"] in sentence for sentence in heard)
    if told:
        return
    if any(0 <= killed - row["ended_at"] < _TELLING_S for killed in kills):
        books.silent.append(f"{row['id']} {row['state']}")
    else:
        books.breaches["notices"].append(f"{row['id']} {row['state']}: {row['failure']} {heard}")


def _archive(town: Town, books: Books) -> Iterator[str]:
    """Files are rows: each as long as it was, and none besides."""
    folder = Path(town.folder) / "pictures"
    files = {str(f.relative_to(folder)): f.stat().st_size for f in folder.rglob("*") if f.is_file()}
    for row in rows(town, "SELECT key, bytes FROM pictures"):
        if (size := files.pop(row["key"], None)) != row["bytes"]:
            yield f"{row['key']}: {size} bytes and not {row['bytes']}"
    for row in rows(town, "SELECT DISTINCT key FROM sources"):
        files.pop(row["key"], None)
    pictureless = {row["id"] for row in rows(town, _GENERATIONS) if not row["made"]}
    for key in files:
        if key.endswith(".part"):
            books.leftovers.append(key)
        elif Path(key).name.rpartition("-")[0] in pictureless:
            books.orphans.append(key)
        else:
            yield f"{key}: no row names it"
