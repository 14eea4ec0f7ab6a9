"""Let the server replace the argon2 hash of a migrated key with a SHA-256."""

from collections.abc import Sequence

from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("GRANT UPDATE (key_hash) ON api_keys TO gearshed_auth")


def downgrade() -> None:
    op.execute("REVOKE UPDATE (key_hash) ON api_keys FROM gearshed_auth")
