"""PostgreSQL from the wheel: started on demand, shared, stopped with its last process."""

import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

from db import embedded
from db.embedded import Embedded, EmbeddedError


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


def test_an_unusable_folder_gives_an_error_with_advice(folder: Path) -> None:
    with Embedded(folder):
        pass
    (folder / "postgres-16" / "PG_VERSION").unlink()
    with pytest.raises(
        EmbeddedError, match=r"initdb failed in .*not empty.*Choose another folder with GEARSHED_DATA_DIR"
    ):
        Embedded(folder).start()
