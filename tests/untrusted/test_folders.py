"""Files below allowed folders: no path, link or race leads out of them."""

import os
import threading
import time
from pathlib import Path

import pytest

from mcp_server.errors import AppError, Forbidden, InvalidInput, NotFound
from mcp_server.untrusted import folders
from mcp_server.untrusted.folders import read_below

SECRET = b"secret"


@pytest.fixture
def allowed(tmp_path: Path) -> Path:
    """An allowed folder with a list, beside a secret."""
    folder = tmp_path / "lists"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "gear.csv").write_bytes(b"Item,Weight (g)\nTent,1200\n")
    (tmp_path / "secret.csv").write_bytes(SECRET)
    (tmp_path / "lists2").mkdir()
    (tmp_path / "lists2" / "secret.csv").write_bytes(SECRET)
    return folder


@pytest.fixture(params=["steps", "checked"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to open a file: folder by folder, and as on Windows."""
    if request.param == "checked":
        monkeypatch.setattr(folders, "OPENS_STEPS", False)


def test_a_file_below_an_allowed_folder_is_read(allowed: Path) -> None:
    expected = (allowed / "deep" / "gear.csv").read_bytes()
    assert read_below(str(allowed / "deep" / "gear.csv"), [allowed], 100) == expected
    assert read_below("deep/gear.csv", [allowed.parent / "lists2", allowed], 100) == expected


def test_a_folder_may_be_named_by_a_link(allowed: Path) -> None:
    link = allowed.parent / "link"
    link.symlink_to(allowed)
    for place in (link, allowed):
        assert read_below(str(place / "deep" / "gear.csv"), [link], 100)


@pytest.mark.parametrize(
    "path",
    [
        "../secret.csv",
        "deep/../../secret.csv",
        "{folder}/../secret.csv",
        "{folder}2/secret.csv",
        "/etc/passwd",
        "{folder}",
        "a\0b",
        "link.csv",
        "linked/secret.csv",
        "deep",
    ],
)
def test_no_path_leads_out_of_the_folder(allowed: Path, path: str) -> None:
    (allowed / "link.csv").symlink_to(allowed.parent / "secret.csv")
    (allowed / "linked").symlink_to(allowed.parent)
    assert (allowed / "link.csv").read_bytes() == (allowed / "linked" / "secret.csv").read_bytes() == SECRET
    with pytest.raises(AppError):
        read_below(path.format(folder=allowed), [allowed], 100)


def test_without_a_folder_nothing_is_read(allowed: Path) -> None:
    with pytest.raises(Forbidden, match="GEARSHED_FILES"):
        read_below(str(allowed / "deep" / "gear.csv"), [], 100)


def test_a_file_that_is_missing_or_too_large_is_refused(allowed: Path) -> None:
    with pytest.raises(NotFound, match="no file"):
        read_below("none.csv", [allowed], 100)
    with pytest.raises(InvalidInput, match="exceeds"):
        read_below("deep/gear.csv", [allowed], 5)


def test_a_pipe_is_refused_at_once(allowed: Path) -> None:
    if folders.OPENS_STEPS:
        os.mkfifo(allowed / "pipe")
        with pytest.raises(InvalidInput, match="not a file"):
            read_below("pipe", [allowed], 100)


def test_a_folder_that_is_replaced_by_a_link_meanwhile_never_leads_out(allowed: Path) -> None:
    deep, aside = allowed / "deep", allowed / "aside"
    (allowed.parent / "gear.csv").write_bytes(SECRET)
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            deep.rename(aside)
            deep.symlink_to(allowed.parent)
            deep.unlink()
            aside.rename(deep)
            # So that some reads succeed.
            time.sleep(0.0005)

    swapping = threading.Thread(target=swap)
    swapping.start()
    seen: set[bytes] = set()
    try:
        for _ in range(2000):
            try:
                seen.add(read_below("deep/gear.csv", [allowed], 100))
            except AppError:
                continue
    finally:
        stop.set()
        swapping.join()
    assert seen
    assert SECRET not in seen
