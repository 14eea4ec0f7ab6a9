"""The rows that a migration must produce, and the rows that it produced.

The expected rows are computed without the migration: the old application's own migrations upgrade a copy of
the file to the last version, and SQL reads it there.
"""

import hashlib
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any, LiteralString, TypeAlias
from unicodedata import normalize

import psycopg
from psycopg.sql import SQL, Identifier

from tests.sqlite_migration.old_collections import ARCHIVE, LOOSEN, OldCollection, upgrade

# Rows by table, and the next id of each table as the row ("next id", table).
Rows: TypeAlias = dict[str, list[tuple[Any, ...]]]

OLD: Mapping[str, str] = {
    "users": "SELECT id, nfc(username), password_hash, created_at FROM users",
    "categories": "SELECT id, nfc(name), icon, created_at FROM categories",
    "items": """
        SELECT
            id, nfc(name), weight_grams, price_cents, quantity, category_id, nfc(notes), product_url,
            coalesce(image_filename, image_source_url), image_source_url, created_at, updated_at
        FROM items
    """,
    "threads": """
        SELECT id, nfc(name), status, category_id, resolved_candidate_id, created_at, updated_at FROM threads
    """,
    "candidates": """
        SELECT
            id, thread_id, nfc(name), weight_grams, price_cents, category_id, nfc(notes), product_url,
            coalesce(image_filename, image_source_url), image_source_url,
            status, nfc(pros), nfc(cons), sort_order, created_at, updated_at
        FROM thread_candidates
    """,
    "setups": "SELECT id, nfc(name), created_at, updated_at FROM setups",
    "setup_items": """
        SELECT
            setup_items.id, setup_id, item_id, quantity, classification,
            iif(classification = 'worn', quantity, 0)
        FROM setup_items JOIN items ON items.id = item_id
    """,
    "settings": """
        SELECT key, value FROM settings
        UNION
        SELECT 'weight_unit', value FROM settings
        WHERE key = 'weightUnit' AND value IN ('g', 'kg', 'oz', 'lb')
    """,
    "sessions": "SELECT id, user_id, expires_at FROM sessions",
    "api_keys": "SELECT id, nfc(name), key_hash, key_prefix, created_at FROM api_keys",
    "oauth_clients": """
        SELECT
            id, client_id, nfc(client_name), (SELECT group_concat(value, ' ') FROM json_each(redirect_uris)),
            created_at
        FROM oauth_clients
    """,
    "oauth_codes": """
        SELECT
            id, code, client_id, code_challenge, code_challenge_method, redirect_uri, expires_at, used
        FROM oauth_codes
    """,
    "oauth_tokens": """
        SELECT
            id, access_token_hash, refresh_token_hash, client_id, expires_at, refresh_expires_at, created_at
        FROM oauth_tokens
    """,
}
NEW: Mapping[str, LiteralString] = {
    "users": """
        SELECT id, username, password_hash, extract(epoch FROM created_at)
        FROM users WHERE password_hash IS NOT NULL
    """,
    "categories": "SELECT id, name, icon, extract(epoch FROM created_at) FROM categories",
    "items": """
        SELECT
            items.id, name, weight_grams, price_cents, quantity, category_id, notes, product_url,
            filename, source_url,
            extract(epoch FROM items.created_at), extract(epoch FROM updated_at)
        FROM items LEFT JOIN images ON images.id = image_id
    """,
    "threads": """
        SELECT
            id, name, status, category_id, resolved_candidate_id,
            extract(epoch FROM created_at), extract(epoch FROM updated_at)
        FROM threads
    """,
    "candidates": """
        SELECT
            candidates.id, thread_id, name, weight_grams, price_cents, category_id, notes, product_url,
            filename, source_url, status, pros, cons, sort_order,
            extract(epoch FROM candidates.created_at), extract(epoch FROM updated_at)
        FROM candidates LEFT JOIN images ON images.id = image_id
    """,
    "setups": "SELECT id, name, extract(epoch FROM created_at), extract(epoch FROM updated_at) FROM setups",
    "setup_items": "SELECT id, setup_id, item_id, quantity, classification, worn_quantity FROM setup_items",
    "settings": "SELECT key, value FROM settings",
    "sessions": "SELECT id, user_id, extract(epoch FROM expires_at) FROM sessions",
    "api_keys": "SELECT id, name, key_hash, key_prefix, extract(epoch FROM created_at) FROM api_keys",
    "oauth_clients": """
        SELECT
            id, client_id, client_name,
            (SELECT string_agg(uri, ' ') FROM jsonb_array_elements_text(redirect_uris) AS uri),
            extract(epoch FROM created_at)
        FROM oauth_clients
    """,
    "oauth_codes": """
        SELECT
            id, code, client_id, code_challenge, code_challenge_method, redirect_uri,
            extract(epoch FROM expires_at), used
        FROM oauth_codes
    """,
    "oauth_tokens": """
        SELECT
            id, access_token_hash, refresh_token_hash, client_id, extract(epoch FROM expires_at),
            extract(epoch FROM refresh_expires_at), extract(epoch FROM created_at)
        FROM oauth_tokens
    """,
}
WITHOUT_IDS = {"settings", "sessions"}


