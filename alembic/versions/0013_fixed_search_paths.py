"""Let no temporary table replace a table in a function: pg_temp is last in the search_path of each."""

from collections.abc import Sequence

from alembic import op
from db.revision import define

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

FUNCTIONS = (
    "add_words",
    "change_words",
    "remove_words",
    "log_created_rows",
    "log_row_change",
    "keep_time",
    "note_last_write",
    "tell_change",
)


def upgrade() -> None:
    define(*FUNCTIONS)


def downgrade() -> None:
    for function in FUNCTIONS:
        op.execute(f"ALTER FUNCTION {function}() SET search_path FROM CURRENT")
