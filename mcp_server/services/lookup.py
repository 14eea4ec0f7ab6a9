"""Look-up: the rows that arguments refer to."""

from psycopg import AsyncConnection

from mcp_server.services import setup


async def setup_id(conn: AsyncConnection, reference: str | int) -> int:
    """Return the id of the setup with this id or name."""
    return await setup.resolve(conn, reference)
