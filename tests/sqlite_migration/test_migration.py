"""The migration from SQLite: what it moves, what stops it, all or nothing."""

# ruff: noqa: S608 (files are built here)

import json
import multiprocessing
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, redirect_stderr, redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from typing import Any, LiteralString, NamedTuple

import psycopg
import pytest
from psycopg.sql import SQL

from mcp_server.cli import run
from mcp_server.sqlite_migration.source import JOURNAL_MAGIC
from mcp_server.sqlite_migration.versions import ARCHIVE
from tests.conftest import ROOT
from tests.pictures import photo

AT = 1_700_000_000
KEY_HASH = "$argon2id$v=19$m=65536,t=2,p=1$c2VjcmV0IHNhbHQ$" + "secret" * 7 + "s"
ROWS = f"""
    INSERT INTO users VALUES (3, 'ada', '$argon2id$v=19$secret', {AT});
    INSERT INTO categories (id, name, icon, created_at)
    VALUES (4, 'Shelter', 'tent', {AT}), (5, 'Öl', 'flame', {AT});
    INSERT INTO items
        (id, name, weight_grams, price_cents, quantity, category_id, notes, product_url,
        image_filename, image_source_url, created_at, updated_at)
    VALUES
        (3, 'Tarp', 310.3, 12900, 1, 4, '', 'https://a.test/?q=1', 'tarp.png', 'https://a.test/tarp.png',
        {AT}, {AT + 1}),
        (9, 'Peg', 0.1, NULL, 8, 4, 'titanium, très light', NULL, NULL, NULL, {AT}, {AT}),
        (11, 'Öl-Lampe', NULL, 0, 1, 5, NULL, NULL, 'gone.jpg', NULL, {AT}, {AT});
    INSERT INTO threads VALUES (5, 'Lighter tarp', 'resolved', 8, 4, {AT}, {AT});
    INSERT INTO thread_candidates
        (id, thread_id, name, weight_grams, category_id, status, pros, sort_order, created_at, updated_at)
    VALUES (8, 5, 'Silnylon', 240.7, 4, 'ordered', 'light', 1.5, {AT}, {AT});
    INSERT INTO setups VALUES (2, 'Summer', {AT}, {AT});
    INSERT INTO setup_items VALUES (6, 2, 9, 'worn'), (7, 2, 3, 'base');
    INSERT INTO settings VALUES ('weightUnit', 'oz'), ('theme', 'dark');
    INSERT INTO sessions VALUES ('session-secret', 3, {AT});
    INSERT INTO api_keys VALUES (1, 'laptop', '{KEY_HASH}', 'gb_1', {AT});
    INSERT INTO oauth_clients VALUES (1, 'claude', NULL, '["https://c.test/cb","x:/y"]', {AT});
    INSERT INTO oauth_codes VALUES (1, 'code-secret', 'claude', 'challenge', 'S256', 'x:/y', {AT}, 1);
    INSERT INTO oauth_tokens VALUES (1, 'access-secret', 'refresh-secret', 'claude', {AT}, {AT}, {AT});
    UPDATE sqlite_sequence SET seq = 77 WHERE name = 'items';
"""


