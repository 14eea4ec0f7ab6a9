"""Load rows: read the clean views, send binary COPY, then create words and continue sequences."""

from collections.abc import Callable
from typing import LiteralString, NamedTuple

import psycopg
from psycopg.copy import LibpqWriter
from psycopg.sql import SQL, Identifier

from mcp_server.sqlite_migration.source import SourceFile
from mcp_server.sqlite_migration.tables import (
    API_KEYS,
    CANDIDATES,
    ITEMS,
    LINES,
    OAUTH_CODES,
    OAUTH_TOKENS,
    SESSIONS,
    SETTINGS,
    TABLES,
    Column,
    Table,
)
from mcp_server.sqlite_migration.values import MAX_ID, Addresses, Moment

# ruff: noqa: S608 (all names are from tables.py)

ROWS = 1000
# Bytes. A small buffer keeps PostgreSQL busy while the next rows are read.
FLUSH = 65536
# The wire format of timestamptz is microseconds since 2000, so times are sent as integers.
UNTIL_2000 = 946_684_800_000_000

OnProgress = Callable[[int], None]


class Sent(NamedTuple):
    """A column to send: its name, SQL that reads it from a clean view, and its type on the wire."""

    name: str
    expression: str
    wire: str


IMAGE = Sent(
    "image_id",
    """
    CASE WHEN image_filename IS NOT NULL OR image_source_url IS NOT NULL THEN (
        SELECT id
        FROM temp.images
        WHERE filename = coalesce(image_filename, image_source_url) AND source_url IS image_source_url
    ) END
    """,
    "int8",
)
QUANTITY = "(SELECT quantity FROM clean_items WHERE clean_items.id = item_id)"
ADDED = {
    ITEMS: (IMAGE,),
    CANDIDATES: (IMAGE,),
    # The old application counted each item with its quantity, all of it worn if the line was.
    LINES: (
        Sent("quantity", QUANTITY, "numeric"),
        Sent("worn_quantity", f"CASE classification WHEN 'worn' THEN {QUANTITY} ELSE 0 END", "numeric"),
    ),
}
# Tables without an owner in the old file, which was for one person.
OWNED = {"categories", *(table.old for table in ADDED), "threads", "setups"} | {
    table.old for table in (SETTINGS, API_KEYS, OAUTH_CODES, OAUTH_TOKENS)
}
IN_IMAGES = {"image_filename", "image_source_url"}


def sent(table: Table) -> list[Sent]:
    owner = [Sent("user_id", ":owner", "int8")] if table.old in OWNED else []
    columns = [as_sent(column) for column in table.columns if column.name not in IN_IMAGES]
    return [*columns, *owner, *ADDED.get(table, ())]


def as_sent(column: Column) -> Sent:
    if isinstance(column.kind, Moment):
        return Sent(column.name, f"{column.name} - {UNTIL_2000}", "int8")
    if isinstance(column.kind, Addresses):
        # The wire format of jsonb is a version number and the text.
        return Sent(column.name, f"char(1) || {column.name}", "text")
    return Sent(column.name, column.name, column.kind.wire)


def list_images(source: SourceFile) -> None:
    """Number the images that items and candidates name: one for each file, or for each URL without a file."""
    source.conn.execute("CREATE TEMP TABLE images (id INTEGER PRIMARY KEY, filename, source_url)")
    named = """
        SELECT coalesce(image_filename, image_source_url), image_source_url
        FROM {}
        WHERE image_filename IS NOT NULL OR image_source_url IS NOT NULL
    """
    both = " UNION ".join(named.format(view) for view in ("clean_items", "clean_thread_candidates"))
    source.conn.execute(f"INSERT INTO images (filename, source_url) {both}")
    source.conn.execute("CREATE UNIQUE INDEX temp.images_names ON images (filename, source_url)")


def copy_all(
    conn: psycopg.Connection, source: SourceFile, owner_id: int, progress: Callable[[str, int], OnProgress]
) -> dict[str, int]:
    """Send the rows of every table. Return the row counts by new table name."""
    counts = {"images": copy_images(conn, source, owner_id)}
    for table in TABLES:
        rows = highest(source, f"SELECT count(*) FROM clean_{table.old}")
        counts[table.new] = copy_table(conn, source, table, owner_id, progress(table.new, rows))
    return counts


