"""Live updates: each change is told to whoever listens, and the place of a user's last write is kept."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "last_writes",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("lsn", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_last_writes_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_last_writes")),
    )
    create_note_last_write()
    create_tell_change()
    for function in ("note_last_write", "tell_change"):
        op.execute(f"""
            CREATE TRIGGER {function} AFTER INSERT ON changes
            FOR EACH ROW EXECUTE FUNCTION {function}()
        """)


def create_note_last_write() -> None:
    """As its owner, because the server's role sees neither the table nor where others wrote.

    The lock on the row is held until the commit, so that a user's places grow in the order of their commits.
    """
    op.execute("""
        CREATE FUNCTION note_last_write() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
        AS $$
        BEGIN
            INSERT INTO last_writes (user_id, lsn)
            VALUES (NEW.user_id, pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0'))
            ON CONFLICT (user_id) DO UPDATE
            SET lsn = pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0');
            RETURN NULL;
        END $$
    """)


def create_tell_change() -> None:
    """Whose change it is and whose resources say something else now: ids only, since any role may listen.

    A change of units or of categories shows everywhere, and a wide one has too many ids for a notification:
    then nothing is named, which stands for everything of the user.
    """
    op.execute("""
        CREATE FUNCTION tell_change() RETURNS trigger
        LANGUAGE plpgsql SET search_path FROM CURRENT
        AS $$
        DECLARE
            everywhere boolean;
            listed boolean;
            touched jsonb;
            told text;
        BEGIN
            SELECT
                bool_or(table_name IN ('categories', 'settings')) OR count(*) > 1000,
                bool_or(
                    table_name IN ('setups', 'setup_items', 'threads', 'candidates')
                    AND (before IS NULL OR after IS NULL
                        OR before ->> 'name' IS DISTINCT FROM after ->> 'name'
                        OR before ->> 'status' IS DISTINCT FROM after ->> 'status')
                )
            INTO everywhere, listed
            FROM row_changes
            WHERE change_id = NEW.id;

            IF everywhere THEN
                PERFORM pg_notify('gearshed_changes', jsonb_build_object('user_id', NEW.user_id)::text);
                RETURN NULL;
            END IF;
            WITH states AS (
                SELECT table_name, row_id, state
                FROM row_changes, unnest(ARRAY[before, after]) AS state
                WHERE change_id = NEW.id AND state IS NOT NULL
            ), changed_items AS (
                SELECT row_id AS id FROM states WHERE table_name = 'items'
            ), changed_setups AS (
                SELECT row_id AS id FROM states WHERE table_name = 'setups'
            )
            SELECT coalesce(jsonb_agg(path), '[]')
            INTO touched
            FROM (
                SELECT 'items/' || id FROM changed_items
                -- An item says which setups use it, and which thread it came from.
                UNION SELECT 'items/' || (state ->> 'item_id') FROM states WHERE table_name = 'setup_items'
                UNION SELECT 'items/' || item_id FROM setup_items
                WHERE setup_id IN (SELECT id FROM changed_setups)
                UNION SELECT 'items/' || (state ->> 'resolved_item_id') FROM states
                WHERE table_name = 'threads'

                UNION SELECT 'setups/' || id FROM changed_setups
                UNION SELECT 'setups/' || (state ->> 'setup_id') FROM states WHERE table_name = 'setup_items'
                UNION SELECT 'setups/' || setup_id FROM setup_items
                WHERE item_id IN (SELECT id FROM changed_items)

                UNION SELECT 'threads/' || row_id FROM states WHERE table_name = 'threads'
                UNION SELECT 'threads/' || (state ->> 'thread_id') FROM states WHERE table_name = 'candidates'
                -- A thread compares its candidates with the item that they would replace.
                UNION SELECT 'threads/' || id FROM threads
                WHERE replaces_item_id IN (SELECT id FROM changed_items)

                UNION SELECT 'images/' || row_id FROM states WHERE table_name = 'images'
            ) AS paths (path)
            WHERE path IS NOT NULL;

            told := jsonb_build_object('user_id', NEW.user_id, 'touched', touched, 'listed', listed);
            IF octet_length(told) > 7900 THEN
                told := jsonb_build_object('user_id', NEW.user_id);
            END IF;
            PERFORM pg_notify('gearshed_changes', told);
            RETURN NULL;
        END $$
    """)


def downgrade() -> None:
    for function in ("tell_change", "note_last_write"):
        op.execute(f"DROP TRIGGER {function} ON changes")
        op.execute(f"DROP FUNCTION {function}")
    op.drop_table("last_writes")
