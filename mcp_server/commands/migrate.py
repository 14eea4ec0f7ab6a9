"""`gearshed migrate-sqlite`: run the migration, print its outcome and write its reports."""

import sqlite3
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg.conninfo import make_conninfo

from db.embedded import EmbeddedError
from db.pool import CONNECTION
from mcp_server import terminal
from mcp_server.commands.database import StartError, started, translated_errors
from mcp_server.settings import Settings
from mcp_server.sqlite_migration import target
from mcp_server.sqlite_migration.images import import_folder
from mcp_server.sqlite_migration.outcome import BadSource, Interrupted, Outcome, Stopped, Unusable
from mcp_server.sqlite_migration.progress import Progress
from mcp_server.sqlite_migration.report import Findings, Report, write_rejects, write_report
from mcp_server.sqlite_migration.run import Migration, MigrationOptions, served_as
from mcp_server.sqlite_migration.signals import interruptible
from mcp_server.sqlite_migration.source import SourceFile, opened


class Ending(NamedTuple):
    outcome: Outcome
    exit_code: int
    message: str


def migrate(settings: Settings, **arguments: Any) -> int:
    """Migrate, report the outcome, and return the exit code."""
    options = MigrationOptions(**arguments)
    progress = Progress()
    report = Report(seconds=progress.seconds)
    with interruptible() as interruption:
        try:
            check_folder(options)
            with opened(options.file) as source:
                findings = Findings(source.conn)
                try:
                    ending = attempt(settings, options, source, findings, report, progress)
                except (Stopped, KeyboardInterrupt) as exc:
                    ending = ended_by(exc)
                except sqlite3.DatabaseError as exc:
                    unread = BadSource(f"{options.file} could not be read completely: {exc}.")
                    ending = ended_by(KeyboardInterrupt() if interruption.received else unread)
                leave(options, ending, report, findings)
        except (Stopped, KeyboardInterrupt) as exc:
            ending = ended_by(exc)
            leave(options, ending, report, None)
    return ending.exit_code


def import_images(url: str, username: str, folder: Path) -> int:
    """Add images whose files were missing during a migration, and return the exit code."""
    return import_folder(url, username, folder)


def check_folder(options: MigrationOptions) -> None:
    if options.uploads and not options.uploads.is_dir():
        raise Unusable(f"--uploads: folder {options.uploads} does not exist.")


def attempt(
    settings: Settings,
    options: MigrationOptions,
    source: SourceFile,
    findings: Findings,
    report: Report,
    progress: Progress,
) -> Ending:
    report.source = {**source.described(), "path": str(options.file)}
    report.notes += source.notes
    progress.say(f"{options.file}: {source.size:,} bytes, schema version {source.version}.")
    with connected(settings, options) as (conn, current):
        migration = Migration(options, source, conn, report, findings, progress)
        if current or target.has_schema(conn):
            target.prepare(conn)
            if there := migration.already_there():
                return Ending("already_migrated", 0, there)
        owner = migration.examine(loads=current)
        if current:
            migration.load(owner)
    if options.dry_run:
        done = (
            "loaded, verified and rolled back"
            if current
            else "read and checked, but not loaded, because the database does not have the current schema"
        )
        return Ending("dry_run", 0, f"Dry run: everything was {done}. Nothing was written.")
    rows = sum(table.written for table in report.tables.values())
    return Ending("migrated", 0, f"Migrated {rows:,} rows, verified equal. {served_as(owner.name)}")


@contextmanager
def connected(settings: Settings, options: MigrationOptions) -> Generator[tuple[psycopg.Connection, bool]]:
    """Yield a connection, and whether the schema is current. Uncommitted work is rolled back at the end."""
    try:
        with started(settings) as database, translated_errors():
            current = target.require_current(database.url, upgrade=not options.dry_run)
            conn = psycopg.connect(make_conninfo(database.url, **CONNECTION), prepare_threshold=None)
            try:
                yield conn, current
            finally:
                conn.close()
    except (StartError, EmbeddedError) as exc:
        raise Unusable(str(exc)) from exc


def ended_by(reason: Stopped | KeyboardInterrupt) -> Ending:
    if isinstance(reason, KeyboardInterrupt):
        reason = Interrupted("Interrupted. The database is unchanged.")
    return Ending(reason.outcome, reason.exit_code, str(reason))


def leave(options: MigrationOptions, ending: Ending, report: Report, findings: Findings | None) -> None:
    """Print the outcome and write the requested report files."""
    for line in [*report.notes, *(findings.summary() if findings else ())]:
        terminal.warn(line)
    try:
        if options.report:
            write_report(options.report, ending._asdict(), report, findings)
        if options.rejects:
            write_rejects(options.rejects, findings)
    except OSError as exc:
        terminal.warn(f"{exc.filename} cannot be written: {exc.strerror}.")
    terminal.show(ending.message, sys.stdout if ending.exit_code == 0 else sys.stderr)
