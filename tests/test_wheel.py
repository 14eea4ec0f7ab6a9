"""The wheel contains everything that a server needs, including the schema's revisions."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

from db import migrations
from tests.conftest import ROOT, empty_database


def test_the_packages_of_other_projects_are_not_imported(tmp_path: Path) -> None:
    for name in ("db", "mcp_server"):
        (tmp_path / f"{name}.py").write_text(f'raise RuntimeError("another {name} was imported")\n')
        (tmp_path / "gearshed" / name).mkdir(parents=True)
        (tmp_path / "gearshed" / name / "__init__.py").touch()
    # The layout of the wheel: the folder is found by that of mcp_server.
    (tmp_path / "gearshed" / "__init__.py").write_text((ROOT / "gearshed" / "__init__.py").read_text())
    (tmp_path / "gearshed" / "mcp_server" / "cli.py").write_text(
        "def main(): import db; print(db.__path__)\n"
    )
    for name, code in (("faulty", "import db"), ("ours", "from gearshed import main; main()")):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONPATH": str(tmp_path)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ("another db was imported" in done.stderr) == (name == "faulty"), done.stderr
    assert str(tmp_path / "gearshed" / "db") in done.stdout


def test_an_installed_server_can_migrate(server: str, tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("gearshed-*.whl")
    with ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
        data = ("http/oauth/templates/sign_in.html", "web/templates/gear.css", "web/templates/share.html")
        data += ("web/templates/views/view.js", "data/DejaVuSans.ttf", "data/DejaVuSans.LICENSE")
        assert {f"gearshed/mcp_server/{name}" for name in data} <= set(archive.namelist())
        # Files of another project with packages of the same names would otherwise replace ours.
        assert {name.partition("/")[0] for name in archive.namelist()} == {
            "gearshed",
            f"gearshed-{version('gearshed')}.dist-info",
        }
        folders = {name.split("/")[1] for name in archive.namelist() if name.count("/") > 1}
        assert folders - {"licenses"} == {"db", "mcp_server"}
        typed = {"gearshed/py.typed", "gearshed/mcp_server/py.typed", "gearshed/db/py.typed"}
        assert typed <= set(archive.namelist())
        assert "gearshed/db/archive/sqlite/0000_first_tables.sql" in archive.namelist()
        assert "gearshed/db/functions.sql" in archive.namelist()
    with empty_database(server) as url:
        done = subprocess.run(
            [sys.executable, "-c", "import gearshed; from db import migrations; print(migrations.FOLDER)"],
            env={"PYTHONPATH": str(tmp_path)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == str(tmp_path / "gearshed" / "db" / "alembic")
        subprocess.run(
            [sys.executable, "-m", "gearshed", "db", "upgrade"],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path), "DATABASE_URL": url},
            cwd=tmp_path,
            capture_output=True,
            check=True,
        )
        assert migrations.current(url) == migrations.HEAD
