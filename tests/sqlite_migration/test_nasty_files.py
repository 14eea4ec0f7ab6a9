"""Nasty files: damaged, foreign, in use or left behind. None is changed, and no file is created beside it."""

import ctypes
import os
import shutil
import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.sqlite_migration.migration import contents, migrate, migrated, refused, spoil
from tests.sqlite_migration.new_collections import everything, expected, found
from tests.sqlite_migration.old_collections import OldCollection, fill, small_collection, upgrade

# From linux/capability.h.
CAPABILITY_VERSION, CAP_DAC_OVERRIDE = 0x20080522, 1 << 1


def a_copy_without(end: int) -> Callable[[Path], None]:
    def cut(file: Path) -> None:
        file.write_bytes(file.read_bytes()[:end])

    return cut


def overwrite_a_page(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[8192:12288] = b"\xff" * 4096
    file.write_bytes(content)


def make_another_application(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.executescript("CREATE TABLE items (title text); INSERT INTO items VALUES ('not gear')")


def make_no_tables(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.executescript("CREATE TABLE t (a); DROP TABLE t")


def make_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


UNREADABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no file": (Path.unlink, "No such file"),
    "a folder": (make_a_folder, "folder"),
    "an empty file": (a_copy_without(0), "is empty"),
    "a text": (lambda file: file.write_text("name,weight\nTent,2534\n" * 100), "not an SQLite database"),
    "an encrypted file": (lambda file: file.write_bytes(os.urandom(40_960)), "encrypted"),
    "half a header": (a_copy_without(50), "not an SQLite database"),
    "a file that was cut off": (a_copy_without(20_480), "damaged"),
    "a page of rubbish": (overwrite_a_page, "damaged"),
    "another application's file": (make_another_application, "not a collection"),
    "a file without tables": (make_no_tables, "not a collection"),
}


@pytest.mark.parametrize("state", UNREADABLE)
def test_a_file_that_is_not_a_collection_is_refused_with_the_reason(
    untouched: str, old: Path, state: str
) -> None:
    change, reason = UNREADABLE[state]
    change(old)
    before, exists = everything(untouched), old.exists()
    run = migrate(untouched, old)
    assert (run.exit_code, run.report["outcome"]) == (2, "refused"), run.output
    assert reason in run.report["message"]
    assert everything(untouched) == before
    assert old.exists() == exists


@contextmanager
def open_for_writing(file: Path, *statements: str) -> Generator[sqlite3.Connection]:
    """The running old application: it has the file open and has executed some statements."""
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)
        yield db


# How a journal begins whose transaction has to be rolled back.
HOT = bytes.fromhex("d9d505f920a163d7")
RENAME = "UPDATE items SET name = 'Newest' WHERE id = 1"


def test_the_newest_rows_are_read_from_the_wal_beside_the_file(url: str, old: Path) -> None:
    with open_for_writing(old, "PRAGMA journal_mode = WAL", RENAME):
        assert b"Newest" not in old.read_bytes()
        run = migrate(url, old)
        assert run.exit_code == 0, run.output
        assert run.report["source"]["wal"] is True
        assert found(url) == expected(old)
        assert "Newest" in str(found(url)["items"])


def test_a_file_is_read_with_the_wal_that_a_killed_application_left_behind(
    url: str, old: Path, tmp_path: Path
) -> None:
    with open_for_writing(old, "PRAGMA journal_mode = WAL", RENAME):
        for part in old.parent.iterdir():
            if not part.name.endswith("-shm"):
                (tmp_path / part.name).write_bytes(part.read_bytes())
    migrated(url, tmp_path / "old.db")
    assert "Newest" in str(found(url)["items"])


def test_a_copy_without_its_wal_is_reported(url: str, old: Path, tmp_path: Path) -> None:
    with open_for_writing(old, "PRAGMA journal_mode = WAL", RENAME):
        copy = tmp_path / "old.db"
        copy.write_bytes(old.read_bytes())
    run = migrated(url, copy)
    assert "-wal" in run.output


@pytest.mark.parametrize("log", [True, False], ids=["with a log", "without"])
def test_a_file_in_a_read_only_folder_can_be_read(url: str, old: Path, tmp_path: Path, log: bool) -> None:
    shelf = old.parent / "shelf"
    shelf.mkdir()
    with open_for_writing(old, "PRAGMA journal_mode = WAL", RENAME):
        for part in (old, Path(f"{old}-wal"))[: 1 + log]:
            shutil.copy(part, shelf)
    with read_only(shelf):
        run = migrate(url, shelf / "old.db")
    assert run.exit_code == 0, run.output
    assert ("Newest" in str(found(url)["items"])) == log


@contextmanager
def read_only(folder: Path) -> Generator[None]:
    """Make *folder* read-only, for root too."""
    folder.chmod(0o555)
    try:
        with bound_by_permissions():
            with pytest.raises(PermissionError):
                (folder / "new").touch()
            yield
    finally:
        folder.chmod(0o755)


@contextmanager
def bound_by_permissions() -> Generator[None]:
    """Take the capability from this thread that lets root write anywhere. It stays root for PostgreSQL."""
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None)
    header, sets = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)()
    assert libc.capget(header, sets) == 0
    effective = sets[0]
    sets[0] &= ~CAP_DAC_OVERRIDE
    assert libc.capset(header, sets) == 0
    try:
        yield
    finally:
        sets[0] = effective
        assert libc.capset(header, sets) == 0


