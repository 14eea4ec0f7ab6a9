"""The floor of a tool call: a server of nothing but the SDK, whose tools return recorded results.

    python -m scripts.bench.echo ANSWERS [PORT]

It speaks over standard input and output, or over HTTP where a port is given. uvicorn uses uvloop and
httptools if they are installed. It imports nothing of Gearshed,
because its imports count towards the start-up time that Gearshed's is compared with.
"""

import json
import sys
from pathlib import Path
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult


def echo_server(answers: Path) -> MCPServer:
    recorded: dict[str, dict[str, Any]] = json.loads(answers.read_text(encoding="utf-8"))
    tools = [echo_tool(name, each["result"], each["schema"]) for name, each in recorded.items()]
    return MCPServer("echo", tools=tools, log_level="WARNING")


def echo_tool(name: str, recorded: dict[str, Any], schema: dict[str, Any]) -> Tool:
    """Return a tool with one result, and with its schema, against which the client validates results."""
    result = CallToolResult.model_validate(recorded)

    async def echo(item_id: int = 0, limit: int = 0, name: str = "", weight: float = 0) -> CallToolResult:
        return result

    tool = Tool.from_function(echo, name=name)
    return tool.model_copy(
        update={"fn_metadata": tool.fn_metadata.model_copy(update={"output_schema": schema})}
    )


def main(answers: str, port: str = "") -> None:
    server = echo_server(Path(answers))
    if port:
        server.run("streamable-http", port=int(port), stateless_http=True)
    else:
        server.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
