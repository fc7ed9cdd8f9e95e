"""The tables of votes: contests, their rounds, ballots and suggestions."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from bot.store.schema import Snowflake, UnixTime, metadata, one_of

ROUNDS_MAX = 5


class Stage(StrEnum):
    """Where a round of a vote stands.

    It waits for its pictures or its message; is open; is open once more for those that were
    tied; between two rounds, while people suggest what to change; decided, while its winner is
    still to be announced; or over.
    """

    WAITING = "waiting"
    OPEN = "open"
    RUNOFF = "runoff"
    BETWEEN = "between"
    DECIDED = "decided"
    OVER = "over"

    @property
    def votes(self) -> bool:
        """Whether ballots are taken."""
        return self in VOTING_STAGES

    @property
    def undecided(self) -> bool:
        """Whether it is too early to know what only the end is to tell."""
        return self is Stage.WAITING or self.votes


VOTING_STAGES = (Stage.OPEN, Stage.RUNOFF)


contests = Table(
    "contests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("interaction_id", Snowflake, nullable=False, unique=True),
    Column("person_id", Snowflake, nullable=False, comment="who opened it, and is charged"),
    Column("server_id", Snowflake, nullable=False),
    Column("channel_id", Snowflake, nullable=False),
    Column("application_id", Snowflake, nullable=False),
    Column("file_limit", Integer, nullable=False, comment="bytes"),
    Column("reply_to", Snowflake, comment="the result that it is about, where there was one"),
    # By which rules; they stay as they were when it began.
    Column("duration_s", Integer, nullable=False, comment="that each ballot is open"),
    Column("rounds", Integer, nullable=False),
    Column("secret", Integer, nullable=False, comment="counts are hidden until the end"),
    Column("voters_role", Snowflake, comment="null: everyone who sees it"),
    Column("opener_votes", Integer, nullable=False),
    Column("account_days", Integer, nullable=False, comment="the least age of an account"),
    Column("member_days", Integer, nullable=False, comment="and of its membership"),
    # How it goes.
    Column("created_at", UnixTime, nullable=False),
    Column("ended_at", UnixTime),
    Column("ending", Text, comment="the sentence why it ended before its time"),
    CheckConstraint("duration_s > 0", name="duration_s"),
    CheckConstraint(f"rounds BETWEEN 1 AND {ROUNDS_MAX}", name="rounds"),
    CheckConstraint("secret IN (0, 1) AND opener_votes IN (0, 1)", name="booleans"),
    CheckConstraint("account_days >= 0 AND member_days >= 0", name="days"),
    Index("ix_contests_server_id_created_at", "server_id", "created_at"),
    sqlite_strict=True,
)

Index(
    "ix_contests_running",
    contests.c.server_id,
    contests.c.person_id,
    sqlite_where=contests.c.ended_at.is_(None),
    postgresql_where=contests.c.ended_at.is_(None),
)

rounds = Table(
    "rounds",
    metadata,
    Column("id", Text, primary_key=True, comment="what its buttons carry"),
    Column("contest_id", Text, ForeignKey("contests.id"), nullable=False),
    Column("number", Integer, nullable=False, comment="from 1"),
    Column("stage", Text, nullable=False),
    Column("seed", Integer, nullable=False, comment="which draws among those that stay tied"),
    Column("message_id", Snowflake, unique=True, comment="of its ballot"),
    Column("opened_at", UnixTime),
    Column("closes_at", UnixTime, comment="of the stage that it is in"),
    Column("extended", Integer, nullable=False, server_default="0"),
    Column("winner", Integer, comment="a candidate's position"),
    Column("drawn", Integer, nullable=False, server_default="0", comment="the winner, by the seed"),
    Column("announced_id", Snowflake, comment="the message that shows the winner"),
    Column("due_at", UnixTime, comment="when somebody has to see to it"),
    CheckConstraint(one_of("stage", Stage), name="stage"),
    CheckConstraint(f"number BETWEEN 1 AND {ROUNDS_MAX}", name="number"),
    CheckConstraint("extended IN (0, 1) AND drawn IN (0, 1)", name="booleans"),
    CheckConstraint(
        "closes_at IS NOT NULL OR stage NOT IN ('open', 'runoff', 'between')", name="closes_at"
    ),
    CheckConstraint("winner IS NULL OR stage IN ('between', 'decided', 'over')", name="winner"),
    UniqueConstraint("contest_id", "number"),
    sqlite_strict=True,
)

Index(
    "ix_rounds_due_at",
    rounds.c.due_at,
    sqlite_where=rounds.c.due_at.is_not(None),
    postgresql_where=rounds.c.due_at.is_not(None),
)

candidates = Table(
    "candidates",
    metadata,
    Column("round_id", Text, ForeignKey("rounds.id"), primary_key=True),
    Column("position", Integer, primary_key=True, comment="of the picture, too"),
    Column("generation_id", Text, nullable=False),
    Column("in_runoff", Integer, nullable=False, server_default="0"),
    CheckConstraint("in_runoff IN (0, 1)", name="in_runoff"),
    ForeignKeyConstraint(
        ["generation_id", "position"], ["pictures.generation_id", "pictures.position"]
    ),
    sqlite_strict=True,
)

# One ballot for each person; a runoff takes new ones.
ballots = Table(
    "ballots",
    metadata,
    Column("round_id", Text, ForeignKey("rounds.id"), primary_key=True),
    Column("stage", Text, primary_key=True),
    Column("person_id", Snowflake, primary_key=True, autoincrement=False),
    Column("position", Integer, comment="null: taken back"),
    Column("press_id", Snowflake, nullable=False, comment="the interaction; a later one counts"),
    Column("cast_at", UnixTime, nullable=False),
    CheckConstraint("stage IN ('open', 'runoff')", name="stage"),
    ForeignKeyConstraint(
        ["round_id", "position"],
        ["candidates.round_id", "candidates.position"],
    ),
    sqlite_strict=True,
)

suggestions = Table(
    "suggestions",
    metadata,
    Column("round_id", Text, ForeignKey("rounds.id"), primary_key=True),
    Column("person_id", Snowflake, primary_key=True, autoincrement=False),
    Column("words", Text, nullable=False),
    Column("made_at", UnixTime, nullable=False),
    sqlite_strict=True,
)

# Whose suggestion somebody backs; one's own, until one backs another.
backings = Table(
    "backings",
    metadata,
    Column("round_id", Text, primary_key=True),
    Column("person_id", Snowflake, primary_key=True, autoincrement=False),
    Column("backs", Snowflake, nullable=False, comment="whose suggestion"),
    ForeignKeyConstraint(["round_id", "backs"], ["suggestions.round_id", "suggestions.person_id"]),
    sqlite_strict=True,
)
