"""The command line: arguments, then settings, then a command of `commands/`."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn, get_args

from db.embedded import EmbeddedError
from mcp_server.commands import database, serve
from mcp_server.commands.database import StartError
from mcp_server.commands.migrate_arguments import add_arguments
from mcp_server.models.csv import ExportFormat, Format
from mcp_server.settings import Settings, SettingsError, load

Command = Callable[..., int | None]


# These modules are slow to import, and a server that starts has no use for them. Without an annotation,
# pyright knows what each of them holds.


def people():
    from mcp_server.commands import people

    return people


def lists():
    from mcp_server.commands import lists

    return lists


def migrate():
    from mcp_server.commands import migrate

    return migrate


def demo():
    from mcp_server.commands import demo

    return demo


def with_settings(choose: Callable[[], Command]) -> Command:
    """Return the command that gets the settings, and cares for the database itself."""

    def command(settings: Settings, **arguments: Any) -> int | None:
        return choose()(settings, **arguments)

    return command


def with_database(choose: Callable[[], Command]) -> Command:
    """Return the command for a database that runs: the chosen function gets its URL first."""

    def command(settings: Settings, **arguments: Any) -> int | None:
        with database.running(settings) as url:
            return choose()(url, **arguments)

    return command


def with_collection(choose: Callable[[], Command]) -> Command:
    """Return the command for one person's collection: the chosen function gets the URL and the username."""

    def command(settings: Settings, **arguments: Any) -> int | None:
        with database.running(settings) as url:
            return choose()(url, settings.user, **arguments)

    return command


class Parser(argparse.ArgumentParser):
    """A parser that exits with 1 on a usage error: for the migration, 2 means a file that cannot be used."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(1, f"{self.prog}: {message}\n")


@dataclass(frozen=True)
class Commands:
    """A group of commands, each of which also takes the *options* of all."""

    subparsers: Any
    options: argparse.ArgumentParser

    def add(self, name: str, command: Command, text: str) -> argparse.ArgumentParser:
        added = self.subparsers.add_parser(name, help=text, description=text, parents=[self.options])
        added.set_defaults(command=command)
        return added

    def group(self, name: str, text: str) -> "Commands":
        added = self.subparsers.add_parser(name, help=text, description=text)
        return Commands(added.add_subparsers(metavar="command", required=True), self.options)


def main() -> None:
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run the command that *arguments* name.

    Return its exit code: 1, with one line on stderr, for an error that a person can fix.
    """
    options = vars(parser().parse_args(arguments))
    command: Command = options.pop("command")
    # Options that are not settings belong to the command.
    own = {name: options.pop(name) for name in options.keys() - Settings.model_fields.keys()}
    try:
        return command(load(options), **own) or 0
    except (StartError, SettingsError, EmbeddedError) as exc:
        print(f"gearshed: {exc}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    options = options_of_all()
    result = Parser(
        prog="gearshed",
        description="An MCP server that keeps your gear collection. Without a command it serves; "
        "at a terminal it explains how to connect a client.",
        epilog="The database is the one that DATABASE_URL names, or else an embedded PostgreSQL. "
        "Every option can be an environment variable too: --data-dir is GEARSHED_DATA_DIR.",
        parents=[options],
    )
    result.add_argument("--version", action="version", version=f"gearshed {version('gearshed')}")
    result.set_defaults(command=serve.serve_or_explain)
    commands = Commands(result.add_subparsers(metavar="command"), options)
    add_serve(commands)
    commands.add(
        "demo",
        with_settings(lambda: demo().show),
        "show a real list going through a real client, in a throwaway database",
    )
    add_migration(commands)
    add_lists(commands)
    add_db(commands.group("db", "look after the database"))
    add_users(commands.group("users", "look after people, each with a collection"))
    add_keys(commands.group("keys", "look after keys, which clients connect with over HTTP"))
    return result


def options_of_all() -> argparse.ArgumentParser:
    """Return the options that every command takes."""
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
    return options


def add_serve(commands: Commands) -> None:
    serving = commands.add("serve", serve.serve, "serve MCP on standard input and output, or over HTTP")
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


def add_migration(commands: Commands) -> None:
    text = "move a collection from the old application's SQLite file to PostgreSQL, once"
    add_arguments(commands.add("migrate-sqlite", with_settings(lambda: migrate().migrate), text))
    images = commands.group("images", "look after the images of a collection from the old application")
    text = "fill in images that the migration missed, from a folder"
    importing = images.add("import", with_collection(lambda: migrate().import_images), text)
    importing.add_argument("folder", type=Path, metavar="DIR")


def add_lists(commands: Commands) -> None:
    importing = commands.add(
        "import",
        with_collection(lambda: lists().import_files),
        "import lists, known by their first lines, of any size",
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
    exporting = commands.add(
        "export", with_collection(lambda: lists().export_file), "write the collection, or a setup, as CSV"
    )
    exporting.add_argument("file", metavar="FILE", nargs="?", default="-", help="default: standard output")
    exporting.add_argument("--setup", dest="setup_name", metavar="NAME", help="only this setup (name or id)")
    exporting.add_argument("--format", choices=get_args(ExportFormat), default="gearshed")


def add_db(db: Commands) -> None:
    text = "bring the database to this release's schema, as serve does too"
    upgrading = db.add("upgrade", database.upgrade, text)
    upgrading.add_argument("--server-role", metavar="ROLE", help="let this role log in and serve, no more")
    upgrading.add_argument("--server-password-file", metavar="FILE", help="with the password in this file")
    db.add("current", database.current, "print the revision of the database's schema")


def add_users(users: Commands) -> None:
    adding = users.add(
        "add", with_database(lambda: people().add_user), "add a user; asks for a password, or reads a line"
    )
    adding.add_argument("username", metavar="USER")
    adding.add_argument(
        "--no-password", dest="with_password", action="store_false", help="for somebody who only uses keys"
    )
    users.add("list", with_database(lambda: people().list_users), "list users")
    removing = users.add(
        "remove", with_database(lambda: people().remove_user), "delete a user with the whole collection"
    )
    removing.add_argument("username", metavar="USER")
    removing.add_argument("--yes", action="store_true", help="without asking")
    changing = users.add(
        "password", with_database(lambda: people().set_password), "replace a user's password"
    )
    changing.add_argument("username", metavar="USER")


def add_keys(keys: Commands) -> None:
    creating = keys.add(
        "create", with_database(lambda: people().create_key), "print a new key, for the only time"
    )
    creating.add_argument("username", metavar="USER")
    creating.add_argument("name", metavar="NAME", help="what it is for, such as: laptop")
    creating.add_argument(
        "--scope", choices=("read", "write"), default="write", help="write, the default, includes read"
    )
    creating.add_argument("--expires", type=int, metavar="DAYS", help="after so many days (default: never)")
    listing = keys.add(
        "list", with_database(lambda: people().list_keys), "list keys, and when each was last used"
    )
    listing.add_argument("username", metavar="USER", nargs="?")
    revoking = keys.add("revoke", with_database(lambda: people().revoke_key), "revoke a key")
    revoking.add_argument("key_id", metavar="ID", type=int, help="from `gearshed keys list`")
