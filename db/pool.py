"""The async psycopg pool, opened once per process, and transactions, each bound to one user."""

import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, TypeAlias

from psycopg import AsyncConnection, errors
from psycopg.sql import SQL, Literal
from psycopg_pool import AsyncConnectionPool

from db.messages import Connection, Cursor

Pool: TypeAlias = AsyncConnectionPool[Connection]

# Seconds and counts, as libpq names them: a lost connection is detected within about ten seconds.
CONNECTION = {
    # With the process id, so that a process of the embedded server can tell its connections from others.
    "application_name": f"gearshed {os.getpid()}",
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 5000,
}

# Set per transaction, not per session: PgBouncer in transaction mode shares sessions between clients.
# PostgreSQL on Windows does not support client_connection_check_interval and rejects any value but 0.
LIMITS = SQL("""
    set_config('statement_timeout', '5s', true),
    set_config('lock_timeout', '2s', true),
    set_config('idle_in_transaction_session_timeout', '10s', true),
    set_config(
        'client_connection_check_interval',
        CASE WHEN version() ~* 'visual c|mingw|windows' THEN '0' ELSE '1s' END,
        true
    )
""")
SETTINGS = SQL("""
    SELECT
        set_config('role', 'gearshed_app', true),
        set_config('gearshed.user_id', {user_id}, true),
        -- Keeps the current value, because a standby refuses to turn it off.
        set_config(
            'transaction_read_only',
            CASE WHEN {read_only} THEN 'on' ELSE current_setting('transaction_read_only') END,
            true
        ),
        -- Triggers log rows with this id of a change. Empty turns logging off.
        set_config(
            'gearshed.change_id',
            CASE WHEN {logged} THEN nextval('changes_id_seq')::text ELSE '' END,
            true
        ),
        -- The log stores times as text.
        set_config('timezone', 'UTC', true),
        {limits};
""")
BEGIN_CREDENTIALS = SQL("BEGIN; SELECT set_config('role', 'gearshed_auth', true), {limits}").format(
    limits=LIMITS
)
# Of user 0, who has no rows, only the share itself is seen.
SHARE = SQL("""
    SELECT
        set_config('role', 'gearshed_share', true),
        set_config('gearshed.user_id', {user_id}, true),
        set_config('gearshed.share', {token_hash}, true),
        set_config('transaction_read_only', 'on', true),
        set_config('timezone', 'UTC', true),
        {limits};
""")


class Behind(Exception):
    """A standby has not replayed the user's last write yet."""


def create_pool(
    url: str,
    reconnect_failed: Callable[[Any], Awaitable[None]] | None = None,
    *,
    name: str = "primary",
    min_size: int = 1,
    timeout: float = 2,
) -> Pool:
    """Return a closed pool for *url*, to be opened with `async with`. It keeps *min_size* connections.

    *reconnect_failed* is awaited when the server has been unreachable for `reconnect_timeout` seconds.

    The number of waiting calls is not limited. While the server is unreachable, psycopg also counts calls
    that have timed out, so with a limit the pool would refuse all others from then on.
    """
    return AsyncConnectionPool(
        url,
        connection_class=Connection,
        kwargs={**CONNECTION, "autocommit": True, "prepare_threshold": None, "cursor_factory": Cursor},
        configure=configure,
        open=False,
        name=name,
        min_size=min_size,
        max_size=8,
        timeout=timeout,
        max_lifetime=900,
        reconnect_timeout=5,
        reconnect_failed=reconnect_failed,
    )


async def configure(conn: AsyncConnection) -> None:
    """Prepare repeated statements, unless a pooler might send them to another session.

    Behind a pooler, the backend that answers is not the one that the connection reports.
    """
    cursor = await conn.execute("SELECT pg_backend_pid()")
    if await cursor.fetchone() == (conn.info.backend_pid,):
        conn.prepare_threshold = 2


