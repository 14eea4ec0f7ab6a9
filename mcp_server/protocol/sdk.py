"""Every private name of the MCP SDK that Gearshed uses.

A minor release of the SDK may change them, so pyproject.toml allows a single minor version. tests/test_sdk.py
fails if a name is missing from the installed SDK, or from this list.
"""

from typing import Any

from mcp.server import Server
from mcp.server.connection import Connection
from mcp.server.mcpserver import MCPServer
from mcp.server.session import ServerSession

# Handlers that GearServer overrides, because the public methods do not get the request's context.
OVERRIDDEN = ("_handle_list_tools", "_handle_list_resources")
# Attributes that are set in the initializer of each class.
ATTRIBUTES: dict[type[object], tuple[str, ...]] = {
    MCPServer: ("_lowlevel_server", "_tool_manager", "_prompt_manager"),
    ServerSession: ("_connection",),
}


def low_level(server: MCPServer[Any]) -> Server[Any]:
    """Return the server that handles requests."""
    return server._lowlevel_server  # pyright: ignore[reportPrivateUsage]


def connection_of(session: ServerSession) -> Connection:
    """Return a session's connection, which outlives its requests."""
    return session._connection  # pyright: ignore[reportPrivateUsage]
