"""Find every value that cannot be kept unchanged: SQL comparisons select rows, then Python examines them."""

import re
import sqlite3
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unicodedata import is_normalized, normalize

from argon2 import extract_parameters
from argon2.exceptions import InvalidHashError

from mcp_server.sqlite_migration import versions
from mcp_server.sqlite_migration.clean import Clean
from mcp_server.sqlite_migration.report import Action, Finding, Findings, shortened
from mcp_server.sqlite_migration.source import SourceFile
from mcp_server.sqlite_migration.tables import SETTINGS, TABLES, Column, Table
from mcp_server.sqlite_migration.values import (
    MAX_ID,
    SKIP,
    TEXT_WEIGHTS,
    TO_NOTES,
    UNITS,
    URLS,
    UTF8,
    Defect,
    Micros,
    Moment,
    Prose,
    Value,
    has_bad_bytes,
)

# ruff: noqa: S608 (all names are from tables.py, or quoted)

ROWS = 1000
SHA256 = re.compile(r"[0-9a-f]{64}")


class Audit:
    """Examines one snapshot: records findings, and makes the repairs chosen by *flags*."""

    def __init__(self, source: SourceFile, clean: Clean, findings: Findings, flags: frozenset[str]) -> None:
        self.source = source
        self.conn = source.conn
        self.clean = clean
        self.findings = findings
        self.flags = flags
        (encoding,) = self.conn.execute("PRAGMA encoding").fetchone()

        def is_nfc(raw: bytes | None) -> bool:
            # SQLite may call it for NULL, whatever the order of conditions.
            return raw is None or is_normalized("NFC", raw.decode(encoding, "replace"))

        self.conn.create_function("is_nfc", 1, is_nfc, deterministic=True)

    def values(self, *, every_text: bool) -> None:
        """Examine each row on its own.

        Invalid UTF-8 is only found by reading *every_text*. A copy reads them too, so it can be left to that.
        """
        unknown(self.source, self.findings, "skipped" if SKIP in self.flags else "rejected")
        lost_emoji(self.source, self.findings)
        sequences(self.source, self.findings)
        self.weight_unit()
        for table in self.tables():
            self.examine(table, f"WHERE NOT ifnull({proof(self.present(table))}, 0)")
        if every_text or self.flags & {UTF8, SKIP} or self.findings.count("rejected"):
            self.encoding()
        for table in TABLES:
            self.clean.refresh(table)
        self.key_hashes()

    def weight_unit(self) -> None:
        """Reject a `weight_unit` that this server does not support."""
        query = "SELECT rowid, value FROM main.settings WHERE key = 'weight_unit'"
        for row, value in self.conn.execute(query).fetchall():
            if value not in UNITS:
                column = SETTINGS.column("value")
                self.note(SETTINGS, "weight_unit", column, Defect("unknown_value"), value, False)
                if SKIP in self.flags:
                    self.clean.leave_out(SETTINGS, row)

    def encoding(self) -> None:
        """Examine the rows with invalid UTF-8."""
        for table in self.tables():
            columns = self.present(table)
            names = ", ".join(column.name for column in columns)
            # The other rows are examined already.
            query = f"SELECT rowid, {names} FROM main.{table.old} WHERE ifnull({proof(columns)}, 0)"
            with lenient(self.conn):
                bad = [row[0] for row in self.conn.execute(query) if is_bad(row)]
            for row in bad:
                self.examine(table, f"WHERE rowid = {int(row)}")

    def key_hashes(self) -> None:
        """Report API keys that no client can use any longer, because the kind of their hash is unknown."""
        query = "SELECT row, name, key_hash, key_prefix FROM clean_api_keys"
        with lenient(self.conn):
            for row, name, hashed, prefix in self.conn.execute(query).fetchall():
                if isinstance(hashed, str) and not is_verifiable(hashed, prefix):
                    text = shortened(name)
                    self.findings.add(Finding("api_keys", row, "key_hash", "unknown_hash", text, "noted"))

    def tables(self) -> list[Table]:
        return [table for table in TABLES if self.source.has(table.old)]

    def present(self, table: Table) -> list[Column]:
        return [column for column in table.columns if column.name in self.source.layout[table.old]]

    def examine(self, table: Table, where: str) -> None:
        """Examine each value of some rows of *table*."""
        columns = self.present(table)
        names = ", ".join(column.name for column in columns)
        with lenient(self.conn):
            for row, *values in batched(self.conn, f"SELECT rowid, {names} FROM main.{table.old} {where}"):
                self.examine_row(table, row, columns, values)

    def examine_row(self, table: Table, row: int, columns: Sequence[Column], values: Sequence[Value]) -> None:
        shown = name_of(table, row, columns, values)
        mended: dict[str, Value] = {}
        unreadable: list[str] = []
        kept = True
        for column, value in zip(columns, values, strict=True):
            final, found = mend(column, value, self.flags)
            for defect, before, done in found:
                kept &= done
                self.note(table, shown, column, defect, before, done)
                if done and defect.flag == TO_NOTES and not isinstance(before, bytes):
                    unreadable.append(f"{column.name}: {printable(before)}")
            if found:
                mended[column.name] = stored(column, final)
        if unreadable and table.has("notes"):
            before = {column.name: value for column, value in zip(columns, values, strict=True)} | mended
            kept &= self.extend_notes(table, shown, before.get("notes"), unreadable, mended)
        if not kept:
            if SKIP in self.flags:
                self.clean.leave_out(table, row)
        elif mended:
            self.clean.change(table, row, mended)

    def extend_notes(
        self, table: Table, shown: Any, notes: Value, lines: list[str], mended: dict[str, Value]
    ) -> bool:
        """Append *lines* to the notes of a row. Return whether there was room for them."""
        column = table.column("notes")
        longer = "\n".join([notes, *lines] if isinstance(notes, str) and notes else lines)
        if column.kind.defect(longer):
            self.note(table, shown, column, Defect("too_long"), longer, False)
            return False
        mended["notes"] = longer
        return True

    def note(
        self, table: Table, shown: Any, column: Column, defect: Defect, value: Value, done: bool
    ) -> None:
        action: Action = "converted" if done else "skipped" if SKIP in self.flags else "rejected"
        text = shortened(value, secret=column.secret)
        flag = None if defect.automatic else defect.flag or SKIP
        self.findings.add(Finding(table.old, shown, column.name, defect.problem, text, action, flag))


