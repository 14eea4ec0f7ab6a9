"""`gearshed changes` and `gearshed undo`."""

import os
import signal
import subprocess
from pathlib import Path
from time import monotonic, sleep

import psycopg
import pytest

from mcp_server.commands import changes, lists
from mcp_server.errors import AppError
from mcp_server.services import undo
from tests.test_cli import GEARSHED
from tests.test_lists import Gearshed, stored
from tests.test_lists import gearshed as gearshed_fixture

gearshed = gearshed_fixture
LIST = "name,weight_grams\nTent,900\nMat,400\n"


@pytest.fixture
def imported(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The file of change 1, an import."""
    file = tmp_path / "list \x1b[31m.csv"
    file.write_text(LIST)
    lists.import_files(url, "local", [str(file)])
    assert capsys.readouterr().out.endswith("; change 1; to undo it: gearshed undo 1\n")
    return file


@pytest.mark.usefixtures("imported")
def test_the_command_that_an_import_names_undoes_it_and_its_own_redoes_it(
    gearshed: Gearshed,
    url: str,
) -> None:
    tried = gearshed("undo", "1", "--dry-run")
    assert "Would undo 1 change: 2 rows." in tried.stdout
    assert stored(url) == 2
    done = gearshed("undo", "1")
    assert (done.returncode, done.stderr) == (0, "")
    undo_id, command = (
        done.stdout.splitlines()[-1].removeprefix("This is change ").split(". To redo what it undid: ")
    )
    assert command == f"gearshed undo {undo_id}"
    assert stored(url) == 0
    again = gearshed("undo", "1")
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.startswith(f"gearshed: Change 1 was already undone by change {undo_id}.")
    assert gearshed("undo", undo_id).returncode == 0
    assert stored(url) == 2


@pytest.mark.usefixtures("imported")
def test_changes_are_listed_with_filters_and_without_what_a_terminal_obeys(
    gearshed: Gearshed,
) -> None:
    shown = gearshed("changes").stdout
    head, row = shown.splitlines()
    assert head.split() == ["ID", "TIME", "TOOL", "CLIENT", "PROGRAM", "UNDONE", "BY", "SUMMARY"]
    assert row.endswith('Imported 2 and changed 0 items: "list \ufffd[31m.csv"')
    for options in (
        ("--tool", "create_item"),
        ("--client", "phone"),
        ("--program", "claude"),
        ("--until", "1d"),
        ("--user", "eve"),
    ):
        assert len(gearshed("changes", *options).stdout.splitlines()) == 1, options
    matching = ("--tool", "import_csv", "--program", "gearshed import", "--since", "1d", "--limit", "1")
    assert len(gearshed("changes", *matching).stdout.splitlines()) == 2
    wrong = gearshed("changes", "--since", "soon")
    assert wrong.stderr.startswith("gearshed: --since: write a date or time like 2026-07-01")
    assert gearshed("changes", "--limit", "0").stderr == "gearshed: --limit: must be from 1 to 1000000.\n"


@pytest.mark.usefixtures("imported")
def test_a_change_that_is_too_large_for_a_call_is_undone(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo, "MOST_ROWS", 1)
    changes.undo_changes(url, "local", [1])
    assert stored(url) == 0


@pytest.mark.usefixtures("imported")
@pytest.mark.parametrize("change_id", [2, -1, 2**63])
def test_a_change_that_is_not_there_is_one_line(url: str, change_id: int) -> None:
    with pytest.raises(AppError, match=f"No change {change_id}"):
        changes.undo_changes(url, "local", [1, change_id])
    assert stored(url) == 2


@pytest.mark.usefixtures("imported")
def test_another_users_change_is_not_there(url: str) -> None:
    with pytest.raises(AppError, match=r"No change 1\."):
        changes.undo_changes(url, "eve", [1])


@pytest.mark.usefixtures("imported")
def test_an_undo_that_is_interrupted_changes_nothing(url: str) -> None:
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%%items%%'"
    )
    with psycopg.connect(url) as other, psycopg.connect(url, autocommit=True) as watching:
        other.execute("SELECT set_config('gearshed.user_id', '1', true)")
        other.execute("SELECT id FROM items FOR UPDATE")
        with subprocess.Popen(
            [*GEARSHED, "undo", "1"],
            env={"PATH": os.environ["PATH"], "DATABASE_URL": url},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            deadline = monotonic() + 30
            while watching.execute(waiting, prepare=False).fetchone() == (0,) and process.poll() is None:
                assert monotonic() < deadline
                sleep(0.02)
            process.send_signal(signal.SIGINT)
            assert process.wait(10) != 0
    assert stored(url) == 2
