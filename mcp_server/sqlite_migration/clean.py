"""Views of the old file in the schema of version 10, with repairs applied.

`raw_items` shows the rows unchanged, with times in microseconds. `clean_items` replaces the rows listed in
`patched` with those of `fixed_items`. All of this is in SQLite's temporary database.
"""

from collections.abc import Mapping

from mcp_server.sqlite_migration import versions
from mcp_server.sqlite_migration.source import SourceFile
from mcp_server.sqlite_migration.tables import TABLES, Column, Table
from mcp_server.sqlite_migration.values import Moment, Value

# ruff: noqa: S608 (all names are from tables.py)


class Clean:
    """The views of one snapshot, and methods that change or omit rows."""

    def __init__(self, source: SourceFile) -> None:
        self.conn = source.conn
        self.conn.execute("""
            CREATE TEMP TABLE patched (name TEXT, row INTEGER, gone INTEGER, PRIMARY KEY (name, row))
            WITHOUT ROWID
        """)
        for table in TABLES:
            define_raw(source, table)
            self.refresh(table)

    def refresh(self, table: Table) -> None:
        """Make a table's clean view show patches. Without patches, it reads the table directly, for speed."""
        name = table.old
        query = f"SELECT * FROM raw_{name}"
        if self.conn.execute("SELECT EXISTS (SELECT 1 FROM patched WHERE name = ?)", (name,)).fetchone() == (
            1,
        ):
            query += f"""
                WHERE row NOT IN (SELECT row FROM patched WHERE name = '{name}')
                UNION ALL
                SELECT * FROM fixed_{name}
            """
        self.conn.execute(f"DROP VIEW IF EXISTS temp.clean_{name}")
        self.conn.execute(f"CREATE TEMP VIEW clean_{name} AS {query}")

    def change(self, table: Table, row: int, values: Mapping[str, Value]) -> None:
        """Replace the *values* of some columns of *row*."""
        self.conn.execute(
            f"""
            INSERT INTO fixed_{table.old}
            SELECT *
            FROM raw_{table.old}
            WHERE row = ? AND row NOT IN (SELECT row FROM patched WHERE name = '{table.old}')
            """,
            (row,),
        )
        self.conn.execute("INSERT OR IGNORE INTO patched VALUES (?, ?, 0)", (table.old, row))
        columns = ", ".join(f"{column} = :{column}" for column in values)
        self.conn.execute(f"UPDATE fixed_{table.old} SET {columns} WHERE row = :row", {"row": row, **values})

    def leave_out(self, table: Table, row: int) -> None:
        self.conn.execute(f"DELETE FROM fixed_{table.old} WHERE row = ?", (row,))
        self.conn.execute("INSERT OR REPLACE INTO patched VALUES (?, ?, 1)", (table.old, row))

    def add(self, table: Table, values: Mapping[str, Value]) -> None:
        """Add a row that the file does not have, under an unused row number."""
        columns = ", ".join(values)
        places = ", ".join(f":{column}" for column in values)
        self.conn.execute(
            f"""
            INSERT INTO fixed_{table.old} (row, {columns})
            SELECT coalesce(max(row), 0) + 1, {places}
            FROM raw_{table.old}
            """,
            values,
        )
        self.conn.execute(f"INSERT INTO patched SELECT '{table.old}', max(row), 0 FROM fixed_{table.old}")
        self.refresh(table)


def define_raw(source: SourceFile, table: Table) -> None:
    present = source.layout.get(table.old, [])
    columns = [f"{expression(column, present)} AS {column.name}" for column in table.columns]
    # NOT INDEXED: an index may be incomplete, and SQLite does not check that.
    rows = f"FROM main.{table.old} NOT INDEXED" if present else "WHERE 0"
    number = "rowid" if present else "NULL"
    names = ", ".join(column.name for column in table.columns)
    source.conn.execute(
        f"CREATE TEMP VIEW raw_{table.old} AS SELECT {number} AS row, {', '.join(columns)} {rows}"
    )
    source.conn.execute(f"CREATE TEMP TABLE fixed_{table.old} (row INTEGER PRIMARY KEY, {names})")


def expression(column: Column, present: list[str]) -> str:
    """Return the SQL that reads a column, or its default in a version that lacks it."""
    if column.name == "icon" and "icon" not in present and "emoji" in present:
        return versions.renamed_to_icon()
    if column.name not in present:
        return column.default
    return f"{column.name} * 1000000" if isinstance(column.kind, Moment) else column.name
