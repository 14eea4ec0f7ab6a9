"""Add shares: links that show one setup, and a role that sees nothing else."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op
from db.revision import create_collection_table, define, execute

revision: str = "0028"
down_revision: str | None = "0027"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

SHOWN = ("shares", "setups", "setup_items", "items", "categories", "settings")
# Roles belong to the whole server: another database may have created it, or may be creating it now. The
# current user does not inherit it, because its policies would hide the user's own rows.
CREATE_ROLE = """
    DO $$
    BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'gearshed_share') THEN
            CREATE ROLE gearshed_share NOLOGIN;
        END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;
    END $$;
    DO $$
    BEGIN
        IF NOT pg_has_role(current_user, 'gearshed_share', 'SET') THEN
            GRANT gearshed_share TO current_user WITH INHERIT FALSE, SET TRUE;
        END IF;
    END $$;
"""


def upgrade() -> None:
    execute(CREATE_ROLE)
    create_collection_table(
        "shares",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "user_id",
            sa.BigInteger(),
            server_default=sa.text("(current_setting('gearshed.user_id'))::bigint"),
            nullable=False,
        ),
        sa.Column("setup_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("prices", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "expires_at < created_at + interval '366 days'", name=op.f("ck_shares_expires_at")
        ),
        sa.CheckConstraint("octet_length(token_hash) = 32", name=op.f("ck_shares_token_hash")),
        sa.ForeignKeyConstraint(
            ["user_id", "setup_id"],
            ["setups.user_id", "setups.id"],
            name=op.f("fk_shares_user_id_setup_id"),
            ondelete="CASCADE",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_shares_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shares")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_shares_token_hash")),
    )
    op.create_index("ix_shares_user_id_setup_id", "shares", ["user_id", "setup_id"], unique=False)
    define("shared_rows")


def downgrade() -> None:
    for table in SHOWN:
        execute(f"DROP POLICY shared_rows ON {table}")
    execute("DROP POLICY any_user ON shares")
    execute(f"REVOKE ALL ON {', '.join(SHOWN)} FROM gearshed_share")
    op.drop_index("ix_shares_user_id_setup_id", table_name="shares")
    op.drop_table("shares")