def test_half_a_transaction_beside_the_file_is_refused(untouched: str, old: Path, tmp_path: Path) -> None:
    big = "UPDATE items SET notes = hex(zeroblob(90000))"
    with open_for_writing(old, "PRAGMA cache_size = 1", "BEGIN", big):
        for part in old.parent.iterdir():
            shutil.copy(part, tmp_path)
    assert (tmp_path / "old.db-journal").read_bytes()[:8] == HOT
    run = refused(untouched, tmp_path / "old.db")
    assert (run.exit_code, run.report["outcome"]) == (2, "refused")
    assert "old.db-journal" in run.report["message"]


def test_a_finished_journal_is_ignored(url: str, old: Path) -> None:
    with open_for_writing(old, "PRAGMA journal_mode = PERSIST", RENAME):
        pass
    assert Path(f"{old}-journal").stat().st_size > 0
    migrated(url, old)


def test_a_wal_of_another_file_is_not_applied(url: str, old: Path, tmp_path: Path) -> None:
    with open_for_writing(old, "PRAGMA journal_mode = WAL", RENAME):
        left = Path(f"{old}-wal").read_bytes()
    backup = small_collection(tmp_path / "old.db")
    Path(f"{backup}-wal").write_bytes(left)
    files = contents(tmp_path)
    migrate(url, backup)
    assert contents(tmp_path) == files


def test_a_locked_file_is_refused_as_in_use(untouched: str, old: Path) -> None:
    with open_for_writing(old, "BEGIN EXCLUSIVE"):
        run = refused(untouched, old)
    assert (run.exit_code, run.report["outcome"]) == (2, "refused")
    assert "in use" in run.report["message"]


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_uncommitted_rows_of_the_running_application_are_not_read(url: str, old: Path, mode: str) -> None:
    with open_for_writing(old, f"PRAGMA journal_mode = {mode}", "BEGIN IMMEDIATE", RENAME):
        assert migrate(url, old).exit_code == 0
    assert "Newest" not in str(found(url)["items"])


def test_a_file_in_utf_16_is_migrated_equal(url: str, folder: Path) -> None:
    file = folder / "old.db"
    with open_for_writing(file, "PRAGMA encoding = 'UTF-16le'") as db:
        upgrade(db, 1, 10)
        fill(OldCollection(db))
        db.execute("UPDATE items SET name = 'Zelt ⛺ Öl' WHERE id = 1")
    assert "Zelt".encode("utf-16le") in file.read_bytes()
    migrated(url, file)


def test_an_incomplete_index_hides_no_row(url: str, old: Path) -> None:
    spoil(
        old,
        """
        CREATE INDEX lie ON items (name) WHERE id = 1;
        PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = 'CREATE INDEX lie ON items (name)' WHERE name = 'lie';
        """,
    )
    with open_for_writing(old) as db:
        assert db.execute("SELECT count(*) FROM items INDEXED BY lie WHERE name > ''").fetchone() == (1,)
    migrated(url, old)
