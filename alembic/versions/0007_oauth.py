"""OAuth: what was allowed, families of tokens, and clients that go when nobody allows them anything."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TABLES = ("oauth_codes", "oauth_tokens")


def upgrade() -> None:
    op.add_column("oauth_clients", sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True)))
    for table in TABLES:
        op.add_column(
            table,
            sa.Column(
                "scopes",
                postgresql.ARRAY(sa.Text()),
                nullable=False,
                server_default=sa.text("'{read,write}'::text[]"),
            ),
        )
        op.add_column(table, sa.Column("resource", sa.Text()))
        op.add_column(
            table,
            sa.Column("family", sa.Uuid(), nullable=False, server_default=sa.text("gen_random_uuid()")),
        )
        op.create_check_constraint(op.f(f"ck_{table}_scopes"), table, "scopes <@ '{read,write}'::text[]")
    op.add_column(
        "oauth_tokens",
        sa.Column(
            "consented_at",
            postgresql.TIMESTAMP(timezone=True),
            nullable=False,
            server_default=sa.text("now()"),
        ),
    )
    op.add_column("oauth_tokens", sa.Column("rotated_at", postgresql.TIMESTAMP(timezone=True)))
    op.create_index("ix_oauth_tokens_family", "oauth_tokens", ["family"])
    op.create_table(
        "attempts",
        sa.Column("what", sa.LargeBinary(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("until", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("what", name=op.f("pk_attempts")),
    )
    op.create_index("ix_attempts_until", "attempts", ["until"])
    for table in ("sessions", "oauth_clients", "oauth_codes", "oauth_tokens", "attempts"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO gearshed_auth")
    # What is there came from the old application, as it was: nobody may sign in with a copy of it.
    op.execute("DELETE FROM oauth_codes")
    op.execute("DELETE FROM sessions")


def downgrade() -> None:
    for table in ("sessions", "oauth_clients", "oauth_codes", "oauth_tokens"):
        op.execute(f"REVOKE SELECT, INSERT, UPDATE, DELETE ON {table} FROM gearshed_auth")
    op.drop_table("attempts")
    op.drop_index("ix_oauth_tokens_family", table_name="oauth_tokens")
    op.drop_column("oauth_tokens", "rotated_at")
    op.drop_column("oauth_tokens", "consented_at")
    for table in TABLES:
        op.drop_constraint(op.f(f"ck_{table}_scopes"), table, type_="check")
        op.drop_column(table, "family")
        op.drop_column(table, "resource")
        op.drop_column(table, "scopes")
    op.drop_column("oauth_clients", "expires_at")
