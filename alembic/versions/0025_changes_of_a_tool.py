"""Find the changes of one tool by an index."""

from collections.abc import Sequence

from alembic import op

revision: str = "0025"
down_revision: str | None = "0023"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index("ix_changes_user_id_tool_id", "changes", ["user_id", "tool", "id"])


def downgrade() -> None:
    op.drop_index("ix_changes_user_id_tool_id", "changes")
