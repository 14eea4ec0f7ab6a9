"""`gearshed doctor`: what this installation is, what is wrong with it, and what to do."""

import json
import os
import platform
import shutil
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from db import migrations, private
from db.embedded import Embedded, EmbeddedError
from mcp_server import terminal
from mcp_server.clients.catalogue import CLIENTS
from mcp_server.clients.client import Machine
from mcp_server.clients.connection import entry_in, missing_program, state
from mcp_server.clients.document import Unfit
from mcp_server.clients.installation import program
from mcp_server.commands import daily, former
from mcp_server.commands.database import StartError, translated_errors
from mcp_server.settings import Settings

LEAST_FREE = 500 * 1024**2
OLDEST_VERSION = 160_000
FACTS: LiteralString = """
    SELECT current_setting('server_version'), pg_database_size(current_database())
"""
LAST_CHANGE: LiteralString = "SELECT extract(epoch FROM max(at))::float8 FROM changes"


@dataclass(frozen=True)
class Report:
    """Lines for a person, the same as values, and the problems. Each problem says what to do."""

    lines: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    values: dict[str, Any] = field(default_factory=dict[str, Any])
    problems: list[str] = field(default_factory=list[str])

    def add(self, name: str, value: Any, *lines: str) -> None:
        self.values[name] = value
        self.lines[name] = list(lines)


def examine(settings: Settings, *, as_json: bool) -> int:
    """Print a report. The exit code is 1 if something is wrong."""
    report = Report()
    here = {"version": version("gearshed"), "python": platform.python_version(), "program": program()}
    report.add("gearshed", here, f"{here['version']}, Python {here['python']}, {here['program']}")
    if settings.url is None:
        examine_embedded(report, settings)
    else:
        examine_database(report, settings, settings.url, "server", None)
    examine_clients(report, Machine())
    if as_json:
        terminal.show(json.dumps({**report.values, "problems": report.problems}))
        return int(bool(report.problems))
    for name, lines in report.lines.items():
        for at, line in enumerate(lines):
            terminal.show(f"{'' if at else name:<10}{line}")
    terminal.show("Nothing is wrong." if not report.problems else "Problems:")
    for problem in report.problems:
        terminal.show(f"- {problem}")
    return int(bool(report.problems))


def examine_embedded(report: Report, settings: Settings) -> None:
    """Examine the folder, and the database in it if there is one. Nothing is created."""
    folder = settings.data_dir.expanduser().absolute()
    is_usable = examine_folder(report, folder)
    for old in former.collections():
        report.lines["folder"].append(f"{old} is a collection of a former release")
    if not is_usable:
        return
    database: Embedded | None = None
    try:
        database = Embedded(folder)
        if not (database.data / "PG_VERSION").exists():
            report.add("database", None, "none yet: the first start creates it")
            return
        database.start()
        examine_database(report, settings, database.url, "embedded", database)
    except EmbeddedError as exc:
        report.add("database", {"kind": "embedded", "error": str(exc)}, "does not start")
        report.problems.append(str(exc))
    finally:
        if database is not None:
            database.stop()


def examine_folder(report: Report, folder: Path) -> bool:
    """Examine the data folder and its disk, and return whether this user can use the folder."""
    existing = next(path for path in (folder, *folder.parents) if os.path.exists(path))
    free = shutil.disk_usage(existing).free
    found: dict[str, Any] = {"path": str(folder), "exists": existing == folder, "free_bytes": free}
    line = f"{folder}, {free / 1024**3:,.1f} GB free"
    if free < LEAST_FREE:
        report.problems.append(f"The disk of {existing} is nearly full. Make room.")
    status = existing.stat()
    if existing == folder and os.name != "nt":
        found |= {"owner": status.st_uid, "mode": f"{status.st_mode & 0o777:o}"}
        line += f", owner {found['owner']}, mode {found['mode']}"
        if status.st_uid not in (os.geteuid(), private.server_uid()):
            report.problems.append(
                f"{folder} belongs to another user. Run Gearshed as that user, or set GEARSHED_DATA_DIR."
            )
        elif status.st_mode & 0o022:
            report.problems.append(f"Others can write in {folder}. Run: chmod go-w {folder}")
    is_usable = os.access(existing, os.R_OK | os.W_OK | os.X_OK)
    if not is_usable:
        report.problems.append(f"{existing} cannot be written. Change its rights, or set GEARSHED_DATA_DIR.")
    report.add("folder", found, line)
    return is_usable and (existing != folder or status.st_uid in (os.geteuid(), private.server_uid()))


