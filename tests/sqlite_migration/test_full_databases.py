"""Migrations into databases that are not empty."""

from pathlib import Path

import psycopg

from db import migrations
from scripts.databases import empty_database
from tests.sqlite_migration.migration import Finding, migrate, migrated, refused, spoil
from tests.sqlite_migration.new_collections import found

RENAME = "UPDATE items SET name = 'Newest' WHERE id = 1"


def test_a_second_run_of_the_same_file_finds_it_migrated(url: str, old: Path) -> None:
    migrated(url, old)
    run = refused(url, old)
    assert (run.exit_code, run.report["outcome"]) == (0, "already_migrated")


def test_a_changed_file_is_refused_unless_it_may_replace(url: str, old: Path) -> None:
    migrated(url, old)
    spoil(old, RENAME)
    assert refused(url, old).exit_code == 3
    migrated(url, old, "--replace")
    assert "Newest" in str(found(url)["items"])


def test_a_dry_run_reports_what_a_run_would_do_and_changes_nothing(url: str, old: Path) -> None:
    tried = refused(url, old, "--dry-run")
    done = migrated(url, old)
    assert (tried.exit_code, tried.report["outcome"]) == (0, "dry_run")
    assert tried.report["tables"] == done.report["tables"]


def test_a_database_that_stores_other_values_is_detected_and_left_unchanged(url: str, old: Path) -> None:
    with psycopg.connect(url) as conn:
        # Rounds a quantity of 8 to 10.
        conn.execute("ALTER TABLE setup_items ALTER quantity TYPE numeric(10, -1)")
    run = refused(url, old)
    assert (run.exit_code, run.report["outcome"]) == (6, "verification_failed")
    assert "setup_items" in run.report["message"]
    full = refused(url, old, "--verify", "full")
    assert (full.exit_code, "setup_items: 2 stored rows" in full.report["message"]) == (6, True)


def test_the_id_of_a_wrong_session_is_not_reported(url: str, old: Path) -> None:
    spoil(old, "UPDATE sessions SET expires_at = expires_at * 1000 + 5")
    with psycopg.connect(url) as conn:
        conn.execute("ALTER TABLE sessions ALTER expires_at TYPE timestamptz(0)")
    run = refused(url, old, "--ms-timestamps", "--verify", "full")
    assert (run.exit_code, run.report["message"]) == (
        6,
        "sessions: 1 stored rows differ from the file.",
    )


def test_a_database_that_rejects_a_row_is_left_unchanged(url: str, old: Path) -> None:
    with psycopg.connect(url) as conn:
        conn.execute("ALTER TABLE items ADD CHECK (name <> 'Peg')")
    run = refused(url, old)
    assert (run.exit_code, run.report["outcome"]) == (5, "failed")


def test_a_newer_database_is_refused(url: str, old: Path) -> None:
    with psycopg.connect(url) as conn:
        conn.execute("UPDATE alembic_version SET version_num = '9999'")
    assert refused(url, old).exit_code == 3


def test_a_database_with_only_the_default_user_is_filled(url: str, old: Path) -> None:
    with psycopg.connect(url) as conn:
        conn.execute("INSERT INTO users (username) VALUES ('local')")
    migrated(url, old)


def test_an_owner_without_superuser_rights_can_migrate(owner_url: str, old: Path) -> None:
    migrations.upgrade(owner_url)
    assert migrate(owner_url, old, "--verify", "full").exit_code == 0
    assert migrate(owner_url, old).report["outcome"] == "already_migrated"


def test_the_collection_of_another_user_is_never_overwritten(url: str, old: Path) -> None:
    with psycopg.connect(url) as conn:
        conn.execute("INSERT INTO users (username) VALUES ('eve')")
        conn.execute("INSERT INTO setups (user_id, name) SELECT id, 'Alps' FROM users")
    run = refused(url, old)
    assert run.exit_code == 3
    assert "1 setups" in run.report["message"]


def test_a_dry_run_on_a_database_without_a_schema_finds_what_stops_the_real_run(
    server: str, old: Path
) -> None:
    spoil(old, "UPDATE items SET notes = CAST(x'4dfc747a65' AS TEXT) WHERE id = 1")
    finding = Finding("items", 1, "notes", "invalid_utf8", "--bad-utf8=replace")
    with empty_database(server) as url:
        trial = refused(url, old, "--dry-run")
        assert (trial.exit_code, trial.findings()) == (4, {finding})
        real = migrate(url, old)
        assert (real.exit_code, real.findings()) == (4, {finding})


def test_a_dry_run_on_an_older_schema_finds_that_the_database_is_not_empty(url: str, old: Path) -> None:
    with psycopg.connect(url) as conn:
        conn.execute("INSERT INTO users (username) VALUES ('eve')")
        conn.execute("INSERT INTO setups (user_id, name) SELECT id, 'Alps' FROM users")
        conn.execute("UPDATE alembic_version SET version_num = %s", (migrations.REVISIONS[0],))
    trial = refused(url, old, "--dry-run")
    assert (trial.exit_code, "1 setups" in trial.report["message"]) == (3, True)
