"""Users and keys at the command line. No password is an argument: everybody on a machine sees those."""

import getpass
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo
from pydantic import TypeAdapter, ValidationError

from db.pool import CONNECTION
from mcp_server.accounts import auth, key, password
from mcp_server.commands.database import run
from mcp_server.errors import InvalidInput
from mcp_server.models.auth import READ, READ_WRITE, Key, User
from mcp_server.models.fields import Name

Result = TypeVar("Result")
NAME = TypeAdapter(Name)
# Days: about a hundred years.
LONGEST_LIFE = 36500


def in_transaction(url: str, work: Callable[[AsyncConnection], Awaitable[Result]]) -> Result:
    """Do *work* in one transaction."""

    async def connected() -> Result:
        async with await AsyncConnection.connect(make_conninfo(url, **CONNECTION)) as conn:
            return await work(conn)

    return run(connected())


def named(text: str) -> str:
    """Return a name as it is stored, or refuse one that no list could show."""
    try:
        name = NAME.validate_python(text)
    except ValidationError as exc:
        raise InvalidInput("name: must be one line of 1 to 200 characters.") from exc
    if not name.isprintable():
        raise InvalidInput("name: must not hold control characters.")
    return name


def add_user(url: str, username: str, with_password: bool = True) -> None:
    async def work(conn: AsyncConnection) -> None:
        name = named(username)
        await auth.add_user(conn, name, await asked_password() if with_password else None)
        print(f"Added {name}. A key to connect with: gearshed keys create {name!r} NAME", file=sys.stderr)

    in_transaction(url, work)


def set_password(url: str, username: str) -> None:
    async def work(conn: AsyncConnection) -> None:
        await auth.get_user(conn, username)
        await auth.set_password(conn, username, await asked_password())

    in_transaction(url, work)


async def asked_password() -> str:
    """Return the hash of a password that is typed twice or, without a terminal, read as a line."""
    if sys.stdin.isatty():
        text = getpass.getpass("Password: ")
        if getpass.getpass("Again: ") != text:
            raise InvalidInput("The two passwords differ.")
    else:
        text = sys.stdin.readline().rstrip("\r\n")
    password.check(text)
    return await password.hashed(text)


def list_users(url: str) -> None:
    def row(user: User) -> Sequence[object]:
        return user.username, "yes" if user.has_password else "no", user.keys, user.items

    show(("USER", "PASSWORD", "KEYS", "ITEMS"), map(row, in_transaction(url, auth.list_users)))


def remove_user(url: str, username: str, yes: bool = False) -> None:
    """Delete a user and the whole collection, once the name has been typed again."""

    async def work(conn: AsyncConnection) -> None:
        user_id = await auth.get_user(conn, username)
        if (
            not yes
            and asked(f"Deletes {username!r} with the collection, for good. Type the name: ") != username
        ):
            raise InvalidInput("Nothing was deleted. Type the name, or pass --yes.")
        await auth.remove_user(conn, user_id)

    in_transaction(url, work)


def asked(question: str) -> str:
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().rstrip("\r\n")


def create_key(url: str, username: str, name: str, scope: str = "write", expires: int | None = None) -> None:
    """Print a new key, alone on standard output."""

    async def work(conn: AsyncConnection) -> str:
        if expires is not None and not 1 <= expires <= LONGEST_LIFE:
            raise InvalidInput(f"expires: must be 1 to {LONGEST_LIFE} days.")
        lifetime = None if expires is None else timedelta(days=expires)
        scopes = READ_WRITE if scope == "write" else READ
        return await key.create(conn, await auth.get_user(conn, username), named(name), scopes, lifetime)

    made = in_transaction(url, work)
    print("This is the only time that the key is shown:", file=sys.stderr)
    print(made)


def list_keys(url: str, username: str | None = None) -> None:
    async def work(conn: AsyncConnection) -> list[Key]:
        return await key.list_all(conn, None if username is None else await auth.get_user(conn, username))

    def row(found: Key) -> Sequence[object]:
        moments = (found.created_at, found.expires_at, found.last_used_at)
        scope = "write" if "write" in found.scopes else "read"
        return found.id, found.username, found.name, f"{found.key_prefix}…", scope, *map(day, moments)

    show(
        ("ID", "USER", "NAME", "KEY", "SCOPE", "CREATED", "EXPIRES", "LAST USED"),
        map(row, in_transaction(url, work)),
    )


def revoke_key(url: str, key_id: int) -> None:
    async def work(conn: AsyncConnection) -> None:
        await key.revoke(conn, key_id)

    in_transaction(url, work)


def day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else "never"


def show(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table. What a terminal would obey instead of showing it becomes a question mark."""
    table = [head, *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        print("".join(character if character.isprintable() else "?" for character in line))