def expected(file: Path, repair: str = "") -> Rows:
    """Return the rows that a migration of *file* must produce, after the statements of *repair*."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / file.name
        # Including the WAL.
        for part in file.parent.glob(f"{file.name}*"):
            shutil.copy(part, folder)
        with closing(sqlite3.connect(copy, isolation_level=None)) as db:
            upgrade(db, version_of(OldCollection(db)) + 1, len(ARCHIVE))
            db.executescript(LOOSEN + repair)
            db.create_function("nfc", 1, composed)
            rows: Rows = {table: sorted(db.execute(query), key=repr) for table, query in OLD.items()}
            for table in OLD.keys() - WITHOUT_IDS:
                rows[table].append(("next id", next_id(db, old_name(table))))
    if len(rows["users"]) == 1:
        # The migration creates an owner without a password.
        rows["users"] = [("next id", rows["users"][0][1] + 1)]
    return rows


def composed(text: Any) -> Any:
    return normalize("NFC", text) if isinstance(text, str) else text


def version_of(old: OldCollection) -> int:
    """Return the schema version of a file, recognised by what each old migration added."""
    added = [
        old.columns("items"),
        old.columns("setups"),
        {"icon"} & old.columns("categories"),
        {"status"} & old.columns("thread_candidates"),
        {"classification"} & old.columns("setup_items"),
        {"pros"} & old.columns("thread_candidates"),
        {"image_source_url"} & old.columns("items"),
        old.columns("users"),
        old.columns("oauth_tokens"),
        {"quantity"} & old.columns("items"),
    ]
    return len([columns for columns in added if columns])


def old_name(table: str) -> str:
    return "thread_candidates" if table == "candidates" else table


def next_id(db: sqlite3.Connection, table: str) -> int:
    (highest,) = db.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()  # noqa: S608
    ever = db.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone() or (0,)
    return max(highest, *ever) + 1


def found(url: str) -> Rows:
    """Return the rows of the database, in the same form as the expected ones."""
    with psycopg.connect(url) as conn:
        rows: Rows = {table: sorted(plain(conn, query), key=repr) for table, query in NEW.items()}
        for table in NEW.keys() - WITHOUT_IDS:
            rows[table].append(("next id", new_next_id(conn, table)))
    return rows


def plain(conn: psycopg.Connection, query: LiteralString) -> list[tuple[Any, ...]]:
    """Return rows with SQLite's types: integers for times and quantities."""
    return [tuple(map(simple, row)) for row in conn.execute(query)]


def simple(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    return int(value) if isinstance(value, bool) else value


def new_next_id(conn: psycopg.Connection, table: str) -> int:
    query = SQL("SELECT last_value + is_called::int FROM {sequence}")
    row = conn.execute(query.format(sequence=Identifier(f"{table}_id_seq"))).fetchone()
    assert row is not None
    return row[0]


def has_right_words(url: str) -> bool:
    """Whether every item has exactly the words of its name and notes."""
    query = """
        SELECT NOT EXISTS (
            SELECT FROM (SELECT id, words_of(concat_ws(' ', name, notes)) AS word FROM items) AS expected
            FULL JOIN item_words ON item_id = id AND item_words.word = expected.word
            WHERE item_id IS NULL OR id IS NULL
        )
    """
    with psycopg.connect(url) as conn:
        return conn.execute(query).fetchone() == (True,)


def everything(url: str) -> dict[str, str]:
    """Return a hash of the rows of each table, the state of each sequence, and all definitions."""
    with psycopg.connect(url) as conn:
        relations = conn.execute(
            """
            SELECT relname, relkind FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S')
            """
        ).fetchall()
        with conn.pipeline():
            cursors = {
                name: conn.execute(CONTENT[kind].format(relation=Identifier(name)))
                for name, kind in relations
            }
            cursors["definitions"] = conn.execute(DEFINITIONS)
        return {
            name: hashlib.sha256(repr(cursor.fetchall()).encode()).hexdigest()
            for name, cursor in cursors.items()
        }


CONTENT = {
    "r": SQL("SELECT one::text FROM {relation} AS one ORDER BY one::text"),
    "S": SQL("SELECT last_value, is_called FROM {relation}"),
}
DEFINITIONS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated::text
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT indrelid::regclass::text, pg_get_indexdef(indexrelid), indisvalid::text, indisready::text
    FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
    WHERE relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT tgrelid::regclass::text, pg_get_triggerdef(oid), tgenabled::text, ''
    FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL
    SELECT tgrelid::regclass::text, tgfoid::regproc::text, tgenabled::text, count(*)::text
    FROM pg_trigger WHERE tgisinternal GROUP BY 1, 2, 3
    UNION ALL
    SELECT
        oid::regclass::text, relacl::text, relrowsecurity::text,
        concat(relforcerowsecurity, relpersistence)
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S')
    UNION ALL
    SELECT attrelid::regclass::text, attname, attnotnull::text, pg_get_expr(adbin, adrelid)
    FROM pg_attribute
    JOIN pg_class ON pg_class.oid = attrelid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0
    ORDER BY 1, 2, 3, 4
"""
