"""The command line: parse arguments, load settings, run a command of `commands/`."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn, get_args

from pydantic import TypeAdapter, ValidationError

from db.embedded import EmbeddedError
from mcp_server import terminal
from mcp_server.commands import database, serve
from mcp_server.commands.database import StartError
from mcp_server.commands.migrate_arguments import add_arguments
from mcp_server.models.csv import Columns, ExportFormat, Format
from mcp_server.models.fields import nfc
from mcp_server.models.settings import WeightUnit
from mcp_server.settings import Settings, SettingsError, load

Command = Callable[..., int | None]


# These modules are slow to import and not needed to serve, so they are imported on use. The functions have no
# return annotation, so that pyright infers the module and checks the names taken from it.


def people():
    from mcp_server.commands import people

    return people


def lists():
    from mcp_server.commands import lists

    return lists


def changes():
    from mcp_server.commands import changes

    return changes


def migrate():
    from mcp_server.commands import migrate

    return migrate


def audit():
    from mcp_server.commands import audit

    return audit


def connect():
    from mcp_server.commands import connect

    return connect


def pages():
    from mcp_server.commands import open as pages

    return pages


def backup():
    from mcp_server.commands import backup

    return backup


def doctor():
    from mcp_server.commands import doctor

    return doctor


def demo():
    from mcp_server.commands import demo

    return demo


def with_settings(choose: Callable[[], Command]) -> Command:
    """Return a command that passes the settings to the chosen function, which opens the database itself."""

    def command(settings: Settings, **arguments: Any) -> int | None:
        return choose()(settings, **arguments)

    return command


def with_database(choose: Callable[[], Command]) -> Command:
    """Return a command that starts the database and passes its URL to the chosen function."""

    def command(settings: Settings, **arguments: Any) -> int | None:
        with database.running(settings) as url:
            return choose()(url, **arguments)

    return command


def with_collection(choose: Callable[[], Command]) -> Command:
    """Return a command that starts the database and passes the chosen function its URL and the username."""

    def command(settings: Settings, **arguments: Any) -> int | None:
        with database.running(settings) as url:
            return choose()(url, settings.user, **arguments)

    return command


class Parser(argparse.ArgumentParser):
    """A parser that exits with 1 on a usage error, because the migration uses 2 for an unusable file."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        terminal.warn(f"{self.prog}: {message}")
        self.exit(1)


@dataclass(frozen=True)
class Commands:
    """A group of commands. Each also takes the common *options*."""

    subparsers: Any
    options: argparse.ArgumentParser

    def add(self, name: str, command: Command, text: str) -> argparse.ArgumentParser:
        added = self.subparsers.add_parser(name, help=text, description=text, parents=[self.options])
        added.set_defaults(command=command)
        return added

    def group(self, name: str, text: str) -> "Commands":
        added = self.subparsers.add_parser(name, help=text, description=text)
        return Commands(added.add_subparsers(metavar="command", required=True), self.options)


# Arguments that name people, keys and setups. They are compared and stored in NFC; paths are not changed.
NAMES = frozenset({"username", "name", "setup_name"})


