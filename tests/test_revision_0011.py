"""Revision 0011: the log of an earlier release says the same as before."""

from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from alembic import command
from db import migrations

# Change 1 was undone by 2. Change 3 was undone by 4, which 5 undid. Change 6 was undone by 7, 7 by 8, 8 by 9.
UNDOES = {1: None, 2: 1, 3: None, 4: 3, 5: 4, 6: None, 7: 6, 8: 7, 9: 8}
CLIENTS = {1: "claude-ai", 2: "gearshed import", 3: "phone", 4: None, 5: "Claude", 6: "tablet"}


def migrate(url: str, revision: str) -> None:
    with migrations.engine(url).begin() as connection:
        if revision.startswith("-"):
            command.downgrade(migrations.config(connection), revision)
        else:
            command.upgrade(migrations.config(connection), revision)


def log(url: str, *columns: str) -> dict[int, tuple[Any, ...]]:
    with psycopg.connect(url) as conn:
        conn.execute("SELECT set_config('gearshed.user_id', '1', true)")
        cursor = conn.execute("SELECT id, to_jsonb(changes) FROM changes ORDER BY id")
        return {id_: tuple(row[name] for name in columns) for id_, row in cursor.fetchall()}


def fill(url: str) -> None:
    with psycopg.connect(url) as conn:
        conn.execute("SELECT set_config('gearshed.user_id', '1', true)")
        conn.execute("INSERT INTO users (id, username) VALUES (1, 'ada'), (2, 'eve')")
        conn.execute("""
            INSERT INTO api_keys (user_id, name, key_hash, key_prefix)
            VALUES (1, 'phone', 'x', 'x'), (2, 'tablet', 'y', 'y')
        """)
        conn.execute("""
            INSERT INTO oauth_clients (client_id, client_name, redirect_uris) VALUES ('c', 'Claude', '[]')
        """)
        conn.execute("""
            INSERT INTO oauth_tokens
                (user_id, client_id, access_token_hash, scopes, resource, family, expires_at)
            VALUES (1, 'c', 'z', '{read}', '', gen_random_uuid(), now())
        """)
        rows = [
            {"id": id_, "tool": "create_item", "client": CLIENTS.get(id_), "summary": "", "undoes": undoes}
            for id_, undoes in UNDOES.items()
        ]
        conn.execute(
            """
            INSERT INTO changes (id, tool, client, summary, undoes)
            SELECT id, tool, client, summary, undoes
            FROM jsonb_to_recordset(%(rows)s)
                AS row (id bigint, tool text, client text, summary text, undoes bigint)
            """,
            {"rows": Jsonb(rows)},
        )


# As an owner who is subject to row level security, as many hosted databases have it.
def test_the_log_says_the_same_after_the_upgrade_and_after_the_way_back(owner_url: str) -> None:
    migrate(owner_url, "0010")
    fill(owner_url)
    before = log(owner_url, "client", "undoes")
    migrate(owner_url, "0011")
    assert log(owner_url, "client", "program") == {
        1: (None, "claude-ai"),
        2: (None, "gearshed import"),
        # The name of a key and of an OAuth client of the same user; a key of another user does not count.
        3: ("phone", None),
        4: (None, None),
        5: ("Claude", None),
        6: (None, "tablet"),
        7: (None, None),
        8: (None, None),
        9: (None, None),
    }
    assert log(owner_url, "undoes") == {id_: (undoes and [undoes],) for id_, undoes in UNDOES.items()}
    undone_by = {1: 2, 4: 5, 6: 7, 8: 9}
    assert log(owner_url, "undone_by") == {id_: (undone_by.get(id_),) for id_ in UNDOES}
    migrate(owner_url, "-1")
    assert log(owner_url, "client", "undoes") == before
