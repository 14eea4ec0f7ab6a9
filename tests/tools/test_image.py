"""Images the way an agent sends and sees them."""

import base64
from collections.abc import AsyncGenerator
from functools import partial
from ipaddress import ip_address
from typing import Any

import pytest
from mcp import Client
from mcp.types import ImageContent, TextContent

from db.pool import Pool
from mcp_server.turns import Turns
from mcp_server.untrusted import fetch as fetching
from mcp_server.untrusted import picture
from mcp_server.untrusted.fetch import Rules, fetch
from tests.calls import call, refused, without_change
from tests.listener import Listener, listening, ok
from tests.pictures import bomb, in_base64, opened, photo


@pytest.fixture
async def shop(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Listener]:
    """A web shop on this machine, which only here may be fetched from."""
    async with listening(ok(photo(1000, 500, kind="JPEG"))) as listener:
        rules = Rules((listener.port,), ip_address("127.0.0.1").__eq__)
        monkeypatch.setattr(fetching, "fetch", partial(fetch, rules=rules))
        yield listener


async def shown(client: Client, **arguments: Any) -> tuple[dict[str, Any], bytes]:
    """The structure of get_image's result, and its picture."""
    result = await client.call_tool("get_image", arguments)
    text, content = result.content
    assert isinstance(text, TextContent)
    assert isinstance(content, ImageContent)
    assert result.structured_content is not None
    assert content.mime_type == result.structured_content["mime_type"]
    return result.structured_content, base64.b64decode(content.data)


async def make_candidate(client: Client) -> int:
    thread = await call(client, "create_thread", name="Tent")
    return (await call(client, "add_candidate", thread_id=thread["id"], name="Tarp"))["id"]


async def test_an_image_is_fetched_stored_and_shown(client: Client, shop: Listener) -> None:
    item_id = (await call(client, "create_item", name="Tent"))["id"]
    url = f"http://127.0.0.1:{shop.port}/tent.png?size=large"
    stored = await call(client, "upload_image_from_url", url=url, item_id=item_id)
    expected = {"id": stored["id"], "mime_type": "image/jpeg", "source_url": url}
    stored = without_change(stored)
    assert stored == {**expected, "width": 1000, "height": 500}
    assert (await call(client, "get_item", item_id=item_id))["image_id"] == stored["id"]
    structure, data = await shown(client, image_id=stored["id"])
    assert structure == {**expected, "width": 320, "height": 160, "thumbnail": True}
    assert opened(data).size == (320, 160)
    structure, data = await shown(client, image_id=stored["id"], full=True)
    assert structure == stored
    assert opened(data).size == (1000, 500)


@pytest.mark.parametrize("before", ["", "data:image/png;base64,", "DATA:;base64,"])
async def test_an_image_comes_as_base64_too(client: Client, before: str) -> None:
    candidate_id = await make_candidate(client)
    text = in_base64(photo())
    stored = await call(
        client, "upload_image", data=f"{before}{text[:40]}\n{text[40:]}", candidate_id=candidate_id
    )
    assert (stored["width"], stored["height"]) == (40, 30)
    removed = await call(client, "remove_image", candidate_id=candidate_id)
    assert without_change(removed) == {"image_id": stored["id"], "deleted": True}
    text = await refused(client, "get_image", image_id=stored["id"])
    assert text == f"[not_found] No image {stored['id']}. Call get_item or get_thread to find its id."


async def test_an_item_and_a_candidate_show_the_same_image(client: Client) -> None:
    item_id = (await call(client, "create_item", name="Tent"))["id"]
    data = in_base64(photo())
    first = await call(client, "upload_image", data=data, item_id=item_id)
    second = await call(client, "upload_image", data=data, candidate_id=await make_candidate(client))
    assert first["id"] == second["id"]
    assert (await call(client, "remove_image", item_id=item_id))["deleted"] is False
    await shown(client, image_id=first["id"])


