"""Keep the sums of items, and find the changes of one tool by an index."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op
from db.revision import define, execute, protect

revision: str = "0025"
down_revision: str | None = "0023"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Row security applies to the owner of the tables too, who would find no rows.
TABLES = ("items", "item_sums")


def upgrade() -> None:
    op.create_index("ix_changes_user_id_tool_id", "changes", ["user_id", "tool", "id"])
    op.create_table(
        "item_sums",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=True),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.Column("pieces", sa.BigInteger(), nullable=False),
        sa.Column("weight_grams", sa.Numeric(), nullable=False),
        sa.Column("price_cents", sa.Numeric(), nullable=False),
        sa.Column("unweighed", sa.BigInteger(), nullable=False),
        sa.Column("unpriced", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("pk_item_sums")),
    )
    protect("item_sums")
    define("sum_items", "forget_sums")
    for table in TABLES:
        execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    execute("""
        INSERT INTO item_sums
            (user_id, category_id, items, pieces, weight_grams, price_cents, unweighed, unpriced)
        SELECT
            user_id, category_id, count(*), sum(quantity),
            coalesce(sum(weight_grams::numeric * quantity), 0),
            coalesce(sum(price_cents::numeric * quantity), 0),
            count(*) - count(weight_grams), count(*) - count(price_cents)
        FROM items
        GROUP BY user_id, category_id
    """)
    for table in TABLES:
        execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    for trigger in ("sum_created_items", "sum_changed_items", "sum_deleted_items"):
        op.execute(f"DROP TRIGGER {trigger} ON items")
    op.execute("DROP TRIGGER forget_sums ON users")
    op.execute("DROP FUNCTION sum_items")
    op.execute("DROP FUNCTION forget_sums")
    op.drop_table("item_sums")
    op.drop_index("ix_changes_user_id_tool_id", "changes")
