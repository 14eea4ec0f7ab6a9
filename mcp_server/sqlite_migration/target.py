"""The target database: prepared for loading and restored within one transaction."""

import json
from datetime import datetime
from typing import LiteralString, NamedTuple

import psycopg
from psycopg import errors
from psycopg.sql import SQL, Identifier

from db import migrations
from db.collection import COLLECTION, DERIVED
from mcp_server.sqlite_migration.outcome import BadTarget
from mcp_server.sqlite_migration.source import SourceFile

LOCK = int.from_bytes(b"gear old", "big")
CREDENTIALS = ("api_keys", "sessions", "oauth_clients", "oauth_codes", "oauth_tokens")
# A database with rows in one of these is not empty. Words belong to items, and rows of changes to changes.
HELD = (*COLLECTION, "changes", *CREDENTIALS)
# The tables that a migration writes. They have no keys, indexes and triggers meanwhile.
WRITTEN = ("users", *COLLECTION, "item_words", "category_words", "item_sums", *CREDENTIALS)


class Marker(NamedTuple):
    """The record of an earlier migration."""

    at: datetime
    owner: str
    checksums: dict[str, str]


def prepare(conn: psycopg.Connection) -> None:
    """Begin the transaction: exclusive, without timeouts, and with access to all users' rows.

    Raise BadTarget if the database is in use.
    """
    for statement in (
        "SET LOCAL lock_timeout = '5s'",
        "SET LOCAL statement_timeout = 0",
        "SET LOCAL idle_in_transaction_session_timeout = 0",
        "SET LOCAL timezone = 'UTC'",
        "SET LOCAL gearshed.change_id = ''",
        "SET LOCAL maintenance_work_mem = '256MB'",
        # Ends the transaction of a killed migration within a second. Not supported on Windows.
        """
        SELECT set_config('client_connection_check_interval', '1s', true)
        WHERE version() !~* 'visual c|mingw|windows'
        """,
    ):
        conn.execute(statement)
    try:
        conn.execute("SELECT pg_advisory_xact_lock(%(lock)s)", {"lock": LOCK})
    except errors.LockNotAvailable:
        raise BadTarget("Another migration is using this database. Wait until it ends.") from None
    try:
        for table in protected(conn):
            conn.execute(SQL("ALTER TABLE {} NO FORCE ROW LEVEL SECURITY").format(Identifier(table)))
    except errors.LockNotAvailable:
        raise BadTarget(
            "The database is in use. Quit the clients of Gearshed and stop its servers, then retry."
        ) from None
    except errors.InsufficientPrivilege:
        raise BadTarget(
            "The tables belong to another role. Run the migration with the DATABASE_URL of their owner."
        ) from None


def has_schema(conn: psycopg.Connection) -> bool:
    """Return whether the database has tables of Gearshed, of whatever revision."""
    return conn.execute("SELECT to_regclass('sqlite_migrations') IS NOT NULL").fetchone() == (True,)


def protected(conn: psycopg.Connection) -> list[str]:
    """Return the tables with row security."""
    query = """
        SELECT relname
        FROM pg_class
        WHERE oid IN (SELECT to_regclass(name) FROM unnest(%(tables)s::text[]) AS name) AND relrowsecurity
        ORDER BY relname
    """
    tables = [*HELD, *DERIVED]
    return [name for (name,) in conn.execute(query, {"tables": tables})]


def protect(conn: psycopg.Connection) -> None:
    """Apply row security to the owner of the tables again."""
    for table in protected(conn):
        conn.execute(SQL("ALTER TABLE {} FORCE ROW LEVEL SECURITY").format(Identifier(table)))


def held(conn: psycopg.Connection) -> list[str]:
    """Return what the database already holds, such as `12 items`."""
    query = SQL("SELECT count(*) FROM {}")
    # A dry run may find the schema of an older release, which lacks some tables.
    there = "SELECT name FROM unnest(%(tables)s::text[]) AS name WHERE to_regclass(name) IS NOT NULL"
    tables = [name for (name,) in conn.execute(there, {"tables": list(HELD)})]
    counts = {name: conn.execute(query.format(Identifier(name))).fetchone() for name in tables}
    counts["users with a password"] = conn.execute(
        "SELECT count(*) FROM users WHERE password_hash IS NOT NULL"
    ).fetchone()
    return [f"{row[0]} {name}" for name, row in counts.items() if row and row[0]]


