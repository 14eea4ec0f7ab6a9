"""What clients do to arguments: they send empty lists for omitted ones, and add arguments of their own."""

import json
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from tests.calls import call, refused

FIELD = Path(__file__).parents[1] / "data" / "clients"


def recorded(name: str) -> tuple[str, dict[str, Any]]:
    """The tool and the arguments of a call that a client sent."""
    params = json.loads((FIELD / f"{name}.json").read_text(encoding="utf-8"))["params"]
    return params["name"], params["arguments"]


async def make_weekend(client: Client) -> tuple[int, int, int]:
    """A setup with a tent and a hat, and its three ids."""
    tent = (await call(client, "create_item", name="Tent", weight="1 kg"))["id"]
    hat = (await call(client, "create_item", name="Hat", weight="50 g"))["id"]
    lines = [{"item_id": tent}, {"item_id": hat}]
    return (await call(client, "create_setup", name="Weekend", lines=lines))["id"], tent, hat


async def quantities(client: Client, setup_id: int) -> dict[str, float]:
    shown = await call(client, "get_setup", setup_id=setup_id)
    return {line["name"]: line.get("quantity", 1) for line in shown["lines"]}


async def test_an_empty_list_of_lines_beside_a_change_is_ignored(client: Client) -> None:
    setup_id, _, hat = await make_weekend(client)
    tool, arguments = recorded("c_padded_change")
    change = [{**arguments["change"][0], "item_id": hat}]
    assert (arguments["lines"], arguments["remove"]) == ([], [])
    await call(client, tool, **{**arguments, "setup_id": setup_id, "change": change})
    assert await quantities(client, setup_id) == {"Tent": 1, "Hat": 2}


async def test_an_empty_list_of_lines_beside_a_removal_is_ignored(client: Client) -> None:
    setup_id, _, hat = await make_weekend(client)
    await call(client, "set_setup_items", setup_id=setup_id, lines=[], change=[], remove=[hat])
    assert await quantities(client, setup_id) == {"Tent": 1}


async def test_empty_changes_beside_lines_are_ignored(client: Client) -> None:
    setup_id, tent, _ = await make_weekend(client)
    lines = [{"item_id": tent, "quantity": 2}]
    await call(client, "set_setup_items", setup_id=setup_id, lines=lines, change=[], remove=[])
    assert await quantities(client, setup_id) == {"Tent": 2}


async def test_three_empty_lists_change_nothing_and_the_result_says_so(client: Client) -> None:
    setup_id, _, _ = await make_weekend(client)
    tool, arguments = recorded("c_padded_nothing")
    result = await call(client, tool, **{**arguments, "setup_id": setup_id})
    assert result["hint"] == "Nothing was changed: lines, change and remove are empty."
    assert "change_id" not in result
    assert await quantities(client, setup_id) == {"Tent": 1, "Hat": 1}


async def test_an_empty_list_of_lines_alone_is_refused_with_the_way_to_empty_a_setup(client: Client) -> None:
    setup_id, tent, hat = await make_weekend(client)
    text = await refused(client, "set_setup_items", setup_id=setup_id, lines=[])
    assert text.startswith("[invalid_input] lines: is empty. To empty the setup, call get_setup and give all")
    assert await quantities(client, setup_id) == {"Tent": 1, "Hat": 1}
    emptied = await call(client, "set_setup_items", setup_id=setup_id, remove=[tent, hat])
    assert emptied["items"] == 0


@pytest.mark.parametrize("name", ["toolCallId", "sessionId", "action", "chatInput", "_sessionID", "_"])
async def test_an_argument_that_a_client_adds_to_every_call_is_ignored(client: Client, name: str) -> None:
    assert (await call(client, "get_totals", **{name: "call_1"}))["items"] == 0
    made = await call(client, "create_item", name="Tent", **{name: {"deep": ["\0"]}})
    assert (await call(client, "get_item", item_id=made["id"]))["name"] == "Tent"


async def test_a_recorded_call_with_an_added_argument_is_answered(client: Client) -> None:
    tool, arguments = recorded("c_injected_argument")
    assert "toolCallId" in arguments
    assert (await call(client, tool, **arguments))["items"] == 0


async def test_a_retry_with_another_added_value_is_the_same_call(client: Client) -> None:
    for attempt in ("call_1", "call_2"):
        made = await call(client, "create_item", name="Tent", idempotency_key="once", toolCallId=attempt)
        assert made.get("repeated", False) == (attempt == "call_2")
    assert (await call(client, "list_items"))["total"] == 1


@pytest.mark.parametrize("name", ["toolcallid", "session_id", "Action", "input", "changes_"])
async def test_any_other_unknown_argument_is_refused(client: Client, name: str) -> None:
    assert f'create_item has no argument "{name}"' in await refused(
        client, "create_item", name="Tent", **{name: "x"}
    )


async def test_an_added_name_within_an_object_is_refused(client: Client) -> None:
    made = await call(client, "create_item", name="Tent")
    text = await refused(client, "update_item", item_id=made["id"], changes={"action": "x"})
    assert text == "[invalid_input] changes.action: no such field."
