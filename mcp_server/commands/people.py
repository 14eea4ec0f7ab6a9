"""`gearshed users` and `gearshed keys`.

Passwords are never arguments, because other users of a machine can see the arguments of a process.
"""

import getpass
import sys
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo

from db.pool import CONNECTION
from mcp_server import terminal
from mcp_server.accounts import auth, key, password, transfer, transfer_in
from mcp_server.commands.database import StartError, run
from mcp_server.errors import InvalidInput
from mcp_server.models.auth import READ, READ_WRITE, Key, User
from mcp_server.models.transfer import Manifest

Result = TypeVar("Result")
# About a hundred years.
MOST_DAYS = 36500


def in_transaction(url: str, work: Callable[[AsyncConnection], Awaitable[Result]]) -> Result:
    """Run *work* in one transaction."""

    async def connected() -> Result:
        async with await AsyncConnection.connect(
            make_conninfo(url, **CONNECTION), prepare_threshold=None
        ) as conn:
            return await work(conn)

    return run(connected())


def add_user(url: str, username: str, with_password: bool = True) -> None:
    async def work(conn: AsyncConnection) -> None:
        name = auth.named(username)
        await auth.add_user(conn, name, await asked_password() if with_password else None)
        terminal.warn(f"Added {name}. To create a key: gearshed keys create {name!r} NAME")

    in_transaction(url, work)


def set_password(url: str, username: str) -> None:
    async def work(conn: AsyncConnection) -> None:
        await auth.get_user(conn, username)
        await auth.set_password(conn, username, await asked_password())

    in_transaction(url, work)


async def asked_password() -> str:
    """Prompt twice for a password, or read one line if there is no terminal, and return its hash."""
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
    """Delete a user and the user's collection, after confirmation."""

    async def work(conn: AsyncConnection) -> None:
        user_id = await auth.get_user(conn, username)
        if not yes and asked(confirmation(username)) != username:
            raise InvalidInput("Nothing was deleted: the name did not match. Type it again, or pass --yes.")
        await auth.remove_user(conn, user_id)

    in_transaction(url, work)


def export_user(url: str, username: str, file: Path, secrets: bool = False) -> None:
    """Write everything of a user to a file."""

    async def work(conn: AsyncConnection) -> Manifest:
        return await transfer.export(conn, username, file, secrets=secrets)

    with file_errors():
        terminal.show(f"{file}: {described(in_transaction(url, work))}.")


def import_user(url: str, file: Path, username: str | None = None) -> None:
    """Store the user of a file as a new one."""

    async def work(conn: AsyncConnection) -> tuple[str, Manifest]:
        return await transfer_in.read(conn, file, username)

    with file_errors():
        name, manifest = in_transaction(url, work)
    terminal.show(f"Imported and verified as user {name}: {described(manifest)}.")
    if not manifest.secrets:
        terminal.warn("The file has no keys and no password. `gearshed keys create` creates a key.")


@contextmanager
def file_errors() -> Generator[None]:
    try:
        yield
    except OSError as exc:
        raise StartError(f"{exc.filename}: {exc.strerror}.") from exc


def described(manifest: Manifest) -> str:
    items, images, changes = (manifest.tables[table].rows for table in ("items", "images", "changes"))
    return f"{items:,} items, {images:,} images, {changes:,} changes, schema {manifest.revision}"


def confirmation(username: str) -> str:
    return f"This permanently deletes user {username!r} and the user's collection. Type the name to confirm: "


def asked(question: str) -> str:
    terminal.show(question, sys.stderr, end="")
    return sys.stdin.readline().rstrip("\r\n")


def create_key(url: str, username: str, name: str, scope: str = "write", expires: int | None = None) -> None:
    """Create a key and print it as the only output on stdout."""

    async def work(conn: AsyncConnection) -> str:
        if expires is not None and not 1 <= expires <= MOST_DAYS:
            raise InvalidInput(f"--expires: must be 1 to {MOST_DAYS} days.")
        lifetime = None if expires is None else timedelta(days=expires)
        scopes = READ_WRITE if scope == "write" else READ
        return await key.create(conn, await auth.get_user(conn, username), auth.named(name), scopes, lifetime)

    made = in_transaction(url, work)
    terminal.warn("The key is shown only once:")
    terminal.show(made)


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
    """Print a table."""
    table = [head, *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        terminal.show(line)
