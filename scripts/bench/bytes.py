"""The bytes that a client reads, beside what the bare SDK makes of the same functions and rows."""

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

from mcp import Client
from mcp.server.mcpserver import MCPServer
from mcp.types import CallToolResult
from pydantic import BaseModel, create_model

from db.embedded import Embedded
from db.pool import create_pool, transaction
from mcp_server.protocol.edge import App
from mcp_server.server import TOOLS, build_server
from mcp_server.services import item, listing
from scripts.bench.figures import Figure
from scripts.bench.rig import Rig, answer, user_of, wire


async def measure(rig: Rig) -> list[Figure]:
    with Embedded(rig.folder) as database:
        async with create_pool(database.url) as pool:
            user_id = await user_of(pool)
            async with transaction(pool, user_id, read_only=True) as conn:
                page = await listing.find(conn, limit=20)
                whole = [await item.get(conn, row.id) for row in page.items]
            async with Client(build_server(App(pool, user_id))) as client:
                tools = wire(await client.list_tools())
                rows = halves(await answer(client, "list_items", {"limit": 20}))
    bare_tools, bare_rows = await bare_list(), await bare_answer(page.items)
    bare_items = await bare_answer(whole)
    parts, bare_parts = budgeted(tools), budgeted(bare_tools)
    counted = partial(Figure, floor_is="SDK's default", unit="B")
    return [
        counted(f"tools/list, {len(parts)} tools", size(tools), size(bare_tools)),
        counted("names, descriptions, input schemas", size(parts), size(bare_parts), value_goal=22_000),
        counted("list_items, 20 rows", size(rows), size(bare_rows), ratio_goal=1 / 3),
        counted("list_items, 20 rows, of whole items", size(rows), size(bare_items)),
    ]


def size(value: Any) -> int:
    """Return the bytes of *value* as compact JSON."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def budgeted(tools: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the parts of a list of tools that count against the budget."""
    return [{key: tool[key] for key in ("name", "description", "inputSchema")} for tool in tools["tools"]]


def halves(result: CallToolResult) -> dict[str, Any]:
    """Return the parts of a result that carry the rows: its text and its structure."""
    return {key: wire(result)[key] for key in ("content", "structuredContent")}


async def bare_list() -> dict[str, Any]:
    """Return the list of the same tools, as a bare server gives it."""
    server = MCPServer("same tools", log_level="WARNING")
    for entry in TOOLS:
        server.add_tool(entry.function, title=entry.title, annotations=entry.hints)
    async with Client(server) as client:
        return wire(await client.list_tools())


async def bare_answer(rows: Sequence[BaseModel]) -> dict[str, Any]:
    """Return a page of *rows* as a bare server renders it by default, nulls and all."""
    page = create_model("Page", total=(int, ...), next_cursor=(str | None, None), items=(list[Any], ...))

    async def list_items():
        return page(total=63, next_cursor="WyJuYW1lIiwiYW5rZWxzb2NrcyIsNDBd", items=rows)

    list_items.__annotations__["return"] = page
    server = MCPServer("same rows", log_level="WARNING")
    server.add_tool(list_items)
    async with Client(server) as client:
        return halves(await answer(client, "list_items", {}))
