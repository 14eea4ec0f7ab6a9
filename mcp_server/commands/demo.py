"""`gearshed demo`: import a real packing list through a real client process, and print each call."""

import sys
import tempfile
import textwrap
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp.types import TextContent

from mcp_server.commands.instructions import how_to_connect
from mcp_server.settings import Settings

LIST = "ultimate-hike-2025"
WIDTH, LINES = 110, 16


def show(_: Settings) -> None:
    """Run the demo in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="gearshed-demo-") as folder:
        anyio.run(play, Path(folder))
    print(f"\n{how_to_connect()}")


async def play(folder: Path) -> None:
    csv_text = files("mcp_server").joinpath("data", f"{LIST}.csv").read_text(encoding="utf-8")
    # The client does not pass DATABASE_URL on, so the demo cannot touch a real collection.
    # With -P, modules of the user in the current folder, such as a db.py, are ignored.
    server = StdioServerParameters(
        command=sys.executable, args=["-P", "-m", "gearshed", "--data-dir", str(folder), "serve"]
    )
    print("Starting the server on an empty PostgreSQL, as an MCP client would …")
    async with Client(server) as client:
        tools = (await client.list_tools()).tools
        print(textwrap.fill(f"{len(tools)} tools: {', '.join(tool.name for tool in tools)}", WIDTH))
        imported = await call(client, "import_csv", csv_text=csv_text, setup_name=LIST)
        await call(client, "list_items", query="rain", sort="-weight")
        created = await call(
            client, "create_item", name="Rain cover", category="cloth", weight="3 oz", price_cents=2900
        )
        await call(client, "update_item", item_id=created["id"], changes={"weight": "92 g", "notes": "DCF"})
        await call(client, "list_items", sort="-weight", limit=5)
        await call(client, "get_totals")
        setup = await call(client, "get_setup", setup_id=imported["setup_id"])
    print(f"\n{summary(setup)}")


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """Call a tool, print the call and the text of its result, and return its structure."""
    result = await client.call_tool(tool, arguments)
    shown = ", ".join(f"{name}={shortened(value)}" for name, value in arguments.items())
    print(f"\n> {tool}({shown})")
    text = "\n".join(block.text for block in result.content if isinstance(block, TextContent))
    lines = fitted(text.splitlines())
    print("\n".join(lines[:LINES]))
    if len(lines) > LINES:
        print(f"… and {len(lines) - LINES} more lines")
    return result.structured_content or {}


def shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:24]}…' ({len(text):,} characters)"


def fitted(lines: list[str], width: int = WIDTH) -> list[str]:
    """Align tab-separated tables in columns and wrap all other long lines."""
    result: list[str] = []
    for is_table, group in groupby(lines, key=lambda line: "\t" in line):
        if not is_table:
            for line in group:
                result += textwrap.wrap(line.replace(',"', ', "'), width, break_on_hyphens=False)
            continue
        rows = [line.split("\t") for line in group]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        while sum(widths) + 2 * len(widths) > width:
            widths[widths.index(max(widths))] -= 1
        result += ["  ".join(map(cut, row, widths)).rstrip() for row in rows]
    return result


def cut(cell: str, width: int) -> str:
    return cell.ljust(width) if len(cell) <= width else f"{cell[: width - 1]}…"


def summary(setup: dict[str, Any]) -> str:
    lines = [
        f"{setup['name']}: {setup['items']} lines, {setup['total_grams']} g in total = "
        f"base {setup['base_grams']} + worn {setup['worn_grams']} + consumable {setup['consumable_grams']}"
    ]
    lines += [f"{part['weight_grams']:>10} g  {part['category']}" for part in setup["by_category"]]
    lines += [f"{'unknown':>10}    {name}" for name in setup["unweighed_items"]]
    return "\n".join(lines)
