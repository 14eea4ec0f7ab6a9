"""Reads from a standby, once it has replayed what the same user wrote before."""

import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from time import monotonic

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import PoolTimeout

from db.pool import Behind, Pool, create_pool, last_write, lent, reading

logger = logging.getLogger(__name__)

NAME = "standby"
# Seconds to wait for a standby, and seconds to leave it alone after it has not answered.
PATIENCE, SILENCE = 0.5, 5.0


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

    async def _enter(
        self, stack: AsyncExitStack, primary: Pool, user_id: int, together: bool
    ) -> AsyncConnection | None:
        async with lent(primary) as conn:
            written = await last_write(conn, user_id)
        try:
            conn = await stack.enter_async_context(
                reading(self._pool, user_id, written=written, together=together)
            )
        except Behind:
            return None
        except (psycopg.Error, PoolTimeout) as exc:
            self._silent_until = monotonic() + SILENCE
            if not self._away:
                logger.warning("The standby is unreachable; reading from the primary: %s", type(exc).__name__)
            self._away = True
            return None
        if self._away:
            logger.warning("The standby is reachable again.")
        self._away = False
        return conn


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
