"""Requests of a few megabytes that would keep the server busy for seconds are refused first."""

import json
import re
from io import BytesIO
from typing import Any, cast

import anyio.lowlevel
import httpx2
import pytest
from mcp import Client, MCPError
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import PromptReference
from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from mcp_server.errors import MOST_PLACES, from_validation
from mcp_server.http.body import WholeBodies, is_crowded, read_ahead
from mcp_server.models.item import ItemChanges
from mcp_server.protocol.edge import App
from mcp_server.protocol.message import KEPT, MOST_VALUES, STEP, TOO_MANY, has_too_many_values
from mcp_server.protocol.stdio import CROWDED, BoundedLines
from mcp_server.server import build_server
from tests.calls import refused

MANY = 6 * MOST_VALUES
LONG = "x" * 1_000_000
CALL = '{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":"{}","arguments":{}}}}}'
# Arguments with many values, each in a few bytes.
CROWDS = {
    "unknown keys": (
        "update_item",
        json.dumps({"item_id": 1, "changes": {f"k{at}": 1 for at in range(MANY)}}),
    ),
    "empty lists": ("create_items", f'{{"items":[{",".join(["[]"] * MANY)}]}}'),
    "nested lists": ("create_items", f'{{"items":[{",".join(["[" * 100 + "]" * 100] * (MANY // 100))}]}}'),
    "ids": ("update_items", f'{{"item_ids":[{",".join(["1"] * MANY)}]}}'),
}
crowds = pytest.mark.parametrize(("tool", "arguments"), CROWDS.values(), ids=CROWDS)


def values_in(value: Any) -> int:
    """Count the values that a parser makes."""
    if isinstance(value, dict):
        return 1 + sum(map(values_in, cast(dict[str, Any], value).values()))
    return 1 + (sum(map(values_in, cast(list[Any], value))) if isinstance(value, list) else 0)


def without_database() -> Any:
    return build_server(App(pool=None, user_id=0))  # pyright: ignore[reportArgumentType]


async def refusal(tool: str, arguments: dict[str, Any]) -> str:
    with pytest.raises(ToolError) as caught:
        await without_database().call_tool(tool, arguments)
    return str(caught.value)


def check_short(text: str) -> None:
    """Check that an error names few places, and repeats little of what was sent."""
    assert len(text) < 2500
    assert len(re.findall("no such field|must ", text)) <= MOST_PLACES
    assert max(map(len, re.findall("x+", text)), default=0) <= 100


@crowds
def test_a_crowded_line_loses_its_middle_before_it_is_parsed(tool: str, arguments: str) -> None:
    line = CALL.format(tool, arguments)
    assert values_in(json.loads(line)) > 5 * MOST_VALUES
    read = BoundedLines(BytesIO(line.encode() + b"\nnext\n"))
    cut = read.readline()
    assert cut == line[:KEPT] + CROWDED + line[-KEPT + 1 :] + "\n"
    assert read.readline() == "next\n"


@crowds
async def test_a_crowded_body_is_refused_before_it_is_parsed(tool: str, arguments: str) -> None:
    reached: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(scope["path"])
        await Response("parsed")(scope, receive, send)

    transport = httpx2.ASGITransport(app=WholeBodies(app, 2**23))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.post("/mcp", content=CALL.format(tool, arguments))
        assert answer.status_code == 400
        assert answer.json()["id"] == 7
        assert TOO_MANY in answer.json()["error"]["message"]
        assert reached == []
        assert (await client.post("/mcp", content=CALL.format(tool, "{}"))).text == "parsed"
        assert reached == ["/mcp"]


async def test_a_body_is_joined_once() -> None:
    parts = [
        {"type": "http.request", "body": b"ab", "more_body": True},
        {"type": "http.request", "body": b"c"},
    ]

    async def receive() -> Message:
        return parts.pop(0)

    (first,), again = await read_ahead(receive, 2**23)
    (second,), _ = await read_ahead(again, 2**23)
    assert second["body"] == b"abc"
    assert second["body"] is first["body"]


async def test_an_encoding_does_not_hide_the_values() -> None:
    """U+2200 to U+22FF hold the byte of a quote in UTF-16, after which everything would look like text."""
    body = CALL.format("create_items", f'{{"x":"\u2261","items":[{",".join(["[]"] * MANY)}]}}').encode(
        "utf-16"
    )
    assert values_in(json.loads(body)) > MANY
    assert not has_too_many_values(body.decode("latin-1"))
    transport = httpx2.ASGITransport(app=WholeBodies(Response("parsed"), 2**23))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert (await client.post("/mcp", content=body)).status_code == 400


def test_only_values_count_and_not_text() -> None:
    assert not has_too_many_values(json.dumps({"csv_text": 'a,"[{\\' * MANY}))
    assert not has_too_many_values(json.dumps({"csv_text": "x"}) + " " * MANY)
    assert not has_too_many_values(json.dumps([1] * (MOST_VALUES - 1)))
    assert has_too_many_values(json.dumps([1] * MOST_VALUES))


