"""Keys: what they may do and until when, and the role that looks at them."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column(
        "api_keys",
        sa.Column(
            "scopes",
            postgresql.ARRAY(sa.Text()),
            # What the old application's keys could do.
            server_default=sa.text("'{read,write}'::text[]"),
            nullable=False,
        ),
    )
    op.add_column("api_keys", sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.add_column("api_keys", sa.Column("last_used_at", postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_api_keys_scopes"), "api_keys", "scopes <@ '{read,write}'::text[] AND 'read' = ANY (scopes)"
    )
    create_role()
    op.execute("GRANT SELECT ON users, api_keys TO gearshed_auth")
    op.execute("GRANT UPDATE (last_used_at) ON api_keys TO gearshed_auth")


def create_role() -> None:
    """Create the role that the server becomes to find out who calls: it sees credentials, and no collection.

    Roles belong to the whole server: another database may have made it, or be making it at this moment.
    """
    op.execute("""
        DO $$
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'gearshed_auth') THEN
                CREATE ROLE gearshed_auth NOLOGIN;
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END $$
    """)
    op.execute("""
        DO $$
        BEGIN
            IF NOT pg_has_role(current_user, 'gearshed_auth', 'SET') THEN
                GRANT gearshed_auth TO current_user;
            END IF;
        END $$
    """)


def downgrade() -> None:
    op.execute("REVOKE UPDATE (last_used_at) ON api_keys FROM gearshed_auth")
    op.execute("REVOKE SELECT ON users, api_keys FROM gearshed_auth")
    op.drop_constraint(op.f("ck_api_keys_scopes"), "api_keys", type_="check")
    op.drop_column("api_keys", "last_used_at")
    op.drop_column("api_keys", "expires_at")
    op.drop_column("api_keys", "scopes")
