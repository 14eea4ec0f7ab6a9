"""Users, and the authentication of callers."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import cast

from psycopg import AsyncConnection
from psycopg.errors import UniqueViolation
from pydantic import TypeAdapter, ValidationError

from db.query import fetch_all, fetch_one, fetch_only, fetch_value
from mcp_server.accounts import key, oauth, session, turn
from mcp_server.errors import Conflict, InvalidInput, NotFound, did_you_mean, quoted
from mcp_server.models.auth import Login, Principal, User
from mcp_server.models.fields import Name
from mcp_server.models.session import Person

NAME = TypeAdapter(Name)


async def authenticate(conn: AsyncConnection, token: str, resource: str) -> Principal | None:
    """Return the caller whose key, or access token for *resource*, is *token*; None if there is none."""
    return await key.find(conn, token) or await oauth.find_token(conn, token, resource)


def named(text: str) -> str:
    """Return a name as stored. Raise InvalidInput if it cannot be shown in a list."""
    try:
        name = NAME.validate_python(text)
    except ValidationError as exc:
        raise InvalidInput("name: must be one line of 1 to 200 characters.") from exc
    if not name.isprintable():
        raise InvalidInput("name: must not contain control characters.")
    return name


async def find_user(conn: AsyncConnection, username: str) -> int | None:
    """Return the id of the user called *username*, or None."""
    query = "SELECT id FROM users WHERE username = %(username)s"
    return await fetch_value(conn, query, {"username": username})


async def ensure_user(conn: AsyncConnection, username: str) -> int:
    """Return the id of the user called *username*. The user is created on first use."""
    insert = (
        "INSERT INTO users (username) VALUES (%(username)s) ON CONFLICT (username) DO NOTHING RETURNING id"
    )
    return (
        await find_user(conn, username)
        or await fetch_value(conn, insert, {"username": username})
        # Another process has just created the user.
        or cast(int, await find_user(conn, username))
    )


async def get_user(conn: AsyncConnection, username: str) -> int:
    """Return the id of the user called *username*."""
    found = await find_user(conn, username)
    if found is None:
        cursor = await conn.execute("SELECT username FROM users")
        hint = did_you_mean(username, [name for (name,) in await cursor.fetchall()])
        raise NotFound(f"No user {quoted(username)}.{hint} `gearshed users list` lists all users.")
    return found


async def list_ids(conn: AsyncConnection) -> list[int]:
    """Return the ids of all users."""
    cursor = await conn.execute("SELECT id FROM users ORDER BY id")
    return [user_id for (user_id,) in await cursor.fetchall()]


async def list_people(conn: AsyncConnection) -> list[Person]:
    """Return the ids and names of all users."""
    return await fetch_all(conn, Person, "SELECT id, username FROM users ORDER BY id")


async def list_users(conn: AsyncConnection) -> list[User]:
    """Return all users, sorted by name."""
    query = """
        SELECT
            id, username, password_hash IS NOT NULL AS has_password,
            (SELECT count(*) FROM items WHERE items.user_id = users.id) AS items,
            (SELECT count(*) FROM api_keys WHERE api_keys.user_id = users.id) AS keys
        FROM users
        WHERE id = %(id)s
    """
    users: list[User] = []
    for user_id in await list_ids(conn):
        async with as_user(conn, user_id):
            users.append(await fetch_only(conn, User, query, {"id": user_id}))
    return sorted(users, key=lambda user: user.username)


@asynccontextmanager
async def as_user(conn: AsyncConnection, user_id: int) -> AsyncGenerator[None]:
    """Make one user's rows visible to the owner of the tables, which row security otherwise hides."""
    async with conn.transaction():
        query = "SELECT set_config('gearshed.user_id', %(id)s::bigint::text, true)"
        await conn.execute(query, {"id": user_id})
        yield


async def add_user(conn: AsyncConnection, username: str, password_hash: str | None) -> int:
    """Create a user and return the id. Names must be unique ignoring case."""
    taken = await fetch_value(
        conn,
        "SELECT username FROM users WHERE lower(username) = lower(%(username)s)",
        {"username": username},
    )
    if taken is not None:
        raise Conflict(f"User {quoted(taken)} already exists. Choose another name.")
    try:
        return await fetch_value(
            conn,
            """
            INSERT INTO users (username, password_hash) VALUES (%(username)s, %(password_hash)s) RETURNING id
            """,
            {"username": username, "password_hash": password_hash},
        )
    except UniqueViolation as exc:
        raise Conflict(f"User {quoted(username)} already exists. Choose another name.") from exc


async def set_password(conn: AsyncConnection, username: str, password_hash: str) -> None:
    """Replace a password, and end all sessions, codes and OAuth grants of the user. Keys stay valid."""
    user_id = await get_user(conn, username)
    await turn.ending(conn, user_id)
    await conn.execute(
        "UPDATE users SET password_hash = %(password_hash)s WHERE id = %(id)s",
        {"id": user_id, "password_hash": password_hash},
    )
    await end_access(conn, user_id)


async def replace_password(conn: AsyncConnection, login: Login, password_hash: str) -> Login | None:
    """Replace a person's own password like *set_password*, as a role that cannot change users otherwise.

    Return the new login, or None if the password was replaced meanwhile.
    """
    await turn.ending(conn, login.user_id)
    replaced = await fetch_value(
        conn,
        "SELECT replace_password(%(user_id)s, %(old)s, %(new)s)",
        {"user_id": login.user_id, "old": login.password_hash, "new": password_hash},
    )
    if not replaced:
        return None
    await end_access(conn, login.user_id)
    return login.model_copy(update={"password_hash": password_hash})


async def end_access(conn: AsyncConnection, user_id: int) -> None:
    await session.end_all(conn, user_id)
    await oauth.end_all(conn, user_id)


async def remove_user(conn: AsyncConnection, user_id: int) -> None:
    """Delete a user with the collection and all keys and tokens."""
    # As that user, because a trigger deletes the items' words.
    async with as_user(conn, user_id):
        await turn.ending(conn, user_id)
        await conn.execute("DELETE FROM users WHERE id = %(id)s", {"id": user_id})


async def account_of(conn: AsyncConnection, login: Login | None, username: str) -> str:
    """Return the account under which attempts to sign in are counted: one for all spellings of a name."""
    if login is not None:
        return f"user {login.user_id}"
    return f"name {await fetch_value(conn, 'SELECT lower(%(username)s)', {'username': username})}"


async def find_login(conn: AsyncConnection, username: str) -> Login | None:
    """Return the login of *username*, ignoring case; an exact match wins."""
    return await fetch_one(
        conn,
        Login,
        """
        SELECT id AS user_id, password_hash
        FROM users
        WHERE lower(username) = lower(%(username)s)
        ORDER BY username = %(username)s DESC, id
        LIMIT 1
        """,
        {"username": username},
    )
