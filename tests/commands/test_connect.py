"""`gearshed connect` as a process, in a temporary home."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def connect(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # This checkout may itself be among temporary files, which cannot be connected.
    temporary = home / "tmp"
    temporary.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-m", "mcp_server", "connect", *arguments],
        env={"PATH": os.environ["PATH"], "HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}
        | {"TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_what_is_written_starts(folder: Path) -> None:
    # As root, PostgreSQL runs as another user.
    folder.chmod(0o755)
    (folder / ".cursor").mkdir()
    done = connect(folder, "cursor", "--data-dir", str(folder / "data"), "--tools", "get_totals,list_items")
    assert (done.returncode, done.stderr) == (0, "")
    assert "The server starts and has 2 tools." in done.stdout
    entry = json.loads((folder / ".cursor" / "mcp.json").read_text())["mcpServers"]["gearshed"]
    assert entry["env"] == {
        "GEARSHED_DATA_DIR": str(folder / "data"),
        "GEARSHED_TOOLS": "get_totals,list_items",
    }
    listed = connect(folder)
    assert f"connected to {entry['command']} serve" in listed.stdout
    assert connect(folder, "cursor", "--remove").returncode == 0
    assert "not connected" in connect(folder).stdout


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["curser"], "No client 'curser'. Known: claude-code"),
        (["claude-desktop", "--url", "https://gear.example/mcp"], "Settings > Connectors"),
        (["windsurf", "--scope", "project"], "Omit --scope"),
        (["cursor", "--key-env", "KEY"], "give its --url too"),
    ],
)
def test_what_cannot_be_done_is_one_line(tmp_path: Path, arguments: list[str], line: str) -> None:
    done = connect(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    (printed,) = done.stderr.splitlines()
    assert line in printed


def test_clients_that_connect_to_an_address_are_explained(tmp_path: Path) -> None:
    assert "https address" in connect(tmp_path, "chatgpt").stdout
