"""Nasty values: each is kept unchanged, or stops the run and is reported, unless a flag repairs it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.sqlite_migration.migration import Finding, migrate, migrated, refused, spoil
from tests.sqlite_migration.nasty_values import CASCADE, CASES, Nasty
from tests.sqlite_migration.old_collections import VERSIONS, OldCollection, fill, small_collection, upgrade


@pytest.mark.parametrize("version", VERSIONS)
def test_a_collection_of_every_version_is_migrated_equal(url: str, folder: Path, version: int) -> None:
    run = migrated(url, small_collection(folder / "old.db", version), "--owner", "ada")
    assert run.report["source"]["version"] == version
    assert run.findings() == set()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_a_value_that_cannot_be_kept_stops_the_run_and_is_reported(
    untouched: str, old: Path, case: Nasty
) -> None:
    spoil(old, case.spoil)
    run = refused(untouched, old)
    assert (run.exit_code, run.report["outcome"]) == (4, "rejected"), run.output
    assert run.findings() == set(case.findings)
    assert run.findings("rejected") == set(case.findings)


@pytest.mark.parametrize("case", [case for case in CASES if case.flag], ids=lambda case: case.what)
def test_a_repair_mends_its_values_and_no_others(url: str, old: Path, case: Nasty) -> None:
    spoil(old, case.spoil)
    run = migrated(url, old, case.flag, as_if=case.mend)
    assert run.findings("converted", "skipped") >= set(case.findings)
    assert run.findings("rejected") == set()


@pytest.mark.parametrize(
    ("statements", "left_out"),
    [
        ("UPDATE items SET name = CAST(x'54ff65' AS TEXT) WHERE id = 1", "DELETE FROM items WHERE id = 1"),
        ("UPDATE categories SET name = ' ' WHERE id = 1", "DELETE FROM categories WHERE id = 1"),
        ("UPDATE threads SET status = 'done' WHERE id = 1", "DELETE FROM threads WHERE id = 1"),
        ("UPDATE setups SET id = 9223372036854775807", "DELETE FROM setups"),
    ],
)
def test_a_row_that_cannot_be_kept_is_left_out_with_its_dependents(
    url: str, old: Path, statements: str, left_out: str
) -> None:
    spoil(old, statements)
    run = migrated(url, old, "--skip-rejected", as_if=f"{left_out}; {CASCADE}")
    assert run.findings("skipped")
    assert run.report["tables"]["setups"]["next_id"] == 2


def test_a_repair_of_one_defect_leaves_another_to_stop_the_run(untouched: str, old: Path) -> None:
    spoil(old, "UPDATE items SET notes = 'a' || char(0), created_at = 1700000000123 WHERE id = 1")
    run = refused(untouched, old, "--nul=strip")
    assert run.exit_code == 4
    assert run.findings("rejected") == {Finding("items", 1, "created_at", "milliseconds", "--ms-timestamps")}


def test_unusual_values_are_kept_unchanged(url: str, old: Path) -> None:
    spoil(
        old,
        r"""
        UPDATE items SET name = char(9) || '\.' || char(10), notes = '', price_cents = '1299' WHERE id = 1;
        UPDATE items SET notes = '\N' || char(13, 10, 9, 65535, 8238, 128512) WHERE id = 2;
        UPDATE items SET price_cents = 4294967301 WHERE id = 2;
        UPDATE items SET weight_grams = 0.1 + 0.2, created_at = 0, quantity = 0 WHERE id = 1;
        UPDATE items SET weight_grams = 5e-324, quantity = 2147483647 WHERE id = 2;
        UPDATE items SET weight_grams = 999999999.99999988 WHERE id = 5;
        UPDATE categories SET name = 'Caf' || char(233) WHERE id = 2;
        INSERT INTO settings VALUES ('note', replace(printf('%.*c', 2000000, 'x'), 'x', 'ö'));
        """,
    )
    migrated(url, old)


def test_text_that_people_write_is_composed_and_reported(url: str, old: Path) -> None:
    spoil(
        old,
        """
        UPDATE categories SET name = 'Kla' || char(776) || 'der' WHERE id = 1;
        UPDATE items SET name = 'O' || char(776) || 'l', notes = 'a' || char(778) WHERE id = 1;
        UPDATE items SET image_filename = 'u' || char(776) || '.png' WHERE id = 2;
        UPDATE thread_candidates SET pros = 'e' || char(769), cons = 'e' || char(769) WHERE id = 3;
        UPDATE setups SET name = 'A' || char(770) WHERE id = 1;
        UPDATE users SET username = 'zoe' || char(776);
        """,
    )
    run = migrated(url, old, "--owner", "zoe\u0308")
    assert run.findings() == run.findings("converted")
    assert run.findings() == {
        Finding(table, key, column, "not_nfc", None)
        for table, key, column in (
            ("categories", 1, "name"),
            ("items", 1, "name"),
            ("items", 1, "notes"),
            ("thread_candidates", 3, "pros"),
            ("thread_candidates", 3, "cons"),
            ("setups", 1, "name"),
            ("users", 1, "username"),
        )
    }
    with psycopg.connect(url) as conn:
        assert conn.execute("SELECT name FROM categories WHERE id = 1").fetchone() == ("Kl\u00e4der",)
        # The name of a file has to be the one in the folder.
        assert conn.execute("SELECT filename FROM images").fetchone() == ("u\u0308.png",)
    assert migrate(url, old).report["outcome"] == "already_migrated"


def test_categories_that_differ_only_in_the_encoding_of_accents_become_one(url: str, old: Path) -> None:
    spoil(
        old,
        """
        INSERT INTO categories (id, name, created_at)
        VALUES (7, 'Kla' || char(776) || 'der', 1), (8, 'Kl' || char(228) || 'der', 1);
        UPDATE items SET category_id = 8 WHERE id = 5;
        """,
    )
    run = refused(url, old)
    assert run.findings("rejected") == {Finding("categories", 8, "name", "duplicate", "--categories=merge")}
    mend = "UPDATE items SET category_id = 7 WHERE id = 5; DELETE FROM categories WHERE id = 8"
    migrated(url, old, "--categories=merge", as_if=mend)


def test_text_in_utf_16_is_composed_too(url: str, folder: Path) -> None:
    with closing(sqlite3.connect(folder / "old.db", isolation_level=None)) as db:
        db.execute("PRAGMA encoding = 'UTF-16le'")
        upgrade(db, 1, 10)
        fill(OldCollection(db))
        db.execute("UPDATE items SET name = 'Öl', notes = 'O' || char(776) WHERE id = 1")
    run = migrated(url, folder / "old.db")
    assert run.findings() == {Finding("items", 1, "notes", "not_nfc", None)}


def test_a_value_that_does_not_fit_into_the_notes_stops_the_run(untouched: str, old: Path) -> None:
    spoil(old, "UPDATE items SET notes = printf('%.*c', 65530, 'x'), price_cents = 'abc' WHERE id = 1")
    run = refused(untouched, old, "--unreadable=to-notes")
    assert run.findings("rejected") == {Finding("items", 1, "notes", "too_long")}


def test_a_secret_is_never_moved_to_notes(untouched: str, old: Path) -> None:
    spoil(old, "UPDATE users SET password_hash = CAST(password_hash AS BLOB)")
    run = refused(untouched, old, "--unreadable=to-notes")
    assert run.findings("rejected") == {Finding("users", 1, "password_hash", "blob")}


def test_an_ambiguous_weight_is_not_converted(untouched: str, old: Path) -> None:
    spoil(old, "UPDATE items SET weight_grams = '12 stone' WHERE id = 1")
    run = refused(untouched, old, "--text-weights")
    assert run.findings("rejected") == {
        Finding("items", 1, "weight_grams", "text_in_number", "--unreadable=to-notes")
    }


@pytest.mark.parametrize(
    ("hashed", "prefix", "works"),
    [
        ("93be07d1c2a8f4560b7e9d3c1a5f8e2b4d6c0a9f7e5b3d1c8a6f4e2d0b9c7a53", "", True),
        ("$argon2id$v=19$m=65536,t=2,p=1$c2VjcmV0IHNhbHQ$cGFzc3dvcmQgaGFzaCBvZiBhZGE", "gb_3f2a9", True),
        ("$argon2id$v=19$m=65536,t=2,p=1$c2VjcmV0IHNhbHQ$cGFzc3dvcmQgaGFzaCBvZiBhZGE", "", False),
        ("$argon2id$v=19$truncated", "gb_3f2a9", False),
        ("$2b$10$abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzab", "gb_3f2a9", False),
        ("93BE07D1C2A8F4560B7E9D3C1A5F8E2B4D6C0A9F7E5B3D1C8A6F4E2D0B9C7A53", "gb_3f2a9", False),
        ("gb_3f2a91c07e5d4b68", "gb_3f2a9", False),
    ],
    ids=["SHA-256", "argon2", "argon2 without a prefix", "truncated", "bcrypt", "in capitals", "the key"],
)
def test_a_key_whose_hash_cannot_be_verified_is_reported(
    url: str, old: Path, hashed: str, prefix: str, works: bool
) -> None:
    spoil(old, f"UPDATE api_keys SET key_hash = '{hashed}', key_prefix = '{prefix}'")  # noqa: S608
    run = migrated(url, old)
    dead = {Finding("api_keys", 1, "key_hash", "unknown_hash", None)}
    assert run.findings() == run.findings("noted") == (set() if works else dead)
    assert ("1 × unknown hash, noted; 1: laptop" in run.output) == (not works)
    assert hashed not in run.output


def test_an_emptied_table_keeps_its_next_id(url: str, old: Path) -> None:
    spoil(
        old,
        """
        INSERT INTO setups VALUES (500, 'Gone', 0, 0);
        DELETE FROM setup_items;
        DELETE FROM setups;
        INSERT INTO items (id, name, category_id, created_at, updated_at) VALUES (700, 'Gone', 1, 0, 0);
        DELETE FROM items WHERE id = 700;
        """,
    )
    run = migrated(url, old)
    assert run.report["tables"]["setups"]["next_id"] == 501
    assert run.report["tables"]["items"]["next_id"] == 701


def test_a_table_without_a_stored_last_id_continues_after_the_highest(url: str, old: Path) -> None:
    spoil(old, "DELETE FROM sqlite_sequence WHERE name = 'items'; UPDATE sqlite_sequence SET seq = 1")
    run = migrated(url, old)
    assert run.report["tables"]["items"]["next_id"] == 6
    assert run.report["tables"]["candidates"]["next_id"] == 4


@pytest.mark.parametrize(
    ("statements", "finding"),
    [
        (
            "CREATE TABLE trips (id integer PRIMARY KEY, name text); INSERT INTO trips VALUES (1, 'Alps')",
            Finding("trips", None, None, "unknown_table"),
        ),
        (
            "ALTER TABLE items ADD rating integer; UPDATE items SET rating = 5 WHERE id = 2",
            Finding("items", None, "rating", "unknown_column"),
        ),
    ],
)
def test_unknown_data_is_not_dropped_in_silence(
    untouched: str, old: Path, statements: str, finding: Finding
) -> None:
    spoil(old, statements)
    run = refused(untouched, old)
    assert (run.exit_code, run.findings("rejected")) == (4, {finding})


@pytest.mark.parametrize(
    ("statements", "findings"),
    [
        (
            """
            CREATE TABLE __drizzle_migrations (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric);
            INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('3f2a', 1700000000000);
            """,
            set[Finding](),
        ),
        (
            """
            CREATE INDEX by_name ON items (name);
            CREATE VIEW heavy AS SELECT * FROM items WHERE weight_grams > 1000;
            CREATE TRIGGER stamp AFTER UPDATE ON items BEGIN DELETE FROM items; END;
            ANALYZE;
            """,
            set[Finding](),
        ),
        (
            "CREATE TABLE trips (id integer PRIMARY KEY)",
            {Finding("trips", None, None, "unknown_table", None)},
        ),
        (
            "ALTER TABLE items ADD rating integer",
            {Finding("items", None, "rating", "unknown_column", None)},
        ),
    ],
    ids=["drizzle's own table", "an index, a view, a trigger", "an empty table", "an empty column"],
)
def test_objects_without_data_of_the_collection_are_ignored(
    url: str, old: Path, statements: str, findings: set[Finding]
) -> None:
    spoil(old, statements)
    run = migrated(url, old)
    assert run.findings() == run.findings("noted") == findings


def test_the_id_of_a_row_that_was_left_out_is_not_given_again(url: str, old: Path) -> None:
    spoil(
        old,
        """
        INSERT INTO items (id, name, quantity, category_id, created_at, updated_at)
        VALUES (600, 'Bad', -1, 1, 0, 0);
        DELETE FROM sqlite_sequence WHERE name = 'items';
        """,
    )
    run = migrate(url, old, "--skip-rejected")
    assert run.exit_code == 0
    assert run.report["tables"]["items"]["next_id"] == 601
