"""Where the protocol ends and a transaction begins."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from mcp.server.mcpserver import Context
from psycopg import AsyncConnection

from db.pool import Pool, transaction


@dataclass(frozen=True)
class App:
    """What every call needs: the pool, which outlives all sessions, and whose collection is served.

    When it is *read_only*, PostgreSQL itself refuses whatever would write.
    """

    pool: Pool
    user_id: int
    read_only: bool = False


@asynccontextmanager
async def read(ctx: Context[App]) -> AsyncGenerator[AsyncConnection]:
    """Lend a connection for one call that only reads."""
    app = ctx.request_context.lifespan_context
    async with transaction(app.pool, app.user_id, read_only=True) as conn:
        yield conn


@asynccontextmanager
async def write(ctx: Context[App]) -> AsyncGenerator[AsyncConnection]:
    """Lend a connection for one call that writes: returning commits, raising rolls back."""
    app = ctx.request_context.lifespan_context
    async with transaction(app.pool, app.user_id, read_only=app.read_only) as conn:
        yield conn
