"""Pictures from pictures: their sources, drafts to confirm, and eight pictures at once.

A rule of a table cannot be altered in SQLite, so those that have one are made anew:
https://www.sqlite.org/lang_altertable.html#otheralter
"""

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SNOWFLAKE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.Double().with_variant(sa.REAL(), "sqlite")


def upgrade() -> None:
    _make_anew("servers", _servers)
    _make_anew("generations", _generations)
    _index_generations()
    _make_anew("pictures", _pictures)
    _create_sources()
    _create_drafts()
    # The way is now written down together with `painted`.
    op.execute(
        "UPDATE generations SET way = iif(may_post AND NOT private, 'channel', 'response')"
        " WHERE state = 'painted' AND way IS NULL"
    )


def downgrade() -> None:
    raise NotImplementedError("What is in the new columns would be lost. Restore a backup.")


def _make_anew(table: str, create: Callable[[], None]) -> None:
    bind = op.get_bind()
    kept = ", ".join(column["name"] for column in sa.inspect(bind).get_columns(table))
    create()
    op.execute(f"INSERT INTO new_{table} ({kept}) SELECT {kept} FROM {table}")  # noqa: S608 - our own names
    op.drop_table(table)
    op.rename_table(f"new_{table}", table)


def _servers() -> None:
    op.create_table(
        "new_servers",
        sa.Column("id", SNOWFLAKE, autoincrement=False, nullable=False),
        sa.Column("first_seen_at", TIME, nullable=False),
        sa.Column("editors", sa.Text(), server_default="everyone", nullable=False),
        sa.CheckConstraint("editors IN ('everyone', 'author')", name=op.f("ck_servers_editors")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_servers")),
        sqlite_strict=True,
    )


def _generations() -> None:
    op.create_table(
        "new_generations",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("interaction_id", SNOWFLAKE, nullable=False),
        sa.Column("person_id", SNOWFLAKE, nullable=False),
        sa.Column("server_id", SNOWFLAKE, nullable=True),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("private", sa.Integer(), nullable=False),
        sa.Column("application_id", SNOWFLAKE, nullable=False),
        sa.Column("channel_id", SNOWFLAKE, nullable=False),
        sa.Column("interaction_token", sa.Text(), nullable=True),
        sa.Column("token_expires_at", TIME, nullable=False),
        sa.Column("may_post", sa.Integer(), nullable=False),
        sa.Column("file_limit", sa.Integer(), nullable=False),
        sa.Column("reply_to", SNOWFLAKE, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("orphaned", sa.Integer(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("lease_until", TIME, nullable=True),
        sa.Column("minute_start", TIME, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("painting_at", TIME, nullable=True),
        sa.Column("painted_at", TIME, nullable=True),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("steps", sa.Integer(), nullable=True),
        sa.Column("price", sa.Integer(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=True),
        sa.Column("message_id", SNOWFLAKE, nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("tell_at", TIME, nullable=True),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (state IN ('waiting', 'painting', 'painted'))",
            name=op.f("ck_generations_ended"),
        ),
        sa.CheckConstraint(
            "holder IS NULL OR state IN ('painting', 'painted')", name=op.f("ck_generations_holder")
        ),
        sa.CheckConstraint(
            "state != 'painting' OR holder IS NOT NULL", name=op.f("ck_generations_held")
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'painting', 'painted', 'delivered', 'failed', 'refused', 'cancelled')",
            name=op.f("ck_generations_state"),
        ),
        sa.CheckConstraint(
            "way IS NULL OR way IN ('channel', 'response')", name=op.f("ck_generations_way")
        ),
        sa.CheckConstraint(
            "ended_at IS NULL OR tell_at IS NOT NULL OR interaction_token IS NULL",
            name=op.f("ck_generations_token"),
        ),
        sa.CheckConstraint(
            "tell_at IS NULL OR failure IS NOT NULL", name=op.f("ck_generations_tell_at")
        ),
        sa.CheckConstraint(
            "private IN (0, 1) AND may_post IN (0, 1)", name=op.f("ck_generations_booleans")
        ),
        sa.CheckConstraint("wanted BETWEEN 1 AND 8", name=op.f("ck_generations_wanted")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_generations_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["server_id"], ["servers.id"], name=op.f("fk_generations_server_id")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_generations")),
        sa.UniqueConstraint("id", name=op.f("uq_generations_id")),
        sa.UniqueConstraint("interaction_id", name=op.f("uq_generations_interaction_id")),
        sqlite_strict=True,
    )


def _index_generations() -> None:
    for name, columns, where in (
        ("ix_generations_open", ["state", "number"], sa.text("ended_at IS NULL")),
        ("ix_generations_person_id_number", ["person_id", "number"], None),
        ("ix_generations_tell_at", ["tell_at"], sa.text("tell_at IS NOT NULL")),
    ):
        op.create_index(name, "generations", columns, sqlite_where=where, postgresql_where=where)


def _pictures() -> None:
    op.create_table(
        "new_pictures",
        sa.Column("generation_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("position BETWEEN 1 AND 8", name=op.f("ck_pictures_position")),
        sa.ForeignKeyConstraint(
            ["generation_id"], ["generations.id"], name=op.f("fk_pictures_generation_id")
        ),
        sa.PrimaryKeyConstraint("generation_id", "position", name=op.f("pk_pictures")),
        sa.UniqueConstraint("key", name=op.f("uq_pictures_key")),
        sqlite_strict=True,
    )


def _create_sources() -> None:
    op.create_table(
        "sources",
        sa.Column("generation_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Text(), nullable=True),
        sa.Column("parent_position", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(parent_id IS NULL) = (parent_position IS NULL)", name=op.f("ck_sources_parent")
        ),
        sa.ForeignKeyConstraint(
            ["generation_id"], ["generations.id"], name=op.f("fk_sources_generation_id")
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["generations.id"], name=op.f("fk_sources_parent_id")
        ),
        sa.PrimaryKeyConstraint("generation_id", "position", name=op.f("pk_sources")),
        sqlite_strict=True,
    )
    op.create_index("ix_sources_parent_id", "sources", ["parent_id"])


def _create_drafts() -> None:
    op.create_table(
        "drafts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", SNOWFLAKE, nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drafts")),
        sqlite_strict=True,
    )
    op.create_index("ix_drafts_created_at", "drafts", ["created_at"])
