"""Images, which the old application kept as files in a folder."""

from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.pictures import photo
from tests.sqlite_migration.migration import migrate, migrated
from tests.sqlite_migration.old_collections import old_collection


@pytest.fixture
def uploads(folder: Path) -> Path:
    """A folder with two valid images, a copy of one, and an invalid one; another image lies outside."""
    uploads = folder / "uploads"
    uploads.mkdir()
    (uploads / "tent.png").write_bytes(photo())
    (uploads / "copy.png").write_bytes(photo())
    (uploads / "pot.png").write_bytes(photo(colour="blue"))
    (uploads / "text.png").write_text("not an image")
    (folder / "outside.png").write_bytes(photo(colour="green"))
    return uploads


def shows(old: Path, *filenames: str) -> None:
    """Make the items of the small collection refer to these files."""
    with old_collection(old) as file:
        for key, filename in zip((1, 2, 5), filenames, strict=False):
            file.db.execute("UPDATE items SET image_filename = ? WHERE id = ?", (filename, key))


def images(url: str) -> list[Any]:
    """The file name of each item's image, and whether its data is stored."""
    query = """
        SELECT items.id, filename, data IS NOT NULL
        FROM items JOIN images ON images.id = image_id
        ORDER BY items.id
    """
    with psycopg.connect(url) as conn:
        return conn.execute(query).fetchall()


def test_without_the_image_folder_each_image_is_a_named_gap(url: str, old: Path) -> None:
    shows(old, "tent.png", "tent.png", "pot.png")
    run = migrated(url, old)
    assert run.report["images"] == {"stored": 0, "missing": ["pot.png", "tent.png"]}
    assert images(url) == [(1, "tent.png", False), (2, "tent.png", False), (5, "pot.png", False)]


def test_equal_images_are_stored_once(url: str, old: Path, uploads: Path) -> None:
    shows(old, "tent.png", "copy.png", "pot.png")
    run = migrate(url, old, "--uploads", str(uploads))
    assert run.exit_code == 0, run.output
    assert [there for _, _, there in images(url)] == [True] * 3
    with psycopg.connect(url) as conn:
        assert conn.execute("SELECT count(*) FROM images").fetchone() == (2,)


@pytest.mark.parametrize("filename", ["../outside.png", "{folder}/outside.png", "gone.png", "text.png", "."])
def test_a_file_that_is_not_an_image_in_the_folder_is_a_gap(
    url: str, old: Path, uploads: Path, filename: str
) -> None:
    filename = filename.format(folder=uploads.parent)
    shows(old, filename, "tent.png")
    run = migrate(url, old, "--uploads", str(uploads))
    assert run.exit_code == 0, run.output
    assert images(url) == [(1, filename, False), (2, "tent.png", True)]
    assert run.report["images"] == {"stored": 1, "missing": [filename]}
