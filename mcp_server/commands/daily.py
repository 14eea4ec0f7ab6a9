"""Daily backups of the embedded database, in its own folder. A server starts one in a process of its own."""

import subprocess
import sys
import time
from pathlib import Path

from db.embedded import Embedded
from mcp_server.settings import Settings

FOLDER = "backups"
PATTERN = "gearshed-*.backup"
DAY = 24 * 3600.0


def kept(folder: Path) -> list[Path]:
    """Return the backups in the folder of a database, oldest first."""
    return sorted((folder / FOLDER).glob(PATTERN))


def new_file(folder: Path) -> Path:
    """Return the file of a backup that is made now."""
    (folder / FOLDER).mkdir(mode=0o700, exist_ok=True)
    return folder / FOLDER / f"gearshed-{time.strftime('%Y-%m-%dT%H%M%S')}.backup"


def forget(folder: Path, keep: int) -> None:
    """Delete the oldest backups, except the last *keep*."""
    for file in kept(folder)[:-keep]:
        file.unlink(missing_ok=True)


def is_due(database: Embedded) -> bool:
    """Whether the newest backup, or a database without one, is older than a day."""
    newest = [*kept(database.folder), database.data / "PG_VERSION"]
    since = max((file.stat().st_mtime for file in newest[-2:] if file.exists()), default=time.time())
    return time.time() - since > DAY


def start(settings: Settings, database: Embedded) -> None:
    """Start a backup if one is due. It does not delay the server, and may outlive it."""
    if settings.backups and is_due(database):
        subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-m", "gearshed", "backup", "--data-dir", str(database.folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
