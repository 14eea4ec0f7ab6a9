"""The ten versions of the old SQLite schema, which the migration reads."""

import sqlite3
from contextlib import closing

import pytest

from tests.sqlite_migration.old_collections import ARCHIVE, upgrade

COLUMNS = {
    "categories": {
        "id INTEGER NOT NULL",
        "name TEXT NOT NULL",
        "icon TEXT NOT NULL DEFAULT 'package'",
        "created_at INTEGER NOT NULL",
    },
    "items": {
        "id INTEGER NOT NULL",
        "name TEXT NOT NULL",
        "weight_grams REAL",
        "price_cents INTEGER",
        "quantity INTEGER NOT NULL DEFAULT 1",
        "category_id INTEGER NOT NULL",
        "notes TEXT",
        "product_url TEXT",
        "image_filename TEXT",
        "image_source_url TEXT",
        "created_at INTEGER NOT NULL",
        "updated_at INTEGER NOT NULL",
    },
    "threads": {
        "id INTEGER NOT NULL",
        "name TEXT NOT NULL",
        "status TEXT NOT NULL DEFAULT 'active'",
        "resolved_candidate_id INTEGER",
        "category_id INTEGER NOT NULL",
        "created_at INTEGER NOT NULL",
        "updated_at INTEGER NOT NULL",
    },
    "thread_candidates": {
        "id INTEGER NOT NULL",
        "thread_id INTEGER NOT NULL",
        "name TEXT NOT NULL",
        "weight_grams REAL",
        "price_cents INTEGER",
        "category_id INTEGER NOT NULL",
        "notes TEXT",
        "product_url TEXT",
        "image_filename TEXT",
        "image_source_url TEXT",
        "status TEXT NOT NULL DEFAULT 'researching'",
        "pros TEXT",
        "cons TEXT",
        "sort_order REAL NOT NULL DEFAULT 0",
        "created_at INTEGER NOT NULL",
        "updated_at INTEGER NOT NULL",
    },
    "setups": {
        "id INTEGER NOT NULL",
        "name TEXT NOT NULL",
        "created_at INTEGER NOT NULL",
        "updated_at INTEGER NOT NULL",
    },
    "setup_items": {
        "id INTEGER NOT NULL",
        "setup_id INTEGER NOT NULL",
        "item_id INTEGER NOT NULL",
        "classification TEXT NOT NULL DEFAULT 'base'",
    },
    "settings": {"key TEXT NOT NULL", "value TEXT NOT NULL"},
    "users": {
        "id INTEGER NOT NULL",
        "username TEXT NOT NULL",
        "password_hash TEXT NOT NULL",
        "created_at INTEGER NOT NULL",
    },
    "sessions": {"id TEXT NOT NULL", "user_id INTEGER NOT NULL", "expires_at INTEGER NOT NULL"},
    "api_keys": {
        "id INTEGER NOT NULL",
        "name TEXT NOT NULL",
        "key_hash TEXT NOT NULL",
        "key_prefix TEXT NOT NULL",
        "created_at INTEGER NOT NULL",
    },
    "oauth_clients": {
        "id INTEGER NOT NULL",
        "client_id TEXT NOT NULL",
        "client_name TEXT",
        "redirect_uris TEXT NOT NULL",
        "created_at INTEGER NOT NULL",
    },
    "oauth_codes": {
        "id INTEGER NOT NULL",
        "code TEXT NOT NULL",
        "client_id TEXT NOT NULL",
        "code_challenge TEXT NOT NULL",
        "code_challenge_method TEXT NOT NULL",
        "redirect_uri TEXT NOT NULL",
        "expires_at INTEGER NOT NULL",
        "used INTEGER NOT NULL",
    },
    "oauth_tokens": {
        "id INTEGER NOT NULL",
        "access_token_hash TEXT NOT NULL",
        "refresh_token_hash TEXT NOT NULL",
        "client_id TEXT NOT NULL",
        "expires_at INTEGER NOT NULL",
        "refresh_expires_at INTEGER NOT NULL",
        "created_at INTEGER NOT NULL",
    },
}

RELATIONS = {
    ("items", "category_id", "categories", "id", "NO ACTION"),
    ("threads", "category_id", "categories", "id", "NO ACTION"),
    ("thread_candidates", "thread_id", "threads", "id", "CASCADE"),
    ("thread_candidates", "category_id", "categories", "id", "NO ACTION"),
    ("setup_items", "setup_id", "setups", "id", "CASCADE"),
    ("setup_items", "item_id", "items", "id", "CASCADE"),
    ("sessions", "user_id", "users", "id", "NO ACTION"),
}

UNIQUE = {
    ("categories", "name"),
    ("users", "username"),
    ("oauth_clients", "client_id"),
    ("oauth_codes", "code"),
    ("oauth_tokens", "access_token_hash"),
    ("oauth_tokens", "refresh_token_hash"),
}


def at_version(version: int) -> sqlite3.Connection:
    db = sqlite3.connect(":memory:")
    db.execute("PRAGMA foreign_keys = ON")
    upgrade(db, 1, version)
    return db


def test_there_are_ten_files_numbered_without_a_gap() -> None:
    assert [file.name[:5] for file in ARCHIVE] == [f"{number:04}_" for number in range(10)]


