"""How a person connects a client to this server, with the paths of this very installation filled in."""

import json
import shutil
import sys
from pathlib import Path

TEXT = """\
Gearshed is an MCP server: an MCP client starts it and talks to it through its standard input and output.

Claude Desktop: Settings > Developer > Edit Config, put this there, and restart Claude Desktop:

{config}

Claude Code, in a terminal:

claude mcp add gearshed -- {command}

Then ask: "Import this LighterPack list and tell me my base weight", with the CSV file attached.\
"""


def program() -> str:
    """The path of the `gearshed` that is running, or of the one beside this Python."""
    beside = Path(sys.executable).with_name("gearshed")
    return str(beside) if beside.exists() else shutil.which("gearshed") or "gearshed"


def how_to_connect() -> str:
    config = {"mcpServers": {"gearshed": {"command": program()}}}
    return TEXT.format(config=json.dumps(config, indent=2), command=program())
