"""The first tables: people, servers, generations, pictures, ledger, facts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SNOWFLAKE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.Double().with_variant(sa.REAL(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "facts",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_facts")),
        sqlite_strict=True,
    )
    op.create_table(
        "people",
        sa.Column("id", SNOWFLAKE, autoincrement=False, nullable=False),
        sa.Column("first_seen_at", TIME, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("day_used", sa.Integer(), nullable=False),
        sa.Column("day_reserved", sa.Integer(), nullable=False),
        sa.Column("day_limit", sa.Integer(), nullable=False),
        sa.Column("minute_start", TIME, nullable=False),
        sa.Column("minute_used", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("waiting_limit", sa.Integer(), nullable=False),
        sa.CheckConstraint("day_reserved >= 0", name=op.f("ck_people_day_reserved")),
        sa.CheckConstraint(
            "day_used + day_reserved <= day_limit", name=op.f("ck_people_day_limit")
        ),
        sa.CheckConstraint("day_used >= 0", name=op.f("ck_people_day_used")),
        sa.CheckConstraint("minute_used >= 0", name=op.f("ck_people_minute_used")),
        sa.CheckConstraint(
            "waiting >= 0 AND waiting <= waiting_limit", name=op.f("ck_people_waiting")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sqlite_strict=True,
    )
    op.create_table(
        "servers",
        sa.Column("id", SNOWFLAKE, autoincrement=False, nullable=False),
        sa.Column("first_seen_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_servers")),
        sqlite_strict=True,
    )
    op.create_table(
        "generations",
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
            "ended_at IS NULL OR interaction_token IS NULL", name=op.f("ck_generations_token")
        ),
        sa.CheckConstraint(
            "private IN (0, 1) AND may_post IN (0, 1)", name=op.f("ck_generations_booleans")
        ),
        sa.CheckConstraint("wanted BETWEEN 1 AND 4", name=op.f("ck_generations_wanted")),
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
    with op.batch_alter_table("generations", schema=None) as batch_op:
        batch_op.create_index(
            "ix_generations_open",
            ["state", "number"],
            unique=False,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.create_index(
            "ix_generations_person_id_number", ["person_id", "number"], unique=False
        )

    op.create_table(
        "ledger",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("generation_id", sa.Text(), nullable=False),
        sa.Column("person_id", SNOWFLAKE, nullable=False),
        sa.Column("server_id", SNOWFLAKE, nullable=True),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("pictures", sa.Integer(), nullable=False),
        sa.Column("price", sa.Integer(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.CheckConstraint(
            "entry IN ('reserve', 'settle', 'refund')", name=op.f("ck_ledger_entry")
        ),
        sa.ForeignKeyConstraint(
            ["generation_id"], ["generations.id"], name=op.f("fk_ledger_generation_id")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ledger")),
        sa.UniqueConstraint("generation_id", "entry", name=op.f("uq_ledger_generation_id_entry")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("ledger", schema=None) as batch_op:
        batch_op.create_index(
            "uq_ledger_ended",
            ["generation_id"],
            unique=True,
            sqlite_where=sa.text("entry != 'reserve'"),
            postgresql_where=sa.text("entry != 'reserve'"),
        )

    op.create_table(
        "pictures",
        sa.Column("generation_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.CheckConstraint("position BETWEEN 1 AND 4", name=op.f("ck_pictures_position")),
        sa.ForeignKeyConstraint(
            ["generation_id"], ["generations.id"], name=op.f("fk_pictures_generation_id")
        ),
        sa.PrimaryKeyConstraint("generation_id", "position", name=op.f("pk_pictures")),
        sa.UniqueConstraint("key", name=op.f("uq_pictures_key")),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("pictures")
    with op.batch_alter_table("ledger", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_ledger_ended",
            sqlite_where=sa.text("entry != 'reserve'"),
            postgresql_where=sa.text("entry != 'reserve'"),
        )

    op.drop_table("ledger")
    with op.batch_alter_table("generations", schema=None) as batch_op:
        batch_op.drop_index("ix_generations_person_id_number")
        batch_op.drop_index(
            "ix_generations_open",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.drop_table("generations")
    op.drop_table("servers")
    op.drop_table("people")
    op.drop_table("facts")