@asynccontextmanager
async def transaction(
    pool: Pool, user_id: int, *, read_only: bool = False, logged: bool = False
) -> AsyncGenerator[AsyncConnection]:
    """Lend a connection for one transaction on one user's rows: returning commits, raising rolls back.

    With *logged*, triggers record each row, and the change has to be inserted before the commit.
    """
    async with lent(pool) as conn:
        # One message: a pipeline would save another one, but when cancelled, it waits for what it has sent.
        await conn.execute(b"BEGIN;" + settings(user_id, read_only, logged), prepare=False)
        yield conn


@asynccontextmanager
async def writing(pool: Pool, user_id: int, *, read_only: bool = False) -> AsyncGenerator[Connection]:
    """Lend a connection for one logged transaction, which begins in the message of its first statement."""
    async with lent(pool) as conn:
        with conn.beginning(b"BEGIN;" + settings(user_id, read_only, True)):
            if conn.prepare_threshold is None:
                # Behind a pooler, the next message may reach another session, without what was prepared.
                await conn.begin()
            yield conn


@asynccontextmanager
async def reading(
    pool: Pool, user_id: int, *, written: int = 0, together: bool = False
) -> AsyncGenerator[AsyncConnection]:
    """Lend a connection for reads of one user's rows, each in a transaction of its own, or all *together*.

    Each sees what is committed when it starts, as in PostgreSQL's default isolation. A cursor of the server
    needs one transaction. A standby that has not replayed the log up to *written* raises Behind.
    """
    async with lent(pool) as conn:
        # Not `<`: the positions of a server that this one was restored from may be larger.
        if written and await last_write(conn, user_id) != written:
            raise Behind
        if together or conn.prepare_threshold is None:
            # Behind a pooler, the next message may reach another session, without what was prepared.
            await conn.execute(b"BEGIN;" + settings(user_id, True, False), prepare=False)
            yield conn
        else:
            with conn.reading(settings(user_id, True, False)):
                yield conn


@asynccontextmanager
async def shared(pool: Pool, token_hash: bytes, user_id: int = 0) -> AsyncGenerator[AsyncConnection]:
    """Lend a connection for reads of a share that is open and, with its *user_id*, of the shared setup.

    The role of these transactions sees nothing else.
    """
    settings = SHARE.format(
        user_id=Literal(str(user_id)), token_hash=Literal(token_hash.hex()), limits=LIMITS
    ).as_bytes(None)
    async with lent(pool) as conn:
        if conn.prepare_threshold is None:
            # Behind a pooler, the next message may reach another session, without what was prepared.
            await conn.execute(b"BEGIN;" + settings, prepare=False)
            yield conn
        else:
            with conn.reading(settings):
                yield conn


@asynccontextmanager
async def credentials(pool: Pool) -> AsyncGenerator[AsyncConnection]:
    """Lend a connection for one transaction on users, keys and tokens. It cannot read any collection."""
    async with lent(pool) as conn:
        await conn.execute(BEGIN_CREDENTIALS, prepare=False)
        yield conn


async def last_write(conn: AsyncConnection, user_id: int) -> int:
    """Return the position of a user's last change in PostgreSQL's log (WAL), as this server knows it."""
    cursor = await conn.execute(
        "SELECT lsn FROM last_writes WHERE user_id = %(user_id)s", {"user_id": user_id}
    )
    row = await cursor.fetchone()
    return row[0] if row else 0


@asynccontextmanager
async def lent(pool: Pool) -> AsyncGenerator[Connection]:
    """Lend a connection. If it is lost, the pool replaces the others too."""
    async with pool.connection() as conn:
        try:
            yield conn
        except Exception as exc:
            # If one connection is lost or leads to a standby, the others are likely to be as well.
            if conn.broken or isinstance(exc, errors.ReadOnlySqlTransaction):
                await pool.drain()
            raise


@lru_cache(maxsize=1024)
def settings(user_id: int, read_only: bool, logged: bool) -> bytes:
    """Return the statement that binds a transaction to a user, with all other settings."""
    return SETTINGS.format(
        user_id=Literal(str(user_id)),
        read_only=Literal(read_only),
        logged=Literal(logged),
        limits=LIMITS,
    ).as_bytes(None)