def copy_table(
    conn: psycopg.Connection, source: SourceFile, table: Table, owner_id: int, progress: OnProgress
) -> int:
    columns = sent(table)
    read = ", ".join(column.expression for column in columns)
    return copy_rows(
        conn,
        source,
        table.new,
        columns,
        f"SELECT {read} FROM clean_{table.old} ORDER BY {table.key}",
        owner_id,
        progress,
    )


def copy_images(conn: psycopg.Connection, source: SourceFile, owner_id: int) -> int:
    columns = [
        Sent("id", "id", "int8"),
        Sent("user_id", ":owner", "int8"),
        Sent("filename", "filename", "text"),
        Sent("source_url", "source_url", "text"),
    ]
    query = "SELECT id, :owner, filename, source_url FROM temp.images ORDER BY id"
    return copy_rows(conn, source, "images", columns, query, owner_id, lambda _: None)


def copy_rows(
    conn: psycopg.Connection,
    source: SourceFile,
    table: str,
    columns: list[Sent],
    query: str,
    owner_id: int,
    progress: OnProgress,
) -> int:
    statement = SQL("COPY {} ({}) FROM STDIN (FORMAT binary, FREEZE)").format(
        Identifier(table), SQL(", ").join(Identifier(column.name) for column in columns)
    )
    rows = source.conn.execute(query, {"owner": owner_id})
    with (
        conn.cursor() as cursor,
        cursor.copy(statement, writer=LibpqWriter(cursor, flush_threshold=FLUSH)) as copy,
    ):
        copy.set_types([column.wire for column in columns])
        done = 0
        while batch := rows.fetchmany(ROWS):
            for row in batch:
                copy.write_row(row)
            done += len(batch)
            progress(done)
    return done


def fill_words(conn: psycopg.Connection) -> None:
    """Insert the words of every item and category, as the triggers would."""
    conn.execute("""
        INSERT INTO item_words (user_id, item_id, word)
        SELECT user_id, id, word
        FROM items, words_of(concat_ws(' ', name, notes)) AS word
    """)
    conn.execute("""
        INSERT INTO category_words (user_id, category_id, word)
        SELECT user_id, id, word
        FROM categories, words_of(name) AS word
    """)


def fill_sums(conn: psycopg.Connection) -> None:
    """Insert the sums of all items, as the triggers would."""
    conn.execute("""
        INSERT INTO item_sums
            (user_id, category_id, items, pieces, weight_grams, price_cents, unweighed, unpriced)
        SELECT
            user_id, category_id, count(*), sum(quantity),
            coalesce(sum(weight_grams::numeric * quantity), 0),
            coalesce(sum(price_cents::numeric * quantity), 0),
            count(*) - count(weight_grams), count(*) - count(price_cents)
        FROM items
        GROUP BY user_id, category_id
    """)


def continue_sequences(conn: psycopg.Connection, source: SourceFile) -> dict[str, int]:
    """Continue ids after the highest that was ever used. Return the next id of each table."""
    query: LiteralString = "SELECT setval(pg_get_serial_sequence(%(table)s, 'id'), %(next_id)s, false)"
    following = {"images": highest(source, "SELECT max(id) FROM temp.images") + 1}
    for table in TABLES:
        if table.key == "id" and table is not SESSIONS:
            used = max(
                highest(source, f"SELECT max(id) FROM {view}_{table.old} WHERE id <= {MAX_ID}")
                for view in ("raw", "clean")
            )
            following[table.new] = max(used, last_number(source, table)) + 1
    for name, next_id in following.items():
        conn.execute(query, {"table": name, "next_id": next_id})
    return following


def highest(source: SourceFile, query: str, *parameters: str) -> int:
    row = source.conn.execute(query, parameters).fetchone()
    return row[0] if row and row[0] else 0


def last_number(source: SourceFile, table: Table) -> int:
    if not source.conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").fetchone():
        return 0
    return highest(source, "SELECT max(seq) FROM sqlite_sequence WHERE name = ?", table.old)
