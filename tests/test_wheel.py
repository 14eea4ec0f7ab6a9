"""The wheel contains everything that a server needs, including the schema's revisions."""

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

from db import migrations
from tests.conftest import ROOT, empty_database


def test_an_installed_server_can_migrate(server: str, tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("gearshed-*.whl")
    with ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
        assert "mcp_server/http/oauth/templates/sign_in.html" in archive.namelist()
        assert "mcp_server/web/templates/gear.css" in archive.namelist()
        assert "mcp_server/web/templates/share.html" in archive.namelist()
        assert "mcp_server/web/templates/views/view.js" in archive.namelist()
        assert {f"mcp_server/data/DejaVuSans.{end}" for end in ("ttf", "LICENSE")} <= set(archive.namelist())
        assert not [
            name for name in archive.namelist() if name.startswith(("tests/", "scripts/", "alembic/"))
        ]
        assert {"mcp_server/py.typed", "db/py.typed"} <= set(archive.namelist())
        assert "db/archive/sqlite/0000_first_tables.sql" in archive.namelist()
        assert "db/functions.sql" in archive.namelist()
    with empty_database(server) as url:
        done = subprocess.run(
            [sys.executable, "-c", "from db import migrations; print(migrations.FOLDER)"],
            env={"PYTHONPATH": str(tmp_path)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == str(tmp_path / "db" / "alembic")
        subprocess.run(
            [sys.executable, "-m", "mcp_server", "db", "upgrade"],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path), "DATABASE_URL": url},
            cwd=tmp_path,
            capture_output=True,
            check=True,
        )
        assert migrations.current(url) == migrations.HEAD