@pytest.mark.parametrize("version", range(1, 11))
def test_every_version_can_be_made(version: int) -> None:
    with closing(at_version(version)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_version_ten_has_the_columns_the_migration_expects() -> None:
    columns: dict[str, set[str]] = {}
    with closing(at_version(10)) as db:
        for table, column in db.execute(
            """
            SELECT t.name, c.name || ' ' || upper(c.type) || iif(c."notnull", ' NOT NULL', '')
                || coalesce(' DEFAULT ' || c.dflt_value, '')
            FROM sqlite_master t JOIN pragma_table_info(t.name) c
            WHERE t.type = 'table' AND t.name <> 'sqlite_sequence'
            """
        ):
            columns.setdefault(table, set()).add(column)
    assert columns == COLUMNS


def test_version_ten_has_the_primary_keys_the_migration_expects() -> None:
    with closing(at_version(10)) as db:
        keys = db.execute(
            """
            SELECT t.name, c.name, t.sql LIKE '%PRIMARY KEY AUTOINCREMENT%'
            FROM sqlite_master t JOIN pragma_table_info(t.name) c
            WHERE t.type = 'table' AND c.pk
            """
        ).fetchall()
    numbered = {(table, "id", 1) for table in COLUMNS.keys() - {"settings", "sessions"}}
    assert set(keys) == numbered | {("settings", "key", 0), ("sessions", "id", 0)}


def test_version_ten_has_the_unique_columns_the_migration_expects() -> None:
    with closing(at_version(10)) as db:
        unique = db.execute(
            """
            SELECT t.name, c.name
            FROM sqlite_master t JOIN pragma_index_list(t.name) i JOIN pragma_index_info(i.name) c
            WHERE t.type = 'table' AND i."unique" AND i.origin <> 'pk'
            """
        ).fetchall()
    assert set(unique) == UNIQUE


def test_version_ten_has_the_relations_the_migration_expects() -> None:
    with closing(at_version(10)) as db:
        relations = db.execute(
            """
            SELECT t.name, k."from", k."table", k."to", k.on_delete
            FROM sqlite_master t JOIN pragma_foreign_key_list(t.name) k
            WHERE t.type = 'table'
            """
        ).fetchall()
    assert sorted(relations) == sorted(RELATIONS)


@pytest.mark.parametrize(
    ("emoji", "icon"),
    [
        ("⛺", "tent"),
        ("⛺\ufe0f", "tent"),
        ("🏕\ufe0f", "tent"),
        ("🩹", "heart-pulse"),
        ("🦄", "package"),
        ("", "package"),
    ],
)
def test_an_emoji_becomes_an_icon(emoji: str, icon: str) -> None:
    with closing(at_version(1)) as db:
        db.execute("INSERT INTO categories VALUES (4, 'Shelter', ?, 1700000000)", (emoji,))
        upgrade(db, 2, 10)
        rows = db.execute("SELECT id, name, icon, created_at FROM categories").fetchall()
    assert rows == [(4, "Shelter", icon, 1700000000)]


def test_rows_survive_the_upgrade_to_version_ten() -> None:
    with closing(at_version(1)) as db:
        db.executescript(
            """
            INSERT INTO categories VALUES (4, 'Shelter', '⛺', 1700000000);
            INSERT INTO items VALUES
                (3, 'Tarp', 310.3, 12900, 4, 'sealed', 'http://a.test', 'tarp.jpg', 1700000001, 1700000002),
                (9, 'Peg', 0.1, NULL, 4, NULL, NULL, NULL, 1700000003, 1700000004);
            INSERT INTO threads VALUES (5, 'Lighter tarp', 'resolved', 77, 4, 1700000005, 1700000006);
            INSERT INTO thread_candidates VALUES
                (8, 5, 'Silnylon', 240.7, 9900, 4, NULL, NULL, NULL, 1700000007, 1700000008);
            INSERT INTO settings VALUES ('weightUnit', 'g');
            """
        )
        upgrade(db, 2, 2)
        db.executescript(
            """
            INSERT INTO setups VALUES (2, 'Summer', 1700000009, 1700000010);
            INSERT INTO setup_items VALUES (6, 2, 9), (11, 2, 3);
            """
        )
        upgrade(db, 3, 10)
        items = db.execute(
            """
            SELECT id, name, weight_grams, price_cents, quantity, category_id, notes, product_url,
                image_filename, image_source_url, created_at, updated_at
            FROM items ORDER BY id
            """
        ).fetchall()
        candidates = db.execute(
            """
            SELECT id, thread_id, name, weight_grams, price_cents, category_id, status, sort_order,
                created_at, updated_at
            FROM thread_candidates
            """
        ).fetchall()
        threads = db.execute("SELECT * FROM threads").fetchall()
        settings = db.execute("SELECT * FROM settings").fetchall()
        setups = db.execute("SELECT * FROM setups").fetchall()
        lines = db.execute("SELECT * FROM setup_items ORDER BY id").fetchall()
        dangling = db.execute("PRAGMA foreign_key_check").fetchall()
    assert items == [
        (
            3,
            "Tarp",
            310.3,
            12900,
            1,
            4,
            "sealed",
            "http://a.test",
            "tarp.jpg",
            None,
            1700000001,
            1700000002,
        ),
        (9, "Peg", 0.1, None, 1, 4, None, None, None, None, 1700000003, 1700000004),
    ]
    assert candidates == [(8, 5, "Silnylon", 240.7, 9900, 4, "researching", 0.0, 1700000007, 1700000008)]
    assert threads == [(5, "Lighter tarp", "resolved", 77, 4, 1700000005, 1700000006)]
    assert settings == [("weightUnit", "g")]
    assert setups == [(2, "Summer", 1700000009, 1700000010)]
    assert lines == [(6, 2, 9, "base"), (11, 2, 3, "base")]
    assert dangling == []
