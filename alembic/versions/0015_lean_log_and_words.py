"""Log only the changed columns of an update, and index up to 2,000 words of an item."""

from collections.abc import Sequence

from alembic import op
from db.revision import define, execute

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Row security applies to the owner of the tables too, who would find no rows.
TABLES = ("items", "item_words")


def upgrade() -> None:
    define("words_of", "change_words", "remove_words", "log_row_change")
    index_long_notes()


def downgrade() -> None:
    (schema,) = op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema())").one()
    execute(FUNCTIONS.replace("{schema}", schema))
    index_long_notes()


def index_long_notes() -> None:
    """Write the words of items that may have more than 2,000 again."""
    for table in TABLES:
        execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    execute("""
        DELETE FROM item_words
        WHERE (user_id, item_id) IN (SELECT user_id, id FROM items WHERE length(notes) > 3800)
    """)
    execute("""
        INSERT INTO item_words (user_id, word, item_id)
        SELECT user_id, word, id
        FROM items, words_of(concat_ws(' ', name, notes)) AS word
        WHERE length(notes) > 3800
    """)
    for table in TABLES:
        execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


FUNCTIONS = r"""
CREATE OR REPLACE FUNCTION words_of(content text) RETURNS SETOF text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT DISTINCT left(word, 200)
    FROM regexp_split_to_table(lower(content), '[[:punct:][:space:][:cntrl:]$+<=>^`|~]+') AS word
    WHERE word <> '';
END;

CREATE OR REPLACE FUNCTION change_words() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, {schema}, pg_temp
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
        END $$;

CREATE OR REPLACE FUNCTION remove_words() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, {schema}, pg_temp
AS $$
        BEGIN
            DELETE FROM item_words
            USING gone, words_of(concat_ws(' ', gone.name, gone.notes)) AS lost
            WHERE item_words.user_id = gone.user_id
                AND item_words.word = lost
                AND item_words.item_id = gone.id;
            RETURN NULL;
        END $$;

CREATE OR REPLACE FUNCTION log_row_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, {schema}, pg_temp
AS $$
        DECLARE
            change text := current_setting('gearshed.change_id', true);
        BEGIN
            IF change <> '' AND NEW IS DISTINCT FROM OLD THEN
                INSERT INTO row_changes (user_id, change_id, table_name, row_id, before, after)
                VALUES (
                    coalesce(NEW.user_id, OLD.user_id), change::bigint,
                    TG_TABLE_NAME, coalesce(NEW.id, OLD.id),
                    to_jsonb(OLD) - 'sort_name', to_jsonb(NEW) - 'sort_name'
                );
            END IF;
            RETURN NULL;
        END $$;
"""
