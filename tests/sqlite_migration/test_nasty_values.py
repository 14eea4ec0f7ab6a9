"""Nasty values: each is kept unchanged, or stops the run and is reported, unless a flag repairs it."""

from pathlib import Path

import pytest

from tests.sqlite_migration.migration import Finding, migrated, refused, spoil
from tests.sqlite_migration.nasty_values import CASCADE, CASES, Nasty
from tests.sqlite_migration.old_collections import VERSIONS, small_collection


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
        UPDATE categories SET name = 'Cafe' || char(769) WHERE id = 1;
        UPDATE categories SET name = 'Caf' || char(233) WHERE id = 2;
        INSERT INTO settings VALUES ('note', replace(printf('%.*c', 2000000, 'x'), 'x', 'ö'));
        """,
    )
    migrated(url, old)


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
