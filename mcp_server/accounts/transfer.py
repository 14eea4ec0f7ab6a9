"""`gearshed users export`: everything of one user in one file, to keep, or for another server.

The file is a ZIP archive without compression: for each table `TABLE.ndjson`, one row a line as a JSON object
without the id of the user, and `manifest.json` with the number of rows and a hash of each table. Search words
and sums are not in it, because triggers derive them.
"""

import hashlib
import os
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import IO, LiteralString
from zipfile import ZIP_STORED, ZipFile

from psycopg import AsyncConnection
from psycopg.sql import SQL, Composed, Identifier

from db.collection import COLLECTION
from db.query import fetch_value
from mcp_server.accounts import auth
from mcp_server.models.transfer import Manifest, Part

MANIFEST = "manifest.json"
# The tables with the rows of one user that an import stores, in this order.
STORED = (*COLLECTION, "changes", "row_changes")
# With secrets, it also stores these.
KEYS = "api_keys"
# Generated from the name.
ROW: LiteralString = "to_jsonb(t) - '{user_id,sort_name}'::text[]"
# What a line contains instead, without secrets. Sessions and tokens are for the server that issued them: they
# are in the file only for the person to read.
LINES: Mapping[str, LiteralString] = {
    "users": "to_jsonb(t) - '{id,username,password_hash}'::text[]",
    # The states of a created or deleted row contain its user.
    "row_changes": """
        to_jsonb(t) - 'user_id'
        || jsonb_build_object('before', before - 'user_id', 'after', after - 'user_id')
    """,
    KEYS: "to_jsonb(t) - '{id,user_id,key_hash}'::text[]",
    "sessions": "jsonb_build_object('number', number, 'browser', browser, 'expires_at', expires_at)",
    "oauth_tokens": """
        to_jsonb(t) - '{user_id,access_token_hash,refresh_token_hash}'::text[] || jsonb_build_object(
            'client_name', (SELECT client_name FROM oauth_clients WHERE oauth_clients.client_id = t.client_id)
        )
    """,
}
SECRETS: Mapping[str, LiteralString] = {
    "users": "to_jsonb(t) - '{id,username}'::text[]",
    KEYS: "to_jsonb(t) - '{id,user_id}'::text[]",
}
TABLES = ("users", *STORED, KEYS, "sessions", "oauth_tokens")
# The order of the rows of a table whose key is not an id.
ORDER = {"row_changes": "seq", "sessions": "number"}


class Tally:
    """Counts and hashes the lines of a table."""

    def __init__(self) -> None:
        self._rows, self._bytes, self._hash = 0, 0, hashlib.sha256()

    def add(self, line: bytes) -> None:
        self._rows += 1
        self._bytes += len(line)
        self._hash.update(line)

    @property
    def part(self) -> Part:
        return Part(rows=self._rows, bytes=self._bytes, sha256=self._hash.hexdigest())


async def export(conn: AsyncConnection, username: str, file: Path, *, secrets: bool = False) -> Manifest:
    """Write everything of a user to *file*, all or nothing, as of one moment.

    With *secrets*, the hashes of the password and of keys are in it, and stay valid where it is imported.
    """
    await conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    await bind(conn, await auth.get_user(conn, username))
    revision = await fetch_value(conn, "SELECT version_num FROM alembic_version")
    parts: dict[str, Part] = {}
    with replaced(file) as written, ZipFile(written, "w", ZIP_STORED) as archive:
        for table in TABLES:
            with archive.open(member(table), "w", force_zip64=True) as out:
                parts[table] = await read_table(conn, table, out, secrets=secrets)
        manifest = Manifest(
            release=installed_version("gearshed"),
            revision=revision,
            username=username,
            secrets=secrets,
            tables=parts,
        )
        archive.writestr(MANIFEST, manifest.model_dump_json(indent=1))
    return manifest


async def bind(conn: AsyncConnection, user_id: int) -> None:
    """Bind the transaction to a user's rows, without logging, and set how their values are written."""
    await conn.execute(
        """
        SELECT
            set_config('gearshed.user_id', %(user_id)s::bigint::text, true),
            set_config('gearshed.change_id', '', true),
            set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO', true),
            set_config('intervalstyle', 'postgres', true), set_config('bytea_output', 'hex', true),
            set_config('extra_float_digits', '1', true)
        """,
        {"user_id": user_id},
    )


async def read_table(
    conn: AsyncConnection, table: str, out: IO[bytes] | None = None, *, secrets: bool
) -> Part:
    """Read a user's rows of a table, write them to *out*, and return their number and hash."""
    tally = Tally()
    async with conn.cursor() as cursor, cursor.copy(lines_of(table, secrets=secrets)) as copy:
        copy.set_types(["text"])
        async for (text,) in copy.rows():
            line = f"{text}\n".encode()
            tally.add(line)
            if out:
                out.write(line)
    return tally.part


def lines_of(table: str, *, secrets: bool) -> Composed:
    """Return the statement that reads the lines of a table. A superuser sees the rows of all users."""
    line = SECRETS.get(table) if secrets else None
    return SQL("""
        COPY (
            SELECT ({line})::text
            FROM {table} AS t
            WHERE {owner} = current_setting('gearshed.user_id')::bigint
            ORDER BY {order}
        ) TO STDOUT
    """).format(
        line=SQL(line or LINES.get(table) or ROW),
        table=Identifier(table),
        owner=Identifier("id" if table == "users" else "user_id"),
        order=Identifier(ORDER.get(table, "id")),
    )


def member(table: str) -> str:
    return f"{table}.ndjson"


@contextmanager
def replaced(file: Path) -> Generator[IO[bytes]]:
    """Yield a new file that only this user can read, and which replaces *file* once it is complete."""
    file = file.absolute()
    with tempfile.NamedTemporaryFile(prefix=f".{file.name}.", dir=file.parent, delete=False) as written:
        try:
            yield written
            written.flush()
            os.fsync(written.fileno())
            written.close()
            Path(written.name).replace(file)
        except BaseException:
            written.close()
            Path(written.name).unlink(missing_ok=True)
            raise
