"""Lists and images that are not in the arguments: links and files."""

from collections.abc import AsyncGenerator
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal

import pytest
from mcp import Client

from db.pool import Pool
from mcp_server.protocol.edge import App
from mcp_server.server import build_server
from mcp_server.services import link
from mcp_server.turns import Turns
from mcp_server.untrusted import fetch as fetching
from mcp_server.untrusted.fetch import Rules, fetch
from tests.calls import call, refused
from tests.listener import Listener, listening, ok
from tests.pictures import photo

LIST = b"Item Name,Category,desc,qty,weight,unit,url,price,worn,consumable\nTent,,,1,1200,gram,,0,,\n"
WORKBOOK = Path(__file__).parents[1] / "data" / "workbooks" / "gear.xls"


@pytest.fixture
async def host(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Listener]:
    """A host on this machine, which only here may be fetched from."""
    async with listening(ok(LIST)) as listener:
        rules = Rules((listener.port,), ip_address("127.0.0.1").__eq__)
        monkeypatch.setattr(fetching, "fetch", partial(fetch, rules=rules))
        yield listener


@pytest.fixture
async def local(
    pool: Pool, user_id: int, era: Literal["legacy", "auto"], tmp_path: Path
) -> AsyncGenerator[Client]:
    """A client of a server that may read files below a folder."""
    async with Client(build_server(App(pool, user_id, files=(tmp_path,))), mode=era) as client:
        yield client


def notes(imported: dict[str, Any]) -> list[str]:
    return [verdict["note"] for verdict in imported.get("verdicts", [])]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://lighterpack.com/r/abc123", "https://lighterpack.com/csv/abc123"),
        ("http://www.lighterpack.com/r/abc123?x#y", "https://lighterpack.com/csv/abc123"),
        ("https://lighterpack.com/csv/abc123", "https://lighterpack.com/csv/abc123"),
        (
            "https://docs.google.com/spreadsheets/d/1A2b3C4d5E-_/edit?usp=sharing#gid=77",
            "https://docs.google.com/spreadsheets/d/1A2b3C4d5E-_/export?format=csv&gid=77",
        ),
        (
            "https://docs.google.com/spreadsheets/d/e/2PACX-1/pub?output=csv",
            "https://docs.google.com/spreadsheets/d/e/2PACX-1/pub?output=csv",
        ),
        ("https://lighterpack.com.evil.example/r/abc123", "https://lighterpack.com.evil.example/r/abc123"),
        ("https://example.com/lighterpack.com/r/abc123", "https://example.com/lighterpack.com/r/abc123"),
    ],
)
def test_the_link_of_a_page_leads_to_its_list(url: str, expected: str) -> None:
    assert link.address(url) == expected


async def test_a_list_behind_a_link_is_imported_with_its_origin(client: Client, host: Listener) -> None:
    url = f"http://127.0.0.1:{host.port}/list.csv"
    imported = await call(client, "import_csv", url=url, setup_name="Trip")
    assert (imported["items"], imported["setup_totals"]["total_grams"]) == (1, 1200)
    (note,) = (note for note in notes(imported) if note.startswith("fetched"))
    assert note.startswith(f"fetched from {url} at 20")


async def test_a_web_page_is_refused(client: Client, host: Listener) -> None:
    host.answers[:] = [ok(b"\n<!DOCTYPE html><html><body>Sign in</body></html>")]
    text = await refused(client, "import_csv", url=f"http://127.0.0.1:{host.port}/")
    assert "url: a web page, not a list" in text


async def test_a_link_to_more_than_a_megabyte_is_refused(client: Client, host: Listener) -> None:
    host.answers[:] = [ok(b"a" * (2**20 + 1))]
    text = await refused(client, "import_csv", url=f"http://127.0.0.1:{host.port}/")
    assert "exceeds 1 MB" in text


async def test_a_link_to_this_machine_is_refused(client: Client) -> None:
    text = await refused(client, "import_csv", url="http://127.0.0.1:80/list.csv")
    assert text.startswith("[forbidden] url: the host is not on the public internet")


async def test_a_list_is_fetched_in_a_turn_of_its_user(
    client: Client, host: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "FETCHES", Turns(0, 8, "fetches", patience=0.01))
    text = await refused(client, "import_csv", url=f"http://127.0.0.1:{host.port}/")
    assert text.startswith("[busy] Too many fetches")


async def test_a_workbook_behind_a_link_is_read(client: Client, host: Listener) -> None:
    host.answers[:] = [ok(WORKBOOK.read_bytes())]
    imported = await call(client, "import_csv", url=f"http://127.0.0.1:{host.port}/gear.xls")
    assert imported["items"] == 2


@pytest.mark.parametrize("arguments", [{}, {"csv_text": "a", "url": "http://example.com/"}])
async def test_exactly_one_source_is_needed(client: Client, arguments: dict[str, str]) -> None:
    text = await refused(client, "import_csv", **arguments)
    assert "csv_text, url, path: give exactly one of them" in text


async def test_a_file_of_an_allowed_folder_is_imported(local: Client, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes(LIST)
    (tmp_path / "gear.xls").write_bytes(WORKBOOK.read_bytes())
    (tmp_path / "tent.png").write_bytes(photo(10, 10))
    assert (await call(local, "import_csv", path=str(tmp_path / "list.csv")))["items"] == 1
    imported = await call(local, "import_csv", path="gear.xls", sheet="gear", dry_run=True)
    assert imported["columns"]["Weight (g)"] == "weight g"
    item = (await call(local, "list_items"))["items"][0]["id"]
    stored = await call(local, "upload_image", path="tent.png", item_id=item)
    assert (stored["width"], stored["height"]) == (10, 10)


async def test_other_files_are_not_imported(local: Client, client: Client, tmp_path: Path) -> None:
    assert (await refused(local, "import_csv", path="/etc/passwd")).startswith("[forbidden] path: ")
    assert (await refused(local, "import_csv", path="none.csv")).startswith("[not_found] path: ")
    assert "GEARSHED_FILES" in await refused(client, "import_csv", path=str(tmp_path / "list.csv"))
