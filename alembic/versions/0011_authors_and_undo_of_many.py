"""Who made a change, and one change that undoes many."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op
from db.revision import define, execute

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    # Until now, the client was what the program called itself or, if a call did not say that, its key's name.
    op.alter_column("changes", "client", new_column_name="program")
    op.add_column("changes", sa.Column("client", sa.Text(), nullable=True))
    # The owner of a table is subject to its row security too, as long as that is forced.
    execute("ALTER TABLE changes NO FORCE ROW LEVEL SECURITY")
    execute(MOVE_CLIENTS)
    op.drop_constraint("fk_changes_user_id_undoes", "changes", type_="foreignkey")
    op.drop_index("ix_changes_user_id_undoes", "changes")
    execute("ALTER TABLE changes ALTER undoes TYPE bigint[] USING nullif(ARRAY[undoes], ARRAY[NULL::bigint])")
    op.add_column("changes", sa.Column("undone_by", sa.BigInteger(), nullable=True))
    execute(NOTE_UNDONE)
    execute("ALTER TABLE changes FORCE ROW LEVEL SECURITY")
    op.create_foreign_key(
        op.f("fk_changes_user_id_undone_by"),
        "changes",
        "changes",
        ["user_id", "undone_by"],
        ["user_id", "id"],
        ondelete="SET NULL (undone_by)",
        initially="IMMEDIATE",
        deferrable=True,
    )
    op.create_index("ix_changes_user_id_undone_by", "changes", ["user_id", "undone_by"], unique=False)
    define("keep_time")


def downgrade() -> None:
    execute(KEEP_TIME)
    op.drop_index("ix_changes_user_id_undone_by", "changes")
    op.drop_constraint("fk_changes_user_id_undone_by", "changes", type_="foreignkey")
    op.drop_column("changes", "undone_by")
    execute("ALTER TABLE changes ALTER undoes TYPE bigint USING undoes[1]")
    op.create_index("ix_changes_user_id_undoes", "changes", ["user_id", "undoes"], unique=False)
    # Which may be gone: an array has no foreign key.
    execute("ALTER TABLE changes NO FORCE ROW LEVEL SECURITY")
    execute("UPDATE changes SET undoes = NULL WHERE undoes NOT IN (SELECT id FROM changes)")
    op.create_foreign_key(
        op.f("fk_changes_user_id_undoes"),
        "changes",
        "changes",
        ["user_id", "undoes"],
        ["user_id", "id"],
        ondelete="SET NULL (undoes)",
        initially="IMMEDIATE",
        deferrable=True,
    )
    execute("UPDATE changes SET program = coalesce(program, client)")
    execute("ALTER TABLE changes FORCE ROW LEVEL SECURITY")
    op.drop_column("changes", "client")
    op.alter_column("changes", "program", new_column_name="client")


MOVE_CLIENTS = """
    UPDATE changes
    SET client = program, program = NULL
    WHERE program IN (
        SELECT name FROM api_keys WHERE api_keys.user_id = changes.user_id
        UNION ALL
        SELECT coalesce(client_name, client_id)
        FROM oauth_clients
        JOIN oauth_tokens USING (client_id)
        WHERE oauth_tokens.user_id = changes.user_id
    )
"""
# Newest first: an undo counts only as long as it has not been undone itself.
NOTE_UNDONE = """
    DO $$
    DECLARE
        undo bigint;
    BEGIN
        FOR undo IN SELECT id FROM changes WHERE undoes IS NOT NULL ORDER BY id DESC LOOP
            UPDATE changes AS undone
            SET undone_by = undo
            FROM changes AS undoing
            WHERE undoing.id = undo AND undoing.undone_by IS NULL AND undone.id = ANY (undoing.undoes);
        END LOOP;
    END $$;
"""
KEEP_TIME = """
CREATE OR REPLACE FUNCTION keep_time() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
        BEGIN
            -- A generated column is not there yet.
            IF to_jsonb(NEW) - '{updated_at,sort_name}'::text[]
                = to_jsonb(OLD) - '{updated_at,sort_name}'::text[]
            THEN
                NEW.updated_at := OLD.updated_at;
            END IF;
            RETURN NEW;
        END $$;
"""
