"""Look-up: the rows that arguments refer to."""

from psycopg import AsyncConnection

from db.query import fetch_value
from mcp_server.errors import no_such
from mcp_server.services import setup


async def setup_id(conn: AsyncConnection, reference: str | int) -> int:
    """Return the id of the setup with this id or name."""
    return await setup.resolve(conn, reference)


async def thread_id(conn: AsyncConnection, reference: int) -> int:
    """Return the id of the thread with this id."""
    found = await fetch_value(conn, "SELECT id FROM threads WHERE id = %(id)s", {"id": reference})
    if found is None:
        raise no_such("thread", reference)
    return found
