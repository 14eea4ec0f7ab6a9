"""`gearshed users import`: a file of `gearshed users export` as a new user, verified, all or nothing.

Nothing in the file is trusted. Rows get their user from the transaction, foreign keys hold the user, and at
the end the rows are read again like an export: unless that gives the same lines, nothing is stored.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZIP_STORED, BadZipFile, ZipFile

import psycopg
from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier
from pydantic import ValidationError

from db.collection import COLLECTION
from db.query import fetch_value
from db.sql import names
from mcp_server.accounts import auth
from mcp_server.accounts.transfer import (
    KEYS,
    MANIFEST,
    ORDER,
    STORED,
    TABLES,
    Tally,
    bind,
    member,
    read_table,
)
from mcp_server.errors import Conflict, InvalidInput, field_of, quoted
from mcp_server.models.transfer import Manifest, Part

MOST_MANIFEST = 100_000
# The longest text that PostgreSQL reads as JSON. Images are stored with two digits a byte.
LONGEST_LINE = 256 * 1024**2
# All users share the sequences of ids, which continue after those of the file.
MOST_ID = 2**40
# The states of a created or deleted row contain its user, and an undo restores them.
OF_USER = SQL("""
    line || jsonb_build_object(
        'before', CASE
            WHEN line -> 'after' = 'null' THEN line -> 'before' || {user} ELSE line -> 'before'
        END,
        'after', CASE
            WHEN line -> 'before' = 'null' THEN line -> 'after' || {user} ELSE line -> 'after'
        END
    )
