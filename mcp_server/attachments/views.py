"""Views in the chat (MCP Apps): which tool has one, and its file as a resource.

They are not listed as resources, because a person cannot attach them.
"""

from typing import Any

from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from mcp.server.extension import Extension
from mcp.server.lowlevel.helper_types import ReadResourceContents

# By tool. The names of the views are those of their files.
VIEWS = {"get_setup": "setup", "compare_setups": "compare", "get_thread": "thread", "list_changes": "changes"}
READERS = {f"ui://gearshed/{name}": name for name in VIEWS.values()}


class Views(Extension):
    """Advertises that tools have views."""

    identifier = EXTENSION_ID


def meta(tool: str) -> dict[str, Any] | None:
    """Return the `_meta` of a tool: the view of its results, if it has one."""
    return {"ui": {"resourceUri": f"ui://gearshed/{VIEWS[tool]}"}} if tool in VIEWS else None


def read_at(uri: str) -> ReadResourceContents:
    """Return the view at one of the URIs."""
    # Imported on use: a server that starts needs no templates.
    from mcp_server.web import view

    return ReadResourceContents(view.html(READERS[uri]), APP_MIME_TYPE, {"ui": {"prefersBorder": True}})
