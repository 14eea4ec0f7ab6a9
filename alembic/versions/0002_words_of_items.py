"""Words of items: what a search looks up, and an index for each order of a list.

A tsvector cannot be searched by an index under row security, because its operators are not leakproof; the
comparison of texts is. So each word is a row, and a word that begins with another lies in a range.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "item_words",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("word", sa.Text(collation="C"), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id", "item_id"],
            ["items.user_id", "items.id"],
            name=op.f("fk_item_words_user_id_item_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "item_id", "word", name=op.f("pk_item_words")),
    )
    op.drop_column("items", "search")
    op.add_column(
        "items",
        sa.Column("sort_name", sa.Text(), sa.Computed("lower(name)", persisted=True), nullable=False),
    )
    create_words()
    op.create_index(
        "ix_item_words_user_id_word_item_id", "item_words", ["user_id", "word", "item_id"], unique=False
    )
    op.create_index("ix_items_user_id_sort_name_id", "items", ["user_id", "sort_name", "id"], unique=False)
    op.create_index("ix_items_user_id_created_at_id", "items", ["user_id", "created_at", "id"], unique=False)
    op.create_index("ix_items_user_id_updated_at_id", "items", ["user_id", "updated_at", "id"], unique=False)
    for name, key in (
        ("lightest", "LEAST(weight_grams, 'Infinity')"),
        ("heaviest", "GREATEST(weight_grams, -1)"),
        ("cheapest", "LEAST(price_cents, 9223372036854775807)"),
        ("dearest", "GREATEST(price_cents, -1)"),
    ):
        op.create_index(f"ix_items_{name}", "items", ["user_id", sa.text(key), "id"], unique=False)


def create_words() -> None:
    """Give every item its words, and have each that is written keep them."""
    op.execute("""
        CREATE FUNCTION words_of(content text) RETURNS SETOF text
        LANGUAGE sql IMMUTABLE
        BEGIN ATOMIC
            -- No query is longer, and an index has no room for a word without end. Some locales take the
            -- signs of ASCII for symbols rather than punctuation.
            SELECT DISTINCT left(word, 200)
            FROM regexp_split_to_table(lower(content), '[[:punct:][:space:][:cntrl:]$+<=>^`|~]+') AS word
            WHERE word <> '';
        END
    """)
    op.execute("""
        CREATE FUNCTION add_words() RETURNS trigger
        LANGUAGE plpgsql SET search_path FROM CURRENT
        AS $$
        BEGIN
            INSERT INTO item_words (user_id, item_id, word)
            SELECT user_id, id, words_of(concat_ws(' ', name, notes))
            FROM written;
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE FUNCTION change_words() RETURNS trigger
        LANGUAGE plpgsql SET search_path FROM CURRENT
        AS $$
        BEGIN
            DELETE FROM item_words
            WHERE user_id = NEW.user_id AND item_id = NEW.id AND word IN (
                SELECT words_of(concat_ws(' ', OLD.name, OLD.notes))
                EXCEPT
                SELECT words_of(concat_ws(' ', NEW.name, NEW.notes))
            );
            INSERT INTO item_words (user_id, item_id, word)
            SELECT NEW.user_id, NEW.id, words_of(concat_ws(' ', NEW.name, NEW.notes))
            ON CONFLICT DO NOTHING;
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER add_words AFTER INSERT ON items
        REFERENCING NEW TABLE AS written
        FOR EACH STATEMENT EXECUTE FUNCTION add_words()
    """)
    op.execute("""
        CREATE TRIGGER change_words AFTER UPDATE OF name, notes ON items
        FOR EACH ROW WHEN ((OLD.name, OLD.notes) IS DISTINCT FROM (NEW.name, NEW.notes))
        EXECUTE FUNCTION change_words()
    """)
    # Here, and only here, the owner has to see everybody's items.
    op.execute("ALTER TABLE items NO FORCE ROW LEVEL SECURITY")
    op.execute("""
        INSERT INTO item_words (user_id, item_id, word)
        SELECT user_id, id, words_of(concat_ws(' ', name, notes))
        FROM items
    """)
    op.execute("ALTER TABLE items FORCE ROW LEVEL SECURITY")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON item_words TO gearshed_app")
    op.execute("ALTER TABLE item_words ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE item_words FORCE ROW LEVEL SECURITY")
    op.execute("""
        CREATE POLICY own_rows ON item_words
        USING (user_id = (SELECT current_setting('gearshed.user_id')::bigint))
    """)


def downgrade() -> None:
    for name in ("dearest", "cheapest", "heaviest", "lightest"):
        op.drop_index(f"ix_items_{name}", table_name="items")
    op.drop_index("ix_items_user_id_updated_at_id", table_name="items")
    op.drop_index("ix_items_user_id_created_at_id", table_name="items")
    op.drop_index("ix_items_user_id_sort_name_id", table_name="items")
    op.execute("DROP TRIGGER change_words ON items")
    op.execute("DROP TRIGGER add_words ON items")
    op.execute("DROP FUNCTION change_words")
    op.execute("DROP FUNCTION add_words")
    op.execute("DROP FUNCTION words_of")
    op.drop_table("item_words")
    op.drop_column("items", "sort_name")
    op.execute("""
        ALTER TABLE items ADD COLUMN search tsvector GENERATED ALWAYS AS (
            to_tsvector('simple',
                regexp_replace(name || ' ' || coalesce(notes, ''), '[[:punct:]]', ' ', 'g'))
        ) STORED
    """)
    op.create_index("ix_items_search", "items", ["search"], unique=False, postgresql_using="gin")
