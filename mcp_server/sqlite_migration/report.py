"""The report of a migration, for people and programs. It contains no secrets."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

Action: TypeAlias = Literal["rejected", "converted", "skipped", "noted"]
LONGEST = 60
# Rows printed for each problem. The report files list all.
EXAMPLES = 3


class Finding(NamedTuple):
    """A value that could not be kept unchanged, with the old file's names, and what was done."""

    table: str
    id: int | str | None
    column: str | None
    problem: str
    value: str | None
    action: Action
    flag: str | None = None


@dataclass
class TableReport:
    read: int = 0
    written: int = 0
    rejected: int = 0
    repaired: int = 0
    checksum: str | None = None
    next_id: int | None = None


@dataclass
class Images:
    stored: int = 0
    missing: list[str] = field(default_factory=list[str])


@dataclass
class Report:
    """The report without its findings. There may be millions, so they stay in a temporary table of SQLite."""

    source: dict[str, Any] = field(default_factory=dict[str, Any])
    owner: str | None = None
    tables: dict[str, TableReport] = field(default_factory=dict[str, TableReport])
    images: Images = field(default_factory=Images)
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    notes: list[str] = field(default_factory=list[str])


def shortened(value: object, *, secret: bool = False) -> str | None:
    """Return at most 60 characters of *value*, or a placeholder for a secret."""
    if value is None:
        return None
    if secret:
        return "…hidden"
    text = (
        value if isinstance(value, str) else f"x'{value.hex()}'" if isinstance(value, bytes) else repr(value)
    )
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


class Findings:
    """The findings of one run, in a temporary table of the snapshot's connection."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self.conn = conn
        conn.execute('CREATE TEMP TABLE findings ("table", id, "column", problem, value, action, flag)')

    def add(self, finding: Finding) -> None:
        self.conn.execute("INSERT INTO temp.findings VALUES (?, ?, ?, ?, ?, ?, ?)", finding)

    def all(self) -> Iterator[Finding]:
        query = 'SELECT "table", id, "column", problem, value, action, flag FROM temp.findings ORDER BY rowid'
        return map(Finding._make, self.conn.execute(query))

    def rows(self, table: str, action: Action) -> int:
        """Return the number of rows of a table that have a finding with this action."""
        query = 'SELECT count(DISTINCT id) FROM temp.findings WHERE "table" = ? AND action = ?'
        return self.conn.execute(query, (table, action)).fetchone()[0]

    def count(self, action: Action) -> int:
        query = "SELECT count(*) FROM temp.findings WHERE action = ?"
        return self.conn.execute(query, (action,)).fetchone()[0]

    def summary(self) -> list[str]:
        """Return a line for each kind of problem in each column, with its count and first rows."""
        query = """
            SELECT "table", "column", problem, action, flag, count(*), min(rowid)
            FROM temp.findings
            GROUP BY "table", "column", problem, action, flag
            ORDER BY min(rowid)
        """
        lines: list[str] = []
        for table, column, problem, action, flag, count, _ in self.conn.execute(query).fetchall():
            first = self.conn.execute(
                """
                SELECT id, value
                FROM temp.findings
                WHERE "table" IS ? AND "column" IS ? AND problem = ? AND action = ? AND flag IS ?
                ORDER BY rowid
                LIMIT ?
                """,
                (table, column, problem, action, flag, EXAMPLES),
            ).fetchall()
            where = f"{table}.{column}" if column else table
            rows = ", ".join(
                ": ".join(str(part) for part in (row, value) if part is not None) for row, value in first
            )
            what = f"{count} × {problem.replace('_', ' ')}, {action}"
            help_ = (
                f" ({flag} would mend it)" if flag and action == "rejected" else f" ({flag})" if flag else ""
            )
            lines.append(
                f"{where}: {what}{help_}" + (f"; {rows}{' …' if count > EXAMPLES else ''}" if rows else "")
            )
        return lines


def write_report(path: Path, head: dict[str, Any], report: Report, findings: Findings | None) -> None:
    """Write the whole report as one JSON object. Findings are streamed."""
    body = json.dumps({**head, **asdict(report)}, ensure_ascii=False)
    with path.open("w", encoding="utf-8") as file:
        file.write(body[:-1] + ', "findings": [')
        for number, finding in enumerate(findings.all() if findings else ()):
            file.write((",\n" if number else "\n") + json.dumps(finding._asdict(), ensure_ascii=False))
        file.write("\n]}\n")


def write_rejects(path: Path, findings: Findings | None) -> None:
    """Write a line of JSON for each finding that stopped the run or omitted a row."""
    with path.open("w", encoding="utf-8") as file:
        for finding in findings.all() if findings else ():
            if finding.action in ("rejected", "skipped"):
                file.write(json.dumps(finding._asdict(), ensure_ascii=False) + "\n")
