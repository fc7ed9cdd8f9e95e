"""Which model painted each picture: of one generation, several may."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("pictures", sa.Column("model", sa.Text(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("What is in the new column would be lost. Restore a backup.")
