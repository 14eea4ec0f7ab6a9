"""The async psycopg pool, opened once per process, and the one way to a transaction: bound to one user."""

import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, TypeAlias

from psycopg import AsyncConnection, errors
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Literal
from psycopg_pool import AsyncConnectionPool

Pool: TypeAlias = AsyncConnectionPool[AsyncConnection[TupleRow]]

# Seconds and counts, as libpq names them: a dead peer is noticed within about ten seconds.
CONNECTION = {
    # With the process, so that an embedded server knows its own connections from those of others.
    "application_name": f"gearshed {os.getpid()}",
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 5000,
}

# Set for each transaction, not for the session: behind PgBouncer in transaction mode a session is anybody's.
# PostgreSQL on Windows cannot tell whether its client is still there, and refuses to be asked to.
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
BEGIN = SQL("""
    BEGIN;
    SELECT
        set_config('role', 'gearshed_app', true),
        set_config('gearshed.user_id', {user_id}, true),
        -- A server that takes no writes at the moment says so itself, at the first of them.
        set_config(
            'transaction_read_only',
            CASE WHEN {read_only} THEN 'on' ELSE current_setting('transaction_read_only') END,
            true
        ),
        -- Triggers log what is written under the number of a change, if there is to be one.
        set_config(
            'gearshed.change_id',
            CASE WHEN {logged} THEN nextval('changes_id_seq')::text ELSE '' END,
            true
        ),
        -- In the log, times are texts.
        set_config('timezone', 'UTC', true),
        {limits}
""")
BEGIN_CREDENTIALS = SQL("BEGIN; SELECT set_config('role', 'gearshed_auth', true), {limits}").format(
    limits=LIMITS
)


class Behind(Exception):
    """A standby has not got yet what the user wrote."""


def create_pool(
    url: str,
    reconnect_failed: Callable[[Any], Awaitable[None]] | None = None,
    *,
    name: str = "primary",
    min_size: int = 1,
    timeout: float = 2,
) -> Pool:
    """Return a pool for *url*, still closed: open it with `async with`. It keeps *min_size* connections.

    *reconnect_failed* is awaited when the server has been away for `reconnect_timeout` seconds.

    Any number of calls may wait. While there is no connection, psycopg also counts those that gave up, so
    with a limit it would refuse all others for ever.
    """
    return AsyncConnectionPool(
        url,
        kwargs={**CONNECTION, "autocommit": True, "prepare_threshold": None},
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
    """Have repeated statements prepared, unless a pooler is in between: it may give them to another session.

    A pooler shows by the process that answers: it is not the one that was connected to.
    """
    cursor = await conn.execute("SELECT pg_backend_pid()")
    if await cursor.fetchone() == (conn.info.backend_pid,):
        conn.prepare_threshold = 2


@asynccontextmanager
async def transaction(
    pool: Pool, user_id: int, *, read_only: bool = False, logged: bool = False, written: int = 0
) -> AsyncGenerator[AsyncConnection]:
    """Lend a connection for one transaction on one user's rows: returning commits, raising rolls back.

    Of one that is *logged*, triggers note each row; before it commits, its change has to be written. Behind
    is raised by a standby that has not got yet what the user has *written*.
    """
    async with lent(pool) as conn:
        if written and await last_write(conn, user_id) < written:
            raise Behind
        await conn.execute(begin(user_id, read_only, logged), prepare=False)
        yield conn


@asynccontextmanager
async def credentials(pool: Pool) -> AsyncGenerator[AsyncConnection]:
    """Lend a connection for one transaction on users, keys and tokens, which sees nobody's collection."""
    async with lent(pool) as conn:
        await conn.execute(BEGIN_CREDENTIALS, prepare=False)
        yield conn


async def last_write(conn: AsyncConnection, user_id: int) -> int:
    """Return where in PostgreSQL's log (WAL) the last change of a user was, as far as this server has it."""
    cursor = await conn.execute(
        "SELECT lsn FROM last_writes WHERE user_id = %(user_id)s", {"user_id": user_id}
    )
    row = await cursor.fetchone()
    return row[0] if row else 0


@asynccontextmanager
async def lent(pool: Pool) -> AsyncGenerator[AsyncConnection]:
    """Lend a connection; when it turns out to be lost, the others are given up too."""
    async with pool.connection() as conn:
        try:
            yield conn
        except Exception as exc:
            # One connection that was lost, or that leads to a standby, means that the others are no better.
            if conn.broken or isinstance(exc, errors.ReadOnlySqlTransaction):
                await pool.drain()
            raise


@lru_cache(maxsize=1024)
def begin(user_id: int, read_only: bool, logged: bool) -> bytes:
    """BEGIN and all settings as one message: one round trip.

    A pipeline would save another, but one that is cancelled waits for the statements that it has sent.
    """
    return BEGIN.format(
        user_id=Literal(str(user_id)),
        read_only=Literal(read_only),
        logged=Literal(logged),
        limits=LIMITS,
    ).as_bytes(None)
