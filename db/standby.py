"""Reads from a standby, as soon as it has what the same user wrote before."""

import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from time import monotonic

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import PoolTimeout

from db.pool import Behind, Pool, create_pool, last_write, lent, transaction

logger = logging.getLogger(__name__)

NAME = "standby"
# Seconds that a standby has to answer, and for which it is left alone when it does not.
PATIENCE, SILENCE = 0.5, 5.0


class Standby:
    """A server that follows the primary, as far as it can be relied upon."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._silent_until = 0.0
        self._away = False

    @asynccontextmanager
    async def reading(self, primary: Pool, user_id: int) -> AsyncGenerator[AsyncConnection]:
        """Lend a connection for one transaction that reads one user's rows: here, or else at the *primary*.

        Where the user's last write was is asked of the primary each time, because any process may have done
        it a moment ago. It is one row by its key; what is read after it may be much.
        """
        async with AsyncExitStack() as stack:
            conn = await self._enter(stack, primary, user_id) if monotonic() >= self._silent_until else None
            if conn is None:
                conn = await stack.enter_async_context(transaction(primary, user_id, read_only=True))
            yield conn

    async def _enter(self, stack: AsyncExitStack, primary: Pool, user_id: int) -> AsyncConnection | None:
        async with lent(primary) as conn:
            written = await last_write(conn, user_id)
        try:
            conn = await stack.enter_async_context(
                transaction(self._pool, user_id, read_only=True, written=written)
            )
        except Behind:
            return None
        except (psycopg.Error, PoolTimeout) as exc:
            self._silent_until = monotonic() + SILENCE
            if not self._away:
                logger.warning("The standby is away, the primary serves alone: %s", type(exc).__name__)
            self._away = True
            return None
        if self._away:
            logger.warning("The standby is back.")
        self._away = False
        return conn


@asynccontextmanager
async def following(url: str | None) -> AsyncGenerator[Standby | None]:
    """Yield the standby at *url*, if there is one; it may be away."""
    if url is None:
        yield None
        return
    # Fails for an address that cannot be read: the pool would show it, password included, in the log.
    conninfo_to_dict(url)
    logging.getLogger("psycopg.pool").addFilter(is_news)
    async with create_pool(url, name=NAME, timeout=PATIENCE) as pool:
        yield Standby(pool)


def is_news(record: logging.LogRecord) -> bool:
    """Whether a line of the pools' log is more than another attempt to reach a standby that is away."""
    return not isinstance(record.args, tuple) or NAME not in record.args
