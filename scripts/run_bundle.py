"""Run an unpacked MCP bundle as its manifest says, and list its tools.

    python -m scripts.run_bundle FOLDER

`scripts/bundle` calls this. The manifest's command must be on PATH. Each option of the user has its default.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

# Seconds for the first start, which installs the dependencies.
PATIENCE = 300


def parameters(folder: Path) -> StdioServerParameters:
    """Return how to start the bundle, with the variables of the manifest replaced."""
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    config = manifest["server"]["mcp_config"]
    values = {"__dirname": str(folder)}
    for name, option in manifest["user_config"].items():
        default = option["default"]
        values[f"user_config.{name}"] = str(default).lower() if isinstance(default, bool) else default

    def filled(text: str) -> str:
        for name, value in values.items():
            text = text.replace(f"${{{name}}}", value)
        return text

    environment = {name: filled(value) for name, value in config["env"].items()}
    return StdioServerParameters(
        command=config["command"],
        args=[filled(each) for each in config["args"]],
        env={**os.environ, **environment},
    )


async def run(folder: Path) -> None:
    started = time.monotonic()
    async with asyncio.timeout(PATIENCE), Client(stdio_client(parameters(folder))) as client:
        tools = (await client.list_tools()).tools
        took = time.monotonic() - started
        print(f"the bundle answered after {took:.0f} s with {len(tools)} tools")


def describe(folder: Path) -> None:
    """Print the contents of the bundle: each entry at the top with its files and bytes."""
    for entry in sorted(folder.iterdir()):
        files = [entry] if entry.is_file() else [each for each in entry.rglob("*") if each.is_file()]
        print(f"{sum(each.stat().st_size for each in files):>10,} B in {len(files):>3}  {entry.name}")


def main() -> None:
    folder = Path(sys.argv[1])
    describe(folder)
    asyncio.run(run(folder))


if __name__ == "__main__":
    main()
