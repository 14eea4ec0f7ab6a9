"""What the reading tools say can be read under an address too, and listed for a person to choose from."""

import base64
import logging
import re
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp.server.mcpserver import Context
from mcp.types import INTERNAL_ERROR, INVALID_PARAMS, BlobResourceContents, TextResourceContents
from psycopg import AsyncConnection

from db.pool import Pool
from db.query import fetch_value
from mcp_server.attachments import resources
from mcp_server.attachments.resources import KINDS, READS
from mcp_server.models.fields import Row
from mcp_server.protocol import strict
from mcp_server.protocol.edge import App, read
from mcp_server.protocol.schema import to_tool
from tests.calls import call, refused, text_of
from tests.pictures import in_base64, opened, photo
from tests.test_strict import terminate, until
from tests.tools.test_image import shown


async def text_at(client: Client, uri: str) -> str:
    (content,) = (await client.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents)
    assert (content.uri, content.mime_type) == (uri, "text/plain")
    return content.text


async def refused_at(client: Client, uri: str, code: int = INVALID_PARAMS) -> str:
    with pytest.raises(MCPError) as caught:
        await client.read_resource(uri)
    assert (caught.value.error.code, caught.value.error.data) == (code, {"uri": uri[:100]})
    return caught.value.error.message


@pytest.fixture
async def rows(client: Client) -> dict[str, int]:
    """The id of a row of each kind."""
    item = await call(client, "create_item", name="Tent", weight="1 kg", notes="a\tb")
    lines = [{"item_id": item["id"], "quantity": 2}]
    setup = await call(client, "create_setup", name="Weekend", lines=lines)
    thread = await call(client, "create_thread", name="Shelter", replaces_item_id=item["id"])
    await call(client, "add_candidate", thread_id=thread["id"], name="Tarp", weight="300 g")
    await call(client, "update_settings", changes={"weight_unit": "oz"})
    return {"item": item["id"], "setup": setup["id"], "thread": thread["id"]}


@pytest.mark.parametrize("noun", ["item", "setup", "thread"])
async def test_a_resource_is_what_its_tool_says(client: Client, rows: dict[str, int], noun: str) -> None:
    result = await client.call_tool(f"get_{noun}", {f"{noun}_id": rows[noun]})
    assert await text_at(client, f"gear://{noun}s/{rows[noun]}") == text_of(result)


async def test_an_image_is_its_bytes_as_they_are_stored(client: Client) -> None:
    item = await call(client, "create_item", name="Tent")
    sent = in_base64(photo(600, 400, kind="JPEG"))
    stored = await call(client, "upload_image", data=sent, item_id=item["id"])
    (content,) = (await client.read_resource(f"gear://images/{stored['id']}")).contents
    assert isinstance(content, BlobResourceContents)
    assert content.mime_type == stored["mime_type"]
    _, picture = await shown(client, image_id=stored["id"], full=True)
    assert base64.b64decode(content.blob) == picture
    assert opened(picture).size == (600, 400)


async def test_the_summary_is_what_get_totals_says(client: Client, rows: dict[str, int]) -> None:
    assert await text_at(client, "gear://summary") == text_of(await client.call_tool("get_totals", {}))


@pytest.mark.parametrize("noun", [kind.noun for kind in KINDS])
@pytest.mark.parametrize(
    "row_id", ["0", "-1", "999999", str(2**63), "9" * 1000, "abc", "", "1/2", "1.5", "%31"]
)
async def test_what_is_not_there_is_refused_in_the_words_of_the_tool(
    client: Client, noun: str, row_id: str
) -> None:
    text = await refused(client, f"get_{noun}", **{f"{noun}_id": row_id})
    assert await refused_at(client, f"gear://{noun}s/{row_id}") == text


@pytest.mark.parametrize(
    "uri",
    [
        "gear://tents/1",
        "gear://items",
        "gear://summary/",
        "gear://summary/1",
    ],
)
async def test_an_address_that_there_is_not_is_answered_with_those_that_there_are(
    client: Client, uri: str
) -> None:
    text = await refused_at(client, uri)
    assert text.startswith(f'[not_found] No resource "{uri}". Available: gear://summary, gear://items/{{id}}')


@pytest.mark.parametrize("uri", ["gear:items/1", "file:///etc/passwd", ""])
async def test_an_address_that_is_not_ours_is_refused(client: Client, uri: str) -> None:
    assert await refused_at(client, uri) == f"Unknown resource: {uri}"


