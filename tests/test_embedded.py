"""PostgreSQL from the wheel: started on demand, shared, stopped with its last process, closed to others."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import LiteralString
from urllib.parse import unquote

import psycopg
import pytest

from db import embedded, private
from db.embedded import Embedded, EmbeddedError
from db.programs import COPIES, programs
from mcp_server.settings import default_data_dir

as_root = pytest.mark.skipif(
    private.SERVER_USER is None, reason="PostgreSQL runs as another user only for root"
)


def ask(url: str, query: LiteralString = "SELECT 'here'") -> object:
    with psycopg.connect(url, autocommit=True) as conn:
        row = conn.execute(query).fetchone()
    return row and row[0]


def postmaster(folder: Path) -> int | None:
    """The process id of the folder's server, or None if it is not running."""
    file = folder / "postgres-16" / "postmaster.pid"
    return int(file.read_text().splitlines()[0]) if file.exists() else None


def is_alive(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return state.stdout.strip() != "" and not state.stdout.startswith("Z")


def test_it_starts_in_an_empty_folder_and_stops_with_its_only_process(folder: Path) -> None:
    with Embedded(folder) as database:
        assert ask(database.url, "SELECT current_setting('server_version_num')::int / 10000") == 16
        pid = postmaster(folder)
        assert pid is not None
        assert is_alive(pid)
    assert postmaster(folder) is None
    assert not is_alive(pid)


def test_it_keeps_its_data_and_understands_upper_and_lower_case(folder: Path) -> None:
    with Embedded(folder) as database, psycopg.connect(database.url) as conn:
        conn.execute("CREATE TABLE kept AS SELECT 'Ä' AS name")
    with Embedded(folder) as database:
        assert ask(database.url, "SELECT lower(name) FROM kept") == "ä"


def test_it_runs_as_long_as_another_process_uses_it(folder: Path) -> None:
    with Embedded(folder) as database:
        url = database.url
        other = psycopg.connect(url, application_name="another process")
    with other:
        assert ask(url) == "here"
    with Embedded(folder):
        pass
    assert postmaster(folder) is None


def test_many_processes_may_start_it_concurrently(folder: Path) -> None:
    users = [Embedded(folder) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(Embedded.start, users))
        assert [ask(user.url) for user in users] == ["here"] * 4
        list(threads.map(Embedded.stop, users))
    assert postmaster(folder) is None


def test_one_that_was_left_running_is_found_and_stopped(folder: Path) -> None:
    killed = Embedded(folder)
    killed.start()
    killed._presence.close()  # pyright: ignore[reportPrivateUsage] (what SIGKILL does to its connection)
    left = postmaster(folder)
    assert left is not None
    assert is_alive(left)
    with Embedded(folder) as database:
        assert postmaster(folder) == left
        assert ask(database.url) == "here"
    assert not is_alive(left)


def test_a_crash_is_recovered_from(folder: Path) -> None:
    with Embedded(folder) as database, psycopg.connect(database.url) as conn:
        conn.execute("CREATE TABLE kept (id int)")
        conn.commit()
        database._run("pg_ctl", "stop", "-D", database.data, "-m", "immediate")  # pyright: ignore[reportPrivateUsage]
        with pytest.raises(psycopg.OperationalError):
            conn.execute("SELECT 1")
    with Embedded(folder) as database:
        assert ask(database.url, "SELECT count(*) FROM kept") == 0


def test_over_tcp_it_asks_for_its_password(folder: Path) -> None:
    with Embedded(folder, tcp=True) as database:
        assert ask(database.url) == "here"
        assert (folder / "password").stat().st_mode & 0o077 == 0
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(database.url.replace((folder / "password").read_text(), "guess"))


def test_a_folder_with_a_long_path_has_its_socket_elsewhere() -> None:
    path = Path(tempfile.mkdtemp(prefix=f"gearshed-{'long' * 25}-"))
    try:
        with Embedded(path) as database:
            assert ask(database.url) == "here"
            assert len(database.url) < 100
    finally:
        shutil.rmtree(path)


def test_a_missing_locale_is_skipped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "LOCALES", ("xx_XX.UTF-8", "C"))
    with Embedded(folder) as database:
        assert ask(database.url, "SELECT datctype FROM pg_database WHERE datname = 'postgres'") == "C"


CREATE = "import sys, pathlib; from db.embedded import Embedded; Embedded(pathlib.Path(sys.argv[1])).start()"


