"""`gearshed db`, and the start-up of the database for all commands."""

import asyncio
import os
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, TypeVar

from db.embedded import Database, Embedded, Given
from mcp_server import terminal
from mcp_server.commands import former
from mcp_server.errors import AppError
from mcp_server.settings import Settings, SettingsError, read_line

Result = TypeVar("Result")


class StartError(Exception):
    """A startup error: a command cannot run. The message is one line."""


def upgrade(
    settings: Settings, server_role: str | None = None, server_password_file: str | None = None
) -> None:
    """Upgrade the schema to this release; with *server_role*, also let that role serve."""
    if (server_role is None) != (server_password_file is None):
        raise StartError("--server-role and --server-password-file must be given together.")
    try:
        password = server_password_file and read_line(server_password_file)
    except ValueError as exc:
        raise StartError(f"--server-password-file: {exc}.") from exc
    with running(settings) as url:
        from db import migrations, roles

        if server_role and password:
            roles.let_serve(url, server_role, password)
        terminal.show(migrations.current(url))


def current(settings: Settings) -> None:
    """Print the schema revision."""
    with started(settings) as database, translated_errors():
        from db import migrations

        terminal.show(migrations.current(database.url) or "no schema yet")


@contextmanager
def running(settings: Settings) -> Generator[str]:
    """Start the configured database, upgrade its schema and yield its URL."""
    with started(settings) as database, translated_errors():
        bring_up_to_date(database)
        yield database.url


@contextmanager
def started(settings: Settings) -> Generator[Database]:
    """Start the configured database and yield it. An embedded one stops when its last process exits."""
    database = chosen_database(settings)
    try:
        database.start()
        yield database
    finally:
        database.stop()


def chosen_database(settings: Settings) -> Database:
    with translated_errors():
        if settings.url is not None:
            return Given(settings.url)
    if settings.database_password_file is not None:
        raise SettingsError("DATABASE_PASSWORD_FILE needs DATABASE_URL. Set both.")
    if "data_dir" not in settings.model_fields_set:
        former.move_once(settings.data_dir)
    return Embedded(settings.data_dir)


def bring_up_to_date(database: Database, *, read_only: bool = False) -> None:
    """Upgrade the schema to this release; with *read_only*, raise StartError if an upgrade is needed."""
    with translated_errors():
        from db import migrations

        if read_only:
            migrations.check(database.url)
        else:
            migrations.upgrade(database.url)


def run(work: Coroutine[Any, Any, Result], *, fast: bool = False) -> Result:
    """Run *work* on an event loop that psycopg supports; asyncio's default on Windows is not supported.

    With *fast*, use uvloop if it is installed. Its import would take longer than a short command.
    """
    factory = asyncio.SelectorEventLoop if os.name == "nt" else None
    if fast and find_spec("uvloop"):
        from uvloop import new_event_loop as factory
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)


@contextmanager
def translated_errors() -> Generator[None]:
    """Turn errors of the database and of services into a StartError: one line, without secrets."""
    import psycopg
    from psycopg_pool import PoolTimeout

    from db.migrations import UnusableDatabase

    try:
        yield
    except UnusableDatabase as exc:
        raise StartError(exc) from exc
    except AppError as exc:
        raise StartError(exc.args[0]) from exc
    except psycopg.ProgrammingError as exc:
        if exc.sqlstate is None:
            # libpq could not parse the URL. Its message would quote it, password included.
            raise StartError(
                "DATABASE_URL, DATABASE_DIRECT_URL or DATABASE_REPLICA_URL is not a valid URL. Write it like "
                "postgresql://user:password@host:5432/database, with special characters percent-encoded."
            ) from None
        raise StartError(f"Database error: {in_one_line(exc)}.") from exc
    except (psycopg.OperationalError, PoolTimeout) as exc:
        raise StartError(f"The database cannot be reached: {in_one_line(exc)}. Check DATABASE_URL.") from exc
    except psycopg.Error as exc:
        raise StartError(f"Database error: {in_one_line(exc)}.") from exc


def in_one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip("?.")
