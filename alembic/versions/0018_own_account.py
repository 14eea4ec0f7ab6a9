"""Let people see their sessions and change their own password."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op
from db.revision import define

revision: str = "0018"
down_revision: str | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("number", sa.BigInteger(), sa.Identity(always=False), nullable=False))
    op.add_column("sessions", sa.Column("browser", sa.Text(), nullable=True))
    define("replace_password")


def downgrade() -> None:
    op.execute("DROP FUNCTION replace_password")
    op.drop_column("sessions", "browser")
    op.drop_column("sessions", "number")