class Ended(NamedTuple):
    code: int
    out: str
    err: str
    report: dict[str, Any]

    @property
    def findings(self) -> list[tuple[Any, ...]]:
        keys = ("table", "id", "column", "problem", "action", "flag")
        return [tuple(finding[key] for key in keys) for finding in self.report["findings"]]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file of version 10 with a row or two of everything."""
    return build(tmp_path / "old.db", ROWS)


def build(path: Path, rows: str, version: int = 10) -> Path:
    with closing(sqlite3.connect(path)) as db:
        for step in sorted(ARCHIVE.glob("*.sql"))[:version]:
            db.executescript(step.read_text(encoding="utf-8"))
        db.executescript(rows)
    return path


def change(path: Path, statement: str, *parameters: Any) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(statement, parameters)


def migrate(url: str, file: Path, *options: str) -> Ended:
    """Run the command in this process, which is faster."""
    report = file.parent / "report.json"
    report.unlink(missing_ok=True)
    out, err = StringIO(), StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        patch.setenv("DATABASE_URL", url)
        code = run(["migrate-sqlite", str(file), "--report", str(report), *options])
    text = report.read_text(encoding="utf-8") if report.exists() else "{}"
    assert "secret" not in out.getvalue() + err.getvalue() + text
    return Ended(code, out.getvalue(), err.getvalue(), json.loads(text))


def in_a_process(url: str, *arguments: str) -> None:
    """Run the command to its end, unless this process is stopped first."""
    os.environ["DATABASE_URL"] = url
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        sys.exit(run(["migrate-sqlite", *arguments]))


def rows(url: str, query: LiteralString) -> list[Any]:
    with psycopg.connect(url) as conn:
        return conn.execute(query).fetchall()


def state(url: str) -> list[Any]:
    """Everything that a failed migration must leave unchanged."""
    return rows(
        url,
        """
        SELECT 'key', conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        UNION ALL SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname, tgenabled::text FROM pg_trigger
            WHERE NOT tgisinternal
        UNION ALL SELECT 'security', relname, relrowsecurity::text, relforcerowsecurity::text FROM pg_class
            WHERE relkind = 'r'
        UNION ALL SELECT 'sequence', sequencename, coalesce(last_value, 0)::text, '' FROM pg_sequences
        UNION ALL SELECT 'user', username, id::text, '' FROM users
        UNION ALL SELECT 'item', name, id::text, '' FROM items
        ORDER BY 1, 2, 3
        """,
    )


def test_everything_arrives_with_its_ids_and_times(url: str, old: Path) -> None:
    ended = migrate(url, old)
    assert (ended.code, ended.findings) == (0, [])
    assert "set GEARSHED_USER=ada" in ended.out
    assert rows(
        url, "SELECT id, username, password_hash, extract(epoch FROM created_at)::int FROM users"
    ) == [(3, "ada", "$argon2id$v=19$secret", AT)]
    assert rows(
        url,
        """
        SELECT items.id, name, weight_grams, price_cents, quantity, category_id, notes, product_url, filename,
            source_url, extract(epoch FROM updated_at)::int
        FROM items LEFT JOIN images ON images.id = image_id ORDER BY items.id
        """,
    ) == [
        (
            3,
            "Tarp",
            310.3,
            12900,
            1,
            4,
            "",
            "https://a.test/?q=1",
            "tarp.png",
            "https://a.test/tarp.png",
            AT + 1,
        ),
        (9, "Peg", 0.1, None, 8, 4, "titanium, très light", None, None, None, AT),
        (11, "Öl-Lampe", None, 0, 1, 5, None, None, "gone.jpg", None, AT),
    ]
    assert rows(url, "SELECT id, quantity, classification, worn_quantity FROM setup_items ORDER BY id") == [
        (6, 8, "worn", 8),
        (7, 1, "base", 0),
    ]
    assert rows(url, "SELECT key, value FROM settings ORDER BY key") == [
        ("theme", "dark"),
        ("weightUnit", "oz"),
        ("weight_unit", "oz"),
    ]
    assert rows(url, "SELECT redirect_uris FROM oauth_clients") == [(["https://c.test/cb", "x:/y"],)]
    assert rows(url, "SELECT used, user_id FROM oauth_codes") == [(True, 3)]
    assert rows(
        url, "SELECT nextval('items_id_seq'), nextval('setups_id_seq'), nextval('images_id_seq')"
    ) == [(78, 3, 3)]
    assert rows(url, "SELECT count(*) FROM changes") == [(0,)]
    assert ended.report["images"] == {"stored": 0, "missing": ["gone.jpg", "tarp.png"]}


def test_the_database_is_as_strict_as_before(url: str, old: Path) -> None:
    before = state(url)
    assert migrate(url, old).code == 0
    kinds = ("key", "index", "trigger", "security")
    assert [row for row in state(url) if row[0] in kinds] == [row for row in before if row[0] in kinds]


def test_every_item_has_the_words_that_the_triggers_would_insert(url: str, old: Path) -> None:
    assert migrate(url, old, "--verify", "full").code == 0
    words = rows(url, "SELECT item_id, word FROM item_words ORDER BY item_id, word")
    with psycopg.connect(url) as conn:
        conn.execute("SET LOCAL gearshed.user_id = '3'")
        conn.execute("DELETE FROM item_words")
        conn.execute("UPDATE items SET notes = concat(notes, ' x')")
        conn.execute("UPDATE items SET notes = regexp_replace(notes, ' x$', '')")
        assert conn.execute("SELECT item_id, word FROM item_words ORDER BY item_id, word").fetchall() == words


def test_the_sums_of_items_are_those_that_the_triggers_would_keep(url: str, old: Path) -> None:
    assert migrate(url, old).code == 0
    sums = "SELECT category_id, items, weight_grams FROM item_sums ORDER BY category_id"
    plain = """
        SELECT category_id, count(*), coalesce(sum(weight_grams::numeric * quantity), 0)
        FROM items GROUP BY category_id ORDER BY category_id
    """
    assert rows(url, plain) != []
    assert rows(url, sums) == rows(url, plain)


def test_the_same_file_is_recognised(url: str, old: Path) -> None:
    assert migrate(url, old).code == 0
    again = migrate(url, old)
    assert (again.code, again.report["outcome"]) == (0, "already_migrated")
    assert "verified equal" in again.out
    rows(url, "UPDATE items SET name = 'Tarp 2' WHERE id = 3 RETURNING id")
    changed = migrate(url, old)
    assert (changed.code, changed.report["outcome"]) == (3, "refused")
    assert "items changed since" in changed.err
    assert migrate(url, old, "--replace").code == 0
    assert rows(url, "SELECT name FROM items WHERE id = 3") == [("Tarp",)]


def test_a_database_that_is_not_empty_is_refused_unless_it_may_be_replaced(
    url: str, old: Path, tmp_path: Path
) -> None:
    assert migrate(url, build(tmp_path / "other.db", "")).code == 0
    rows(url, "INSERT INTO setups (user_id, name) SELECT id, 'Kept' FROM users RETURNING id")
    before = state(url)
    refused = migrate(url, old)
    assert refused.code == 3
    assert "already holds 1 setups" in refused.err
    assert state(url) == before
    assert migrate(url, old, "--replace").code == 0
    assert rows(url, "SELECT name FROM setups") == [("Summer",)]


def test_a_dry_run_does_everything_and_stores_nothing(url: str, old: Path) -> None:
    before = state(url)
    trial = migrate(url, old, "--dry-run")
    assert (trial.code, trial.report["outcome"]) == (0, "dry_run")
    assert trial.report["tables"]["items"]["written"] == 3
    assert state(url) == before


@pytest.mark.parametrize("version", range(1, 11))
def test_every_version_is_recognised_and_moved(url: str, tmp_path: Path, version: int) -> None:
    emoji = "icon" if version > 2 else "emoji"
    file = build(
        tmp_path / "old.db",
        f"""
        INSERT INTO categories (id, name, {emoji}, created_at)
            VALUES (1, 'Sleep', '{"bed" if version > 2 else "🛏️"}', {AT});
        INSERT INTO items (id, name, category_id, created_at, updated_at) VALUES (1, 'Quilt', 1, {AT}, {AT});
        """,
        version,
    )
    ended = migrate(url, file, *(["--owner", "eve"] if version != 1 else []))
    assert (ended.code, ended.report["source"]["version"], ended.findings) == (0, version, [])
    assert rows(url, "SELECT icon FROM categories") == [("bed",)]
    assert rows(url, "SELECT username FROM users") == [("eve" if version != 1 else "local",)]
    assert rows(url, "SELECT name, quantity FROM items") == [("Quilt", 1)]


BAD = [
    ("UPDATE items SET price_cents = 'cheap'", "price_cents", "text_in_number", "--unreadable=to-notes"),
    ("UPDATE items SET price_cents = 12.5", "price_cents", "fraction", "--unreadable=to-notes"),
    ("UPDATE items SET quantity = 4294967297", "quantity", "out_of_range", "--skip-rejected"),
    ("UPDATE items SET weight_grams = 9e999", "weight_grams", "not_finite", "--unreadable=to-notes"),
    ("UPDATE items SET weight_grams = -1", "weight_grams", "out_of_range", "--unreadable=to-notes"),
    ("UPDATE items SET name = x'414243'", "name", "blob", "--skip-rejected"),
    ("UPDATE items SET name = '  '", "name", "empty", "--skip-rejected"),
    ("UPDATE items SET product_url = 'ftp://a.test'", "product_url", "bad_url", "--unreadable=to-notes"),
    ("UPDATE items SET created_at = 'yesterday'", "created_at", "bad_timestamp", "--skip-rejected"),
    ("UPDATE items SET category_id = 99", "category_id", "dangling", "--orphans=as-deleted"),
]
MENDED = [
    (
        "created_at = 1700000000123",
        "milliseconds",
        "--ms-timestamps",
        "created_at::text",
        "2023-11-14 22:13:20.123+00",
    ),
    (
        "created_at = '\"2024-05-06T07:08:09.5Z\"'",
        "text_timestamp",
        "--text-timestamps",
        "created_at::text",
        "2024-05-06 07:08:09.5+00",
    ),
    (
        "created_at = '2024-05-06 07:08:09'",
        "text_timestamp",
        "--text-timestamps",
        "created_at::text",
        "2024-05-06 07:08:09+00",
    ),
    ("price_cents = ''", "empty", "--empty-as-null", "price_cents::text", None),
    ("product_url = ''", "empty", "--empty-as-null", "product_url", None),
    ("notes = 'a' || char(0) || 'b'", "nul_in_text", "--nul=strip", "notes", "ab"),
    ("notes = CAST(x'61ff62' AS TEXT)", "invalid_utf8", "--bad-utf8=replace", "notes", "a\ufffdb"),
    ("category_id = 99", "dangling", "--orphans=as-deleted", "category_id::text", None),
    ("weight_grams = '540 g'", "text_in_number", "--text-weights", "weight_grams::text", "540"),
    ("product_url = 'www.a.test'", "bad_url", "--urls=complete", "product_url", "https://www.a.test"),
    ("price_cents = 'cheap'", "text_in_number", "--unreadable=to-notes", "notes", "price_cents: cheap"),
]


@pytest.mark.parametrize(("statement", "column", "problem", "flag"), BAD)
def test_a_value_that_cannot_be_kept_stops_the_run_or_its_row_is_left_out(
    url: str, old: Path, statement: str, column: str, problem: str, flag: str
) -> None:
    before = state(url)
    change(old, f"{statement} WHERE id = 9")
    stopped = migrate(url, old)
    assert (stopped.code, stopped.report["outcome"]) == (4, "rejected")
    assert stopped.findings == [("items", 9, column, problem, "rejected", flag)]
    assert state(url) == before
    left_out = migrate(url, old, "--skip-rejected")
    assert left_out.code == 0
    assert rows(url, "SELECT id FROM items ORDER BY id") == [(3,), (11,)]
    assert rows(url, "SELECT item_id FROM setup_items") == [(3,)]
    assert left_out.report["tables"]["items"]["rejected"] == 1


@pytest.mark.parametrize(("assignment", "problem", "flag", "column", "mended"), MENDED)
def test_a_repair_mends_its_defect_and_reports_it(
    url: str, old: Path, assignment: str, problem: str, flag: str, column: LiteralString, mended: str | None
) -> None:
    change(old, f"UPDATE items SET {assignment} WHERE id = 3")
    name = assignment.split(" ")[0]
    stopped = migrate(url, old)
    assert (stopped.code, stopped.findings) == (4, [("items", 3, name, problem, "rejected", flag)])
    done = migrate(url, old, flag)
    assert (done.code, done.findings) == (0, [("items", 3, name, problem, "converted", flag)])
    with psycopg.connect(url) as conn:
        conn.execute("SET LOCAL timezone TO 'UTC'")
        found = conn.execute(SQL("SELECT {} FROM items WHERE id = 3").format(SQL(column))).fetchone()
    assert found == (mended,)


def in_wal_mode(path: Path) -> sqlite3.Connection:
    """Return a connection that keeps the newest writes in a file beside *path*."""
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA wal_autocheckpoint = 0")
    db.execute("UPDATE items SET name = 'In the WAL' WHERE id = 3")
    db.commit()
    return db


def test_rows_in_the_wal_are_moved_and_nothing_is_written_beside_the_file(url: str, old: Path) -> None:
    with closing(in_wal_mode(old)):
        before = {path.name: path.read_bytes() for path in old.parent.iterdir()}
        assert sorted(before) == ["old.db", "old.db-shm", "old.db-wal"]
        ended = migrate(url, old)
        assert (ended.code, ended.report["source"]["wal"]) == (0, True)
        after = {path.name: path.read_bytes() for path in old.parent.iterdir() if path.name != "report.json"}
        assert after == before
    assert rows(url, "SELECT name FROM items WHERE id = 3") == [("In the WAL",)]


def test_a_file_in_wal_mode_without_its_wal_is_moved_with_a_warning(url: str, old: Path) -> None:
    with closing(in_wal_mode(old)):
        alone = old.parent / "alone.db"
        alone.write_bytes(old.read_bytes())
    ended = migrate(url, alone)
    assert ended.code == 0
    assert "copy it again together with" in ended.err
    assert sorted(path.name for path in old.parent.iterdir()) == ["alone.db", "old.db", "report.json"]


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:20000])


def scrambled(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)


def being_written(path: Path) -> None:
    path.with_name(path.name + "-journal").write_bytes(JOURNAL_MAGIC)


def of_something_else(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, text)")


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def encrypted(path: Path) -> None:
    path.write_bytes(b"no database" * 1000)


UNUSABLE = [
    (Path.unlink, "cannot be read: No such file"),
    (emptied, "is empty (0 bytes)"),
    (encrypted, "not an SQLite database, or it is encrypted"),
    (cut_off, "damaged"),
    (scrambled, "damaged"),
    (being_written, "Open and close the file once"),
    (of_something_else, "is not a collection of the old application: it lacks categories, items"),
]


@pytest.mark.parametrize(("spoil", "reason"), UNUSABLE)
def test_an_unusable_file_is_refused_with_the_reason(
    url: str, old: Path, spoil: Callable[[Path], Any], reason: str
) -> None:
    spoil(old)
    ended = migrate(url, old)
    assert (ended.code, ended.report["outcome"]) == (2, "refused")
    assert reason in ended.err
    assert rows(url, "SELECT count(*) FROM users") == [(0,)]


def test_a_locked_file_is_reported_as_in_use(url: str, old: Path) -> None:
    with closing(sqlite3.connect(old, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        ended = migrate(url, old)
    assert ended.code == 2
    assert "it is in use" in ended.err


def test_an_invalid_option_and_an_unreachable_server_exit_with_1(url: str, old: Path) -> None:
    with pytest.raises(SystemExit, match="1"):
        migrate(url, old, "--nul=keep")
    away = migrate("postgresql://ada:secret@127.0.0.1:1/gear", old)
    assert (away.code, away.report["outcome"]) == (1, "refused")
    assert "cannot be reached" in away.err


def test_a_newer_schema_is_refused(url: str, old: Path) -> None:
    rows(url, "UPDATE alembic_version SET version_num = '9999' RETURNING version_num")
    ended = migrate(url, old)
    assert ended.code == 3
    assert "schema 9999" in ended.err


def test_unknown_tables_and_columns_are_never_ignored_in_silence(url: str, old: Path) -> None:
    change(old, "CREATE TABLE trips (id INTEGER PRIMARY KEY, name)")
    change(old, "ALTER TABLE items ADD COLUMN colour TEXT")
    empty = migrate(url, old, "--dry-run")
    assert empty.findings == [
        ("items", None, "colour", "unknown_column", "noted", None),
        ("trips", None, None, "unknown_table", "noted", None),
    ]
    assert empty.code == 0
    change(old, "INSERT INTO trips VALUES (1, 'Alps')")
    change(old, "UPDATE items SET colour = 'red' WHERE id = 9")
    stopped = migrate(url, old)
    assert stopped.code == 4
    assert [finding["action"] for finding in stopped.report["findings"]] == ["rejected", "rejected"]
    assert "1 values" in stopped.err


def test_duplicates_under_the_new_rules_stop_the_run(url: str, old: Path, any_alphabet: None) -> None:
    change(old, "INSERT INTO categories (id, name, icon, created_at) VALUES (6, 'öL', 'flame', ?)", AT)
    change(old, "INSERT INTO setup_items VALUES (8, 2, 9, 'base')")
    assert migrate(url, old).findings == [
        ("categories", 6, "name", "duplicate", "rejected", "--categories=merge"),
        ("setup_items", 8, "item_id", "duplicate", "rejected", "--skip-rejected"),
    ]


def test_references_to_missing_rows_end_as_if_those_were_deleted_here(url: str, old: Path) -> None:
    change(old, "UPDATE threads SET resolved_candidate_id = 99")
    change(old, "DELETE FROM setups")
    change(old, "UPDATE oauth_clients SET client_id = 'other'")
    ended = migrate(url, old, "--orphans=as-deleted")
    assert ended.code == 0
    assert ended.findings == [
        ("threads", 5, "resolved_candidate_id", "dangling", "converted", "--orphans=as-deleted"),
        ("setup_items", 6, "setup_id", "dangling", "skipped", "--orphans=as-deleted"),
        ("setup_items", 7, "setup_id", "dangling", "skipped", "--orphans=as-deleted"),
        ("oauth_codes", 1, "client_id", "dangling", "skipped", "--orphans=as-deleted"),
        ("oauth_tokens", 1, "client_id", "dangling", "skipped", "--orphans=as-deleted"),
    ]
    assert rows(url, "SELECT status, resolved_candidate_id FROM threads") == [("resolved", None)]


def test_a_file_of_several_users_needs_an_owner(url: str, old: Path) -> None:
    change(old, "INSERT INTO users VALUES (8, 'bob', 'x', ?)", AT)
    undecided = migrate(url, old)
    assert undecided.code == 4
    assert "2 users (ada, bob)" in undecided.err
    assert migrate(url, old, "--owner", "eve").code == 1
    assert migrate(url, old, "--owner", "bob").code == 0
    assert rows(url, "SELECT DISTINCT user_id FROM items") == [(8,)]
    assert rows(url, "SELECT username FROM users ORDER BY id") == [("ada",), ("bob",)]


def test_images_come_from_the_folder_and_missing_ones_can_be_added_later(
    url: str, old: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = old.parent / "uploads"
    uploads.mkdir()
    (uploads / "tarp.png").write_bytes(photo())
    ended = migrate(url, old, "--uploads", str(uploads))
    assert (ended.code, ended.report["images"]) == (0, {"stored": 1, "missing": ["gone.jpg"]})
    assert ended.findings == [("images", "gone.jpg", "image_filename", "missing_image", "noted", None)]
    (uploads / "gone.jpg").write_bytes(photo(kind="JPEG", colour="blue"))
    monkeypatch.setenv("DATABASE_URL", url)
    assert run(["images", "import", str(uploads), "--user", "ada"]) == 0
    assert "gone.jpg: stored\n1 images were stored, 0 are still missing." in capsys.readouterr().out
    assert rows(url, "SELECT filename, mime_type, width FROM images ORDER BY filename") == [
        ("gone.jpg", "image/jpeg", 40),
        ("tarp.png", "image/jpeg", 40),
    ]
    assert migrate(url, old).report["outcome"] == "already_migrated"


def test_a_run_that_is_stopped_at_any_time_changes_nothing_and_the_next_one_succeeds(
    url: str, old: Path
) -> None:
    change(
        old,
        """
        WITH RECURSIVE numbers (n) AS (SELECT 100 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1000)
        INSERT INTO items (id, name, category_id, created_at, updated_at)
        SELECT n, 'Peg', 4, 0, 0 FROM numbers
        """,
    )
    before = state(url)
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["mcp_server.commands.migrate", __name__])
    seconds = 0.0
    # The first one starts the fork server for the others.
    for _ in range(2):
        begin = time.monotonic()
        whole = processes.Process(target=in_a_process, args=(url, str(old), "--dry-run"))
        whole.start()
        whole.join()
        seconds = time.monotonic() - begin
    moments = random.Random(5)
    ends: list[int | None] = []
    for kind in [signal.SIGKILL] * 20 + [signal.SIGINT, signal.SIGTERM] * 3:
        process = processes.Process(target=in_a_process, args=(url, str(old), "--dry-run"))
        process.start()
        time.sleep(seconds * moments.uniform(0.1, 0.8))
        with suppress(ProcessLookupError):
            os.kill(process.pid or 0, kind)
        process.join()
        ends.append(process.exitcode)
        assert state(url) == before
    assert set(ends) <= {0, -signal.SIGKILL, 130, -signal.SIGTERM, 1}
    assert ends.count(-signal.SIGKILL) > 10
    assert 130 in ends
    assert migrate(url, old).code == 0


def test_a_signal_while_sqlite_calls_a_function_is_reported_as_an_interruption(
    url: str, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(old, "UPDATE items SET name = 'Öl'")

    def interrupted(*_: str) -> bool:
        signal.raise_signal(signal.SIGINT)
        return True

    monkeypatch.setattr("mcp_server.sqlite_migration.audit.is_normalized", interrupted)
    done = migrate(url, old)
    assert done.code == 130
    assert "Interrupted. The database is unchanged." in done.err


def test_the_script_runs_by_its_path_from_any_folder(url: str, old: Path) -> None:
    script = str(ROOT / "scripts" / "migrate_sqlite_to_postgres.py")
    done = subprocess.run(
        [sys.executable, "-I", script, "old.db"],
        cwd=old.parent,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("Migrated 19 rows, verified equal.")
