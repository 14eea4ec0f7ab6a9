"""The command line as a process."""

import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from db import migrations
from mcp_server import settings
from mcp_server.cli import parser, run
from mcp_server.settings import SettingsError
from tests.conftest import empty_database, run_sql

GEARSHED = [sys.executable, "-m", "mcp_server"]


def gearshed(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command with empty standard input."""
    return subprocess.run(
        [*GEARSHED, *arguments],
        env={"PATH": os.environ["PATH"], **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """The one-line error of a command that failed."""
    assert (done.returncode, done.stdout) == (1, ""), done
    (line,) = done.stderr.splitlines()
    return line


def as_url(conninfo: str, scheme: str = "postgresql") -> str:
    """The same database as a URL, with a socket's folder as a parameter, or with host and port."""
    parts = conninfo_to_dict(conninfo)
    if str(parts["host"]).startswith("/"):
        return f"{scheme}://{parts['user']}@/{parts['dbname']}?host={parts['host']}"
    return f"{scheme}://{parts['user']}:{parts['password']}@{parts['host']}:{parts['port']}/{parts['dbname']}"


def test_an_interrupted_command_is_one_line(url: str) -> None:
    with (
        psycopg.connect(url) as blocking,
        subprocess.Popen(
            [*GEARSHED, "users", "list"],
            env={"PATH": os.environ["PATH"], "DATABASE_URL": url},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as command,
        psycopg.connect(url, autocommit=True) as watching,
    ):
        blocking.execute("LOCK TABLE users")
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'users'::regclass"
        deadline = time.monotonic() + 30
        while watching.execute(waiting, prepare=False).fetchone() == (0,):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        command.send_signal(signal.SIGINT)
        assert command.communicate(timeout=30) == ("", "gearshed: interrupted.\n")
        assert command.returncode == 130


def test_a_reader_that_leaves_ends_a_command_silently(url: str) -> None:
    with subprocess.Popen(
        [*GEARSHED, "db", "current"],
        env={"PATH": os.environ["PATH"], "DATABASE_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as command:
        assert command.stdout
        command.stdout.close()
        assert command.stderr
        assert command.stderr.read() == b""
    assert command.returncode == 1


def test_it_prints_its_version() -> None:
    assert re.fullmatch(r"gearshed \d+\.\d+\.\d+\n", gearshed("--version").stdout)


def test_at_a_terminal_it_explains_how_to_connect_a_client() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(ours), os.fdopen(theirs) as terminal:
        done = subprocess.run(
            GEARSHED, stdin=terminal, capture_output=True, text=True, timeout=20, check=True
        )
    assert '"mcpServers"' in done.stdout
    assert "claude mcp add gearshed -- " in done.stdout


def test_the_schema_is_upgraded_and_its_revision_shown(server: str) -> None:
    with empty_database(server) as url:
        assert gearshed("db", "current", DATABASE_URL=url).stdout == "no schema yet\n"
        assert gearshed("db", "upgrade", DATABASE_URL=url).stdout == f"{migrations.HEAD}\n"
        assert gearshed("db", "current", DATABASE_URL=url).stdout == f"{migrations.HEAD}\n"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_either_scheme_names_the_database(url: str, scheme: str) -> None:
    assert gearshed("db", "current", DATABASE_URL=as_url(url, scheme)).stdout == f"{migrations.HEAD}\n"


def test_of_several_hosts_the_first_that_takes_writes_is_used(url: str) -> None:
    parts = conninfo_to_dict(url)
    address = (
        f"postgresql://{parts['user']}:{parts.get('password', 'x')}@/{parts['dbname']}"
        f"?host=127.0.0.1,{parts['host']}&port=1,{parts.get('port', 5432)}&target_session_attrs=read-write"
    )
    assert gearshed("db", "current", DATABASE_URL=address).stdout == f"{migrations.HEAD}\n"


def test_an_unreachable_server_is_one_line() -> None:
    line = complaint(gearshed("serve", DATABASE_URL="postgresql://ada:secret@127.0.0.1:1/gear"))
    assert line.startswith("gearshed: The database cannot be reached: ")
    assert line.endswith("Check DATABASE_URL.")
    assert "secret" not in line


def test_a_server_that_never_answers_is_one_line_within_five_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        port = silent.getsockname()[1]
        line = complaint(gearshed("serve", DATABASE_URL=f"postgresql://ada@127.0.0.1:{port}/gear"))
        assert time.monotonic() - started < 5
    assert "timeout" in line


@pytest.mark.parametrize(
    "address", ["mysql://ada:secret@127.0.0.1/x", "postgresql://ada:secret@[x/y", "secret"]
)
def test_an_invalid_url_is_one_line_that_does_not_repeat_it(address: str) -> None:
    line = complaint(gearshed("serve", DATABASE_URL=address))
    assert "Write it like postgresql://user:password@host:5432/database" in line
    assert "secret" not in line


def test_a_newer_schema_is_refused_in_one_line(url: str) -> None:
    with psycopg.connect(url) as conn:
        conn.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "schema 9999" in complaint(gearshed("serve", DATABASE_URL=url))


def test_a_folder_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "GEARSHED_DATA_DIR" in complaint(gearshed("db", "current", "--data-dir", str(tmp_path / "file")))


def test_an_unreadable_or_unwritable_list_is_one_line(url: str, tmp_path: Path) -> None:
    gone = tmp_path / "gone" / "list.csv"
    for command in ("import", "export"):
        done = gearshed(command, str(gone), DATABASE_URL=url)
        assert complaint(done) == f"gearshed: {gone}: No such file or directory."


def test_an_unknown_setting_is_a_startup_error_that_names_the_nearest() -> None:
    line = complaint(gearshed("serve", GEARSHED_USR="ada"))
    assert 'GEARSHED_USR is not a known setting. Did you mean "GEARSHED_USER' in line


def test_an_invalid_setting_is_a_startup_error() -> None:
    assert complaint(gearshed("serve", GEARSHED_LOG_LEVEL="LOUD")).startswith(
        "gearshed: GEARSHED_LOG_LEVEL: "
    )


def test_the_command_line_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEARSHED_USER", "eve")
    assert settings.load({}).user == "eve"
    assert settings.load({"user": "ada"}).user == "ada"


def test_settings_show_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://ada:secret@127.0.0.1/gear")
    assert "secret" not in repr(settings.load({}))


def test_a_blank_user_is_refused() -> None:
    with pytest.raises(SettingsError, match="GEARSHED_USER"):
        settings.load({"user": " "})


@pytest.mark.parametrize("name", ["a$(touch pwned)b", 'a"b', "a`b", "a\\b"])
def test_a_folder_whose_name_a_shell_would_read_is_refused(tmp_path: Path, name: str) -> None:
    assert "its path contains one of" in complaint(
        gearshed("db", "current", "--data-dir", str(tmp_path / name))
    )
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_name_is_refused() -> None:
    assert complaint(gearshed("db", "current", "--data-dir", "")).startswith("gearshed: GEARSHED_DATA_DIR: ")


def test_a_database_in_another_encoding_is_one_line(server: str) -> None:
    name = f"gearshed_test_{os.getpid()}_ascii"
    run_sql(server, "CREATE DATABASE {} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'", name)
    try:
        url = make_conninfo(server, dbname=name)
        assert "ENCODING 'UTF8'" in complaint(gearshed("serve", DATABASE_URL=url))
    finally:
        run_sql(server, "DROP DATABASE {} WITH (FORCE)", name)


def test_every_command_takes_the_options_of_all_commands(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    options = ["--read-replica", url, "--read-only", "--undo-days", "30", "--log-level", "ERROR"]
    assert run(["users", "add", "local", "--no-password"]) == 0
    for command in (["users", "list"], ["keys", "list", "local"], ["changes"], ["audit"], ["db", "current"]):
        assert run([*command, *options]) == 0, (command, capsys.readouterr().err)


def test_the_standby_of_the_command_line_wins_over_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_REPLICA_URL", "postgresql://environment")
    assert settings.load({}).replica_url == "postgresql://environment"
    options = vars(parser().parse_args(["--read-replica", "postgresql://option"]))
    del options["command"]
    assert settings.load(options).replica_url == "postgresql://option"
