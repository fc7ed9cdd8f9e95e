"""What is written down, read past the bot's own code, and the promises that it must keep."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from bot.store.leases import ORPHANED_MAX
from bot.studio.recovery import Abandoned

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from life_ports import Discord

ENDS_TOLD = ("failed", "refused")
OPEN = ("waiting", "painting", "painted")

#: Counters beside what they count: the day's deliveries are those since its first reservation.
_PEOPLE = """
SELECT id, day_used AS used, day_reserved AS reserved, waiting, day_limit, waiting_limit,
    (SELECT coalesce(sum(wanted), 0) FROM generations
        WHERE person_id = p.id AND ended_at IS NULL) AS open_pictures,
    (SELECT count(*) FROM generations WHERE person_id = p.id AND ended_at IS NULL) AS open,
    (SELECT coalesce(sum(pictures), 0) FROM ledger WHERE person_id = p.id AND entry = 'settle'
        AND number > (SELECT min(number) FROM ledger WHERE person_id = p.id
            AND entry = 'reserve' AND at >= p.day * 86400)) AS settled_today
FROM people p
"""
_ENTRIES = """
SELECT id, state, wanted,
    (SELECT count(*) FROM pictures WHERE generation_id = g.id) AS made,
    (SELECT group_concat(entry || ' ' || pictures) FROM
        (SELECT * FROM ledger WHERE generation_id = g.id ORDER BY number)) AS entries
FROM generations g
"""
_DOUBLED = """
SELECT interaction_id, count(*) FROM generations GROUP BY 1 HAVING count(*) > 1
"""


class Books:
    """A reader of its own; complaints are sentences."""

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True, isolation_level=None)
        self._connection.row_factory = sqlite3.Row

    def close(self) -> None:
        self._connection.close()

    def rows(self, sql: str, *parameters: object) -> list[Any]:
        return self._connection.execute(sql, parameters).fetchall()

    def generations(self) -> dict[str, dict[str, Any]]:
        """By id, in the order of acceptance."""
        found = self.rows("SELECT * FROM generations ORDER BY number")
        return {row["id"]: dict(row) for row in found}

    def open(self) -> list[dict[str, Any]]:
        """What has not ended."""
        return [row for row in self.generations().values() if row["ended_at"] is None]

    def overspent(self) -> Iterator[str]:
        """G3: used and reserved together stay within the limit, and are what they should be."""
        for row in self.rows(_PEOPLE):
            used, reserved, limit = row["used"], row["reserved"], row["day_limit"]
            if used + reserved > limit:
                yield f"{used} are used, and {reserved} reserved, of {limit}"
            if row["open"] > row["waiting_limit"]:
                yield f"{row['open']} are under way, of {row['waiting_limit']}"
            if (reserved, row["waiting"]) != (row["open_pictures"], row["open"]):
                yield (
                    f"{reserved} are reserved by {row['waiting']}, and {row['open']} are under "
                    f"way with {row['open_pictures']}"
                )
            if used != row["settled_today"]:
                yield f"{used} are charged, and {row['settled_today']} were delivered"

    def miscounted(self) -> Iterator[str]:
        """G1 and G4: reserved once, and settled or refunded once when it has ended."""
        for row in self.rows(_ENTRIES):
            reserved, end = f"reserve {row['wanted']}", f"refund {row['wanted']}"
            if row["state"] == "delivered":
                end = f"settle {row['made']}"
            right = reserved if row["state"] in OPEN else f"{reserved},{end}"
            if row["entries"] != right:
                yield f"{row['id']}, {row['state']}: {row['entries']} instead of {right}"

    def doubled(self) -> Iterator[str]:
        """G5: an interaction makes one generation."""
        for interaction, number in self.rows(_DOUBLED):
            yield f"interaction {interaction} made {number} generations"

    def missing(self, pictures: Path) -> Iterator[str]:
        """What a row tells of is in the archive."""
        for row in self.rows("SELECT key FROM pictures"):
            if not (pictures / row["key"]).exists():
                yield f"{row['key']} is not there"

    def changed(self, pictures: Path) -> Iterator[str]:
        """And it is what the row tells of."""
        for row in self.rows("SELECT key, bytes FROM pictures"):
            size = (pictures / row["key"]).stat().st_size
            if size != row["bytes"]:
                yield f"{row['key']} has {size} bytes, and was written down with {row['bytes']}"

    def misposted(self, discord: Discord) -> Iterator[str]:
        """G2: one message at most, and what is said of it is true."""
        rows = self.generations()
        for key in {message.generation_id for message in discord.messages}:
            if len(discord.of(key)) > 1:
                yield f"posted more than once: {discord.of(key)}"
            if rows[key]["state"] not in ("painted", "delivered"):
                yield f"posted, and yet {rows[key]['state']}"
        for key, row in rows.items():
            known = row["message_id"]
            if known is not None and known not in [m.id for m in discord.of(key)]:
                yield f"message {known} is written down, and there are {discord.of(key)}"

    def mistold(self, discord: Discord) -> Iterator[str]:
        """Nobody is told of a failure that is none, or given up too early."""
        rows = self.generations()
        for key, sentences in discord.told.items():
            if rows[key]["state"] not in ENDS_TOLD:
                yield f"the asker of {key}, {rows[key]['state']}, was told {sentences}"
        for key, row in rows.items():
            if row["failure"] == Abandoned().sentence and row["orphaned"] < ORPHANED_MAX:
                yield f"{key} was given up after {row['orphaned']} processes were lost over it"
