"""Files below folders that a person allows. No link and no `..` leads out of them."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path, PurePath

from mcp_server.errors import Forbidden, InvalidInput, NotFound, quoted

# Where it exists, each component is opened in the folder before it, so that none can be replaced meanwhile.
OPENS_STEPS = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
NO_FOLDERS = (
    "path: no folder is allowed. Set GEARSHED_FILES to folders that may be read, or pass the content."
)


def read_below(path: str, folders: Sequence[Path], largest: int) -> bytes:
    """Return the content of a file of at most *largest* bytes below one of the *folders*.

    A relative path is looked for in each of them.
    """
    if not folders:
        raise Forbidden(NO_FOLDERS)
    if "\0" in path or ".." in PurePath(path).parts:
        raise Forbidden(
            "path: must not contain .. or a NUL character. Give the path below the allowed folder."
        )
    places = [place for folder in folders if (place := parts_below(path, folder))]
    if not places:
        raise Forbidden(f"path: {quoted(path)} is not below an allowed folder: {shown(folders)}.")
    for folder, parts in places:
        try:
            descriptor = open_below(folder, parts)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as exc:
            # ELOOP: a component is a link.
            raise Forbidden(f"path: {quoted(path)} cannot be opened, or is a link. Copy the file.") from exc
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise InvalidInput(f"path: {quoted(path)} is not a file.")
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(largest + 1)
        if len(data) > largest:
            raise InvalidInput(f"path: the file exceeds {largest / 2**20:g} MB. Run `gearshed import`.")
        return data
    raise NotFound(f"path: there is no file {quoted(path)} below {shown(folders)}.")


def shown(folders: Sequence[Path]) -> str:
    return ", ".join(quoted(str(folder)) for folder in folders)


def parts_below(path: str, folder: Path) -> tuple[Path, tuple[str, ...]] | None:
    """Return a folder and the components of *path* below it, or None if it is elsewhere."""
    wanted = PurePath(path)
    if not wanted.is_absolute():
        return (folder, wanted.parts) if wanted.parts and not wanted.anchor else None
    for root in (folder.absolute(), folder.resolve()):
        if wanted.is_relative_to(root) and wanted != root:
            return root, wanted.relative_to(root).parts
    return None


def open_below(folder: Path, parts: Sequence[str]) -> int:
    """Open a file without following links below *folder*."""
    if not OPENS_STEPS:
        return open_checked(folder, parts)
    # A pipe without a writer must not block.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
    for at, part in enumerate(parts, 1):
        above = descriptor
        try:
            descriptor = os.open(part, flags | (os.O_DIRECTORY if at < len(parts) else 0), dir_fd=above)
        finally:
            os.close(above)
    return descriptor


def open_checked(folder: Path, parts: Sequence[str]) -> int:
    """Open a file, and refuse it if it is not the one that its path leads to without links."""
    wanted = folder.resolve().joinpath(*parts)
    descriptor = os.open(wanted, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        is_same = wanted.resolve(strict=True) == wanted and os.path.samestat(
            os.fstat(descriptor), os.lstat(wanted)
        )
    except OSError:
        is_same = False
    if not is_same:
        os.close(descriptor)
        raise PermissionError("a link")
    return descriptor
