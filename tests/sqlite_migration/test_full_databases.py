"""Databases that hold something already, and what a migration does with them."""

from pathlib import Path

import psycopg

from db import migrations
from tests.sqlite_migration.migration import migrate, migrated, refused, spoil
from tests.sqlite_migration.new_collections import found

RENAME = "UPDATE items SET name = 'Newest' WHERE id = 1"


def test_a_second_run_of_the_same_file_finds_everything_there(url: str, old: Path) -> None:
    migrated(url, old)
    run = refused(url, old)
    assert (run.exit_code, run.report["outcome"]) == (0, "already_migrated")


def test_a_file_that_has_changed_since_is_refused_until_it_may_replace(url: str, old: Path) -> None:
    migrated(url, old)
    spoil(old, RENAME)
    assert refused(url, old).exit_code == 3
    migrated(url, old, "--replace")
    assert "Newest" in str(found(url)["items"])


def test_a_dry_run_says_what_a_run_would_do_and_does_nothing(url: str, old: Path) -> None:
    tried = refused(url, old, "--dry-run")
    done = migrated(url, old)
    assert (tried.exit_code, tried.report["outcome"]) == (0, "dry_run")
    assert tried.report["tables"] == done.report["tables"]


def test_a_database_that_stores_something_else_is_found_out_and_left_as_it_was(url: str, old: Path) -> None:
    with psycopg.connect(url) as conn:
        # Rounds a quantity of 8 to 10.
        conn.execute("ALTER TABLE setup_items ALTER quantity TYPE numeric(10, -1)")
    run = refused(url, old)
    assert (run.exit_code, run.report["outcome"]) == (6, "verification_failed")
    assert "setup_items" in run.report["message"]
    full = refused(url, old, "--verify", "full")
    assert (full.exit_code, "setup_items: 2 rows" in full.report["message"]) == (6, True)


def test_a_session_that_is_stored_wrong_is_not_told(url: str, old: Path) -> None:
    spoil(old, "UPDATE sessions SET expires_at = expires_at * 1000 + 5")
    with psycopg.connect(url) as conn:
        conn.execute("ALTER TABLE sessions ALTER expires_at TYPE timestamptz(0)")
    run = refused(url, old, "--ms-timestamps", "--verify", "full")
    assert (run.exit_code, run.report["message"]) == (
        6,
        "sessions: 1 rows are not stored as they were read.",
    )


def test_a_database_that_refuses_a_row_is_left_as_it_was(url: str, old: Path) -> None:
    with psycopg.connect(url) as conn:
        conn.execute("ALTER TABLE items ADD CHECK (name <> 'Peg')")
    run = refused(url, old)
    assert (run.exit_code, run.report["outcome"]) == (5, "failed")


def test_a_newer_database_is_refused(url: str, old: Path) -> None:
    with psycopg.connect(url) as conn:
        conn.execute("UPDATE alembic_version SET version_num = '9999'")
    assert refused(url, old).exit_code == 3


def test_an_empty_database_in_which_a_server_has_made_its_user_is_filled(url: str, old: Path) -> None:
    with psycopg.connect(url) as conn:
        conn.execute("INSERT INTO users (username) VALUES ('local')")
    migrated(url, old)


def test_an_owner_who_is_no_superuser_migrates_too(owner_url: str, old: Path) -> None:
    migrations.upgrade(owner_url)
    assert migrate(owner_url, old, "--verify", "full").exit_code == 0
    assert migrate(owner_url, old).report["outcome"] == "already_migrated"


def test_somebody_elses_collection_is_never_overwritten(url: str, old: Path) -> None:
    with psycopg.connect(url) as conn:
        conn.execute("INSERT INTO users (username) VALUES ('eve')")
        conn.execute("INSERT INTO setups (user_id, name) SELECT id, 'Alps' FROM users")
    run = refused(url, old)
    assert run.exit_code == 3
    assert "1 setups" in run.report["message"]
