"""Upload links: of each, the hash of its token and what it is for, until it is used or expires."""

import re
import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from psycopg import AsyncConnection

from db.query import fetch_value
from mcp_server.errors import Busy, Forbidden
from mcp_server.models.auth import Principal
from mcp_server.models.upload import Upload, UploadLink
from mcp_server.services import image

PREFIX = "upload:"
MINUTES = timedelta(minutes=10)
# Links of a user that are open at once.
MOST_OPEN = 20
# The user in hexadecimal digits, and a secret.
TOKEN = re.compile(r"(?P<user>[0-9a-f]{1,16})\.[\w-]{43}", re.ASCII)


def new_token(user_id: int) -> str:
    return f"{user_id:x}.{secrets.token_urlsafe(32)}"


def user_of(token: str) -> int | None:
    """Return the user whose rows the token is looked up in, or None for a text that is not a token."""
    found = TOKEN.fullmatch(token)
    user_id = int(found["user"], 16) if found else 0
    return user_id if 0 < user_id < 2**63 else None


def key_of(token: str) -> str:
    return f"{PREFIX}{sha256(token.encode()).hexdigest()}"


async def create(
    conn: AsyncConnection,
    server: str | None,
    caller: Principal,
    setup_name: str | None,
    item_id: str | int | None,
    candidate_id: str | int | None,
) -> UploadLink:
    """Open a link on the *server*, whose URL is known over HTTP only."""
    shown_for = None
    if item_id is not None or candidate_id is not None:
        shown_for = await image.check(conn, image.owner(item_id, candidate_id))
    wanted = Upload(
        expires_at=datetime.now(UTC) + MINUTES,
        client=caller.client,
        setup_name=setup_name,
        item_id=int(shown_for.id) if shown_for and shown_for.noun == "item" else None,
        candidate_id=int(shown_for.id) if shown_for and shown_for.noun == "candidate" else None,
    )
    if server is None:
        raise Forbidden("Upload links need a server over HTTP. Pass path, or the content.")
    token = new_token(caller.user_id)
    await store(conn, token, wanted)
    return UploadLink(url=f"{server}/upload/{token}", expires_at=wanted.expires_at)


async def store(conn: AsyncConnection, token: str, upload: Upload) -> None:
    """Open a link. Those that have expired are forgotten."""
    await conn.execute(
        """
        DELETE FROM settings
        WHERE starts_with(key, %(prefix)s) AND (value::jsonb ->> 'expires_at')::timestamptz < now()
        """,
        {"prefix": PREFIX},
    )
    query = "SELECT count(*) FROM settings WHERE starts_with(key, %(prefix)s)"
    if await fetch_value(conn, query, {"prefix": PREFIX}) >= MOST_OPEN:
        raise Busy(f"{MOST_OPEN} upload links are open. Use one of them, or wait until they expire.")
    await conn.execute(
        "INSERT INTO settings (key, value) VALUES (%(key)s, %(value)s) ON CONFLICT DO NOTHING",
        {"key": key_of(token), "value": upload.model_dump_json(exclude_none=True)},
    )


async def find(conn: AsyncConnection, token: str) -> Upload | None:
    """Return what an open link is for."""
    query = "SELECT value FROM settings WHERE key = %(key)s"
    return opened(await fetch_value(conn, query, {"key": key_of(token)}))


async def use(conn: AsyncConnection, token: str) -> Upload | None:
    """Close a link and return what it was for. Of several uses at once, one gets it."""
    query = "DELETE FROM settings WHERE key = %(key)s RETURNING value"
    return opened(await fetch_value(conn, query, {"key": key_of(token)}))


def opened(value: str | None) -> Upload | None:
    upload = None if value is None else Upload.model_validate_json(value)
    return upload if upload and upload.expires_at > datetime.now(UTC) else None
