"""The command line: arguments, then settings, database, pool, server and transport, in this order."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, get_args

import anyio

from db.embedded import Database, Embedded, EmbeddedError, Given
from mcp_server.connect import how_to_connect
from mcp_server.models.csv import ExportFormat, Format
from mcp_server.settings import Settings, SettingsError, load, read_line
from sqlite_migration.arguments import add_arguments

# psycopg and the SDK take long to import: each command imports what it needs, while PostgreSQL is starting.


SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)]


class StartError(Exception):
    """What keeps a command from running, in one line."""


class Parser(argparse.ArgumentParser):
    """A parser that ends with 1: for the migration, 2 is a file that cannot be used."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(1, f"{self.prog}: {message}\n")


def main() -> None:
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Do what *arguments* say. Return the exit code: 1, and a line on stderr, for what a person can mend."""
    options = vars(parser().parse_args(arguments))
    command: Callable[..., int | None] = options.pop("command")
    # What is no setting is the command's own.
    own = {name: options.pop(name) for name in options.keys() - Settings.model_fields.keys()}
    try:
        return command(load(options), **own) or 0
    except (StartError, SettingsError, EmbeddedError) as exc:
        print(f"gearshed: {exc}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    options = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    options.add_argument("--data-dir", help="folder of the embedded database")
    options.add_argument("--user", help="whose collection to serve (default: local)")
    options.add_argument("--read-only", action="store_true", help="change nothing: no tool that writes")
    options.add_argument("--tools", metavar="NAMES", help="only these tools, separated by commas")
    options.add_argument("--exclude-tools", metavar="NAMES", help="none of these tools; wins over --tools")
    options.add_argument(
        "--read-replica",
        dest="DATABASE_REPLICA_URL",
        metavar="URL",
        help="a standby to read from; with a password, say it as DATABASE_REPLICA_URL instead",
    )
    options.add_argument("--undo-days", help="for how many days a change can be undone (default: 365)")
    options.add_argument("--log-level", help="DEBUG, INFO, WARNING (default) or ERROR, on stderr")
    result = Parser(
        prog="gearshed",
        description="An MCP server that keeps your gear collection. Without a command it serves; "
        "at a terminal it explains how to connect a client.",
        epilog="The database is the one that DATABASE_URL names, or else an embedded PostgreSQL. "
        "Every option can be an environment variable too: --data-dir is GEARSHED_DATA_DIR.",
        parents=[options],
    )
    result.add_argument("--version", action="version", version=f"gearshed {version('gearshed')}")
    result.set_defaults(command=serve_or_explain)
    commands = result.add_subparsers(metavar="command")

    def add(to: Any, name: str, command: Callable[..., int | None], text: str) -> argparse.ArgumentParser:
        added = to.add_parser(name, help=text, description=text, parents=[options])
        added.set_defaults(command=command)
        return added

    def group(name: str, text: str) -> Any:
        return commands.add_parser(name, help=text, description=text).add_subparsers(
            metavar="command", required=True
        )

    add_serve_options(add(commands, "serve", serve, "serve MCP on standard input and output, or over HTTP"))
    add(commands, "demo", demo, "show a real list going through a real client, in a throwaway database")
    add_arguments(
        add(
            commands,
            "migrate-sqlite",
            migrate_sqlite,
            "move a collection from the old application's SQLite file to PostgreSQL, once",
        )
    )
    images = group("images", "look after the images of a collection from the old application")
    importing = add(
        images, "import", import_images, "fill in images that the migration missed, from a folder"
    )
    importing.add_argument("folder", type=Path, metavar="DIR")
    add_lists(commands, add)
    db = group("db", "look after the database")
    upgrading = add(db, "upgrade", upgrade, "bring the database to this release's schema, as serve does too")
    upgrading.add_argument("--server-role", metavar="ROLE", help="let this role log in and serve, no more")
    upgrading.add_argument("--server-password-file", metavar="FILE", help="with the password in this file")
    add(db, "current", current, "print the revision of the database's schema")
    add_users(group("users", "look after people, each with a collection"), add)
    add_keys(group("keys", "look after keys, which clients connect with over HTTP"), add)
    return result


def add_serve_options(serving: argparse.ArgumentParser) -> None:
    for option, metavar, text in (
        ("--host", None, "address to listen on (default: 127.0.0.1)"),
        ("--port", None, "port to listen on (default: 8000)"),
        ("--public-url", "URL", "address of the server as clients know it, such as https://gear.example"),
        ("--allowed-host", "NAMES", "further names of the server, separated by commas"),
        ("--trusted-proxy", "NETWORKS", "addresses of proxies whose X-Forwarded-For is believed"),
        ("--metrics-from", "NETWORKS", "addresses that may read /metrics, besides this machine"),
    ):
        serving.add_argument(option, metavar=metavar, help=text, default=argparse.SUPPRESS)
    serving.add_argument(
        "--http", action="store_true", help="over HTTP, to whoever has a key", default=argparse.SUPPRESS
    )


def add_lists(commands: Any, add: Callable[..., argparse.ArgumentParser]) -> None:
    importing = add(
        commands, "import", exchange("import_files"), "import lists, known by their first lines, of any size"
    )
    importing.add_argument("files", metavar="FILE", nargs="+", help="CSV, or - for standard input")
    importing.add_argument("--format", choices=get_args(Format), help="of whose program the list is")
    importing.add_argument(
        "--setup",
        dest="setup_name",
        metavar="NAME",
        help="setup to make of it; default: a packing list's file name",
    )
    importing.add_argument("--update-existing", action="store_true", help="change items that differ")
    importing.add_argument("--skip-bad-lines", action="store_true", help="import the rest if a line is bad")
    importing.add_argument("--dry-run", action="store_true", help="only say what would happen")
    exporting = add(commands, "export", exchange("export_file"), "write the collection, or a setup, as CSV")
    exporting.add_argument("file", metavar="FILE", nargs="?", default="-", help="default: standard output")
    exporting.add_argument("--setup", dest="setup_name", metavar="NAME", help="only this setup (name or id)")
    exporting.add_argument("--format", choices=get_args(ExportFormat), default="gearshed")


def add_users(users: Any, add: Callable[..., argparse.ArgumentParser]) -> None:
    adding = add(users, "add", administer("add_user"), "add a user; asks for a password, or reads a line")
    adding.add_argument("username", metavar="USER")
    adding.add_argument(
        "--no-password", dest="with_password", action="store_false", help="for somebody who only uses keys"
    )
    add(users, "list", administer("list_users"), "list users")
    removing = add(users, "remove", administer("remove_user"), "delete a user with the whole collection")
    removing.add_argument("username", metavar="USER")
    removing.add_argument("--yes", action="store_true", help="without asking")
    changing = add(users, "password", administer("set_password"), "replace a user's password")
    changing.add_argument("username", metavar="USER")


def add_keys(keys: Any, add: Callable[..., argparse.ArgumentParser]) -> None:
    creating = add(keys, "create", administer("create_key"), "print a new key, for the only time")
    creating.add_argument("username", metavar="USER")
    creating.add_argument("name", metavar="NAME", help="what it is for, such as: laptop")
    creating.add_argument(
        "--scope", choices=("read", "write"), default="write", help="write, the default, includes read"
    )
    creating.add_argument("--expires", type=int, metavar="DAYS", help="after so many days (default: never)")
    listing = add(keys, "list", administer("list_keys"), "list keys, and when each was last used")
    listing.add_argument("username", metavar="USER", nargs="?")
    revoking = add(keys, "revoke", administer("revoke_key"), "make a key open nothing any more")
    revoking.add_argument("key_id", metavar="ID", type=int, help="from `gearshed keys list`")


def serve_or_explain(settings: Settings) -> None:
    """Serve a client; at a terminal there is none, and a person needs to know what to do."""
    if sys.stdin.isatty() and not settings.http:
        print(how_to_connect())
    else:
        serve(settings)


def serve(settings: Settings) -> None:
    """Serve until standard input ends or a signal comes. An embedded database stops with its last user."""
    if settings.http and "user" in settings.model_fields_set:
        raise SettingsError("GEARSHED_USER: over HTTP, keys say whose collection is served. Leave it out.")
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    database = chosen_database(settings)
    with ExitStack() as stack:
        # Before it starts, because a signal may come meanwhile.
        stack.callback(database.stop)
        stop_on_signals(stack)
        ready = ThreadPoolExecutor(1).submit(start, database, read_only=settings.read_only)
        if settings.http:
            from mcp_server.http.serve import serve_http as serve_clients
        else:
            from mcp_server.server import serve_stdio as serve_clients

        ready.result()
        # asyncio's default loop on Windows is one that psycopg cannot use.
        options: dict[str, Any] = {"loop_factory": asyncio.SelectorEventLoop} if os.name == "nt" else {}
        with translated_errors():
            anyio.run(serve_clients, database, settings, backend_options=options)


def stop_on_signals(stack: ExitStack) -> None:
    """Make every signal that asks to leave do so at once, through *stack*.

    Nothing gentler would: a thread is waiting for standard input and cannot be interrupted.
    """

    def leave(number: int, _: FrameType | None) -> None:
        stack.close()
        os._exit(128 + number)

    def ignore() -> None:
        # A client that closed the pipe sends a signal too if that takes long: the stop must not be stopped.
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    for number in SIGNALS:
        signal.signal(number, leave)
    stack.callback(ignore)


def demo(_: Settings) -> None:
    from mcp_server.demo import show

    show()


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
    with running(settings) as database:
        start(database)
        if server_role and password:
            with translated_errors():
                from db import roles

                roles.let_serve(database.url, server_role, password)
        show_revision(database)


def current(settings: Settings) -> None:
    with running(settings) as database:
        show_revision(database)


def migrate_sqlite(settings: Settings, **options: Any) -> int:
    from sqlite_migration.command import migrate
    from sqlite_migration.run import Options

    return migrate(settings, Options(**options))


def import_images(settings: Settings, folder: Path) -> int:
    from sqlite_migration.images import import_folder

    with running(settings) as database:
        start(database)
        with translated_errors():
            return import_folder(database.url, settings.user, folder)


def exchange(name: str) -> Callable[..., None]:
    """Return the command of this name in `lists`, which takes long to import."""

    def command(settings: Settings, **arguments: Any) -> None:
        with running(settings) as database, translated_errors():
            start(database)
            from mcp_server import lists
            from mcp_server.errors import AppError

            try:
                getattr(lists, name)(database.url, settings.user, **arguments)
            except AppError as exc:
                raise StartError(exc.args[0]) from exc

    return command


def administer(name: str) -> Callable[..., None]:
    """Return the command of this name in `admin`, which takes long to import."""

    def command(settings: Settings, **arguments: Any) -> None:
        with running(settings) as database, translated_errors():
            start(database)
            from mcp_server import admin

            try:
                getattr(admin, name)(database.url, **arguments)
            except admin.Refused as exc:
                raise StartError(exc) from exc

    return command


def show_revision(database: Database) -> None:
    with translated_errors():
        from db import migrations

        print(migrations.current(database.url) or "no schema yet")


def start(database: Database, *, read_only: bool = False) -> None:
    """Start the database where it is ours to start, and bring it to this release's schema.

    When *read_only*, it has to have that already.
    """
    database.start()
    with translated_errors():
        from db import migrations

        if read_only:
            migrations.check(database.url)
        else:
            migrations.upgrade(database.url)


@contextmanager
def running(settings: Settings) -> Generator[Database]:
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
        raise SettingsError("DATABASE_PASSWORD_FILE: is of use with DATABASE_URL only. Set both.")
    return Embedded(settings.data_dir)


@contextmanager
def translated_errors() -> Generator[None]:
    """Say in one line, and without secrets, why the database cannot be used."""
    import psycopg
    from psycopg_pool import PoolTimeout

    from db.migrations import UnusableDatabase

    try:
        yield
    except UnusableDatabase as exc:
        raise StartError(exc) from exc
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
