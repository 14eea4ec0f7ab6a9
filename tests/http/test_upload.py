"""Upload links: one list or image each, for the user who asked for the link, without JavaScript."""

import asyncio
from typing import Any

import httpx2
import pytest
from mcp import Client
from psycopg import AsyncConnection

from db.pool import Pool, transaction
from mcp_server.services import upload
from scripts.served import Served, connected
from tests.calls import call, refused
from tests.http.conftest import Admit
from tests.pictures import photo

LIST = b"Item Name,Category,desc,qty,weight,unit,url,price,worn,consumable\nTent,,,1,1200,gram,,0,,\n"
PAGE = {"Accept": "text/html,application/xhtml+xml"}


async def post(url: str, data: bytes, name: str = "gear.csv", **headers: str) -> httpx2.Response:
    """Send a file as the form of the page does."""
    async with httpx2.AsyncClient(timeout=30) as http:
        origin = url.partition("/upload/")[0]
        return await http.post(
            url, files={"file": (name, data)}, headers={**PAGE, "Origin": origin, **headers}
        )


async def get(url: str) -> httpx2.Response:
    async with httpx2.AsyncClient(timeout=30) as http:
        return await http.get(url, headers=PAGE)


async def items(client: Client) -> list[dict[str, Any]]:
    return (await call(client, "list_items")).get("items", [])


async def test_a_list_is_uploaded_once_and_shown_to_its_user_only(
    replicas: tuple[Served, Served], admit: Admit
) -> None:
    ada, eve = await admit(), await admit()
    first, second = replicas
    async with (
        connected(first.url, ada.key, "auto") as client,
        connected(first.url, eve.key, "auto") as other,
    ):
        url = (await call(client, "create_upload_link", setup_name="Trip"))["url"]
        shown = await get(url)
        assert (shown.status_code, shown.headers["cache-control"]) == (200, "no-store")
        assert '<form method="post" enctype="multipart/form-data">' in shown.text
        assert "<script" not in shown.text
        # Another replica can receive it.
        done = await post(url.replace(first.url, second.url), LIST)
        assert done.status_code == 200
        assert "Imported 1 items of &#34;gear.csv&#34;." in done.text
        assert "remark: line 1: uploaded as gear.csv" in done.text
        assert [item["name"] for item in await items(client)] == ["Tent"]
        assert [setup["name"] for setup in (await call(client, "list_setups"))["setups"]] == ["Trip"]
        assert await items(other) == []
        (change,) = (await call(client, "list_changes", tool="import_csv"))["changes"]
        assert (change["program"], change["client"]) == ("upload link", "laptop")
        assert [(await response).status_code for response in (get(url), post(url, LIST))] == [404, 404]
        token = url.rpartition("/")[2]
        assert token not in first.logged() + second.logged()
        await call(client, "undo_change", change_id=change["id"])
        assert await items(client) == []
        assert (await get(url)).status_code == 404


async def test_of_several_uploads_at_once_one_is_imported(
    replicas: tuple[Served, Served], admit: Admit
) -> None:
    ada = await admit()
    async with connected(replicas[0].url, ada.key, "auto") as client:
        url = (await call(client, "create_upload_link"))["url"]
        lists = [LIST.replace(b"Tent", f"Tent {at}".encode()) for at in range(5)]
        answers = await asyncio.gather(*(post(url, data) for data in lists))
        assert sorted(answer.status_code for answer in answers) == [200, 404, 404, 404, 404]
        assert len(await items(client)) == 1


async def test_a_refused_file_leaves_the_link_open(replicas: tuple[Served, Served], admit: Admit) -> None:
    ada = await admit()
    async with connected(replicas[0].url, ada.key, "auto") as client:
        url = (await call(client, "create_upload_link"))["url"]
        for data, reason in (
            (b"Item,Weight\nTent,1200\n", "is a weight without a unit"),
            (b"", "The file is empty"),
            (b"a" * (5 * 2**20 + 1), "exceeds 5 MB"),
            (b"<!doctype html>", "Not a list in a known format"),
        ):
            bad = await post(url, data)
            assert bad.status_code == 400
            assert reason in bad.text
            assert "<form" in bad.text
        assert (await post(url, LIST)).status_code == 200


