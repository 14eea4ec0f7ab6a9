"""Shares: of each, the hash of its link's token. The link shows one setup until it expires or is ended."""

import re
import secrets
from hashlib import sha256

from psycopg import AsyncConnection

from db.query import fetch_all, fetch_one, fetch_only, fetch_value
from mcp_server.errors import Conflict, Forbidden, no_such
from mcp_server.models.setup import Part, SetupShown
from mcp_server.models.share import Share, ShareCreated, Shared, ShareEnded, ShareList
from mcp_server.services import setup

# Of a user.
MOST_OPEN = 100
# 128 random bits.
BYTES = 16
TOKEN = re.compile(r"[\w-]{22}", re.ASCII)
# Of a page.
MOST_LINES = 2000
PARTS: tuple[Part, ...] = ("totals", "categories", "lines")


def hash_of(token: str) -> bytes | None:
    """Return what a token is looked up by, or None for a text that is not a token."""
    return sha256(token.encode()).digest() if TOKEN.fullmatch(token) else None


async def create(
    conn: AsyncConnection, server: str | None, setup_id: str | int, days: int, prices: bool
) -> ShareCreated:
    """Share a setup by a link on the *server*, whose URL is known over HTTP only."""
    setup_id = await setup.resolve(conn, setup_id)
    if server is None:
        raise Forbidden(
            "Links need a server over HTTP. Ask the person to run "
            "`gearshed export NAME.html`, which writes the same page as a file to send."
        )
    query = "SELECT count(*) FROM shares WHERE expires_at > now()"
    if await fetch_value(conn, query) >= MOST_OPEN:
        raise Conflict(f"{MOST_OPEN} shares are open. Call list_shares, and end one with end_share.")
    token = secrets.token_urlsafe(BYTES)
    made = await fetch_only(
        conn,
        ShareCreated,
        """
        INSERT INTO shares (setup_id, token_hash, prices, expires_at)
        VALUES (%(setup_id)s, %(token_hash)s, %(prices)s, now() + make_interval(days => %(days)s))
        RETURNING id, prices, expires_at, (SELECT name FROM setups WHERE setups.id = setup_id) AS setup
        """,
        {"setup_id": setup_id, "token_hash": hash_of(token), "prices": prices, "days": days},
    )
    return made.model_copy(update={"url": f"{server}/s/{token}"})


async def list_open(conn: AsyncConnection) -> ShareList:
    shares = await fetch_all(
        conn,
        Share,
        """
        SELECT
            shares.id, shares.setup_id, setups.name AS setup, shares.prices, shares.created_at,
            shares.expires_at
        FROM shares
        JOIN setups ON setups.id = shares.setup_id
        WHERE shares.expires_at > now()
        ORDER BY shares.id DESC
        """,
    )
    return ShareList(shares=shares)


async def end(conn: AsyncConnection, share_id: int) -> ShareEnded:
    """End an open share: its link shows nothing from now on."""
    ended = await fetch_one(
        conn,
        ShareEnded,
        """
        DELETE FROM shares
        WHERE id = %(share_id)s AND expires_at > now()
        RETURNING id AS ended, (SELECT name FROM setups WHERE setups.id = setup_id) AS setup
        """,
        {"share_id": share_id},
    )
    if ended is None:
        raise no_such("share", share_id)
    return ended


async def prune(conn: AsyncConnection, days: int) -> None:
    """Delete shares that expired more than *days* ago, after which no change of them can be undone."""
    await conn.execute(
        "DELETE FROM shares WHERE expires_at < now() - make_interval(days => %(days)s)", {"days": days}
    )


async def find(conn: AsyncConnection) -> Shared | None:
    """Return the open share that the transaction is bound to."""
    return await fetch_one(conn, Shared, "SELECT user_id, setup_id, prices, expires_at FROM shares")


async def show(conn: AsyncConnection, shared: Shared) -> SetupShown:
    """Return the shared setup, with its first lines, without prices unless they are shared."""
    return await show_own(conn, shared.setup_id, prices=shared.prices)


async def show_own(conn: AsyncConnection, setup_id: str | int, *, prices: bool) -> SetupShown:
    """Return a setup as a share would show it."""
    shown = await setup.get(conn, setup_id, PARTS, limit=MOST_LINES)
    return shown if prices else without_prices(shown)


def without_prices(shown: SetupShown) -> SetupShown:
    lines = [line.model_copy(update={"price_cents": None}) for line in shown.lines]
    return shown.model_copy(update={"price_cents": None, "unpriced": 0, "lines": lines})
