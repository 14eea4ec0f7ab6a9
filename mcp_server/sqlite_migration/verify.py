"""Verification: read both databases again, each with its own SQL, and compare."""

import hashlib
import json
import marshal
from collections.abc import Iterable, Iterator
from itertools import islice, zip_longest
from typing import Any, LiteralString, NamedTuple, TypeAlias

import psycopg

from mcp_server.sqlite_migration.outcome import NotEqual
from mcp_server.sqlite_migration.source import SourceFile

ROWS = 1000
Row: TypeAlias = tuple[Any, ...]


class Check(NamedTuple):
    """Queries that return the same rows, in the same form and order, from the clean view and PostgreSQL."""

    source: str
    target: LiteralString


# Written out instead of derived from the columns that are sent, so that a mistake there is not repeated here.
CHECKS: dict[str, Check] = {
    "users": Check(
        "SELECT id, username, password_hash, created_at / 1e6 FROM clean_users ORDER BY id",
        """
        SELECT id, username, password_hash, date_part('epoch', created_at)
        FROM users
        ORDER BY id
        """,
    ),
    "categories": Check(
        "SELECT id, name, icon, created_at / 1e6 FROM clean_categories ORDER BY id",
        """
        SELECT id, name, icon, date_part('epoch', created_at)
        FROM categories
        WHERE user_id = %(owner)s
        ORDER BY id
        """,
    ),
    "items": Check(
        """
        SELECT id, name, weight_grams, price_cents, quantity, category_id, notes, product_url,
            nullif(image_filename, image_source_url), image_source_url, created_at / 1e6, updated_at / 1e6
        FROM clean_items
        ORDER BY id
        """,
        """
        SELECT items.id, name, weight_grams, price_cents, quantity, category_id, notes, product_url,
            nullif(filename, source_url), source_url,
            date_part('epoch', items.created_at), date_part('epoch', items.updated_at)
        FROM items
        LEFT JOIN images ON images.id = image_id AND images.user_id = items.user_id
        WHERE items.user_id = %(owner)s
        ORDER BY items.id
        """,
    ),
    "threads": Check(
        """
        SELECT id, name, status, resolved_candidate_id, category_id, created_at / 1e6, updated_at / 1e6
        FROM clean_threads
        ORDER BY id
        """,
        """
        SELECT id, name, status, resolved_candidate_id, category_id,
            date_part('epoch', created_at), date_part('epoch', updated_at)
        FROM threads
        WHERE user_id = %(owner)s
        ORDER BY id
        """,
    ),
    "candidates": Check(
        """
        SELECT id, thread_id, name, weight_grams, price_cents, category_id, notes, product_url,
            nullif(image_filename, image_source_url), image_source_url, status, pros, cons, sort_order,
            created_at / 1e6, updated_at / 1e6
        FROM clean_thread_candidates
        ORDER BY id
        """,
        """
        SELECT candidates.id, thread_id, name, weight_grams, price_cents, category_id, notes, product_url,
            nullif(filename, source_url), source_url, status, pros, cons, sort_order,
            date_part('epoch', candidates.created_at), date_part('epoch', candidates.updated_at)
        FROM candidates
        LEFT JOIN images ON images.id = image_id AND images.user_id = candidates.user_id
        WHERE candidates.user_id = %(owner)s
        ORDER BY candidates.id
        """,
    ),
    "setups": Check(
        "SELECT id, name, created_at / 1e6, updated_at / 1e6 FROM clean_setups ORDER BY id",
        """
        SELECT id, name, date_part('epoch', created_at), date_part('epoch', updated_at)
        FROM setups
        WHERE user_id = %(owner)s
        ORDER BY id
        """,
    ),
    "setup_items": Check(
        """
        SELECT line.id, setup_id, item_id, item.quantity / 1.0, classification,
            (classification = 'worn') * item.quantity / 1.0
        FROM clean_setup_items AS line
        JOIN clean_items AS item ON item.id = item_id
        ORDER BY line.id
        """,
        """
        SELECT id, setup_id, item_id, quantity::float8, classification, worn_quantity::float8
        FROM setup_items
        WHERE user_id = %(owner)s
        ORDER BY id
        """,
    ),
    "settings": Check(
        "SELECT key, value FROM clean_settings ORDER BY key",
        """SELECT key, value FROM settings WHERE user_id = %(owner)s ORDER BY key COLLATE "C" """,
    ),
    "sessions": Check(
        "SELECT id, user_id, expires_at / 1e6 FROM clean_sessions ORDER BY id",
        """SELECT id, user_id, date_part('epoch', expires_at) FROM sessions ORDER BY id COLLATE "C" """,
    ),
    "api_keys": Check(
        "SELECT id, name, key_hash, key_prefix, created_at / 1e6 FROM clean_api_keys ORDER BY id",
        """
        SELECT id, name, key_hash, key_prefix, date_part('epoch', created_at)
        FROM api_keys
        WHERE user_id = %(owner)s
        ORDER BY id
        """,
    ),
    "oauth_clients": Check(
        """
        SELECT id, client_id, client_name, redirect_uris, created_at / 1e6
        FROM clean_oauth_clients
        ORDER BY id
        """,
        """
        SELECT id, client_id, client_name, redirect_uris::text, date_part('epoch', created_at)
        FROM oauth_clients
        ORDER BY id
        """,
    ),
    "oauth_codes": Check(
        """
        SELECT id, code, client_id, code_challenge, code_challenge_method, redirect_uri,
            expires_at / 1e6, used
        FROM clean_oauth_codes
        ORDER BY id
        """,
        """
        SELECT id, code, client_id, code_challenge, code_challenge_method, redirect_uri,
            date_part('epoch', expires_at), used::integer
        FROM oauth_codes
        WHERE user_id = %(owner)s
        ORDER BY id
        """,
    ),
    "oauth_tokens": Check(
        """
        SELECT id, access_token_hash, refresh_token_hash, client_id,
            expires_at / 1e6, refresh_expires_at / 1e6, created_at / 1e6
        FROM clean_oauth_tokens
        ORDER BY id
        """,
        """
        SELECT id, access_token_hash, refresh_token_hash, client_id, date_part('epoch', expires_at),
            date_part('epoch', refresh_expires_at), date_part('epoch', created_at)
        FROM oauth_tokens
        WHERE user_id = %(owner)s
        ORDER BY id
        """,
    ),
}
# Tables that only change when a person changes them, unlike sessions and tokens.
COLLECTION = ("categories", "items", "threads", "candidates", "setups", "setup_items", "settings")