def main() -> None:
    """Run a command and exit. Ctrl-C, and a reader of the output that leaves, end it without a traceback."""
    try:
        try:
            code = run(sys.argv[1:])
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        terminal.warn("gearshed: interrupted.")
        code = 128 + signal.SIGINT
    except BrokenPipeError:
        # Python flushes standard output once more when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run the command that *arguments* name and return its exit code.

    An error that a person can fix gives 1 and one line on stderr.
    """
    options = vars(parser().parse_args(arguments))
    command: Command = options.pop("command")
    settings = {str(field.validation_alias or name) for name, field in Settings.model_fields.items()}
    # Other options belong to the command.
    own = {name: options.pop(name) for name in options.keys() - settings}
    own |= {name: nfc(own[name]) for name in NAMES & own.keys() if own[name]}
    try:
        return command(load(options), **own) or 0
    except (StartError, SettingsError, EmbeddedError) as exc:
        terminal.warn(f"gearshed: {exc}")
        return 1


def parser() -> argparse.ArgumentParser:
    options = options_of_all()
    result = Parser(
        prog="gearshed",
        description="An MCP server for your gear collection. Without a command, it serves MCP on standard "
        "input and output; at a terminal, it shows how to connect a client.",
        epilog="By default, data is stored in an embedded PostgreSQL; DATABASE_URL names another database. "
        "Each option is also an environment variable: --data-dir is GEARSHED_DATA_DIR.",
        parents=[options],
    )
    result.add_argument("--version", action="version", version=f"gearshed {version('gearshed')}")
    result.set_defaults(command=serve.serve_or_explain)
    commands = Commands(result.add_subparsers(metavar="command"), options)
    add_serve(commands)
    add_connect(commands)
    examining = commands.add(
        "doctor",
        with_settings(lambda: doctor().examine),
        "examine this installation: database, data folder, backups and clients; exits with 1 on a problem",
    )
    examining.add_argument("--json", action="store_true", dest="as_json", help="print one JSON object")
    opening = commands.add(
        "open",
        with_settings(lambda: pages().open_pages),
        "open your gear in a browser: pages on this machine, for you alone",
    )
    opening.add_argument("--no-browser", action="store_true", help="print the address instead")
    commands.add(
        "demo",
        with_settings(lambda: demo().show),
        "import a real packing list through a real client, into a temporary database",
    )
    add_backup(commands)
    add_migration(commands)
    add_lists(commands)
    add_changes(commands)
    add_db(commands.group("db", "manage the database schema"))
    add_audit(commands)
    add_users(commands.group("users", "manage users; each has a collection"))
    add_keys(commands.group("keys", "manage the keys that clients send over HTTP"))
    return result


def options_of_all() -> argparse.ArgumentParser:
    """Return the options common to all commands."""
    options = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    options.add_argument("--data-dir", help="folder of the embedded database")
    options.add_argument("--user", help="whose collection to serve (default: local)")
    options.add_argument("--read-only", action="store_true", help="offer only tools that do not write")
    options.add_argument("--tools", metavar="NAMES", help="offer only these tools, separated by commas")
    options.add_argument(
        "--exclude-tools", metavar="NAMES", help="do not offer these tools; wins over --tools"
    )
    options.add_argument(
        "--read-replica",
        dest="DATABASE_REPLICA_URL",
        metavar="URL",
        help="standby to read from; if the URL has a password, set DATABASE_REPLICA_URL instead",
    )
    options.add_argument("--undo-days", help="number of days a change can be undone (default: 365)")
    options.add_argument("--backups", help="daily backups of the embedded database to keep (default: 7)")
    options.add_argument("--files", metavar="FOLDERS", help="folders whose lists and images tools may read")
    options.add_argument("--log-level", help="DEBUG, INFO, WARNING (default) or ERROR; logs go to stderr")
    options.add_argument("--log-format", choices=("text", "json"), help="format of the log (default: text)")
    return options


def add_serve(commands: Commands) -> None:
    serving = commands.add("serve", serve.serve, "serve MCP on standard input and output, or over HTTP")
    for option, metavar, text in (
        ("--host", None, "address to listen on (default: 127.0.0.1)"),
        ("--port", None, "port to listen on (default: 8000)"),
        ("--workers", "NUMBER", "processes that serve HTTP on the same port (default: 1)"),
        ("--public-url", "URL", "URL under which clients reach the server, such as https://gear.example"),
        ("--allowed-host", "NAMES", "additional host names of the server, separated by commas"),
        ("--allowed-origin", "ORIGINS", "web pages that may use the server as a client, separated by commas"),
        ("--trusted-proxy", "NETWORKS", "proxies whose X-Forwarded-For is trusted"),
        ("--metrics-from", "NETWORKS", "addresses that may read /metrics, besides this machine"),
        ("--rate-calls", "NUMBER", "requests a minute of each user (default: 6000, 0: no limit)"),
        ("--rate-mb", "NUMBER", "megabytes a minute that each user may send (default: 120, 0: no limit)"),
        ("--quota-mb", "NUMBER", "megabytes that each user may store (default: no limit)"),
        ("--max-connections", "NUMBER", "open connections in all (default: 4000)"),
        ("--max-connections-each", "NUMBER", "open connections of each address (default: 1000)"),
    ):
        serving.add_argument(option, metavar=metavar, help=text, default=argparse.SUPPRESS)
    serving.add_argument(
        "--http",
        action="store_true",
        help="serve over HTTP; clients send a key or sign in",
        default=argparse.SUPPRESS,
    )


def add_migration(commands: Commands) -> None:
    text = "migrate a collection from the old application's SQLite file to PostgreSQL"
    add_arguments(commands.add("migrate-sqlite", with_settings(lambda: migrate().migrate), text))
    images = commands.group("images", "manage the images of a migrated collection")
    text = "add images that were missing during the migration"
    importing = images.add("import", with_collection(lambda: migrate().import_images), text)
    importing.add_argument("folder", type=Path, metavar="DIR", help="folder with the image files")


def add_lists(commands: Commands) -> None:
    importing = commands.add(
        "import",
        with_collection(lambda: lists().import_files),
        "import lists of any size; the format is detected",
    )
    importing.add_argument(
        "lists",
        metavar="FILE",
        nargs="+",
        help="CSV, text, .xlsx, .xls or .ods, a URL, or - for standard input",
    )
    importing.add_argument("--format", choices=get_args(Format), help="program that wrote the list")
    importing.add_argument(
        "--setup",
        dest="setup_name",
        metavar="NAME",
        help="setup to create from it; default for a packing list: its file name",
    )
    importing.add_argument(
        "--columns",
        type=columns_of,
        metavar="JSON",
        help='what the columns of a spreadsheet are: {"Gewicht (g)": "weight g", "Wer": "notes"}',
    )
    importing.add_argument(
        "--sheet", metavar="NAME", help="sheet of a workbook; default: the one that looks like a list"
    )
    importing.add_argument("--weight-unit", choices=get_args(WeightUnit), help="unit of weights without one")
    importing.add_argument("--update-existing", action="store_true", help="update items that differ")
    importing.add_argument(
        "--skip-bad-lines", action="store_true", help="skip invalid lines and import the rest"
    )
    importing.add_argument(
        "--dry-run", action="store_true", help="show what would be imported; store nothing"
    )
    exporting = commands.add(
        "export",
        with_collection(lambda: lists().export_file),
        "write the collection or a setup as CSV, Markdown or .xlsx, or a setup as a page",
    )
    exporting.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        default="-",
        help="*.xlsx: a workbook; SETUP.html: a page to send; default: standard output",
    )
    exporting.add_argument("--setup", dest="setup_name", metavar="NAME", help="only this setup (name or id)")
    exporting.add_argument("--format", choices=get_args(ExportFormat), default="gearshed")
    exporting.add_argument("--prices", action="store_true", help="show prices on the page")


def add_changes(commands: Commands) -> None:
    listing = commands.add(
        "changes", with_collection(lambda: changes().list_changes), "list changes, newest first"
    )
    for option, metavar, text in (
        ("--tool", "NAME", "only changes by this tool"),
        ("--client", "NAME", "only changes with this key or OAuth client"),
        ("--program", "NAME", "only changes by this program"),
        ("--since", "TIME", "2026-07-01, 2026-07-01T18:30 (UTC), today, yesterday, or ago: 2h, 3d"),
        ("--until", "TIME", "likewise; a date includes its whole day"),
    ):
        listing.add_argument(option, metavar=metavar, help=text, default="")
    listing.add_argument("--limit", type=int, metavar="N", default=20, help="at most this many (default: 20)")
    undoing = commands.add(
        "undo",
        with_collection(lambda: changes().undo_changes),
        "undo changes of any size as one change, completely or not at all",
    )
    undoing.add_argument(
        "change_ids", metavar="CHANGE_ID", type=int, nargs="+", help="as listed by `changes`"
    )
    undoing.add_argument("--dry-run", action="store_true", help="show what would be undone; change nothing")


def columns_of(text: str) -> dict[str, str] | None:
    try:
        return TypeAdapter[dict[str, str] | None](Columns).validate_python(nfc(text))
    except ValidationError as exc:
        raise argparse.ArgumentTypeError(str(exc.errors()[0]["msg"])) from exc


def add_db(db: Commands) -> None:
    text = "upgrade the schema to this release; `gearshed serve` does so too"
    upgrading = db.add("upgrade", database.upgrade, text)
    upgrading.add_argument(
        "--server-role", metavar="ROLE", help="create or update a login role that may serve and nothing else"
    )
    upgrading.add_argument("--server-password-file", metavar="FILE", help="file with that role's password")
    db.add("current", database.current, "print the schema revision")


def add_backup(commands: Commands) -> None:
    writing = commands.add(
        "backup", with_settings(lambda: backup().write), "back up everything of all users to a file"
    )
    writing.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        nargs="?",
        help="the file, which is replaced as a whole (default: a new one beside the embedded database)",
    )
    restoring = commands.add(
        "restore", with_settings(lambda: backup().restore), "restore a backup, verified, all or nothing"
    )
    restoring.add_argument("file", type=Path, metavar="FILE", help="a file that `gearshed backup` wrote")
    moving = commands.add(
        "move", with_settings(lambda: backup().move), "copy everything to another database, verified"
    )
    moving.add_argument(
        "--to", required=True, metavar="URL", help="PostgreSQL to move to, or a folder for an embedded one"
    )
    for command in (restoring, moving):
        command.add_argument(
            "--replace", action="store_true", help="delete what the target database contains"
        )


def add_connect(commands: Commands) -> None:
    connecting = commands.add(
        "connect",
        with_settings(lambda: connect().connect),
        "connect a client, such as claude-desktop; without one, list those that are installed",
    )
    connecting.add_argument("client", metavar="CLIENT", nargs="?", help="the client to connect")
    connecting.add_argument("--name", default="gearshed", help="name of the server in the client")
    connecting.add_argument(
        "--scope",
        choices=("user", "project"),
        default="user",
        help="for the person (default) or the current folder",
    )
    connecting.add_argument("--url", metavar="URL", help="connect to a server over HTTP, such as …/mcp")
    connecting.add_argument(
        "--key-env", metavar="NAME", help="environment variable with the key for --url; without it, sign in"
    )
    connecting.add_argument("--remove", action="store_true", help="remove the connection")
    connecting.add_argument("--dry-run", action="store_true", help="show what would be changed")
    connecting.add_argument(
        "--print", action="store_true", dest="printing", help="print the entry, and change nothing"
    )


def add_audit(commands: Commands) -> None:
    listing = commands.add(
        "audit",
        with_settings(lambda: audit().show),
        "list who changed what, newest first: all users, or the one that --user names",
    )
    listing.add_argument(
        "--client", "--key", default="", metavar="NAME", help="only with this key or connected program"
    )
    listing.add_argument("--program", default="", metavar="NAME", help="only by what calls itself this")
    listing.add_argument("--tool", default="", metavar="NAME", help="only by this tool")
    listing.add_argument("--since", default="", metavar="TIME", help="2026-07-01, 2026-07-01T18:30Z, 3d, …")
    listing.add_argument("--until", default="", metavar="TIME", help="up to and including this day or time")
    listing.add_argument("--limit", type=int, default=100, metavar="N", help="at most so many (default: 100)")
    listing.add_argument("--json", action="store_true", help="one JSON object per line")


def add_users(users: Commands) -> None:
    adding = users.add(
        "add",
        with_database(lambda: people().add_user),
        "add a user; prompts for a password, or reads one line from standard input",
    )
    adding.add_argument("username", metavar="USER")
    adding.add_argument(
        "--no-password",
        dest="with_password",
        action="store_false",
        help="for a user who connects only with keys",
    )
    users.add("list", with_database(lambda: people().list_users), "list users")
    removing = users.add(
        "remove", with_database(lambda: people().remove_user), "delete a user and the user's collection"
    )
    removing.add_argument("username", metavar="USER")
    removing.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    exporting = users.add(
        "export", with_database(lambda: people().export_user), "write everything of a user to a file"
    )
    exporting.add_argument("username", metavar="USER")
    exporting.add_argument("file", type=Path, metavar="FILE", help="the file, which is replaced as a whole")
    exporting.add_argument(
        "--secrets",
        action="store_true",
        help="with the hashes of the password and of keys, which stay valid where the file is imported",
    )
    importing = users.add(
        "import", with_database(lambda: people().import_user), "add the user of an exported file, verified"
    )
    importing.add_argument("file", type=Path, metavar="FILE", help="a file that `users export` wrote")
    importing.add_argument(
        "--name", dest="username", metavar="USER", help="name of the new user (default: the exported one)"
    )
    changing = users.add(
        "password", with_database(lambda: people().set_password), "replace a user's password"
    )
    changing.add_argument("username", metavar="USER")


def add_keys(keys: Commands) -> None:
    creating = keys.add(
        "create",
        with_database(lambda: people().create_key),
        "create a key and print it; it is shown only once",
    )
    creating.add_argument("username", metavar="USER")
    creating.add_argument("name", metavar="NAME", help="name to recognise the key by, such as laptop")
    creating.add_argument(
        "--scope", choices=("read", "write"), default="write", help="write (default) includes read"
    )
    creating.add_argument(
        "--expires", type=int, metavar="DAYS", help="days until the key expires (default: never)"
    )
    listing = keys.add("list", with_database(lambda: people().list_keys), "list keys and their last use")
    listing.add_argument("username", metavar="USER", nargs="?")
    revoking = keys.add("revoke", with_database(lambda: people().revoke_key), "revoke a key")
    revoking.add_argument("key_id", metavar="ID", type=int, help="id shown by `gearshed keys list`")
