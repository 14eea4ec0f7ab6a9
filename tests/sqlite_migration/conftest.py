"""An old file to modify, and a database that must stay unchanged."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.conftest import create_test_db
from tests.sqlite_migration.new_collections import everything
from tests.sqlite_migration.old_collections import small_collection


@pytest.fixture
def old(folder: Path) -> Path:
    """The small collection, in a separate folder."""
    return small_collection(folder / "old.db")


@pytest.fixture(scope="session")
def untouched(server: str, template: str) -> Generator[str]:
    """The URL of a database that must stay empty."""
    with create_test_db(server, template) as url:
        empty = everything(url)
        yield url
        assert everything(url) == empty