class Sum(NamedTuple):
    """The number of rows, and a checksum of their values."""

    rows: int
    checksum: str


def total(rows: Iterator[Row]) -> Sum:
    """Return the checksum of rows, serialised with marshal version 2: stable across releases, and fast."""
    digest, count = hashlib.blake2b(digest_size=16), 0
    while batch := list(islice(rows, ROWS)):
        digest.update(marshal.dumps(batch, 2))
        count += len(batch)
    return Sum(count, digest.hexdigest())


def source_rows(source: SourceFile, table: str) -> Iterator[Row]:
    return normal(table, source.conn.execute(CHECKS[table].source))


def target_rows(conn: psycopg.Connection, table: str, owner_id: int) -> Iterator[Row]:
    with conn.cursor(binary=True) as cursor:
        yield from normal(table, cursor.stream(CHECKS[table].target, {"owner": owner_id}, size=ROWS))


def normal(table: str, rows: Iterable[Row]) -> Iterator[Row]:
    """Normalise JSON, because PostgreSQL does not preserve its whitespace."""
    if table != "oauth_clients":
        return iter(rows)
    return ((*row[:3], json.dumps(json.loads(row[3])), row[4]) for row in rows)


def source_sums(source: SourceFile) -> dict[str, Sum]:
    return {table: total(source_rows(source, table)) for table in CHECKS}


def target_sums(conn: psycopg.Connection, owner_id: int, tables: Iterable[str] = CHECKS) -> dict[str, Sum]:
    return {table: total(target_rows(conn, table, owner_id)) for table in tables}


def compare(expected: dict[str, Sum], found: dict[str, Sum]) -> None:
    """Raise NotEqual unless the checksums match."""
    for table, there in expected.items():
        if found[table].rows != there.rows:
            raise NotEqual(f"{table}: {there.rows} rows were read, and {found[table].rows} are stored.")
        if found[table] != there:
            raise NotEqual(
                f"{table}: the stored rows differ from the file. Use --verify full to see which ones."
            )


def compare_rows(conn: psycopg.Connection, source: SourceFile, owner_id: int) -> None:
    """Raise NotEqual with the ids of the first rows that differ, or if the words of any item are wrong."""
    for table in CHECKS:
        pairs = zip_longest(source_rows(source, table), target_rows(conn, table, owner_id))
        differing = [str((ours or theirs)[0]) for ours, theirs in pairs if ours != theirs]
        if differing:
            # The id of a session is a secret.
            which = "" if table == "sessions" else f": {', '.join(differing[:10])}"
            raise NotEqual(f"{table}: {len(differing)} stored rows differ from the file{which}.")
    wrong = conn.execute("""
        WITH right_ones AS (
            SELECT 'item', id, word
            FROM items, words_of(concat_ws(' ', name, notes)) AS word
            UNION ALL
            SELECT 'category', id, word
            FROM categories, words_of(name) AS word
        ), stored AS (
            SELECT 'item', item_id, word FROM item_words
            UNION ALL
            SELECT 'category', category_id, word FROM category_words
        )
        SELECT count(*)
        FROM (
            (TABLE right_ones EXCEPT TABLE stored) UNION ALL (TABLE stored EXCEPT TABLE right_ones)
        ) AS differing
    """).fetchone()
    if wrong != (0,):
        raise NotEqual("The words of some items or categories do not match their names and notes.")


def check_rest(conn: psycopg.Connection, following: dict[str, int]) -> None:
    """Raise NotEqual unless every item has words, ids continue correctly, and the log of changes is empty."""
    wordless = conn.execute("""
        WITH wordless AS MATERIALIZED (
            SELECT name, notes
            FROM items
            WHERE NOT EXISTS (SELECT FROM item_words WHERE item_id = items.id AND user_id = items.user_id)
        )
        SELECT count(*)
        FROM wordless
        WHERE EXISTS (SELECT FROM words_of(concat_ws(' ', name, notes)))
    """).fetchone()
    if wordless != (0,):
        raise NotEqual("item_words: some items have no words, so searches would not find them.")
    for table, next_id in following.items():
        found = conn.execute(
            """
            SELECT nextval(pg_get_serial_sequence(%(table)s, 'id')) = %(next)s,
                setval(pg_get_serial_sequence(%(table)s, 'id'), %(next)s, false)
            """,
            {"table": table, "next": next_id},
        ).fetchone()
        if not found or not found[0]:
            raise NotEqual(f"{table}: the next id is not {next_id}.")
    if conn.execute("SELECT FROM changes UNION ALL SELECT FROM row_changes").fetchone() is not None:
        raise NotEqual("changes: the log of changes is not empty.")