@pytest.mark.parametrize("owners", [{}, {"item_id": 1, "candidate_id": 1}])
async def test_there_has_to_be_exactly_one_to_show_it_for(client: Client, owners: dict[str, int]) -> None:
    text = "[invalid_input] item_id, candidate_id: give exactly one of them."
    assert await refused(client, "upload_image", data=in_base64(photo()), **owners) == text
    assert await refused(client, "upload_image_from_url", url="https://example.com/", **owners) == text
    assert await refused(client, "remove_image", **owners) == text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("not base64!", "data: must be base64"),
        (in_base64(b"<svg/>"), "Not a supported image: the content is SVG."),
        (in_base64(b"svg"), "Not an image: "),
        (in_base64(photo()[:60]), "damaged or incomplete"),
        (in_base64(bomb(9000, 9000)), "more than 40 megapixels"),
    ],
)
async def test_an_invalid_image_is_refused_with_a_reason(client: Client, data: str, words: str) -> None:
    item_id = (await call(client, "create_item", name="Tent"))["id"]
    text = await refused(client, "upload_image", data=data, item_id=item_id)
    assert text.startswith(f"[invalid_input] {words}") or words in text
    assert "image_id" not in await call(client, "get_item", item_id=item_id)


async def test_nothing_is_fetched_for_an_item_that_is_not_there(client: Client, shop: Listener) -> None:
    url = f"http://127.0.0.1:{shop.port}/"
    assert (await refused(client, "upload_image_from_url", url=url, item_id=12)).startswith("[not_found]")
    assert shop.connections == 0


async def test_an_image_is_fetched_in_a_turn_of_its_user(
    client: Client, shop: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here, users have no turns."""
    monkeypatch.setattr(fetching, "FETCHES", Turns(0, 8, "fetches", patience=0.01))
    item_id = (await call(client, "create_item", name="Tent"))["id"]
    url = f"http://127.0.0.1:{shop.port}/"
    text = await refused(client, "upload_image_from_url", url=url, item_id=item_id)
    assert text.startswith("[busy] Too many fetches are in progress.")
    assert shop.connections == 0


async def test_an_image_is_decoded_in_a_turn_of_its_user(
    client: Client, shop: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the first upload, users have no turns."""
    item_id = (await call(client, "create_item", name="Tent"))["id"]
    data, url = in_base64(photo(1000, 500)), f"http://127.0.0.1:{shop.port}/"
    stored = await call(client, "upload_image", data=data, item_id=item_id)
    monkeypatch.setattr(picture, "DECODERS", Turns(0, 2, "images", patience=0.01))
    texts = [
        await refused(client, "upload_image", data=data, item_id=item_id),
        await refused(client, "upload_image_from_url", url=url, item_id=item_id),
        await refused(client, "get_image", image_id=stored["id"]),
    ]
    assert {text.partition(".")[0] for text in texts} == {"[busy] Too many images are in progress"}
    await shown(client, image_id=stored["id"], full=True)


async def test_nothing_is_fetched_from_this_machine(client: Client) -> None:
    item_id = (await call(client, "create_item", name="Tent"))["id"]
    async with listening(ok(photo())) as victim:
        for url in (
            f"http://127.0.0.1:{victim.port}/",
            f"http://localhost:{victim.port}/",
            "http://127.0.0.1/",
        ):
            text = await refused(client, "upload_image_from_url", url=url, item_id=item_id)
            assert text.startswith("[forbidden] url: ")
    assert victim.connections == 0


async def test_no_connection_is_held_while_an_image_is_fetched(
    client: Client, shop: Listener, pool: Pool
) -> None:
    item_id = (await call(client, "create_item", name="Tent"))["id"]
    free: list[bool] = []

    async def answer(writer: Any) -> None:
        stats = pool.get_stats()
        free.append(stats["pool_available"] == stats["pool_size"])
        writer.write(ok(photo()))

    shop.answers = [answer]
    await call(client, "upload_image_from_url", url=f"http://127.0.0.1:{shop.port}/", item_id=item_id)
    assert free == [True]