def starting(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", CREATE, str(folder)], stderr=subprocess.DEVNULL)


@pytest.mark.parametrize(
    "moment", ["postgres-16.new-*/PG_VERSION", "postgres-16.new-*/base/5", "postgres-16"]
)
def test_a_first_start_that_was_killed_does_not_spoil_the_folder(folder: Path, moment: str) -> None:
    killed = starting(folder)
    deadline = time.monotonic() + 60
    while not list(folder.glob(moment)):
        assert time.monotonic() < deadline
    killed.kill()
    killed.wait()
    with Embedded(folder) as database:
        assert ask(database.url) == "here"
    # The killed process may have left initdb running until now.
    with Embedded(folder):
        assert not list(folder.glob("*.new-*"))


def test_the_number_of_a_killed_server_may_belong_to_another_process(folder: Path) -> None:
    with Embedded(folder) as database:
        written = (database.data / "postmaster.pid").read_text().splitlines()
    other = subprocess.Popen(["sleep", "60"], user=private.SERVER_USER, group=private.SERVER_GROUP)
    (database.data / "postmaster.pid").write_text("\n".join([str(other.pid), *written[1:]]))
    # Control: PostgreSQL takes that process for its server.
    database._run("pg_ctl", "status", "-D", database.data)  # pyright: ignore[reportPrivateUsage]
    with database:
        assert ask(database.url) == "here"
    other.kill()
    other.wait()


def test_the_socket_is_found_with_another_folder_for_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(prefix="gearshed-") as name:
        folder, other = Path(name) / ("long " * 25), Path(name) / "tmp"
        other.mkdir()
        # As root, PostgreSQL runs as another user.
        Path(name).chmod(0o755)
        with Embedded(folder) as database:
            monkeypatch.setattr(tempfile, "tempdir", str(other))
            with Embedded(folder) as second:
                assert second.url == database.url
                assert ask(second.url) == "here"
        # Started there, it is found again as well.
        with Embedded(folder) as database:
            assert str(other) in unquote(database.url)
            assert ask(database.url) == "here"


def test_an_unusable_folder_gives_an_error_with_advice(folder: Path) -> None:
    with Embedded(folder):
        pass
    (folder / "postgres-16" / "PG_VERSION").unlink()
    with pytest.raises(
        EmbeddedError, match=r"postgres-16 is not empty, .*Choose another folder with GEARSHED_DATA_DIR"
    ):
        Embedded(folder).start()


def run_as_nobody(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program as any other process of the user that the server runs as for root."""
    words = [str(word) for word in command]
    return subprocess.run(
        words,
        user="nobody",
        group="nogroup",
        extra_groups=[],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


def ask_as_nobody(socket_folder: Path) -> subprocess.CompletedProcess[str]:
    folder = programs(16)
    assert folder
    connection = f"host='{socket_folder}' user=postgres dbname=postgres"
    return run_as_nobody(folder / "psql", "-XAtc", "SELECT 'read'", connection)


def start_as_a_former_release(database: Embedded) -> None:
    """Start a server as releases up to 0.1.0 did: everything is the server's, and anyone may connect."""
    password = database.folder / "password"
    password.write_text("secret")
    database.log.touch()
    for path in (database.folder, password, database.log):
        shutil.chown(path, "nobody")
    # The server needs the group for initdb only.
    access = ("--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile", password)
    database._run("initdb", "-D", database.data, "-U", "postgres", *access)  # pyright: ignore[reportPrivateUsage]
    launch = ("-D", database.data, "-l", database.log, "-o", f'-h "" -k "{database.data}"')
    database._run("pg_ctl", "start", "-w", *launch)  # pyright: ignore[reportPrivateUsage]


@as_root
def test_a_folder_of_a_former_release_is_closed_at_the_next_start(folder: Path) -> None:
    database = Embedded(folder)
    start_as_a_former_release(database)
    with psycopg.connect(database.url) as conn:
        conn.execute("CREATE TABLE kept AS SELECT 1 AS id")
    assert ask_as_nobody(database.data).stdout == "read\n", "the attack does not work"
    # A server that runs already can be used, and stopped.
    with database:
        assert ask(database.url, "SELECT count(*) FROM kept") == 1
    assert postmaster(folder) is None
    with database:
        assert ask(database.url, "SELECT count(*) FROM kept") == 1
        assert "Permission denied" in ask_as_nobody(database.data).stderr
        # Not even a process that reaches the socket may connect.
        folder.chmod(0o755)
        assert "Peer authentication failed" in ask_as_nobody(database.data).stderr


@as_root
def test_other_processes_of_the_servers_user_can_neither_read_nor_trace_it(folder: Path) -> None:
    with Embedded(folder) as database:
        pid = postmaster(folder)
        assert run_as_nobody("id", "-un").stdout == "nobody\n"
        assert subprocess.check_output(["ps", "-o", "user=", "-p", str(pid)], text=True) == "nobody\n"
        for path in (database.data / "PG_VERSION", folder / "password", f"/proc/{pid}/environ"):
            assert Path(path).exists()
            assert "Permission denied" in run_as_nobody("cat", path).stderr
        assert "Permission denied" in run_as_nobody("ls", f"/proc/{pid}/cwd/").stderr
        assert ask(database.url, "SHOW dynamic_shared_memory_type") == "mmap"
        groups = Path(f"/proc/{pid}/status").read_text().partition("Groups:")[2].splitlines()[0]
        assert groups.strip() == "", "the server has groups of root"


@as_root
def test_planted_links_do_not_lead_to_files_of_root(folder: Path, tmp_path: Path) -> None:
    with Embedded(folder):
        pass
    secret = tmp_path / "secret"
    secret.write_text("of root")
    secret.chmod(0o600)
    # A former release gave the folder away.
    shutil.chown(folder, "nobody")
    names = ("output.log", "password", "lock", "pg_hba.conf", "pg_ident.conf", "postgres-16.log")
    for name in names:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(secret)
    with Embedded(folder) as database:
        assert ask(database.url) == "here"
    assert secret.read_text() == "of root"
    assert (secret.stat().st_uid, secret.stat().st_mode & 0o777) == (0, 0o600)
    assert [name for name in names if (folder / name).is_symlink()] == []
    assert (folder.stat().st_uid, folder.stat().st_mode & 0o777) == (0, 0o750)


@as_root
def test_a_link_to_another_name_of_a_file_is_removed(folder: Path) -> None:
    secret = folder / "of root"
    secret.write_text("of root")
    shutil.chown(folder, "nobody")
    for name in ("lock", "pg_hba.conf"):
        (folder / name).hardlink_to(secret)
    with Embedded(folder) as database:
        assert ask(database.url) == "here"
    assert secret.read_text() == "of root"
    assert secret.stat().st_nlink == 1


@as_root
@pytest.mark.parametrize(
    ("owner", "reason"), [("root", "contains other files, such as 'report'"), ("daemon", "another")]
)
def test_a_folder_of_something_else_is_refused_and_left_alone(folder: Path, owner: str, reason: str) -> None:
    (folder / "report").touch()
    shutil.chown(folder, owner)
    before = folder.stat()
    with pytest.raises(EmbeddedError, match=f"{reason}.*GEARSHED_DATA_DIR"):
        Embedded(folder).start()
    after = folder.stat()
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)
    assert [path.name for path in folder.iterdir()] == ["report"]


@as_root
def test_the_default_folder_can_be_used_after_a_demo(folder: Path) -> None:
    """The demo copies the programs. Former releases copied them to the default folder, and made it root's."""
    (folder / "pginstall-0.6.0").mkdir()
    with Embedded(folder) as database:
        assert ask(database.url) == "here"
    assert not COPIES.is_relative_to(default_data_dir())
    assert not default_data_dir().is_relative_to(COPIES)


def test_a_planted_folder_for_the_socket_is_refused(tmp_path: Path) -> None:
    path = Path(tempfile.mkdtemp(prefix=f"gearshed-{'long' * 25}-"))
    target = tmp_path / "mine"
    target.mkdir(mode=0o755)
    planted = Embedded(path)._socket_folder()  # pyright: ignore[reportPrivateUsage]
    planted.symlink_to(target)
    try:
        with pytest.raises(
            EmbeddedError, match=rf"the folder of its socket, {planted}, is not a folder of this"
        ):
            Embedded(path).start()
        assert target.stat().st_mode & 0o777 == 0o755
        planted.unlink()
        if os.geteuid() == 0:
            planted.mkdir()
            shutil.chown(planted, "nobody")
            with pytest.raises(EmbeddedError, match="is not a folder of this user"):
                Embedded(path).start()
            assert planted.owner() == "nobody"
            planted.rmdir()
        with Embedded(path) as database:
            assert ask(database.url) == "here"
            assert planted.stat().st_mode & 0o007 == 0
    finally:
        shutil.rmtree(path)
        shutil.rmtree(planted, ignore_errors=True)


def test_only_the_user_who_started_it_connects_without_a_password(folder: Path) -> None:
    with Embedded(folder) as database:
        with psycopg.connect(database.url) as conn:
            conn.execute("CREATE ROLE reader LOGIN PASSWORD 'right'")
        address = database.url.replace("postgres@", "reader:{}@")
        assert ask(address.format("right")) == "here"
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            ask(address.format("wrong"))
