"""The tables. Their constraints hold the rules; migrations/ brings a database to them.

Those of votes stand in `vote_schema.py`.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    REAL,
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine  # noqa: TC002 - an annotation of a module variable


class State(StrEnum):
    """Where a generation stands in its life: waiting, painting, painted, then one end."""

    WAITING = "waiting"
    PAINTING = "painting"
    PAINTED = "painted"
    DELIVERED = "delivered"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"

    @property
    def open(self) -> bool:
        """Whether something is still to be done."""
        return self in OPEN_STATES


OPEN_STATES = (State.WAITING, State.PAINTING, State.PAINTED)


class Way(StrEnum):
    """How a result reaches people; written down before the first try, and kept."""

    CHANNEL = "channel"
    RESPONSE = "response"


class Editors(StrEnum):
    """Who may work on with the pictures of others in a server."""

    EVERYONE = "everyone"
    AUTHOR = "author"


class Entry(StrEnum):
    """A line of the ledger."""

    RESERVE = "reserve"
    SETTLE = "settle"
    REFUND = "refund"


#: Pictures of one generation; Discord shows ten files in a message.
PICTURES_MAX = 8

# STRICT tables take SQLite's own type names alone: https://www.sqlite.org/stricttables.html
Snowflake = BigInteger().with_variant(Integer(), "sqlite")
UnixTime: TypeEngine[float] = Double[float]().with_variant(REAL(), "sqlite")


def one_of(column: str, values: type[StrEnum]) -> str:
    """The rule that a column has one of the values."""
    quoted = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({quoted})"


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

people = Table(
    "people",
    metadata,
    Column("id", Snowflake, primary_key=True, autoincrement=False),
    Column("first_seen_at", UnixTime, nullable=False),
    Column("day", Integer, nullable=False, comment="days since 1970, UTC"),
    Column("day_used", Integer, nullable=False),
    Column("day_reserved", Integer, nullable=False),
    Column("day_limit", Integer, nullable=False, comment="as it was when last reserved"),
    Column("minute_start", UnixTime, nullable=False),
    Column("minute_used", Integer, nullable=False),
    Column("waiting", Integer, nullable=False, comment="generations that have not ended"),
    Column("waiting_limit", Integer, nullable=False),
    CheckConstraint("day_used >= 0", name="day_used"),
    CheckConstraint("day_reserved >= 0", name="day_reserved"),
    CheckConstraint("day_used + day_reserved <= day_limit", name="day_limit"),
    CheckConstraint("minute_used >= 0", name="minute_used"),
    CheckConstraint("waiting >= 0 AND waiting <= waiting_limit", name="waiting"),
    sqlite_strict=True,
)

servers = Table(
    "servers",
    metadata,
    Column("id", Snowflake, primary_key=True, autoincrement=False),
    Column("first_seen_at", UnixTime, nullable=False),
    Column("editors", Text, nullable=False, server_default=Editors.EVERYONE),
    Column("opener_votes", Integer, nullable=False, server_default="1"),
    Column("voter_account_days", Integer, nullable=False, server_default="0"),
    Column("voter_member_days", Integer, nullable=False, server_default="0"),
    CheckConstraint(one_of("editors", Editors), name="editors"),
    CheckConstraint("opener_votes IN (0, 1)", name="opener_votes"),
    CheckConstraint("voter_account_days >= 0", name="voter_account_days"),
    CheckConstraint("voter_member_days >= 0", name="voter_member_days"),
    sqlite_strict=True,
)

generations = Table(
    "generations",
    metadata,
    Column("number", Integer, primary_key=True, comment="the order of acceptance"),
    Column("id", Text, nullable=False, unique=True, comment="what people see and buttons carry"),
    Column("interaction_id", Snowflake, nullable=False, unique=True, comment="or the reply's"),
    Column("person_id", Snowflake, ForeignKey("people.id"), nullable=False),
    Column("server_id", Snowflake, ForeignKey("servers.id")),
    # What was asked for.
    Column("request", Text, nullable=False, comment="JSON, in full"),
    Column("prompt", Text, nullable=False),
    Column("wanted", Integer, nullable=False, comment="pictures"),
    Column("seed", Integer, nullable=False),
    Column("private", Integer, nullable=False),
    # Where to answer.
    Column("application_id", Snowflake, nullable=False),
    Column("channel_id", Snowflake, nullable=False),
    Column("interaction_token", Text, comment="a secret: gone once the last word is said"),
    Column("token_expires_at", UnixTime, nullable=False),
    Column("may_post", Integer, nullable=False, comment="as a message of its own"),
    Column("file_limit", Integer, nullable=False, comment="bytes"),
    Column("reply_to", Snowflake, comment="the message that asked, where one did"),
    Column("round_id", Text, ForeignKey("rounds.id"), comment="of a vote, which it is painted for"),
    # How it goes.
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False, comment="how often painting has begun"),
    Column("orphaned", Integer, nullable=False, comment="holders lost while they painted it"),
    Column("holder", Text, comment="who works on it; with `attempt`, the fence of the lease"),
    Column("lease_until", UnixTime, comment="when somebody else may take it"),
    Column("minute_start", UnixTime, nullable=False, comment="the minute it was charged to"),
    Column("created_at", UnixTime, nullable=False),
    Column("painting_at", UnixTime),
    Column("painted_at", UnixTime),
    Column("ended_at", UnixTime),
    # What came of it.
    Column("model", Text, comment="that painted it"),
    Column("steps", Integer),
    Column("price", Integer, comment="micro-dollars, estimated"),
    Column("notes", Text, nullable=False, comment="JSON: sentences that people read with it"),
    Column("way", Text),
    Column("message_id", Snowflake),
    Column("failure", Text, comment="the sentence that the person read"),
    Column("tell_at", UnixTime, comment="when somebody else should tell of it; null once told"),
    CheckConstraint(one_of("state", State), name="state"),
    CheckConstraint(f"way IS NULL OR {one_of('way', Way)}", name="way"),
    CheckConstraint(f"wanted BETWEEN 1 AND {PICTURES_MAX}", name="wanted"),
    CheckConstraint("private IN (0, 1) AND may_post IN (0, 1)", name="booleans"),
    CheckConstraint("state != 'painting' OR holder IS NOT NULL", name="held"),
    CheckConstraint("holder IS NULL OR state IN ('painting', 'painted')", name="holder"),
    CheckConstraint(
        "(ended_at IS NULL) = (state IN ('waiting', 'painting', 'painted'))", name="ended"
    ),
    CheckConstraint(
        "ended_at IS NULL OR tell_at IS NOT NULL OR interaction_token IS NULL", name="token"
    ),
    CheckConstraint("tell_at IS NULL OR failure IS NOT NULL", name="tell_at"),
    Index("ix_generations_person_id_number", "person_id", "number"),
    sqlite_strict=True,
)

# What is still to be done is found without reading what was done long ago.
Index(
    "ix_generations_open",
    generations.c.state,
    generations.c.number,
    sqlite_where=generations.c.ended_at.is_(None),
    postgresql_where=generations.c.ended_at.is_(None),
)

Index(
    "ix_generations_tell_at",
    generations.c.tell_at,
    sqlite_where=generations.c.tell_at.is_not(None),
    postgresql_where=generations.c.tell_at.is_not(None),
)

pictures = Table(
    "pictures",
    metadata,
    Column("generation_id", Text, ForeignKey("generations.id"), primary_key=True),
    Column("position", Integer, primary_key=True, comment="from 1"),
    Column("key", Text, nullable=False, unique=True, comment="its name in the archive"),
    Column("media_type", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("seed", Integer, nullable=False),
    Column("part", Integer, nullable=False, server_default="0", comment="of the order, from 0"),
    Column("model", Text, comment="that painted it; null: the generation's"),
    CheckConstraint(f"position BETWEEN 1 AND {PICTURES_MAX}", name="position"),
    sqlite_strict=True,
)

sources = Table(
    "sources",
    metadata,
    Column("generation_id", Text, ForeignKey("generations.id"), primary_key=True),
    Column("position", Integer, primary_key=True, comment="from 1, as the person counts"),
    Column("key", Text, nullable=False, comment="its name in the archive"),
    Column("parent_id", Text, ForeignKey("generations.id"), comment="null: it was brought along"),
    Column("parent_position", Integer),
    CheckConstraint("(parent_id IS NULL) = (parent_position IS NULL)", name="parent"),
    Index("ix_sources_parent_id", "parent_id"),
    sqlite_strict=True,
)

drafts = Table(
    "drafts",
    metadata,
    Column("id", Text, primary_key=True, comment="what its buttons carry"),
    Column("person_id", Snowflake, nullable=False),
    Column("request", Text, nullable=False, comment="JSON: what is to be confirmed"),
    Column("created_at", UnixTime, nullable=False),
    Index("ix_drafts_created_at", "created_at"),
    sqlite_strict=True,
)

ledger = Table(
    "ledger",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("generation_id", Text, ForeignKey("generations.id"), nullable=False),
    Column("person_id", Snowflake, nullable=False),
    Column("server_id", Snowflake),
    Column("entry", Text, nullable=False),
    Column("pictures", Integer, nullable=False),
    Column("price", Integer, nullable=False, comment="micro-dollars, estimated"),
    Column("at", UnixTime, nullable=False),
    CheckConstraint(one_of("entry", Entry), name="entry"),
    UniqueConstraint("generation_id", "entry"),
    sqlite_strict=True,
)

# A generation is settled or refunded, once.
Index(
    "uq_ledger_ended",
    ledger.c.generation_id,
    unique=True,
    sqlite_where=ledger.c.entry != Entry.RESERVE,
    postgresql_where=ledger.c.entry != Entry.RESERVE,
)

facts = Table(
    "facts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_strict=True,
)
