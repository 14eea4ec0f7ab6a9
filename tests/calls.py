"""Calling tools the way a client does, and looking at both halves of what comes back."""

from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from mcp import Client
from mcp.types import CallToolResult, TextContent

from mcp_server.server import TOOLS


@cache
def validator(tool: str) -> Draft202012Validator:
    """Checks a result against its whole schema: the client only knows the part that is listed."""
    schemas = {entry.name: entry.result for entry in TOOLS}
    return Draft202012Validator(schemas.get(tool, {}))


async def call(client: Client, tool: str, /, **arguments: Any) -> dict[str, Any]:
    """Return the structure of a result that has to be a success."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    assert result.structured_content is not None
    validator(tool).validate(result.structured_content)  # pyright: ignore[reportUnknownMemberType]
    return result.structured_content


async def refused(client: Client, tool: str, /, **arguments: Any) -> str:
    """Return the text of a result that has to be an error."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error, text_of(result)
    assert result.structured_content is None
    return text_of(result)


def text_of(result: CallToolResult) -> str:
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text


def without_change(structure: dict[str, Any]) -> dict[str, Any]:
    """The result of a write, without its change."""
    return {name: value for name, value in structure.items() if name not in ("change_id", "undo")}