async def test_an_address_may_hold_anything(client: Client) -> None:
    assert "contains NUL" in await refused_at(client, "gear://items/\x00")
    assert (await refused_at(client, f"gear://{'x' * 10_000}/1")).count("x") < 200


async def test_every_template_says_what_it_is(client: Client) -> None:
    templates = (await client.list_resource_templates()).resource_templates
    assert [each.uri_template for each in templates] == [
        "gear://items/{id}",
        "gear://setups/{id}",
        "gear://threads/{id}",
        "gear://images/{id}",
    ]
    assert all(each.name and each.title and each.description for each in templates)
    assert [each.mime_type for each in templates] == [*["text/plain"] * 3, None]


async def test_setups_and_active_threads_are_listed_by_name(client: Client, rows: dict[str, int]) -> None:
    await call(client, "create_setup", name="alps")
    over = await call(client, "create_thread", name="Decided")
    await call(client, "update_thread", thread_id=over["id"], changes={"status": "archived"})
    found = (await client.list_resources()).resources
    assert [(each.name, each.description) for each in found[1:]] == [
        ("alps", "Setup, lines: 0"),
        ("Weekend", "Setup, lines: 1"),
        ("Shelter", "Thread, candidates: 1"),
    ]
    assert found[0].uri == "gear://summary"
    for each in found:
        assert await text_at(client, each.uri)


async def test_an_empty_collection_has_its_summary(client: Client) -> None:
    (summary,) = (await client.list_resources()).resources
    assert '"items":0' in await text_at(client, summary.uri)


async def test_of_many_only_the_first_are_listed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "MOST", 2)
    for name in ("C", "A", "B"):
        await call(client, "create_setup", name=name)
        await call(client, "create_thread", name=f"{name}?")
    names = [each.name for each in (await client.list_resources()).resources]
    assert names == ["summary", "A", "B", "A?", "B?"]


class Done(Row):
    done: bool


def read_items_by(monkeypatch: pytest.MonkeyPatch, function: Any) -> None:
    monkeypatch.setitem(resources.READERS, "items", ("item", to_tool(function, "", READS)))


async def test_reading_that_takes_too_long_is_ended_and_its_statement_with_it(
    client: Client, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def sleep(conn: AsyncConnection) -> Done:
        await conn.execute("SELECT pg_sleep(4)")
        return Done(done=True)

    async def sleep_long(ctx: Context[App], item_id: int) -> Done:
        """Sleep."""
        return await read(ctx).do(sleep)

    read_items_by(monkeypatch, sleep_long)
    monkeypatch.setattr(strict, "DEADLINE", 0.5)
    assert (await refused_at(client, "gear://items/1", INTERNAL_ERROR)).startswith("[timeout] ")
    await until(url, 0)


async def test_after_a_lost_connection_it_is_read_again(
    client: Client, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[int] = []

    async def terminate_once(conn: AsyncConnection) -> Done:
        runs.append(1)
        if len(runs) == 1:
            await terminate(pool, await fetch_value(conn, "SELECT pg_backend_pid()"))
        await conn.execute("SELECT 1")
        return Done(done=True)

    async def lose_connection(ctx: Context[App], item_id: int) -> Done:
        """Lose."""
        return await read(ctx).do(terminate_once)

    read_items_by(monkeypatch, lose_connection)
    assert await text_at(client, "gear://items/1") == '{"done":true}'
    assert len(runs) == 2


async def break_down(ctx: Context[App], item_id: int = 0) -> Done:
    """Break."""
    raise RuntimeError("the secret of the house")


async def test_a_bug_is_shown_as_its_incident_and_logged_once(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    read_items_by(monkeypatch, break_down)
    monkeypatch.setattr(resources, "LISTER", to_tool(break_down, "", READS))
    with caplog.at_level(logging.ERROR):
        text = await refused_at(client, "gear://items/1", INTERNAL_ERROR)
        with pytest.raises(MCPError) as caught:
            await client.list_resources()
    assert caught.value.error.code == INTERNAL_ERROR
    assert len(caplog.records) == 2
    for message, record in zip((text, caught.value.error.message), caplog.records, strict=True):
        found = re.match(r"\[internal\] A bug in Gearshed \(incident ([0-9a-f]{8}) in its log\)\.", message)
        assert found
        assert found[1] in record.getMessage()
