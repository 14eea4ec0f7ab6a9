"""Cheaper keys: what a list of a million things is stored with has no index or check that it can do without.

Words are as many as all other rows together. A trigger takes them away with their items, as triggers bring
them, and they are looked up by their text alone.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.execute("""
        CREATE OR REPLACE FUNCTION add_words() RETURNS trigger
        LANGUAGE plpgsql SET search_path FROM CURRENT
        AS $$
        BEGIN
            INSERT INTO item_words (user_id, word, item_id)
            SELECT user_id, word, id
            FROM written, words_of(concat_ws(' ', name, notes)) AS word;
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE FUNCTION remove_words() RETURNS trigger
        LANGUAGE plpgsql SET search_path FROM CURRENT
        AS $$
        BEGIN
            DELETE FROM item_words
            USING gone, words_of(concat_ws(' ', gone.name, gone.notes)) AS said
            WHERE item_words.user_id = gone.user_id
                AND item_words.word = said
                AND item_words.item_id = gone.id;
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER remove_words AFTER DELETE ON items
        REFERENCING OLD TABLE AS gone
        FOR EACH STATEMENT EXECUTE FUNCTION remove_words()
    """)
    op.drop_constraint(op.f("fk_item_words_user_id_item_id"), "item_words", type_="foreignkey")
    op.drop_constraint(op.f("pk_item_words"), "item_words", type_="primary")
    op.drop_index("ix_item_words_user_id_word_item_id", table_name="item_words")
    op.create_primary_key(op.f("pk_item_words"), "item_words", ["user_id", "word", "item_id"])
    # The change that a row belongs to has the same user, and has to have one.
    op.drop_constraint(op.f("fk_row_changes_user_id"), "row_changes", type_="foreignkey")
    # In both directions, a list is read from the same index.
    op.drop_index("ix_items_heaviest", table_name="items")
    op.drop_index("ix_items_dearest", table_name="items")
    # Most items have neither a picture nor another program's name for them.
    op.drop_index("ix_items_user_id_image_id", table_name="items")
    op.create_index(
        "ix_items_user_id_image_id",
        "items",
        ["user_id", "image_id"],
        postgresql_where=sa.text("image_id IS NOT NULL"),
    )
    op.drop_constraint(op.f("uq_items_user_id_external_id"), "items", type_="unique")
    op.create_index(
        "uq_items_user_id_external_id",
        "items",
        ["user_id", "external_id"],
        unique=True,
        postgresql_where=sa.text("external_id IS NOT NULL"),
    )


def downgrade() -> None:
    for name, key in (("heaviest", "GREATEST(weight_grams, -1)"), ("dearest", "GREATEST(price_cents, -1)")):
        op.create_index(f"ix_items_{name}", "items", ["user_id", sa.text(key), "id"])
    op.drop_index("uq_items_user_id_external_id", table_name="items")
    op.create_unique_constraint(op.f("uq_items_user_id_external_id"), "items", ["user_id", "external_id"])
    op.drop_index("ix_items_user_id_image_id", table_name="items")
    op.create_index("ix_items_user_id_image_id", "items", ["user_id", "image_id"])
    op.create_foreign_key(
        op.f("fk_row_changes_user_id"), "row_changes", "users", ["user_id"], ["id"], ondelete="CASCADE"
    )
    op.drop_constraint(op.f("pk_item_words"), "item_words", type_="primary")
    op.create_primary_key(op.f("pk_item_words"), "item_words", ["user_id", "item_id", "word"])
    op.create_index("ix_item_words_user_id_word_item_id", "item_words", ["user_id", "word", "item_id"])
    op.create_foreign_key(
        op.f("fk_item_words_user_id_item_id"),
        "item_words",
        "items",
        ["user_id", "item_id"],
        ["user_id", "id"],
        ondelete="CASCADE",
        deferrable=True,
        initially="IMMEDIATE",
    )
    op.execute("DROP TRIGGER remove_words ON items")
    op.execute("DROP FUNCTION remove_words")