async def test_other_requests_are_served_while_values_are_counted() -> None:
    served = 0

    async def serve() -> None:
        nonlocal served
        while True:
            served += 1
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(serve)
        assert await is_crowded(json.dumps([1] * MOST_VALUES))
        tasks.cancel_scope.cancel()
    assert served > MOST_VALUES // STEP // 2


async def test_json_in_a_text_is_counted_too() -> None:
    text = f"[{','.join(['[]'] * MANY)}]"
    assert values_in(json.loads(text)) > MANY
    assert await refusal("create_items", {"items": text}) == (
        f"[invalid_input] items: holds {TOO_MANY}. Send less at once."
    )
    deep = "[" * 40 + "]" * 40
    assert "nested deeper than 32" in await refusal("create_items", {"items": deep})
    assert "items: must be" in await refusal("create_items", {"items": "[" * 20_000 + "]" * 20_000})


async def test_many_unknown_keys_are_not_all_reported() -> None:
    changes = {f"k{at}": 1 for at in range(MOST_VALUES - 10)}
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(ItemChanges).validate_python(changes)
    assert caught.value.error_count() == len(changes)
    text = await refusal("update_item", {"item_id": 1, "changes": changes})
    check_short(text)
    assert text.startswith("[invalid_input] changes.k0: no such field; changes.k1: no such field; ")
    assert text.endswith("changes.k9: no such field; and more.")


async def test_unknown_keys_of_many_rows_are_not_all_reported() -> None:
    rows = [{"name": "Tent", **{f"k{at}": 1 for at in range(90)}} for _ in range(500)]
    text = await refusal("create_items", {"items": rows})
    check_short(text)
    assert text.startswith("[invalid_input] items.0.k0: no such field; ")


async def test_of_many_problems_ten_are_named_and_the_rest_counted() -> None:
    rows: list[dict[str, Any]] = [{"weight": "heavy", "quantity": -1}] * 500
    text = await refusal("create_items", {"items": rows})
    check_short(text)
    assert text.endswith("; and 1,490 more.")


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("update_item", {"item_id": 1, "changes": {LONG: 1}}),
        ("update_item", {"item_id": 1, "changes": {"notes": {LONG: 1}}}),
        ("create_items", {"items": [{"name": "Tent", LONG: 1}]}),
        ("get_item", {LONG: 1}),
        ("get_item", {"item_id": LONG}),
        ("create_item", {"name": LONG}),
        ("create_item", {"name": "Tent", "category": LONG, "weight": LONG}),
        ("list_items", {"query": LONG, "sort": LONG, "cursor": LONG}),
        ("get_itm" + LONG, {}),
    ],
)
async def test_an_error_repeats_little_of_what_was_sent(tool: str, arguments: dict[str, Any]) -> None:
    check_short(await refusal(tool, arguments))


def test_the_path_of_a_field_is_cut_and_cannot_control_a_terminal() -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(ItemChanges).validate_python({"\x1b[2J\n" + LONG: 1})
    text = str(from_validation(caught.value))
    check_short(text)
    assert text.isprintable()


async def test_long_names_of_other_requests_are_cut(client: Client) -> None:
    with pytest.raises(MCPError) as caught:
        await client.read_resource(f"gear://items/{LONG}")
    check_short(f"{caught.value.error.message} {caught.value.error.data}")
    with pytest.raises(MCPError) as caught:
        await client.read_resource(f"other://{LONG}")
    check_short(f"{caught.value.error.message} {caught.value.error.data}")
    with pytest.raises(MCPError) as caught:
        await client.get_prompt(LONG)
    check_short(f"{caught.value.error.message} {caught.value.error.data}")
    with pytest.raises(MCPError) as caught:
        await client.get_prompt("find_what_to_leave", {"setup": LONG, LONG: LONG})
    check_short(f"{caught.value.error.message} {caught.value.error.data}")
    reference = PromptReference(type="ref/prompt", name="find_what_to_leave")
    with pytest.raises(MCPError) as caught:
        await client.complete(reference, {"name": "setup", "value": LONG})
    check_short(f"{caught.value.error.message} {caught.value.error.data}")


async def test_few_of_many_unknown_categories_are_looked_for(client: Client) -> None:
    rows = [{"name": "Tent", "category": f"No {at}"} for at in range(500)]
    text = await refused(client, "create_items", items=rows)
    assert text.count("No category") == MOST_PLACES
    assert "490 more categories are missing." in text
    rows = [{"name": "Tent", "category": "No"} for _ in range(500)]
    text = await refused(client, "create_items", items=rows)
    assert "items.9, and 490 more)" in text
    check_short(text)
