"""The ten versions of the old schema, built from the archive of its migrations."""

import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TypeAlias

import db

ARCHIVE = Path(next(iter(db.__path__))) / "archive" / "sqlite"
# The columns of each table.
Layout: TypeAlias = dict[str, list[str]]


@cache
def layouts() -> tuple[Layout, ...]:
    """Return the layout of each version, from version 1 on."""
    result: list[Layout] = []
    with closing(sqlite3.connect(":memory:")) as built:
        for step in sorted(ARCHIVE.glob("*.sql")):
            built.executescript(step.read_text(encoding="utf-8"))
            result.append(layout(built))
    return tuple(result)


def layout(conn: sqlite3.Connection) -> Layout:
    """Return the tables of a database, except internal ones of SQLite and Drizzle."""
    found: Layout = {}
    for table, column in conn.execute("""
        SELECT t.name, c.name
        FROM sqlite_master AS t, pragma_table_xinfo(t.name) AS c
        WHERE t.type = 'table' AND t.name <> '__drizzle_migrations'
        AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
        ORDER BY t.name, c.cid
    """):
        found.setdefault(table, []).append(column)
    return found


def version(found: Layout) -> int | None:
    """Return the newest version whose tables and columns are all in *found*."""
    for number, known in reversed(list(enumerate(layouts(), start=1))):
        if not missing(known, found):
            return number
    return None


def missing(known: Layout, found: Layout) -> list[str]:
    """Return the tables and columns of *known* that *found* lacks."""
    return [
        f"{table}.{column}" if table in found else table
        for table, columns in known.items()
        for column in columns
        if column not in found.get(table, ())
    ]


def known_columns(table: str) -> set[str]:
    """Return the columns that *table* has in any version; empty for an unknown table."""
    return {column for each in layouts() for column in each.get(table, ())}


def renamed_to_icon() -> str:
    """Return the SQL with which version 3 converted `emoji` to an icon."""
    (step,) = ARCHIVE.glob("0002_*.sql")
    found = re.search(r"SET `icon` = (CASE .*?END);", step.read_text(encoding="utf-8"), re.DOTALL)
    if found is None:
        raise ValueError(f"{step} has no mapping of emoji to icons")
    return found[1]


def listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names)))