async def test_an_image_is_uploaded_for_an_item(replicas: tuple[Served, Served], admit: Admit) -> None:
    ada = await admit()
    async with connected(replicas[0].url, ada.key, "auto") as client:
        item = (await call(client, "create_item", name="Tent"))["id"]
        url = (await call(client, "create_upload_link", item_id=item))["url"]
        assert "JPEG, PNG" in (await get(url)).text
        done = await post(url, photo(10, 10), "tent.png")
        assert f"Stored the image of item {item}." in done.text
        assert (await call(client, "get_item", item_id=item))["image_id"]
        assert (await refused(client, "create_upload_link", item_id=999_999)).startswith("[not_found]")


async def test_a_program_sends_the_file_as_it_is_and_gets_text(
    replicas: tuple[Served, Served], admit: Admit
) -> None:
    ada = await admit()
    async with connected(replicas[0].url, ada.key, "auto") as client, httpx2.AsyncClient() as http:
        url = (await call(client, "create_upload_link"))["url"]
        done = await http.put(url, content=LIST)
        assert done.headers["content-type"] == "text/plain; charset=utf-8"
        assert done.text == 'Imported 1 items of "an upload"\nremark: line 1: uploaded\n'


@pytest.mark.parametrize(
    "token", ["x", "1.", "1." + "a" * 43, "ffffffffffffffff." + "a" * 43, "1." + "ä" * 43]
)
async def test_a_made_up_token_opens_nothing(replicas: tuple[Served, Served], token: str) -> None:
    assert (await get(f"{replicas[0].url}/upload/{token}")).status_code == 404
    assert (await post(f"{replicas[0].url}/upload/{token}", LIST)).status_code == 404


async def test_a_key_that_only_reads_gets_no_link(replicas: tuple[Served, Served], admit: Admit) -> None:
    ada = await admit(scopes=("read",))
    async with connected(replicas[0].url, ada.key, "auto") as client:
        await refused(client, "create_upload_link")


async def test_a_page_of_another_origin_cannot_upload(replicas: tuple[Served, Served], admit: Admit) -> None:
    ada = await admit()
    async with connected(replicas[0].url, ada.key, "auto") as client:
        url = (await call(client, "create_upload_link"))["url"]
        assert (await post(url, LIST, Origin="https://evil.example")).status_code == 403


async def test_a_link_expires_and_only_its_hash_is_stored(
    replicas: tuple[Served, Served], admit: Admit, shared_pool: Pool
) -> None:
    ada = await admit()
    async with connected(replicas[0].url, ada.key, "auto") as client:
        url = (await call(client, "create_upload_link"))["url"]
        token = url.rpartition("/")[2]
        async with transaction(shared_pool, ada.id) as conn:
            ((key, value),) = await links(conn)
            assert key == upload.key_of(token)
            assert token not in key + value
            await conn.execute("""
                UPDATE settings SET value = jsonb_set(value::jsonb, '{expires_at}', '"2026-01-01T00:00:00Z"')
            """)
        assert (await get(url)).status_code == 404
        assert (await post(url, LIST)).status_code == 404
        await call(client, "create_upload_link")
        async with transaction(shared_pool, ada.id) as conn:
            assert len(await links(conn)) == 1


async def links(conn: AsyncConnection) -> list[tuple[str, str]]:
    cursor = await conn.execute("SELECT key, value FROM settings WHERE starts_with(key, 'upload:')")
    return await cursor.fetchall()


async def test_few_links_are_open_at_once(replicas: tuple[Served, Served], admit: Admit) -> None:
    ada = await admit()
    async with connected(replicas[0].url, ada.key, "auto") as client:
        for _ in range(upload.MOST_OPEN):
            await call(client, "create_upload_link")
        assert (await refused(client, "create_upload_link")).startswith("[busy] 20 upload links are open")
