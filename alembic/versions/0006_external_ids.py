"""What other programs call an item, so that a list that comes again is recognised."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("items", sa.Column("external_id", sa.Text()))
    op.create_check_constraint(
        op.f("ck_items_external_id"), "items", "external_id <> '' AND length(external_id) <= 200"
    )
    op.create_unique_constraint(op.f("uq_items_user_id_external_id"), "items", ["user_id", "external_id"])
    # An import numbers its items before it writes them, because its setup needs the numbers too.
    op.execute("GRANT USAGE ON SEQUENCE items_id_seq TO gearshed_app")


def downgrade() -> None:
    op.execute("REVOKE USAGE ON SEQUENCE items_id_seq FROM gearshed_app")
    op.drop_constraint(op.f("uq_items_user_id_external_id"), "items", type_="unique")
    op.drop_constraint(op.f("ck_items_external_id"), "items", type_="check")
    op.drop_column("items", "external_id")
