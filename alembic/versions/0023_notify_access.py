"""Notify every server when a key or token is changed or deleted."""

from collections.abc import Sequence

from alembic import op
from db.revision import define

revision: str = "0023"
down_revision: str | None = "0019"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    define("notify_access")


def downgrade() -> None:
    op.execute("DROP TRIGGER notify_access ON api_keys")
    op.execute("DROP TRIGGER notify_access ON oauth_tokens")
    op.execute("DROP FUNCTION notify_access")
