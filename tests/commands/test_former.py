"""On Windows, a collection in AppData is moved to the home directory once."""

from pathlib import Path

import pytest

from db.embedded import Embedded, EmbeddedError
from mcp_server import settings
from mcp_server.cli import run
from mcp_server.commands import former

USUAL = ("AppData", "Local", "gearshed", "gearshed")
PACKAGED = ("AppData", "Local", "Packages", "Claude_pzs8", "LocalCache", "Local", "gearshed", "gearshed")


@pytest.fixture
def home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home directory of a user of Windows. As root, PostgreSQL runs as another user, who enters it."""
    monkeypatch.setattr(settings, "WINDOWS", True)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("LOCALAPPDATA", str(folder / "AppData" / "Local"))
    folder.chmod(0o755)
    return folder


@pytest.mark.parametrize("place", [USUAL, PACKAGED])
def test_a_collection_in_appdata_is_found_and_moved_once(
    home: Path, place: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    old = home.joinpath(*place)
    assert run(["users", "add", "ada", "--no-password", "--data-dir", str(old)]) == 0
    assert former.collections() == [old]
    capsys.readouterr()
    assert run(["users", "list"]) == 0
    shown = capsys.readouterr()
    assert shown.err == (
        f"gearshed: moved the collection from {old} to {home / '.gearshed'}, where all clients see it.\n"
    )
    assert "ada" in shown.out
    assert not old.exists()
    assert run(["users", "list"]) == 0
    assert capsys.readouterr().err == ""


def test_a_collection_that_is_in_use_is_not_moved(home: Path) -> None:
    with Embedded(home.joinpath(*USUAL)) as database:
        with pytest.raises(EmbeddedError, match="is in use"):
            former.move_once(home / ".gearshed")
        assert database.folder.exists()
    assert not (home / ".gearshed").exists()


def test_of_several_collections_the_user_chooses(home: Path) -> None:
    for place in (USUAL, PACKAGED):
        (home.joinpath(*place) / "postgres-16").mkdir(parents=True)
        (home.joinpath(*place) / "postgres-16" / "PG_VERSION").touch()
    with pytest.raises(EmbeddedError, match="several collections"):
        former.move_once(home / ".gearshed")
    assert len(former.collections()) == 2


def test_other_systems_have_their_usual_folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.default_data_dir() == home / ".gearshed"
    monkeypatch.setattr(settings, "WINDOWS", False)
    assert settings.default_data_dir() != home / ".gearshed"
    assert former.collections() == []