def examine_database(
    report: Report, settings: Settings, url: str, kind: str, embedded: Embedded | None
) -> None:
    """Examine a running database. Its address is reported without the password."""
    found: dict[str, Any] = {"kind": kind}
    try:
        with translated_errors(), migrations.connect(url) as conn:
            found |= {"host": conn.info.host, "port": conn.info.port, "name": conn.info.dbname}
            ((number, size),) = conn.execute(FACTS).fetchall()
            found |= {"postgres": number, "bytes": size, "schema": migrations.current(url)}
            if conn.info.server_version < OLDEST_VERSION:
                report.problems.append(f"PostgreSQL {number} is too old. Use version 16 or later.")
            where = "embedded" if embedded else f"{found['host']}:{found['port']}/{found['name']},"
            schema = f"schema {found['schema'] or 'none yet'} ({examine_schema(report, found['schema'])})"
            report.add("database", found, f"{where} PostgreSQL {number}, {schema}, {size / 1024**2:,.0f} MB")
            if embedded and found["schema"]:
                examine_backups(report, settings, embedded.folder, conn)
    except StartError as exc:
        report.add("database", {**found, "error": str(exc)}, "cannot be used")
        report.problems.append(str(exc))


def examine_schema(report: Report, revision: str | None) -> str:
    try:
        return "the next start upgrades it" if migrations.is_old(revision) else "up to date"
    except migrations.UnusableDatabase as exc:
        report.problems.append(str(exc))
        return "not of this release"


def examine_backups(report: Report, settings: Settings, folder: Path, conn: psycopg.Connection) -> None:
    """Examine the daily backups. They fall behind if a server runs for days, or if one fails."""
    kept = daily.kept(folder)
    if not kept:
        report.add("backup", None, "none yet")
    else:
        age = time.time() - kept[-1].stat().st_mtime
        found = {"file": str(kept[-1]), "age_hours": round(age / 3600, 1), "kept": len(kept)}
        report.add("backup", found, f"{kept[-1]}, {found['age_hours']:g} hours old, {len(kept)} kept")
    last = kept[-1] if kept else folder / "postgres-16" / "PG_VERSION"
    ((changed,),) = conn.execute(LAST_CHANGE).fetchall()
    if settings.backups and changed and changed - last.stat().st_mtime > 2 * daily.DAY:
        report.problems.append("The last changes are not in any backup. Run: gearshed backup FILE")


def examine_clients(report: Report, machine: Machine) -> None:
    """Examine whether what clients start still exists."""
    lines: list[str] = []
    found: list[dict[str, Any]] = []
    for client in CLIENTS.values():
        if not client.is_installed(machine):
            continue
        for path in client.configurations(machine, "user"):
            try:
                entry = entry_in(client, path, "gearshed")
            except (Unfit, OSError) as exc:
                lines.append(f"{client.name}: unknown: {exc}")
                found.append({"client": client.name, "file": str(path), "connected": None})
                continue
            missing = missing_program(entry) if entry else None
            found.append({"client": client.name, "file": str(path), "connected": entry is not None})
            lines.append(f"{client.name}: {state(client, path, 'gearshed')}")
            if missing:
                report.problems.append(
                    f"{client.title} starts {missing}, which does not exist. "
                    f"Run: gearshed connect {client.name}"
                )
    report.add("clients", found, *(lines or ["none found"]))
