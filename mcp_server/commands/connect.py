"""Instructions for connecting a client, with the paths of this installation."""

import json
import shutil
import sys
from pathlib import Path

TEXT = """\
Gearshed is an MCP server. An MCP client starts it and talks to it over standard input and output.

Claude Desktop: open Settings > Developer > Edit Config, add this, and restart Claude Desktop:

{config}

Claude Code: run this in a terminal:

claude mcp add gearshed -- {command}

Then attach a CSV file and ask: "Import this LighterPack list and tell me my base weight."\
"""


def program() -> str:
    """Return the path of the `gearshed` script beside this Python, or else of the one on PATH."""
    beside = Path(sys.executable).with_name("gearshed")
    return str(beside) if beside.exists() else shutil.which("gearshed") or "gearshed"


def how_to_connect() -> str:
    config = {"mcpServers": {"gearshed": {"command": program()}}}
    return TEXT.format(config=json.dumps(config, indent=2), command=program())
