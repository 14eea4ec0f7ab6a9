"""The data folder of former releases on Windows, which is moved to the home directory once.

A client that is a Windows package, such as Claude Desktop, sees a folder of its own in place of AppData. It
is deleted with the client. Its collection would also be another one than that of other clients.
"""

import os
from pathlib import Path

from db.embedded import Embedded, EmbeddedError
from mcp_server import settings, terminal


def collections() -> list[Path]:
    """Return the folders in AppData that contain a collection. There are none on other systems."""
    if not settings.WINDOWS:
        return []
    local = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    name = Path("gearshed", "gearshed")
    redirected = [
        package / "LocalCache" / "Local" / name for package in (local / "Packages").glob("Claude_*")
    ]
    folders = [local / name, *sorted(redirected)]
    return [folder for folder in folders if os.path.exists(folder / "postgres-16" / "PG_VERSION")]


def move_once(folder: Path) -> None:
    """Move a former collection to *folder*, unless that exists. Raise EmbeddedError if it cannot be moved."""
    if os.path.exists(folder) or not (found := collections()):
        return
    if len(found) > 1:
        raise EmbeddedError(
            f"There are several collections: {', '.join(map(str, found))}. "
            f"Move the one that you want to {folder}, or name it with GEARSHED_DATA_DIR."
        )
    try:
        Embedded(found[0]).move(folder)
    except OSError as exc:
        if os.path.exists(folder):
            # Another process has moved it first.
            return
        raise EmbeddedError(
            f"The collection in {found[0]} cannot be moved to {folder}: {exc.strerror or exc}. "
            "Quit all clients and try again, or name the folder with GEARSHED_DATA_DIR."
        ) from exc
    terminal.warn(f"gearshed: moved the collection from {found[0]} to {folder}, where all clients see it.")
