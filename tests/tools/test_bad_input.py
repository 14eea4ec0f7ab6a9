"""Every argument of every tool, tried with all that it must refuse: refused by its name, nothing written."""

import math
import re
from typing import Any

import pytest
from mcp import Client
from mcp.server.mcpserver.exceptions import ToolError

from mcp_server.protocol.edge import App
from mcp_server.protocol.schema import to_tool
from mcp_server.server import TOOLS, build_server
from tests.calls import call, refused

# What each kind of argument must refuse. "not_found" is the answer to an id that is a number, but no row's.
ANY: list[Any] = ["\x00", "a\ud800"]
NUMBER: list[Any] = [
    *ANY,
    math.nan,
    math.inf,
    "nan",
    "Infinity",
    True,
    False,
    "abc",
    "1_000",
    [1],
    {"a": 1},
    "1 OR 1=1",
]
BAD: dict[str, list[Any]] = {
    "id": [*NUMBER, 1.5, "1.5", None, ""],
    "row": [*ANY, "", " ", "x" * 201, math.nan, math.inf, True, False, [1], {"a": 1}, 1.5, None],
    "optional_row": [*ANY, "x" * 201, math.nan, math.inf, True, False, [1], {"a": 1}, 1.5],
    "integer": [*NUMBER, -1, 1.5, 2**63, 10**30],
    "boolean": [*ANY, "yes", "1", 1, 0, 1.0, [True], {"a": 1}],
    "number": [*NUMBER, -1, "-1", 10**30, 1e30],
    "figure": [*NUMBER, 10**30, 1e30],
    "weight": [
        *ANY,
        math.nan,
        math.inf,
        1e400,
        "nan",
        True,
        -1,
        "-1",
        "1 stone",
        "~",
        "~ heavy",
        "540 g ±",
        "540 g ± 541 g",
        "5 g ± 101 %",
        "5 g ± 1 stone",
        "1 lb 3 oz ± 1",
        "± 5 g",
        "1 ± 1 ± 1 g",
        "1_000",
        10**9,
        [1],
        {"a": 1},
    ],
    "data": [*ANY, "", " ", "x", "data:image/png;base64,", "nö", "<svg>", 5, True, ["x"]],
    "url": [*ANY, "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "ftp://x", "x", 5, True],
    "name": [*ANY, "", "   ", "x" * 201, None, 5, True, ["x"]],
    "text": [*ANY, "x" * 65537, "é" * 32769, 5, True, ["x"]],
    "enum": [*ANY, "No such thing", 5, ["base"]],
    "reference": [*ANY, "x" * 201, True, ["x"], 1.5],
    "enums": [*ANY, "x", 5, {"a": 1}, ["No such thing"], [5], [None], [["totals"]]],
    "time": [*ANY, "soon", "2026", "2026-02-30", "-1d", "9999999d", "9999-12-31", 5, True, ["today"]],
    "string": [*ANY, "x" * 1_000_001, 5, True, ["x"]],
    "object": [*ANY, "x", 5, None, [], {"nonsense": 1}],
    "array": [*ANY, "x", 5, {"a": 1}, ["x"], [{"nonsense": 1}], [{}]],
    "ids": [*ANY, "x", 5, {"a": 1}, ["x"], [1.5], [True], [None], [[1]]],
    "references": [*ANY, "x", 5, {"a": 1}, [""], [1.5], [True], [None], [["x"]]],
}
KINDS = {
    "name": "name",
    "icon": "enum",
    "category": "reference",
    "move_to": "reference",
    "setup_name": "reference",
    "setup": "reference",
    "thread": "reference",
    "weight_unit": "enum",
    "currency": "enum",
    "price_currency": "enum",
    "value": "figure",
    "worst": "figure",
    "best": "figure",
    "at_least": "figure",
    "at_most": "figure",
    "weight_source": "enum",
    "why": "text",
    "pros": "text",
    "cons": "text",
    "item_ids": "references",
    "ids": "references",
    "candidate_ids": "references",
    "remove": "references",
    "change_ids": "ids",
    "threads": "references",
    "client": "string",
    "program": "string",
    "since": "time",
    "until": "time",
    "swap_in_setups": "references",
    "keep": "reference",
    "item": "reference",
    "parts": "enums",
    "weight": "weight",
    "min_weight": "weight",
    "max_weight": "weight",
    "notes": "text",
    "notes_append": "text",
    "product_url": "url",
    "url": "url",
    "data": "data",
    "query": "string",
    "tool": "string",
    "idempotency_key": "reference",
    "cursor": "string",
    "csv_text": "string",
    "path": "string",
}
# The least that each tool takes, to put one bad argument into.
LEAST: dict[str, dict[str, Any]] = {
    "get_item": {"item_id": 1},
    "create_item": {"name": "Tent"},
    "update_item": {"item_id": 1, "changes": {}},
    "delete_item": {"item_id": 1},
    "create_category": {"name": "Food"},
    "update_category": {"category_id": 1, "changes": {}},
    "delete_category": {"category_id": 1},
    "get_setup": {"setup_id": 1},
    "create_setup": {"name": "Trip"},
    "set_setup_items": {"setup_id": 1, "remove": [1]},
    "create_items": {"items": [{"name": "Tent"}]},
    "update_items": {"item_ids": [1], "changes": {}},
    "merge_items": {"keep": 1, "items": [2], "pieces": "sum"},
    "update_setup": {"setup_id": 1, "changes": {}},
    "delete_setup": {"setup_id": 1},
    "copy_setup": {"setup_id": 1, "name": "Copy"},
    "compare_setups": {"setup_id": 1, "other_setup_id": 2},
    "what_if": {"setup": 1},
    "decide_thread": {"thread_id": 1},
    "plan_purchases": {"budget_cents": 1},
    "get_thread": {"thread_id": 1},
    "create_thread": {"name": "Tent"},
    "update_thread": {"thread_id": 1, "changes": {}},
    "delete_thread": {"thread_id": 1},
    "resolve_thread": {"thread_id": 1, "candidate_id": 1},
    "add_candidate": {"thread_id": 1, "name": "Tent"},
    "update_candidate": {"candidate_id": 1, "changes": {}},
    "remove_candidate": {"candidate_id": 1},
    "rank_candidates": {"thread_id": 1, "candidate_ids": [1]},
    "preview_candidate": {"candidate_id": 1},
    "update_settings": {"changes": {}},
    "get_change": {"change_id": 1},
    "undo_change": {"change_id": 1},
    "undo_changes": {"last": 1},
    "get_image": {"image_id": 1},
    "upload_image_from_url": {"url": "https://example.com/tent.jpg"},
    "upload_image": {"data": "eA=="},
    "import_csv": {"csv_text": "item name,weight,unit\nTent,1,gram\n"},
}

# The same for the rows of a list.
LEAST_ROW: dict[str, dict[str, Any]] = {
    "items": {"name": "Tent"},
    "lines": {"item_id": 1},
    "change": {"item_id": 1},
    "updates": {"item": 1, "changes": {}},
    "candidates": {"name": "Tarp"},
    "swap": {"old_item_id": 1, "name": "Tarp"},
    "add": {"name": "Tarp"},
    "values": {"name": "Comfort", "value": 1},
    "criteria": {"name": "Comfort", "importance": 1, "worst": 0, "best": 1},
    "importance": {"name": "Comfort", "importance": 1},
}


def kind(name: str, within: dict[str, Any]) -> str:
    """The kind of a field *within* an object's schema."""
    schema = within["properties"][name]
    if name.endswith("_id"):
        its_kind = "id" if schema["type"] == "integer" else "row"
        return its_kind if name in within.get("required", ()) else f"optional_{its_kind}"
    if name == "items" and schema["items"]["type"] == "string":
        return "references"
    return "enum" if "enum" in schema else KINDS.get(name, str(schema["type"]))


def cases() -> list[Any]:
    """Each argument of each tool, and each field within one, with each value it must refuse."""
    found: list[Any] = []
    for entry in TOOLS:
        tool = to_tool(*entry)
        for name, schema in tool.parameters.get("properties", {}).items():
            found += [(tool.name, name, {name: bad}) for bad in BAD[kind(name, tool.parameters)]]
            for field in schema.get("properties", {}):
                found += [(tool.name, field, {name: {field: bad}}) for bad in BAD[kind(field, schema)]]
            rows = schema.get("items", {})
            for field in rows.get("properties", {}):
                found += [
                    (tool.name, field, {name: [{**LEAST_ROW[name], field: bad}]})
                    for bad in BAD[kind(field, rows)]
                ]
    return found


def test_there_is_a_case_for_every_argument() -> None:
    tried = {(tool, next(iter(arguments))) for tool, _, arguments in cases()}
    assert tried == {
        (entry.function.__name__, name)
        for entry in TOOLS
        for name in to_tool(*entry).parameters.get("properties", {})
    }
    assert len(cases()) > 500


async def test_every_bad_value_is_refused_by_its_name_before_any_transaction() -> None:
    """Called directly, because a client would not get NaN or half a surrogate pair through, and without a
    database, so that a value that is not refused shows as a bug."""
    server = build_server(App(pool=None, user_id=0))  # pyright: ignore[reportArgumentType]
    wrong: list[str] = []
    for tool, field, arguments in cases():
        try:
            await server.call_tool(tool, LEAST.get(tool, {}) | arguments)
        except ToolError as exc:
            if not str(exc).startswith("[invalid_input] ") or field not in str(exc):
                wrong.append(f"{tool}({arguments!r:.80}): {exc}")
        else:
            wrong.append(f"{tool}({arguments!r:.80}): accepted")
    assert wrong == []


@pytest.mark.parametrize(
    "name", ["\u202eevil", "a\u200bb", "👩\u200d👩\u200d👧 tent", "⛺", "'; DROP TABLE items; --", "%_\\"]
)
async def test_unusual_text_is_stored_as_given(client: Client, name: str) -> None:
    made = await call(client, "create_item", name=name, notes=name)
    found = await call(client, "get_item", item_id=made["id"])
    assert (found["name"], found["notes"]) == (name, name)


async def test_numbers_may_come_as_text(client: Client) -> None:
    made = await call(client, "create_item", name="Tent", quantity="2", price_cents=" 500 ", weight="12")
    assert (made["quantity"], made["price_cents"], made["weight_grams"]) == (2, 500, 12)
    assert await call(client, "get_item", item_id=str(made["id"]))


@pytest.mark.parametrize("cursor", ["x", "====", "bnVsbA", "WzEsMiwzXQ", "e30", "WyJuYW1lIiwiYSIsdHJ1ZV0"])
async def test_a_cursor_that_is_none_is_refused(client: Client, cursor: str) -> None:
    assert (await refused(client, "list_items", cursor=cursor)).startswith("[invalid_input] cursor: ")


async def test_a_field_that_has_to_be_there_cannot_be_cleared(client: Client) -> None:
    made = await call(client, "create_item", name="Tent", quantity=2)
    for field in ("name", "quantity"):
        text = await refused(client, "update_item", item_id=made["id"], changes={field: None})
        assert text.startswith("[invalid_input] ")
        assert f"{field}: " in text
    assert (await call(client, "get_item", item_id=made["id"]))["quantity"] == 2


async def test_null_is_the_same_as_left_out(client: Client) -> None:
    made = await call(client, "create_item", name="Tent", category=None, weight=None, quantity=None)
    page = await call(client, "list_items", query=None, category=None, sort=None, limit=None, cursor=None)
    assert page["items"] == [{"id": made["id"], "name": "Tent"}]


async def test_the_first_ten_bad_rows_of_many_are_named_and_the_others_counted(client: Client) -> None:
    rows = [{"name": "Tent", "weight": "heavy"} if at % 2 else {"name": "Tent"} for at in range(60)]
    text = await refused(client, "create_items", items=rows)
    assert text.startswith("[invalid_input] items.1.weight: must be a weight")
    assert [int(number) for number in re.findall(r"items\.(\d+)\.weight", text)] == list(range(1, 20, 2))
    assert text.endswith("; and 20 more.")
    assert (await call(client, "list_items"))["total"] == 0
