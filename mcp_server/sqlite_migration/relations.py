"""Constraints between rows: dangling references, and duplicates under PostgreSQL's unique rules."""

from collections.abc import Iterable

import psycopg

from mcp_server.sqlite_migration.clean import Clean
from mcp_server.sqlite_migration.report import Action, Finding, Findings, shortened
from mcp_server.sqlite_migration.tables import CATEGORIES, TABLES, Reference, Table
from mcp_server.sqlite_migration.values import MERGE, ORPHANS, SKIP

# ruff: noqa: S608 (all names are from tables.py)


class Relations:
    """Examines all clean rows together."""

    def __init__(self, clean: Clean, findings: Findings, flags: frozenset[str]) -> None:
        self.conn = clean.conn
        self.clean = clean
        self.findings = findings
        self.flags = flags
        self.reported: set[tuple[str, int, str]] = set()

    def examine(self, target: psycopg.Connection) -> None:
        self.categories(target)
        for table in TABLES:
            for columns in table.unique:
                self.duplicates(table, columns)
        # A row that was omitted may leave further references dangling.
        while self.dangling():
            pass

    def duplicates(self, table: Table, columns: tuple[str, ...]) -> None:
        """Find the rows that repeat an earlier one in *columns*."""
        names = ", ".join(columns)
        given = " AND ".join(f"{column} IS NOT NULL" for column in columns)
        repeats = (
            f"SELECT 1 FROM clean_{table.old} WHERE {given} GROUP BY {names} HAVING count(*) > 1 LIMIT 1"
        )
        if not self.conn.execute(repeats).fetchone():
            return
        rows = self.conn.execute(f"""
            SELECT row
            FROM (
                SELECT row, row_number() OVER (PARTITION BY {names} ORDER BY row) AS nth
                FROM clean_{table.old}
                WHERE {given}
            )
            WHERE nth > 1
        """).fetchall()
        for (row,) in rows:
            self.refuse(table, row, columns[-1], "duplicate", SKIP)
        self.clean.refresh(table)

    def categories(self, target: psycopg.Connection) -> None:
        """Find the categories that repeat the name of an earlier one."""
        for row, first in self.alike(target):
            if MERGE in self.flags:
                self.merge(row, first)
            else:
                self.refuse(CATEGORIES, row, "name", "duplicate", MERGE)
        for table in TABLES:
            self.clean.refresh(table)

    def alike(self, target: psycopg.Connection) -> list[tuple[int, int]]:
        """Return the categories whose name differs from an earlier one at most in case, and that one.

        The target database decides, because case folding depends on its locale.
        """
        listed = self.conn.execute(
            "SELECT row, name FROM clean_categories WHERE typeof(name) = 'text'"
        ).fetchall()
        names = [name for _, name in listed]
        return target.execute(
            """
            SELECT row, first
            FROM (
                SELECT row, min(row) OVER (PARTITION BY lower(name)) AS first
                FROM unnest(%(rows)s::bigint[], %(names)s::text[]) AS category (row, name)
            ) AS grouped
            WHERE row > first
            ORDER BY row
            """,
            {"rows": [row for row, _ in listed], "names": [name.replace("\0", "") for name in names]},
        ).fetchall()

    def merge(self, row: int, first: int) -> None:
        """Replace a category with the *first* of the same name wherever it is referred to."""
        for table in TABLES:
            for reference in table.references:
                if reference.table != CATEGORIES.old:
                    continue
                query = f"SELECT row FROM clean_{table.old} WHERE {reference.column} = ?"
                for (referring,) in self.conn.execute(query, (row,)).fetchall():
                    self.clean.change(table, referring, {reference.column: first})
                    self.findings.add(
                        Finding(
                            table.old, referring, reference.column, "duplicate", str(row), "converted", MERGE
                        )
                    )
                self.clean.refresh(table)
        (name,) = self.conn.execute("SELECT name FROM clean_categories WHERE row = ?", (row,)).fetchone()
        self.clean.leave_out(CATEGORIES, row)
        self.findings.add(
            Finding(CATEGORIES.old, row, "name", "duplicate", shortened(name), "skipped", MERGE)
        )

    def dangling(self) -> bool:
        """Find references to missing rows. Return whether any row was changed or omitted."""
        changed = False
        for table in TABLES:
            for reference in table.references:
                rows = self.conn.execute(f"""
                    SELECT row, {reference.column}
                    FROM clean_{table.old}
                    WHERE typeof({reference.column}) = '{"integer" if reference.key == "id" else "text"}'
                    AND {reference.column} NOT IN (SELECT {reference.key} FROM clean_{reference.table})
                """).fetchall()
                for row, value in self.new(table, reference, rows):
                    changed |= self.cut_off(table, row, reference, value)
            self.clean.refresh(table)
        return changed

    def new(
        self, table: Table, reference: Reference, rows: Iterable[tuple[int, int | str]]
    ) -> Iterable[tuple[int, int | str]]:
        for row, value in rows:
            place = (table.old, row, reference.column)
            if place not in self.reported:
                self.reported.add(place)
                yield row, value

    def cut_off(self, table: Table, row: int, reference: Reference, value: int | str) -> bool:
        """If chosen, treat the reference as if the row that *value* names were deleted."""
        if not (ORPHANS in self.flags or (SKIP in self.flags and self.was_left_out(reference, value))):
            return self.refuse(table, row, reference.column, "dangling", ORPHANS, value)
        flag = ORPHANS if ORPHANS in self.flags else SKIP
        if reference.on_delete == "CASCADE":
            self.clean.leave_out(table, row)
            action: Action = "skipped"
        else:
            self.clean.change(table, row, {reference.column: None})
            action = "converted"
        self.findings.add(
            Finding(table.old, row, reference.column, "dangling", shortened(value), action, flag)
        )
        return True

    def was_left_out(self, reference: Reference, value: int | str) -> bool:
        query = f"""
            SELECT EXISTS (
                SELECT 1
                FROM raw_{reference.table} AS raw
                JOIN patched ON patched.name = ? AND patched.row = raw.row AND patched.gone
                WHERE raw.{reference.key} = ?
            )
        """
        return bool(self.conn.execute(query, (reference.table, value)).fetchone()[0])

    def refuse(
        self, table: Table, row: int, column: str, problem: str, flag: str, value: int | str | None = None
    ) -> bool:
        """Omit a row if that was chosen; otherwise the run will stop. Return whether it was omitted."""
        skip = SKIP in self.flags
        if skip:
            self.clean.leave_out(table, row)
        if value is None:
            (value,) = self.conn.execute(
                f"SELECT {column} FROM raw_{table.old} WHERE row = ?", (row,)
            ).fetchone()
        text = shortened(value, secret=table.column(column).secret)
        self.findings.add(
            Finding(table.old, row, column, problem, text, "skipped" if skip else "rejected", flag)
        )
        return skip