def marker(conn: psycopg.Connection, sha256: str) -> Marker | None:
    """Return the record of the last migration of this file, if any."""
    query = """
        SELECT migrated_at, owner, checksums
        FROM sqlite_migrations
        WHERE sha256 = %(sha256)s
        ORDER BY id DESC
    """
    row = conn.execute(query, {"sha256": sha256}).fetchone()
    return Marker(*row) if row else None


def user_id(conn: psycopg.Connection, username: str) -> int:
    """Return the id of a user, or 0 if there is none."""
    query = "SELECT id FROM users WHERE username = %(username)s"
    row = conn.execute(query, {"username": username}).fetchone()
    return row[0] if row else 0


def mark(
    conn: psycopg.Connection,
    source: SourceFile,
    owner: str,
    counts: dict[str, int],
    checksums: dict[str, str],
) -> None:
    conn.execute(
        """
        INSERT INTO sqlite_migrations (sha256, bytes, version, owner, counts, checksums)
        VALUES (%(sha256)s, %(bytes)s, %(version)s, %(owner)s, %(counts)s, %(checksums)s)
        """,
        {
            "sha256": source.sha256,
            "bytes": source.size,
            "version": source.version,
            "owner": owner,
            "counts": json.dumps(counts),
            "checksums": json.dumps(checksums),
        },
    )


def empty(conn: psycopg.Connection) -> None:
    """Delete all users and their rows: they have no data, or --replace was given."""
    conn.execute(
        "TRUNCATE users, item_words, item_sums, oauth_clients, sqlite_migrations RESTART IDENTITY CASCADE"
    )


def strip(conn: psycopg.Connection) -> list[bytes]:
    """Drop keys and indexes and disable triggers of the written tables. Return the DDL that restores them."""
    put_back = definitions(conn)
    for table in WRITTEN:
        conn.execute(SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(Identifier(table)))
    for statement in drops(conn):
        conn.execute(statement)
    return put_back


def restore(conn: psycopg.Connection, put_back: list[bytes]) -> None:
    """Restore keys, indexes and triggers. PostgreSQL checks every row against every key."""
    for statement in put_back:
        conn.execute(statement)
    for table in WRITTEN:
        conn.execute(SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(Identifier(table)))
        conn.execute(SQL("ANALYZE {}").format(Identifier(table)))


# Foreign keys depend on unique keys of other tables, so they are dropped first and created last.
CONSTRAINTS: LiteralString = """
    SELECT conrelid::regclass::text AS name, conname, contype, pg_get_constraintdef(oid) AS definition
    FROM pg_constraint
    WHERE contype IN ('p', 'u', 'f')
    AND (conrelid = ANY(%(tables)s::regclass[]) OR confrelid = ANY(%(tables)s::regclass[]))
"""
INDEXES: LiteralString = """
    SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
    FROM pg_index
    WHERE indrelid = ANY(%(tables)s::regclass[])
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))
"""


def drops(conn: psycopg.Connection) -> list[bytes]:
    """Return the statements that drop keys and indexes."""
    query = SQL("""
        SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', name, conname)
        FROM ({constraints}) AS key
        ORDER BY contype <> 'f'
    """).format(constraints=SQL(CONSTRAINTS))
    statements = conn.execute(query, {"tables": list(WRITTEN)}).fetchall()
    query = SQL("SELECT format('DROP INDEX %%s', name) FROM ({indexes}) AS index").format(
        indexes=SQL(INDEXES)
    )
    statements += conn.execute(query, {"tables": list(WRITTEN)}).fetchall()
    return [statement.encode() for (statement,) in statements]


def definitions(conn: psycopg.Connection) -> list[bytes]:
    """Return the statements that create keys and indexes, as the catalog defines them."""
    query = SQL("""
        SELECT format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', name, conname, definition), contype = 'f'
        FROM ({constraints}) AS key
        UNION ALL
        SELECT definition, false
        FROM ({indexes}) AS index
        ORDER BY 2, 1
    """).format(constraints=SQL(CONSTRAINTS), indexes=SQL(INDEXES))
    return [statement.encode() for statement, _ in conn.execute(query, {"tables": list(WRITTEN)})]


def require_current(url: str, *, upgrade: bool) -> bool:
    """Upgrade the schema if *upgrade*. Return whether it is current."""
    try:
        if upgrade:
            migrations.upgrade(url)
            return True
        return not migrations.is_old(migrations.current(url))
    except migrations.UnusableDatabase as exc:
        raise BadTarget(str(exc)) from None
