"""A lock per user, so that ending a user's access does not miss what another transaction is issuing."""

from psycopg import AsyncConnection


async def issuing(conn: AsyncConnection, user_id: int) -> None:
    """Let *ending* wait for this transaction, which issues a session, a code or tokens."""
    await conn.execute(
        "SELECT pg_advisory_xact_lock_shared(hashtextextended('access of user ' || %(user_id)s::bigint, 0))",
        {"user_id": user_id},
    )


async def ending(conn: AsyncConnection, user_id: int) -> None:
    """Wait for transactions that are issuing, and make later ones wait for this transaction."""
    await conn.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('access of user ' || %(user_id)s::bigint, 0))",
        {"user_id": user_id},
    )
