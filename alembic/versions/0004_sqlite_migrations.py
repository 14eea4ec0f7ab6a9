"""Mark of a migration from SQLite: which file it was, and what it held. Only the tables' owner reads it."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "sqlite_migrations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("checksums", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "migrated_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sqlite_migrations")),
    )
    op.create_index(op.f("ix_sqlite_migrations_sha256"), "sqlite_migrations", ["sha256"], unique=False)


def downgrade() -> None:
    op.drop_table("sqlite_migrations")
