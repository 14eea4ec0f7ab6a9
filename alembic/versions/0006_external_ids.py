"""What other programs call an item, so that a list that comes again is recognised."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

LOGGED = ("categories", "items", "threads", "candidates", "setups", "setup_items", "images", "settings")


def upgrade() -> None:
    op.add_column("items", sa.Column("external_id", sa.Text()))
    op.create_check_constraint(
        op.f("ck_items_external_id"), "items", "external_id <> '' AND length(external_id) <= 200"
    )
    op.create_unique_constraint(op.f("uq_items_user_id_external_id"), "items", ["user_id", "external_id"])
    # An import numbers its items before it writes them, because its setup needs the numbers too.
    op.execute("GRANT USAGE ON SEQUENCE items_id_seq TO gearshed_app")
    log_created_rows_at_once()


def log_created_rows_at_once() -> None:
    """Have the rows that one statement creates logged by one statement too.

    Updates and deletes stay with the trigger for each row: what they cascade to has to be logged behind them.
    """
    op.execute("""
        CREATE FUNCTION log_created_rows() RETURNS trigger
        LANGUAGE plpgsql SET search_path FROM CURRENT
        AS $$
        DECLARE
            change text := current_setting('gearshed.change_id', true);
        BEGIN
            IF change <> '' THEN
                INSERT INTO row_changes (user_id, change_id, table_name, row_id, after)
                SELECT user_id, change::bigint, TG_TABLE_NAME, id, to_jsonb(written) - 'sort_name'
                FROM written;
            END IF;
            RETURN NULL;
        END $$
    """)
    for table in LOGGED:
        op.execute(f"DROP TRIGGER log_row_change ON {table}")
        op.execute(f"""
            CREATE TRIGGER log_row_change AFTER UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION log_row_change()
        """)
        op.execute(f"""
            CREATE TRIGGER log_created_rows AFTER INSERT ON {table}
            REFERENCING NEW TABLE AS written
            FOR EACH STATEMENT EXECUTE FUNCTION log_created_rows()
        """)


def downgrade() -> None:
    for table in LOGGED:
        op.execute(f"DROP TRIGGER log_created_rows ON {table}")
        op.execute(f"DROP TRIGGER log_row_change ON {table}")
        op.execute(f"""
            CREATE TRIGGER log_row_change AFTER INSERT OR UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION log_row_change()
        """)
    op.execute("DROP FUNCTION log_created_rows")
    op.execute("REVOKE USAGE ON SEQUENCE items_id_seq FROM gearshed_app")
    op.drop_constraint(op.f("uq_items_user_id_external_id"), "items", type_="unique")
    op.drop_constraint(op.f("ck_items_external_id"), "items", type_="check")
    op.drop_column("items", "external_id")
