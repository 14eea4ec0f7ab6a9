"""`gearshed db`, and what every command needs of its database: chosen, started, up to date."""

import asyncio
import os
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from typing import Any, TypeVar

from db.embedded import Database, Embedded, Given
from mcp_server.errors import AppError
from mcp_server.settings import Settings, SettingsError, read_line

Result = TypeVar("Result")


class StartError(Exception):
    """A command cannot run. The message is one line for a person."""


def upgrade(
    settings: Settings, server_role: str | None = None, server_password_file: str | None = None
) -> None:
    """Bring the database to this release's schema, and let a role serve from it if one is named."""
    if (server_role is None) != (server_password_file is None):
        raise StartError("--server-role and --server-password-file go together: give both.")
    try:
        password = server_password_file and read_line(server_password_file)
    except ValueError as exc:
        raise StartError(f"--server-password-file: {exc}.") from exc
    with running(settings) as url:
        from db import migrations, roles

        if server_role and password:
            roles.let_serve(url, server_role, password)
        print(migrations.current(url))


def current(settings: Settings) -> None:
    """Print the revision of the database's schema."""
    with started(settings) as database, translated_errors():
        from db import migrations

        print(migrations.current(database.url) or "no schema yet")


@contextmanager
def running(settings: Settings) -> Generator[str]:
    """Yield the URL of the database that the settings choose, running and with this release's schema."""
    with started(settings) as database, translated_errors():
        bring_up_to_date(database)
        yield database.url


@contextmanager
def started(settings: Settings) -> Generator[Database]:
    """Yield the database that the settings choose. An embedded one stops with its last user."""
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
    return Embedded(settings.data_dir)


def bring_up_to_date(database: Database, *, read_only: bool = False) -> None:
    """Upgrade the schema to this release's; when *read_only*, raise StartError unless it has that already."""
    with translated_errors():
        from db import migrations

        if read_only:
            migrations.check(database.url)
        else:
            migrations.upgrade(database.url)


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run *work* on an event loop that psycopg can use, which asyncio's default on Windows is not."""
    factory = asyncio.SelectorEventLoop if os.name == "nt" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)


@contextmanager
def translated_errors() -> Generator[None]:
    """Report errors of the database, and those of services, as a StartError: in one line, without secrets."""
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
            # libpq could not read the URL, and its message would show it, password included.
            raise StartError(
                "DATABASE_URL, or DATABASE_DIRECT_URL or DATABASE_REPLICA_URL, cannot be read. Write it like "
                "postgresql://user:password@host:5432/database, with special characters percent-encoded."
            ) from None
        raise StartError(f"The database refused: {in_one_line(exc)}.") from exc
    except (psycopg.OperationalError, PoolTimeout) as exc:
        raise StartError(f"The database cannot be reached: {in_one_line(exc)}. Check DATABASE_URL.") from exc
    except psycopg.Error as exc:
        raise StartError(f"The database refused: {in_one_line(exc)}.") from exc


def in_one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip("?.")
