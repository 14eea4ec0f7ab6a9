"""Put the stored text into Unicode's form NFC, in which all text arrives from now on."""

from collections.abc import Sequence

from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# ruff: noqa: S608 (all names are from this file)

# Row security applies to the owner of these tables too, who would find no rows. Words follow their items.
PROTECTED = ("categories", "items", "threads", "candidates", "setups", "row_changes", "item_words")
# NFC makes most texts shorter, and a few longer: those that would no longer fit stay as they are.
NAMES = ("categories", "items", "threads", "candidates", "setups", "api_keys")
PROSE = (
    ("items", "notes"),
    ("items", "product_url"),
    ("candidates", "notes"),
    ("candidates", "pros"),
    ("candidates", "cons"),
    ("candidates", "product_url"),
)


def upgrade() -> None:
    for table in PROTECTED:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    merge_categories()
    for table in NAMES:
        normalize(table, "name", "length", 200)
    for table, column in PROSE:
        normalize(table, column, "octet_length", 8192 if column == "product_url" else 65536)
    # What is unique stays as it is where it would no longer be.
    normalize("users", "username", "length", 200, unique="true")
    normalize("items", "external_id", "length", 200, unique="other.user_id = items.user_id")
    normalize_log()
    # A table with deferred checks that are still to come cannot be altered.
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table in PROTECTED:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def merge_categories() -> None:
    """Merge categories that will have the same name into the first of them, in logged rows too."""
    op.execute("""
        CREATE TEMPORARY TABLE merged ON COMMIT DROP AS
        SELECT user_id, id, first
        FROM (
            SELECT
                user_id, id, min(id) OVER (PARTITION BY user_id, lower(normalize(name, NFC))) AS first
            FROM categories
        ) AS named
        WHERE id > first
    """)
    for table in ("items", "threads", "candidates"):
        op.execute(f"""
            UPDATE {table}
            SET category_id = merged.first
            FROM merged
            WHERE {table}.user_id = merged.user_id AND {table}.category_id = merged.id
        """)
    for side in ("before", "after"):
        op.execute(f"""
            UPDATE row_changes
            SET {side} = jsonb_set({side}, '{{category_id}}', to_jsonb(merged.first))
            FROM merged
            WHERE row_changes.user_id = merged.user_id
                AND row_changes.table_name IN ('items', 'threads', 'candidates')
                AND ({side} ->> 'category_id')::bigint = merged.id
        """)
    op.execute("DELETE FROM categories USING merged WHERE categories.id = merged.id")


def normalize(table: str, column: str, size: str, most: int, *, unique: str = "") -> None:
    taken = f"""
        AND NOT EXISTS (
            SELECT
            FROM {table} AS other
            WHERE {unique} AND other.id <> {table}.id
                AND normalize(other.{column}, NFC) = normalize({table}.{column}, NFC)
        )
    """
    op.execute(f"""
        UPDATE {table}
        SET {column} = normalize({column}, NFC)
        WHERE {column} IS NOT NFC NORMALIZED AND {size}(normalize({column}, NFC)) <= {most}
            {taken if unique else ""}
    """)


def normalize_log() -> None:
    """Put the logged rows into the same form, so that old changes can be undone.

    Value by value: in the text of JSON, a line break is a letter n, with which an accent would combine.
    """
    for side in ("before", "after"):
        op.execute(f"""
            UPDATE row_changes
            SET {side} = (
                SELECT jsonb_object_agg(
                    key,
                    CASE
                        WHEN jsonb_typeof(value) = 'string' THEN to_jsonb(normalize(value #>> '{{}}', NFC))
                        ELSE value
                    END
                )
                FROM jsonb_each({side})
            )
            WHERE {side}::text IS NOT NFC NORMALIZED
        """)


def downgrade() -> None:
    """Keep the text: the form that it had is not known, and an older release reads this one."""
