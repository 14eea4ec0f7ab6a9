"""`gearshed demo` in a folder with modules of the user."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mcp_server.clients.installation import program
from mcp_server.commands.instructions import how_to_connect


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with modules that have the names of ours and cannot be imported."""
    for name in ("db", "alembic", "mcp_server"):
        (tmp_path / f"{name}.py").write_text(f'raise RuntimeError("{name}.py of the user was imported")\n')
    return tmp_path


def run(folder: Path, *command: str) -> str:
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_demo_does_not_import_modules_of_the_current_folder(folder: Path) -> None:
    assert how_to_connect() in run(folder, program(), "demo")


def test_the_module_does_not_import_modules_of_the_current_folder(folder: Path) -> None:
    # Python itself runs this one, before any code of ours.
    (folder / "mcp_server.py").unlink()
    for module in ("gearshed", "mcp_server"):
        assert run(folder, sys.executable, "-m", module, "--version").startswith("gearshed ")
