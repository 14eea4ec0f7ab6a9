"""The files and folders of an embedded database, closed to other users.

PostgreSQL refuses to run as root. For root it runs as `nobody`, and in a group of its own, because other
processes of `nobody` must not read its data. They cannot trace a process of another group, or enter a folder
that is open to root and to that group only. Only root can change the folder in which root opens files.
"""

import errno
import os
import re
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

SERVER_USER = "nobody" if os.name != "nt" and os.geteuid() == 0 else None
# Neither Linux distributions nor systemd assign this number.
SERVER_GROUP = 61_099 if SERVER_USER else None
# What a folder of an embedded database contains. Former releases made output.log and, for root, pginstall.
OWN_NAMES = re.compile(
    r"backups|lock|password|output\.log|pg_hba\.conf|pg_ident\.conf|postgres-\d+(\.log|\.new-.*)?|pginstall\d*-.*"
)
# Those of them that root opens.
ROOTS_FILES = ("lock", "password", "output.log", "pg_hba.conf", "pg_ident.conf")


def server_uid() -> int:
    from pwd import getpwnam

    return getpwnam(SERVER_USER).pw_uid if SERVER_USER else os.geteuid()


def user_name() -> str:
    from pwd import getpwuid

    try:
        return getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise OSError(errno.ENOENT, f"the user {os.geteuid()} has no name in /etc/passwd") from None


@contextmanager
def opened(folder: Path, flags: int = 0) -> Generator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | flags)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def claim(folder: Path) -> None:
    """Create *folder* if necessary. As root, let only root change what it contains.

    Former releases gave it to `nobody`, who may have put links there in place of files that root opens.
    Raise PermissionError for a folder that is not one of an embedded database of root.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if SERVER_USER is None:
        return
    with opened(folder) as descriptor:
        found = os.fstat(descriptor)
        if found.st_uid not in (0, server_uid()):
            raise PermissionError(errno.EACCES, "it belongs to another user, and this process runs as root")
        if found.st_uid == 0 and found.st_gid != SERVER_GROUP:
            others = [name for name in os.listdir(descriptor) if not OWN_NAMES.fullmatch(name)]
            if others:
                raise PermissionError(errno.EACCES, f"it contains other files, such as {others[0]!r}")
        if found.st_uid != 0 or found.st_mode & 0o022:
            os.fchown(descriptor, 0, -1)
            # A server that a former release has started still needs to enter.
            os.fchmod(descriptor, 0o711)
        for name in ROOTS_FILES:
            discard_foreign(descriptor, name)


def discard_foreign(folder: int, name: str) -> None:
    """Remove what is not a file of root, or is another file of root as well."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return
    if not stat.S_ISREG(found.st_mode) or found.st_uid != 0 or found.st_nlink != 1:
        os.unlink(name, dir_fd=folder)


def enclose(folder: Path, log: Path) -> None:
    """As root, let only root and the server enter *folder*, with the *log* of the server in it."""
    if SERVER_USER is None or SERVER_GROUP is None:
        return
    with opened(folder) as descriptor:
        os.fchown(descriptor, 0, SERVER_GROUP)
        os.fchmod(descriptor, 0o750)
    # Only root can change the folder now, so this name stays what it is.
    if log.is_symlink():
        log.unlink()
    if not log.exists():
        log.touch(mode=0o600, exist_ok=False)
        os.chown(log, server_uid(), SERVER_GROUP, follow_symlinks=False)


def give_to_server(folder: Path) -> None:
    """As root, let the server write in *folder*, which only root can replace."""
    if SERVER_GROUP is not None:
        os.chown(folder, server_uid(), SERVER_GROUP, follow_symlinks=False)


def is_elsewhere(pid: int, folder: Path) -> bool:
    """Whether a process is known to work in another folder. Only Linux tells that."""
    try:
        return not os.path.samefile(f"/proc/{pid}/cwd", folder)
    except PermissionError:
        return os.stat(f"/proc/{pid}").st_uid != server_uid()
    except OSError:
        return False


def write(file: Path, content: str) -> None:
    """Write a new file that only this user can read, in place of any other."""
    file.unlink(missing_ok=True)
    # O_EXCL: a link is not followed.
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as writing:
        writing.write(content)


def show(file: Path) -> None:
    """As root, let the server read *file*, which only root can replace."""
    if SERVER_GROUP is not None:
        os.chown(file, 0, SERVER_GROUP)
        file.chmod(0o640)


def hide(file: Path) -> None:
    """As root, let only root read *file*."""
    if SERVER_GROUP is not None:
        file.chmod(0o600)


def claim_socket_folder(folder: Path) -> None:
    """Create *folder*, or raise PermissionError if another user has: one who could impersonate the server."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    try:
        with opened(folder, os.O_NOFOLLOW) as descriptor:
            if os.fstat(descriptor).st_uid != os.geteuid():
                raise PermissionError
            if SERVER_GROUP is not None:
                os.fchown(descriptor, 0, SERVER_GROUP)
            os.fchmod(descriptor, 0o700 if SERVER_GROUP is None else 0o770)
    except OSError as exc:
        raise PermissionError(
            errno.EACCES, f"the folder of its socket, {folder}, is not a folder of this user"
        ) from exc
