"""`gearshed doctor` says what is wrong and what to do, whatever the state of the installation."""

import json
import os
from pathlib import Path
from typing import Any

import psycopg
import pytest

from db.embedded import Embedded
from mcp_server.cli import run
from tests.conftest import run_sql


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return tmp_path


def doctor(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = run(["doctor", "--json", *options])
    return code, json.loads(capsys.readouterr().out)


def test_a_new_installation_is_examined_without_creating_anything(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, report = doctor(capsys, "--data-dir", str(folder / "none"))
    assert (code, report["problems"], report["database"]) == (0, [], None)
    assert not (folder / "none").exists()


def test_a_healthy_one_and_one_whose_backups_have_fallen_behind(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--data-dir", str(folder))
    assert run(["users", "add", "ada", "--no-password", *options]) == 0
    assert run(["backup", *options]) == 0
    code, report = doctor(capsys, *options)
    assert (code, report["problems"]) == (0, [])
    assert report["database"]["kind"] == "embedded"
    assert report["backup"]["kept"] == 1
    os.utime(report["backup"]["file"], (0, 0))
    with Embedded(folder) as database:
        run_sql(database.url, "INSERT INTO changes (user_id, tool, summary) SELECT id, 'x', 'x' FROM users")
    code, report = doctor(capsys, *options)
    assert code == 1
    assert "gearshed backup" in report["problems"][0]


def test_a_server_that_cannot_be_reached_is_reported_without_its_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://ada:geheim@127.0.0.1:1/gear?password=geheim")
    for options in ([], ["--json"]):
        assert run(["doctor", *options]) == 1
        shown = capsys.readouterr()
        assert "cannot be reached" in shown.out
        assert "geheim" not in shown.out + shown.err


@pytest.mark.parametrize(("revision", "code"), [("9999", 1), ("0009", 0), ("0001", 1)])
def test_an_older_schema_is_upgraded_later_and_others_are_problems(
    url: str, revision: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert doctor(capsys)[0] == 0
    with psycopg.connect(url) as conn:
        conn.execute("UPDATE alembic_version SET version_num = %(revision)s", {"revision": revision})
    found, report = doctor(capsys)
    assert (found, report["database"]["schema"]) == (code, revision)
    assert len(report["problems"]) == code


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_reported_and_not_touched(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.chown(folder, 12345, 12345)
    code, report = doctor(capsys, "--data-dir", str(folder))
    assert code == 1
    assert "belongs to another user" in report["problems"][0]
    assert folder.stat().st_uid == 12345
    assert list(folder.iterdir()) == []


def test_a_client_whose_program_is_gone_is_a_problem(
    home: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / ".cursor").mkdir()
    entry = {"mcpServers": {"gearshed": {"command": "/gone/gearshed", "args": ["serve"]}}}
    (home / ".cursor" / "mcp.json").write_text(json.dumps(entry))
    code, report = doctor(capsys, "--data-dir", str(folder / "none"))
    assert code == 1
    assert report["problems"] == [
        "Cursor starts /gone/gearshed, which does not exist. Run: gearshed connect cursor"
    ]
