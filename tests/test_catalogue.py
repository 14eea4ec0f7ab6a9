"""All tools together: what a client reads before it calls any of them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from mcp import Client
from mcp.types import Tool

from mcp_server.protocol.schema import STORED, stored_schemas
from mcp_server.server import INSTRUCTIONS, TOOLS

SNAPSHOT = Path(__file__).parent / "snapshots" / "tools.json"
# Bytes of what a model reads of all tools, and of all that is sent.
BUDGET, WIRE_BUDGET = 30_200, 62_500

if os.environ.get("UPDATE_SNAPSHOTS"):
    # Before any test builds a server, which reads this file.
    generated = json.dumps({entry.name: entry.output for entry in TOOLS}, indent=1, ensure_ascii=False)
    STORED.write_text(f"{generated}\n", encoding="utf-8")


async def listed(client: Client) -> list[Tool]:
    return (await client.list_tools()).tools


def size(value: Any) -> int:
    """The bytes of *value* as compact JSON."""
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def everywhere(schema: Any) -> list[dict[str, Any]]:
    """Every object within a schema, the schema included."""
    if isinstance(schema, list):
        return [found for each in cast(list[Any], schema) for found in everywhere(each)]
    if isinstance(schema, dict):
        inner = cast(dict[str, Any], schema)
        return [inner, *(found for each in inner.values() for found in everywhere(each))]
    return []


async def test_every_schema_is_as_reviewed(client: Client) -> None:
    """After a change on purpose: UPDATE_SNAPSHOTS=1 pytest tests/test_catalogue.py, and read the diff."""
    tools = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in await listed(client)]
    if os.environ.get("UPDATE_SNAPSHOTS"):
        found = json.dumps(tools, indent=2, ensure_ascii=False, sort_keys=True)
        SNAPSHOT.write_text(f"{found}\n", encoding="utf-8")
    assert tools == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


async def test_all_tools_are_listed_once_and_by_their_functions_names(client: Client) -> None:
    names = [tool.name for tool in await listed(client)]
    assert names == [entry.function.__name__ for entry in TOOLS]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name)] == []


async def test_every_tool_says_what_it_does_and_what_it_may_do(client: Client) -> None:
    for tool in await listed(client):
        assert tool.title, tool.name
        assert tool.description, tool.name
        assert tool.annotations is not None
        hints = tool.annotations.model_dump(exclude={"title"})
        assert all(isinstance(hint, bool) for hint in hints.values()), (tool.name, hints)


async def test_reading_tools_are_the_ones_whose_names_say_so(client: Client) -> None:
    for tool in await listed(client):
        assert tool.annotations is not None
        reads = tool.name.startswith(
            ("list_", "get_", "show_", "compare_", "preview_", "export_", "what_if", "plan_", "decide_")
        )
        assert tool.annotations.read_only_hint == reads, tool.name
        deletes = tool.name.startswith(
            ("delete_", "end_", "merge_", "remove_", "set_", "undo_", "update_", "upload_", "import_")
        )
        assert tool.annotations.destructive_hint == deletes, tool.name


async def test_all_descriptions_and_schemas_stay_within_their_budget(client: Client) -> None:
    shown = [
        {"name": tool.name, "description": tool.description, "inputSchema": tool.input_schema}
        for tool in await listed(client)
    ]
    assert size(shown) <= BUDGET


async def test_the_list_of_tools_stays_within_its_budget_on_the_wire(client: Client) -> None:
    result = await client.list_tools()
    assert size(result.model_dump(mode="json", by_alias=True, exclude_none=True)) <= WIRE_BUDGET


async def test_output_schemas_list_every_required_field_and_the_change_of_a_write(client: Client) -> None:
    results = {entry.name: entry.result for entry in TOOLS}
    for tool in await listed(client):
        assert tool.output_schema is not None
        assert tool.annotations is not None
        whole = results[tool.name]
        assert tool.output_schema["required"] == whole["required"], tool.name
        names = whole["properties"] if tool.annotations.read_only_hint else {*whole["required"], "change_id"}
        assert set(tool.output_schema["properties"]) == set(names), tool.name
        for name, field in tool.output_schema["properties"].items():
            assert field["type"] == whole["properties"][name]["type"], (tool.name, name)


async def test_no_schema_has_what_some_client_refuses(client: Client) -> None:
    for tool in await listed(client):
        assert tool.output_schema is not None
        for schema in everywhere(tool.input_schema) + everywhere(tool.output_schema):
            assert not {"$ref", "$defs", "anyOf", "oneOf", "allOf"} & schema.keys(), tool.name
            assert not isinstance(schema.get("type"), list), tool.name
        for schema in everywhere(tool.input_schema):
            assert schema.get("type") != "object" or schema["additionalProperties"] is False, tool.name


async def test_an_inner_field_does_not_repeat_a_description_of_its_tool(client: Client) -> None:
    for tool in await listed(client):
        inner = [
            field["description"]
            for argument in tool.input_schema["properties"].values()
            for field in everywhere(argument)[1:]
            if isinstance(field.get("description"), str)
        ]
        assert len(inner) == len(set(inner)), tool.name


async def test_instructions_are_short(client: Client) -> None:
    assert client.instructions == INSTRUCTIONS
    assert len(INSTRUCTIONS) < 1000


def test_a_start_imports_neither_sqlalchemy_nor_alembic_nor_pillow_nor_what_few_calls_need() -> None:
    slow = "sqlalchemy alembic rich PIL httpcore2 mcp_server.formats mcp_server.untrusted.fetch"
    slow += " mcp_server.services.csv mcp_server.services.export mcp_server.commands.lists"
    code = "import sys, mcp_server.cli, mcp_server.process; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "mcp_server.services.item" in loaded
    assert sorted({*slow.split()} & {*loaded}) == []


def test_the_stored_output_schemas_are_those_of_the_tools() -> None:
    """After a change on purpose: UPDATE_SNAPSHOTS=1 pytest tests/test_catalogue.py writes both files."""
    assert stored_schemas() == {entry.name: entry.output for entry in TOOLS}


def test_a_tool_without_a_stored_output_schema_has_a_generated_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for entry in TOOLS:
        stored = entry.tool().output_schema
        monkeypatch.delitem(stored_schemas(), entry.name)
        assert entry.tool().output_schema == stored


def test_serving_collects_garbage_again_after_the_start() -> None:
    code = "import gc; from mcp_server.process import collect_garbage; gc.disable(); collect_garbage();"
    code += "print(gc.isenabled(), gc.get_freeze_count() > 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True True\n"
