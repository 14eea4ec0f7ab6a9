"""Instructions for connecting a client, with the paths of this installation."""

import json

from mcp_server.clients.installation import program

TEXT = """\
Gearshed is an MCP server. An MCP client starts it and talks to it over standard input and output.

Claude Desktop: open Settings > Developer > Edit Config, add this, and restart Claude Desktop:

{config}

Claude Code: run this in a terminal:

claude mcp add gearshed -- {command}

`gearshed connect` does that for you, for these and other clients.

Then attach a CSV file and ask: "Import this LighterPack list and tell me my base weight."\
"""


def how_to_connect() -> str:
    config = {"mcpServers": {"gearshed": {"command": program()}}}
    return TEXT.format(config=json.dumps(config, indent=2), command=program())