def proof(columns: Sequence[Column]) -> str:
    """Return SQL that is true for rows without a defect."""
    return " AND ".join(
        f"({column.kind.proof(column.name)})"
        if column.required
        else f"({column.name} IS NULL OR ({column.kind.proof(column.name)}))"
        for column in columns
    )


def mend(
    column: Column, value: Value, flags: frozenset[str]
) -> tuple[Value, list[tuple[Defect, Value, bool]]]:
    """Return *value* after the repairs in *flags*, and each defect, mended or not."""
    found: list[tuple[Defect, Value, bool]] = []
    while True:
        if value is None and not column.required:
            return value, found
        defect = Defect("null") if value is None else column.kind.defect(value)
        if defect is None:
            return value, found
        if column.required and defect.mended is None:
            # A required column cannot become unknown.
            defect = Defect(defect.problem)
        if can_move(column, defect, flags):
            defect = Defect(defect.problem, TO_NOTES)
        done = defect.automatic or defect.flag in flags
        found.append((defect, value, done))
        if not done:
            return value, found
        value = defect.mended


def can_move(column: Column, defect: Defect, flags: frozenset[str]) -> bool:
    """Return whether the value can move to the notes: it is optional, and no better repair was chosen."""
    if column.required or column.secret or isinstance(column.kind, Prose):
        return False
    return defect.flag is None or (
        defect.flag in (TEXT_WEIGHTS, URLS) and defect.flag not in flags and TO_NOTES in flags
    )


def printable(value: Value) -> str:
    """Return *value* as text that PostgreSQL can store."""
    text = str(value).replace("\0", "").encode("utf-8", "replace").decode()
    return normalize("NFC", text)


def is_verifiable(hashed: str, prefix: object) -> bool:
    """Return whether the server can compare a key with its hash: a SHA-256 in hex, or argon2 and a prefix."""
    try:
        return bool(SHA256.fullmatch(hashed)) or (bool(prefix) and bool(extract_parameters(hashed)))
    except InvalidHashError:
        return False


def stored(column: Column, value: Value) -> Value:
    """Return *value* as the clean view stores it: times in microseconds."""
    if isinstance(column.kind, Moment) and isinstance(value, int):
        return int(value) if isinstance(value, Micros) else value * 1_000_000
    return value


def name_of(table: Table, row: int, columns: Sequence[Column], values: Sequence[Value]) -> int | str | None:
    """Return what identifies a row to a person: its id, or a setting's key."""
    if table.key == "id":
        return row
    at = next(number for number, column in enumerate(columns) if column.name == table.key)
    return shortened(values[at])


def decode(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


@contextmanager
def lenient(conn: sqlite3.Connection) -> Generator[None]:
    """Decode text leniently: surrogates stand for invalid bytes."""
    conn.text_factory = decode
    try:
        yield
    finally:
        conn.text_factory = str


def is_bad(row: Sequence[Value]) -> bool:
    return any(isinstance(value, str) and has_bad_bytes(value) for value in row)


def batched(conn: sqlite3.Connection, query: str) -> Iterator[Any]:
    cursor = conn.execute(query)
    while rows := cursor.fetchmany(ROWS):
        yield from rows


def unknown(source: SourceFile, findings: Findings, otherwise: Action) -> None:
    """Report tables and columns that no version has. They stop the run only if they contain data."""
    for table, columns in source.layout.items():
        known = versions.known_columns(table)
        names = [None] if not known else [column for column in columns if column not in known]
        for column in names:
            what = f"count({quoted(column)})" if column else "count(*)"
            (count,) = source.conn.execute(f"SELECT {what} FROM main.{quoted(table)}").fetchone()
            problem, unit = ("unknown_column", "values") if column else ("unknown_table", "rows")
            action: Action = otherwise if count else "noted"
            findings.add(
                Finding(table, None, column, problem, f"{count} {unit}", action, SKIP if count else None)
            )


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def lost_emoji(source: SourceFile, findings: Findings) -> None:
    """Report emoji without an icon. They become `package`, as in the old application's own upgrade."""
    if "emoji" not in source.layout["categories"] or "icon" in source.layout["categories"]:
        return
    query = """
        SELECT raw.row, old.emoji
        FROM main.categories AS old
        JOIN raw_categories AS raw ON raw.row = old.rowid
        WHERE raw.icon = 'package' AND old.emoji NOT IN ('', '📦')
    """
    for row, emoji in source.conn.execute(query).fetchall():
        findings.add(Finding("categories", row, "emoji", "bad_icon", shortened(emoji), "noted"))


def sequences(source: SourceFile, findings: Findings) -> None:
    """Reject an invalid highest id, because new ids would continue from it."""
    if not source.conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").fetchone():
        return
    query = "SELECT name, seq FROM sqlite_sequence"
    for name, seq in source.conn.execute(query).fetchall():
        if not isinstance(seq, int) or not 0 <= seq <= MAX_ID:
            findings.add(
                Finding("sqlite_sequence", str(name), "seq", "out_of_range", shortened(seq), "rejected")
            )
