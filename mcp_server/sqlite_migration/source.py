"""Open the old file read-only, as one snapshot, without creating files beside it."""

import hashlib
import shutil
import sqlite3
import tempfile
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mcp_server.sqlite_migration import versions
from mcp_server.sqlite_migration.outcome import BadSource
from mcp_server.sqlite_migration.tables import TABLES
from mcp_server.sqlite_migration.versions import Layout

MAGIC = b"SQLite format 3\0"
JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
# Problems that quick_check finds but the audit reports better, by row.
LEFT_TO_THE_AUDIT = ("NULL value in ", "CHECK constraint failed")
# The file format write version at offset 18 of the header, if the file uses WAL mode.
IN_WAL_MODE = 2
BARE = (
    "The file was used in WAL mode, but {wal} is missing. If you copied the file while the application was "
    "running, copy it again together with that file, which contains the newest rows."
)
STOP = "Stop the old application, then retry."


@dataclass(frozen=True)
class SourceFile:
    """An open file with its snapshot and properties."""

    path: Path
    size: int
    sha256: str
    wal: bool
    conn: sqlite3.Connection
    layout: Layout
    version: int
    notes: tuple[str, ...] = ()
    # Size and modification time, for a file that could not be locked.
    looks: tuple[int, int] | None = None

    def has(self, table: str) -> bool:
        return table in self.layout

    def described(self) -> dict[str, Any]:
        return {"bytes": self.size, "sha256": self.sha256, "version": self.version, "wal": self.wal}

    def check_unchanged(self) -> None:
        """Raise BadSource if a file that could not be locked was changed meanwhile."""
        if self.looks is not None and looks(self.path) != self.looks:
            raise BadSource(f"The file changed while it was read. {STOP}")


@contextmanager
def opened(path: Path) -> Generator[SourceFile]:
    """Open the file at *path* and yield it. Raise BadSource if it cannot be used."""
    header = read_header(path)
    journal, wal = beside(path, "-journal"), beside(path, "-wal")
    if is_hot(journal):
        raise BadSource(
            f"Found {journal.name} beside the file: the application is writing to it, or was interrupted. "
            "Open and close the file once with the old application, then retry."
        )
    before = looks(path)
    digest = fingerprint(path, wal)
    if size_of(wal):
        # A copy, because SQLite would create a -shm file beside the original.
        with copied(path, wal) as copy, connected(copy, "mode=ro") as conn:
            yield replace(examined(path, digest, conn), wal=True)
    elif header[18] != IN_WAL_MODE:
        with connected(path, "mode=ro") as conn:
            yield examined(path, digest, conn)
    else:
        # WAL mode without a WAL: no process has the file open. `immutable` keeps SQLite from creating a WAL.
        with connected(path, "mode=ro&immutable=1") as conn:
            yield replace(examined(path, digest, conn), looks=before, notes=(BARE.format(wal=wal.name),))


def beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def size_of(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def is_hot(journal: Path) -> bool:
    """Return whether *journal* belongs to an unfinished transaction. A finished one may be left over too."""
    if not size_of(journal):
        return False
    with journal.open("rb") as file:
        return file.read(len(JOURNAL_MAGIC)) == JOURNAL_MAGIC


def looks(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def read_header(path: Path) -> bytes:
    """Return the first bytes of an SQLite file."""
    if path.is_dir():
        raise BadSource(f"{path} is a folder. Name the .db or .sqlite file in it.")
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except OSError as exc:
        raise BadSource(f"{path} cannot be read: {exc.strerror}.") from None
    if not header:
        raise BadSource(f"{path} is empty (0 bytes). Look for another copy.")
    if not header.startswith(MAGIC) or len(header) < 100:
        raise BadSource(f"{path} is not an SQLite database, or it is encrypted.")
    return header


def fingerprint(path: Path, wal: Path) -> str:
    """Return the SHA-256 of the file and its WAL.

    Call this before SQLite opens the file: closing any descriptor of it releases SQLite's lock.
    """
    digest = hashlib.sha256()
    for each in (path, wal):
        if size_of(each):
            with each.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
    return digest.hexdigest()


@contextmanager
def copied(path: Path, wal: Path) -> Generator[Path]:
    """Yield a private copy of a file and its WAL. Raise BadSource if they change while they are copied."""
    with tempfile.TemporaryDirectory(prefix="gearshed-migration-") as folder:
        copy = Path(folder) / path.name
        for _ in range(3):
            before = looks(path), looks(wal)
            try:
                shutil.copyfile(path, copy)
                shutil.copyfile(wal, beside(copy, "-wal"))
            except OSError as exc:
                raise BadSource(f"{path} cannot be copied to {folder}: {exc.strerror}.") from None
            if (looks(path), looks(wal)) == before:
                break
        else:
            raise BadSource(f"The application is writing to the file. {STOP}")
        yield copy


@contextmanager
def connected(path: Path, how: str) -> Generator[sqlite3.Connection]:
    try:
        conn = sqlite3.connect(
            f"file:{quote(str(path.absolute()))}?{how}",
            uri=True,
            timeout=2,
            isolation_level=None,
            check_same_thread=False,
        )
    except sqlite3.OperationalError as exc:
        raise BadSource(f"{path} cannot be opened: {exc}.") from None
    with closing(conn):
        yield conn


def examined(path: Path, sha256: str, conn: sqlite3.Connection) -> SourceFile:
    """Begin the snapshot and return it. Raise BadSource if it is damaged or not a collection."""
    try:
        conn.execute("PRAGMA trusted_schema = OFF")
        conn.execute("PRAGMA cache_size = -4000")
        conn.execute("BEGIN")
        layout = versions.layout(conn)
        found = [message for (message,) in conn.execute("PRAGMA quick_check(1000000)") if message != "ok"]
    except sqlite3.OperationalError as exc:
        if "locked" in str(exc):
            raise BadSource(f"{path} is locked because it is in use. {STOP}") from None
        raise BadSource(f"{path} cannot be read: {exc}.") from None
    except sqlite3.DatabaseError as exc:
        raise BadSource(f"{path} is damaged or truncated: {exc}. {recover(path)}") from None
    damage = [message for message in found if not message.startswith(LEFT_TO_THE_AUDIT)]
    if damage:
        raise BadSource(f"{path} is damaged: {damage[0].splitlines()[-1]}. {recover(path)}")
    version = versions.version(layout)
    if version is None:
        lacking = versions.listed(versions.missing(versions.layouts()[0], layout))
        raise BadSource(f"{path} is not a collection of the old application: it lacks {lacking}.")
    check_keys(path, conn, layout)
    return SourceFile(path, size_of(path), sha256, False, conn, layout, version)


def recover(path: Path) -> str:
    return f"Use a backup, or recover what is readable: sqlite3 {path.name} .recover | sqlite3 recovered.db"


def check_keys(path: Path, conn: sqlite3.Connection, layout: Layout) -> None:
    """Raise BadSource for tables without rowids or primary keys: the old application did not create them."""
    for table in TABLES:
        if table.old not in layout:
            continue
        keys = conn.execute(
            "SELECT name, upper(type) FROM pragma_table_info(?) WHERE pk", (table.old,)
        ).fetchall()
        numbered = table.key == "id" and not table.column("id").secret
        if numbered and keys != [("id", "INTEGER")]:
            raise BadSource(
                f"{path} is not a collection of the old application: {table.old}.id is not a primary key."
            )
        try:
            conn.execute(f"SELECT rowid FROM main.{table.old} LIMIT 0")  # noqa: S608 (a name of ours)
        except sqlite3.OperationalError:
            raise BadSource(
                f"{path} is not a collection of the old application: {table.old} has no rowid."
            ) from None
