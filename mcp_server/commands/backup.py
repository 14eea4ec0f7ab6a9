"""`gearshed backup`, `restore` and `move`."""

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from psycopg.errors import InsufficientPrivilege

from db import backup
from db.backup import BackupError, Manifest
from db.embedded import Embedded
from mcp_server import terminal
from mcp_server.commands import daily
from mcp_server.commands.database import StartError, bring_up_to_date, started, translated_errors
from mcp_server.settings import Settings


@contextmanager
def reported() -> Generator[None]:
    with translated_errors():
        try:
            yield
        except BackupError as exc:
            raise StartError(exc) from exc
        except InsufficientPrivilege as exc:
            raise StartError(
                "This role does not see the rows of all users. Use a superuser or a role with BYPASSRLS."
            ) from exc
        except OSError as exc:
            raise StartError(f"{exc.filename}: {exc.strerror}.") from exc


def write(settings: Settings, file: Path | None) -> None:
    """Back up everything to a file. Without one, it is in the folder of the embedded database."""
    with started(settings) as database, reported():
        if file:
            terminal.show(f"{file}: {described(backup.write(database.url, file))}.")
            return
        if not isinstance(database, Embedded):
            raise StartError("Name a file: this database has no folder of its own for backups.")
        file = daily.new_file(database.folder)
        terminal.show(f"{file}: {described(backup.write(database.url, file))}.")
        daily.forget(database.folder, settings.backups or 1)


def restore(settings: Settings, file: Path, *, replace: bool) -> None:
    """Restore a backup into the configured database, and upgrade it to this release."""
    with started(settings) as database, reported():
        manifest = backup.restore(file, database.url, replace=replace)
        bring_up_to_date(database)
        terminal.show(f"Restored and verified: {described(manifest)}.")


def move(settings: Settings, *, to: str, replace: bool) -> None:
    """Copy everything from the configured database to another one, and say how to use it."""
    is_url = "://" in to or "=" in to
    target = settings.model_copy(update={"database_url": None, "data_dir": Path(to)})
    with (
        tempfile.TemporaryDirectory(prefix="gearshed-move-") as folder,
        started(settings) as source,
        reported(),
    ):
        file = Path(folder) / "moved"
        backup.write(source.url, file)
        if is_url:
            manifest = backup.restore(file, to, replace=replace)
        else:
            with started(target) as database:
                manifest = backup.restore(file, database.url, replace=replace)
    terminal.show(f"Moved and verified: {described(manifest)}. The source still has them too.")
    name = "DATABASE_URL" if is_url else "GEARSHED_DATA_DIR"
    terminal.show(f"Set {name} to the new place in your clients, and connect them again.")


def described(manifest: Manifest) -> str:
    return f"{manifest.rows:,} rows in {len(manifest.tables)} tables, schema {manifest.revision}"
