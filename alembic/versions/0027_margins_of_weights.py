"""Add margins and sources of weights."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op
from db.revision import define, execute

revision: str = "0027"
down_revision: str | None = "0026"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    for table in ("items", "candidates"):
        op.add_column(table, sa.Column("weight_margin_grams", sa.Double(), nullable=True))
        op.add_column(table, sa.Column("weight_source", sa.Text(), nullable=True))
        op.create_check_constraint(
            op.f(f"ck_{table}_weight_margin_grams"),
            table,
            "weight_margin_grams IS NULL OR coalesce(weight_margin_grams BETWEEN 0 AND weight_grams, false)",
        )
        op.create_check_constraint(
            op.f(f"ck_{table}_weight_source"),
            table,
            "weight_source IN ('measured', 'maker', 'shop', 'estimate')",
        )
    op.add_column(
        "item_sums", sa.Column("margin_grams", sa.Numeric(), server_default=sa.text("0"), nullable=False)
    )
    define("sum_items")


def downgrade() -> None:
    (schema,) = op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema())").one()
    execute(SUM_ITEMS.replace("{schema}", schema))
    op.drop_column("item_sums", "margin_grams")
    for table in ("items", "candidates"):
        op.drop_column(table, "weight_source")
        op.drop_column(table, "weight_margin_grams")


SUM_ITEMS = """
CREATE OR REPLACE FUNCTION sum_items() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, {schema}, pg_temp
AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                INSERT INTO item_sums
                    (user_id, category_id, items, pieces, weight_grams, price_cents, unweighed, unpriced)
                SELECT
                    user_id, category_id, count(*), sum(quantity),
                    coalesce(sum(weight_grams::numeric * quantity), 0),
                    coalesce(sum(price_cents::numeric * quantity), 0),
                    count(*) - count(weight_grams), count(*) - count(price_cents)
                FROM written
                GROUP BY user_id, category_id;
            ELSIF TG_OP = 'DELETE' THEN
                INSERT INTO item_sums
                    (user_id, category_id, items, pieces, weight_grams, price_cents, unweighed, unpriced)
                SELECT
                    user_id, category_id, -count(*), -sum(quantity),
                    -coalesce(sum(weight_grams::numeric * quantity), 0),
                    -coalesce(sum(price_cents::numeric * quantity), 0),
                    count(weight_grams) - count(*), count(price_cents) - count(*)
                FROM gone
                GROUP BY user_id, category_id;
            ELSE
                INSERT INTO item_sums
                    (user_id, category_id, items, pieces, weight_grams, price_cents, unweighed, unpriced)
                SELECT user_id, category_id, items, pieces, weight_grams, price_cents, unweighed, unpriced
                FROM (
                    SELECT
                        user_id, category_id, sum(sign) AS items, sum(sign * quantity) AS pieces,
                        coalesce(sum(sign * weight_grams::numeric * quantity), 0) AS weight_grams,
                        coalesce(sum(sign * price_cents::numeric * quantity), 0) AS price_cents,
                        sum(CASE WHEN weight_grams IS NULL THEN sign ELSE 0 END) AS unweighed,
                        sum(CASE WHEN price_cents IS NULL THEN sign ELSE 0 END) AS unpriced
                    FROM (
                        SELECT 1 AS sign, user_id, category_id, quantity, weight_grams, price_cents
                        FROM written
                        UNION ALL
                        SELECT -1, user_id, category_id, quantity, weight_grams, price_cents
                        FROM gone
                    ) AS states
                    GROUP BY user_id, category_id
                ) AS differences
                WHERE (items, pieces, weight_grams, price_cents, unweighed, unpriced) <> (0, 0, 0, 0, 0, 0);
            END IF;

            IF random() < 0.02 THEN
                WITH replaced AS (
                    DELETE FROM item_sums
                    WHERE ctid = ANY (ARRAY(
                        SELECT ctid
                        FROM item_sums
                        WHERE user_id = nullif(current_setting('gearshed.user_id', true), '')::bigint
                        FOR UPDATE SKIP LOCKED
                    ))
                    RETURNING user_id, category_id, items, pieces, weight_grams, price_cents, unweighed, unpriced
                )
                INSERT INTO item_sums
                    (user_id, category_id, items, pieces, weight_grams, price_cents, unweighed, unpriced)
                SELECT
                    user_id, category_id, sum(items), sum(pieces), trim_scale(sum(weight_grams)),
                    sum(price_cents), sum(unweighed), sum(unpriced)
                FROM replaced
                GROUP BY user_id, category_id;
            END IF;
            RETURN NULL;
        END $$;
"""  # noqa: E501