""").format(user=SQL("jsonb_build_object('user_id', current_setting('gearshed.user_id')::bigint)"))


async def read(conn: AsyncConnection, file: Path, username: str | None = None) -> tuple[str, Manifest]:
    """Store the user in *file* as a new one, under the same name or as *username*. Return the name."""
    with opened(file) as (archive, manifest):
        await check_revision(conn, manifest)
        name = auth.named(username or manifest.username)
        user_id = await auth.add_user(conn, name, None)
        await bind(conn, user_id)
        await conn.execute("CREATE TEMPORARY TABLE lines (line jsonb NOT NULL) ON COMMIT DROP")
        await conn.execute("SET CONSTRAINTS ALL DEFERRED")
        for table in TABLES:
            with explained(table):
                part = await load(conn, archive, table)
                if part != manifest.tables[table]:
                    raise InvalidInput(f"{table}: the rows differ from the manifest.")
                await check_lines(conn, table)
                if table == "users":
                    await store_user(conn)
                elif table in STORED or (table == KEYS and manifest.secrets):
                    await store(conn, table)
                await conn.execute("TRUNCATE lines")
        with explained("references"):
            await conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
        await verify(conn, manifest)
        await continue_sequences(conn)
        return name, manifest


@contextmanager
def opened(file: Path) -> Generator[tuple[ZipFile, Manifest]]:
    """Open a file and check what it contains."""
    try:
        with ZipFile(file) as archive:
            expected = sorted([MANIFEST, *map(member, TABLES)])
            if sorted(archive.namelist()) != expected:
                others = sorted(set(archive.namelist()) ^ set(expected)) or ["some twice"]
                raise InvalidInput(f"The file does not contain the expected parts: {quoted(others[0])}.")
            if any(info.compress_type != ZIP_STORED for info in archive.infolist()):
                raise InvalidInput("The file is compressed. `gearshed users export` does not compress.")
            with archive.open(MANIFEST) as content:
                manifest = Manifest.model_validate_json(content.read(MOST_MANIFEST))
            if set(manifest.tables) != set(TABLES):
                raise InvalidInput("The manifest does not list the expected tables.")
            yield archive, manifest
    except ValidationError as exc:
        raise InvalidInput("The manifest is not one of `gearshed users export` of this release.") from exc
    except (BadZipFile, EOFError, NotImplementedError, RuntimeError) as exc:
        raise InvalidInput("The file is not one of `gearshed users export`, or is damaged.") from exc


async def check_revision(conn: AsyncConnection, manifest: Manifest) -> None:
    revision = await fetch_value(conn, "SELECT version_num FROM alembic_version")
    if manifest.revision != revision:
        raise Conflict(
            f"The file has schema {quoted(manifest.revision)}, of release {quoted(manifest.release)}, and "
            f"this server has {revision}. Export it again from a server with the release of this one."
        )


async def load(conn: AsyncConnection, archive: ZipFile, table: str) -> Part:
    """Load the lines of a table into the temporary table, and return their number and hash."""
    tally = Tally()
    async with conn.cursor() as cursor, cursor.copy("COPY lines (line) FROM STDIN") as copy:
        for line in lines(archive, table):
            tally.add(line)
            await copy.write_row((line.rstrip(b"\n").decode(),))
    return tally.part


def lines(archive: ZipFile, table: str) -> Iterator[bytes]:
    with archive.open(member(table)) as content:
        while line := content.readline(LONGEST_LINE):
            if not line.endswith(b"\n"):
                raise InvalidInput(f"{table}: a line is too long or incomplete.")
            yield line


async def check_lines(conn: AsyncConnection, table: str) -> None:
    """Refuse lines that name a user, change another table, or have ids that would use up the sequences."""
    wrong = await fetch_value(
        conn,
        """
        SELECT CASE
            WHEN jsonb_typeof(line) <> 'object' THEN 'a line is not an object'
            WHEN line ? 'user_id' OR line -> 'before' ? 'user_id' OR line -> 'after' ? 'user_id'
                THEN 'a row names a user'
            WHEN line ? 'table_name' AND line ->> 'table_name' <> ALL (%(tables)s)
                THEN 'a change is one of another table'
            WHEN line ? 'table_name' AND (
                jsonb_typeof(line -> 'before') NOT IN ('object', 'null')
                OR jsonb_typeof(line -> 'after') NOT IN ('object', 'null')
            ) THEN 'a change is not one of a row'
            WHEN EXISTS (
                SELECT FROM unnest(ARRAY[line -> %(key)s, line -> 'row_id']) AS id
                WHERE jsonb_typeof(id) = 'number' AND id::numeric NOT BETWEEN 1 AND %(most)s
            ) THEN 'an id is out of range'
        END AS wrong
        FROM lines
        ORDER BY wrong
        LIMIT 1
        """,
        {"tables": list(COLLECTION), "key": ORDER.get(table, "id"), "most": MOST_ID},
    )
    if wrong:
        raise InvalidInput(f"{table}: {wrong}.")


async def store_user(conn: AsyncConnection) -> None:
    await conn.execute("""
        UPDATE users
        SET created_at = stored.created_at, password_hash = stored.password_hash
        FROM lines, jsonb_populate_record(NULL::users, line) AS stored
        WHERE users.id = current_setting('gearshed.user_id')::bigint
    """)


async def store(conn: AsyncConnection, table: str) -> None:
    """Store the lines of a table as rows of the user."""
    cursor = await conn.execute(
        """
        SELECT attname
        FROM pg_attribute
        WHERE attrelid = %(table)s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
            AND attname <> ALL (%(own)s)
        ORDER BY attnum
        """,
        # Nothing refers to the id of a key.
        {"table": table, "own": ["user_id", "id"] if table == KEYS else ["user_id"]},
    )
    columns = names([name for (name,) in await cursor.fetchall()])
    await conn.execute(
        SQL("""
            INSERT INTO {table} ({columns}, user_id)
            SELECT {columns}, current_setting('gearshed.user_id')::bigint
            FROM (SELECT {row} AS state FROM lines) AS states, jsonb_populate_record(NULL::{table}, state)
        """).format(
            table=Identifier(table), columns=columns, row=OF_USER if table == "row_changes" else SQL("line")
        )
    )


async def verify(conn: AsyncConnection, manifest: Manifest) -> None:
    """Refuse the file unless an export of what was stored would contain the same lines."""
    for table in ("users", *STORED, *((KEYS,) if manifest.secrets else ())):
        if await read_table(conn, table, secrets=manifest.secrets) != manifest.tables[table]:
            raise InvalidInput(f"{table}: the rows as stored differ from those in the file.")


async def continue_sequences(conn: AsyncConnection) -> None:
    """Let new ids follow those of the user, also of deleted rows, which an undo restores."""
    for table in STORED:
        key = ORDER.get(table, "id")
        last = await fetch_value(
            conn,
            SQL("""
                SELECT greatest(
                    (SELECT max({key}) FROM {table} WHERE user_id = own.id),
                    (SELECT max(row_id) FROM row_changes WHERE user_id = own.id AND table_name = %(table)s)
                )
                FROM (SELECT current_setting('gearshed.user_id')::bigint) AS own (id)
            """).format(key=Identifier(key), table=Identifier(table)),
            {"table": table},
        )
        sequence: str = await fetch_value(
            conn, "SELECT pg_get_serial_sequence(%(table)s, %(key)s)", {"table": table, "key": key}
        )
        name = Identifier(*sequence.split("."))
        is_behind = SQL("SELECT last_value < {last} FROM {name}").format(last=last or 0, name=name)
        if await fetch_value(conn, is_behind):
            # It keeps others from taking ids until the commit, so that the sequence cannot move back.
            await conn.execute(SQL("ALTER SEQUENCE {name} NO CYCLE").format(name=name))
            await conn.execute(
                SQL("SELECT setval(%(sequence)s, greatest({last}, last_value)) FROM {name}").format(
                    last=last, name=name
                ),
                {"sequence": sequence},
            )


@contextmanager
def explained(table: str) -> Generator[None]:
    """Turn an error about the values of a file into one line."""
    try:
        yield
    except UnicodeDecodeError as exc:
        raise InvalidInput(f"{table}: a line is not UTF-8.") from exc
    except psycopg.errors.UniqueViolation as exc:
        raise Conflict(
            f"{table}: another user of this server has a row with this {field_of(exc)}. "
            "Import into another server."
        ) from exc
    except psycopg.Error as exc:
        # Invalid values, violated constraints, and JSON that is nested too deeply.
        if (exc.sqlstate or "")[:2] not in ("22", "23", "54"):
            raise
        raise InvalidInput(f"{table}: {exc.diag.message_primary}.") from exc
