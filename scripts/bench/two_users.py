"""Two users with few and with many items, setups and changes, and other users beside them."""

from collections.abc import Mapping
from typing import LiteralString

import psycopg

from scripts.bench.pages import ITEMS

FEW, MANY = 100, 100_000
SETUPS = 201
# With two users alone, PostgreSQL would expect half of each table to be the user's, and scan it for both.
OTHERS, SETUPS_OF_OTHERS = 200, 3
# Both users have the same number of setups and categories, because an answer lists them all.
FILL: tuple[LiteralString, ...] = (
    "INSERT INTO users (id, username) VALUES (%(user_id)s, %(user_id)s::text)",
    """
    INSERT INTO categories (user_id, name, icon)
    SELECT %(user_id)s, 'Group ' || n, 'package' FROM generate_series(1, 20) AS n
    """,
    ITEMS,
    """
    INSERT INTO setups (user_id, name)
    SELECT %(user_id)s, 'Trip ' || n FROM generate_series(1, %(setups)s) AS n
    """,
    # 5 lines in each setup of the one, 100 in each of the other. Those that are shown have the same number.
    """
    INSERT INTO setup_items (user_id, setup_id, item_id, quantity, classification, worn_quantity)
    SELECT %(user_id)s, setups.id, items.first + mod(setups.id * 31 + line * 7, %(size)s), 1, 'base', 0
    FROM setups
    CROSS JOIN (SELECT min(id) AS first FROM items WHERE user_id = %(user_id)s) AS items
    CROSS JOIN generate_series(
        1, CASE WHEN setups.name IN ('Trip 1', 'Trip 2') THEN 20 WHEN %(size)s > 1000 THEN 100 ELSE 5 END
    ) AS line
    WHERE setups.user_id = %(user_id)s
    """,
    # Without triggers: 100,000 notifications in one transaction take a minute.
    "SET session_replication_role = replica",
    """
    INSERT INTO changes (user_id, at, tool, summary)
    SELECT %(user_id)s, now() - (%(size)s - n) * interval '1 minute', 'update_item', 'changed 1 item'
    FROM generate_series(1, %(size)s) AS n
    """,
    """
    INSERT INTO row_changes (user_id, change_id, table_name, row_id, before, after)
    SELECT
        %(user_id)s, changes.id, 'items', items.id,
        jsonb_build_object('id', items.id, 'name', items.name, 'weight_grams', 1),
        jsonb_build_object('id', items.id, 'name', items.name, 'weight_grams', 2)
    FROM changes
    CROSS JOIN (SELECT min(id) AS first FROM changes WHERE user_id = %(user_id)s) AS earliest
    CROSS JOIN (SELECT min(id) AS first FROM items WHERE user_id = %(user_id)s) AS own
    JOIN items ON items.id = own.first + changes.id - earliest.first
    WHERE changes.user_id = %(user_id)s
    """,
    "RESET session_replication_role",
)


def fill(url: str) -> Mapping[int, Mapping[str, int]]:
    """Create the users, and return ids of the rows of both by the names of the arguments that take them."""
    with psycopg.connect(url, autocommit=True) as conn:
        sizes = [(FEW, SETUPS), (MANY, SETUPS), *[(FEW, SETUPS_OF_OTHERS)] * OTHERS]
        for user_id, (size, setups) in enumerate(sizes, 1):
            given = {"user_id": user_id, "size": size, "setups": setups}
            for statement in FILL:
                conn.execute(statement, given)
        conn.execute("VACUUM ANALYZE")
        return {user_id: ids(conn, user_id) for user_id in (1, 2)}


def ids(conn: psycopg.Connection, user_id: int) -> Mapping[str, int]:
    row = conn.execute(
        """
        SELECT
            (SELECT min(id) FROM items WHERE user_id = %(user_id)s),
            (SELECT min(id) FROM setups WHERE user_id = %(user_id)s)
        """,
        {"user_id": user_id},
    ).fetchone()
    assert row
    return {"item_id": row[0], "setup_id": row[1], "other_setup_id": row[1] + 1}
