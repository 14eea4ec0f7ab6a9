"""Reads from a standby, once it has replayed what the same user wrote before."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import PoolTimeout

from db.pool import Behind, Pool, create_pool, last_write, lent, reading

Answer = TypeVar("Answer")

logger = logging.getLogger(__name__)

NAME = "standby"
# Seconds to wait for a connection to a standby and for its first answer, and to leave it
# alone if it does not answer.
PATIENCE, FOR_ANSWER, SILENCE = 0.5, 2.0, 5.0


class Standby:
    """A server that follows the primary. It may lag behind or be unreachable."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._silent_until = 0.0
        self._away = False

    @asynccontextmanager
    async def reading(
        self, primary: Pool, user_id: int, *, together: bool = False
    ) -> AsyncGenerator[AsyncConnection]:
        """Lend a connection that reads one user's rows, on the standby or the *primary*.

        The primary is asked for the user's last write each time, because another process may just have
        written. That reads one row by its key; the call may read much more.
        """
        async with AsyncExitStack() as stack:
            conn = None
            if monotonic() >= self._silent_until:
                conn = await self._enter(stack, primary, user_id, together)
            if conn is None:
                conn = await stack.enter_async_context(reading(primary, user_id, together=together))
                yield conn
                return
            try:
                yield conn
            except BaseException as exc:
                # A call that is cancelled may have waited for the standby.
                if conn.broken or isinstance(exc, asyncio.CancelledError):
                    self._silent_until = monotonic() + SILENCE
                raise

    async def _enter(
        self, stack: AsyncExitStack, primary: Pool, user_id: int, together: bool
    ) -> AsyncConnection | None:
        async with lent(primary) as conn:
            written = await last_write(conn, user_id)
        try:
            conn = await answered(
                stack.enter_async_context(reading(self._pool, user_id, written=written, together=together))
            )
        except Behind:
            return None
        except (psycopg.Error, PoolTimeout, TimeoutError) as exc:
            self._silent_until = monotonic() + SILENCE
            if not self._away:
                logger.warning("The standby is unreachable; reading from the primary: %s", type(exc).__name__)
            self._away = True
            return None
        if self._away:
            logger.warning("The standby is reachable again.")
        self._away = False
        return conn


async def answered(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Return the result of *work*, or raise TimeoutError without waiting for the end of its cancellation.

    psycopg asks the server to cancel a statement, and a frozen server does not answer that either.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait([task], timeout=FOR_ANSWER)
    finally:
        if not task.done():
            task.cancel()
            task.add_done_callback(seen)
    if not task.done():
        raise TimeoutError
    return task.result()


def seen(task: asyncio.Future[Any]) -> None:
    """Take the exception of a task that nothing waits for, which asyncio would log."""
    if not task.cancelled():
        task.exception()


@asynccontextmanager
async def following(url: str | None) -> AsyncGenerator[Standby | None]:
    """Yield the standby at *url*, or None without a URL. The standby may be unreachable."""
    if url is None:
        yield None
        return
    # Raises for an invalid address, which the pool would write to the log with the password.
    conninfo_to_dict(url)
    logging.getLogger("psycopg.pool").addFilter(is_news)
    async with create_pool(url, name=NAME, timeout=PATIENCE) as pool:
        yield Standby(pool)


def is_news(record: logging.LogRecord) -> bool:
    """Whether a log record is about anything but another attempt to connect to the standby."""
    return not isinstance(record.args, tuple) or NAME not in record.args
