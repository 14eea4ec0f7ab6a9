"""Fold the words of searches, join hyphenated ones, and index the words of categories."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op
from db.revision import define, execute, protect

revision: str = "0019"
down_revision: str | None = "0018"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Row security applies to the owner of the tables too, who would find no rows.
TABLES = ("items", "item_words", "categories", "category_words")


def upgrade() -> None:
    define("words_of")
    op.create_table(
        "category_words",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=False),
        sa.Column("word", sa.Text(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "word", "category_id", name=op.f("pk_category_words")),
        sa.ForeignKeyConstraint(
            ["user_id", "category_id"],
            ["categories.user_id", "categories.id"],
            name=op.f("fk_category_words_user_id_category_id"),
            ondelete="CASCADE",
            initially="IMMEDIATE",
            deferrable=True,
        ),
    )
    op.create_index("ix_category_words_user_id_category_id", "category_words", ["user_id", "category_id"])
    protect("category_words")
    define("index_category")
    with_all_rows(*TABLES)


def downgrade() -> None:
    op.drop_table("category_words")
    execute("DROP FUNCTION index_category() CASCADE")
    execute(WORDS_OF)
    execute("DROP FUNCTION folded")
    with_all_rows("items", "item_words")


def with_all_rows(*tables: str) -> None:
    """Write words again, of all users."""
    for table in tables:
        execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    write_changed_words()
    if "category_words" in tables:
        execute("""
            INSERT INTO category_words (user_id, word, category_id)
            SELECT user_id, word, id
            FROM categories, words_of(name) AS word
        """)
        # A table with deferred checks that are still to come cannot be altered.
        execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table in tables:
        execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def write_changed_words() -> None:
    """Write the words again of items whose text has a hyphen or a letter beyond ASCII. Others keep theirs."""
    execute(r"""
        CREATE TEMPORARY TABLE folding ON COMMIT DROP AS
        SELECT user_id, id, concat_ws(' ', name, notes) AS content
        FROM items
        WHERE concat_ws(' ', name, notes) ~ '[^\u0001-\u007f]|-'
    """)
    execute("""
        DELETE FROM item_words
        USING folding
        WHERE item_words.user_id = folding.user_id AND item_words.item_id = folding.id
    """)
    execute("""
        INSERT INTO item_words (user_id, word, item_id)
        SELECT user_id, word, id
        FROM folding, words_of(content) AS word
    """)
    execute("DROP TABLE folding")


WORDS_OF = r"""
CREATE OR REPLACE FUNCTION words_of(content text) RETURNS SETOF text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT left(word, 200)
    FROM regexp_split_to_table(lower(content), '[[:punct:][:space:][:cntrl:]$+<=>^`|~]+')
        WITH ORDINALITY AS written (word, place)
    WHERE word <> ''
    GROUP BY left(word, 200)
    ORDER BY min(place)
    LIMIT 2000;
END;
"""
