"""Votes: contests, their rounds, the ballots that people cast and what they suggest."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SNOWFLAKE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.Double().with_variant(sa.REAL(), "sqlite")


def upgrade() -> None:
    _create_contests()
    _create_rounds()
    _create_candidates()
    _create_ballots()
    _create_suggestions()
    # Alembic adds no rule with a column where there is SQLite.
    op.execute(
        "ALTER TABLE generations ADD COLUMN round_id TEXT"
        " CONSTRAINT fk_generations_round_id REFERENCES rounds (id)"
    )
    for column, default, rule in (
        ("opener_votes", 1, "opener_votes IN (0, 1)"),
        ("voter_account_days", 0, "voter_account_days >= 0"),
        ("voter_member_days", 0, "voter_member_days >= 0"),
    ):
        op.execute(
            f"ALTER TABLE servers ADD COLUMN {column} INTEGER DEFAULT {default} NOT NULL"
            f" CONSTRAINT ck_servers_{column} CHECK ({rule})"
        )


def downgrade() -> None:
    raise NotImplementedError("What is in the new tables would be lost. Restore a backup.")


def _create_contests() -> None:
    op.create_table(
        "contests",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("interaction_id", SNOWFLAKE, nullable=False),
        sa.Column("person_id", SNOWFLAKE, nullable=False),
        sa.Column("server_id", SNOWFLAKE, nullable=False),
        sa.Column("channel_id", SNOWFLAKE, nullable=False),
        sa.Column("application_id", SNOWFLAKE, nullable=False),
        sa.Column("file_limit", sa.Integer(), nullable=False),
        sa.Column("reply_to", SNOWFLAKE, nullable=True),
        sa.Column("duration_s", sa.Integer(), nullable=False),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("secret", sa.Integer(), nullable=False),
        sa.Column("voters_role", SNOWFLAKE, nullable=True),
        sa.Column("opener_votes", sa.Integer(), nullable=False),
        sa.Column("account_days", sa.Integer(), nullable=False),
        sa.Column("member_days", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("ending", sa.Text(), nullable=True),
        sa.CheckConstraint("duration_s > 0", name=op.f("ck_contests_duration_s")),
        sa.CheckConstraint("rounds BETWEEN 1 AND 5", name=op.f("ck_contests_rounds")),
        sa.CheckConstraint(
            "secret IN (0, 1) AND opener_votes IN (0, 1)", name=op.f("ck_contests_booleans")
        ),
        sa.CheckConstraint("account_days >= 0 AND member_days >= 0", name=op.f("ck_contests_days")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contests")),
        sa.UniqueConstraint("interaction_id", name=op.f("uq_contests_interaction_id")),
        sqlite_strict=True,
    )
    op.create_index("ix_contests_server_id_created_at", "contests", ["server_id", "created_at"])
    running = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_contests_running",
        "contests",
        ["server_id", "person_id"],
        sqlite_where=running,
        postgresql_where=running,
    )


def _create_rounds() -> None:
    op.create_table(
        "rounds",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("contest_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("message_id", SNOWFLAKE, nullable=True),
        sa.Column("opened_at", TIME, nullable=True),
        sa.Column("closes_at", TIME, nullable=True),
        sa.Column("extended", sa.Integer(), server_default="0", nullable=False),
        sa.Column("winner", sa.Integer(), nullable=True),
        sa.Column("drawn", sa.Integer(), server_default="0", nullable=False),
        sa.Column("announced_id", SNOWFLAKE, nullable=True),
        sa.Column("due_at", TIME, nullable=True),
        sa.CheckConstraint(
            "stage IN ('waiting', 'open', 'runoff', 'between', 'decided', 'over')",
            name=op.f("ck_rounds_stage"),
        ),
        sa.CheckConstraint("number BETWEEN 1 AND 5", name=op.f("ck_rounds_number")),
        sa.CheckConstraint(
            "extended IN (0, 1) AND drawn IN (0, 1)", name=op.f("ck_rounds_booleans")
        ),
        sa.CheckConstraint(
            "closes_at IS NOT NULL OR stage NOT IN ('open', 'runoff', 'between')",
            name=op.f("ck_rounds_closes_at"),
        ),
        sa.CheckConstraint(
            "winner IS NULL OR stage IN ('between', 'decided', 'over')",
            name=op.f("ck_rounds_winner"),
        ),
        sa.ForeignKeyConstraint(["contest_id"], ["contests.id"], name=op.f("fk_rounds_contest_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rounds")),
        sa.UniqueConstraint("contest_id", "number", name=op.f("uq_rounds_contest_id_number")),
        sa.UniqueConstraint("message_id", name=op.f("uq_rounds_message_id")),
        sqlite_strict=True,
    )
    due = sa.text("due_at IS NOT NULL")
    op.create_index(
        "ix_rounds_due_at", "rounds", ["due_at"], sqlite_where=due, postgresql_where=due
    )


def _create_candidates() -> None:
    op.create_table(
        "candidates",
        sa.Column("round_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("generation_id", sa.Text(), nullable=False),
        sa.Column("in_runoff", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("in_runoff IN (0, 1)", name=op.f("ck_candidates_in_runoff")),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_candidates_round_id")),
        sa.ForeignKeyConstraint(
            ["generation_id", "position"],
            ["pictures.generation_id", "pictures.position"],
            name=op.f("fk_candidates_generation_id_position"),
        ),
        sa.PrimaryKeyConstraint("round_id", "position", name=op.f("pk_candidates")),
        sqlite_strict=True,
    )


def _create_ballots() -> None:
    op.create_table(
        "ballots",
        sa.Column("round_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("person_id", SNOWFLAKE, autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("press_id", SNOWFLAKE, nullable=False),
        sa.Column("cast_at", TIME, nullable=False),
        sa.CheckConstraint("stage IN ('open', 'runoff')", name=op.f("ck_ballots_stage")),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_ballots_round_id")),
        sa.ForeignKeyConstraint(
            ["round_id", "position"],
            ["candidates.round_id", "candidates.position"],
            name=op.f("fk_ballots_round_id_position"),
        ),
        sa.PrimaryKeyConstraint("round_id", "stage", "person_id", name=op.f("pk_ballots")),
        sqlite_strict=True,
    )


def _create_suggestions() -> None:
    op.create_table(
        "suggestions",
        sa.Column("round_id", sa.Text(), nullable=False),
        sa.Column("person_id", SNOWFLAKE, autoincrement=False, nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_suggestions_round_id")),
        sa.PrimaryKeyConstraint("round_id", "person_id", name=op.f("pk_suggestions")),
        sqlite_strict=True,
    )
    op.create_table(
        "backings",
        sa.Column("round_id", sa.Text(), nullable=False),
        sa.Column("person_id", SNOWFLAKE, autoincrement=False, nullable=False),
        sa.Column("backs", SNOWFLAKE, nullable=False),
        sa.ForeignKeyConstraint(
            ["round_id", "backs"],
            ["suggestions.round_id", "suggestions.person_id"],
            name=op.f("fk_backings_round_id_backs"),
        ),
        sa.PrimaryKeyConstraint("round_id", "person_id", name=op.f("pk_backings")),
        sqlite_strict=True,
    )
