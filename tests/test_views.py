"""Views in the chat: which tools have one, and that each file is small and self-contained."""

import re
from typing import Literal

import pytest
from mcp import Client, MCPError
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from mcp.types import TextResourceContents

from mcp_server.attachments.views import READERS, VIEWS
from mcp_server.server import TOOLS
from mcp_server.web import render
from mcp_server.web.chart import COLORS
from mcp_server.web.view import compact, html


async def test_tools_name_their_views_and_the_server_advertises_them(
    client: Client, era: Literal["legacy", "auto"]
) -> None:
    assert client.server_capabilities is not None
    # The older protocol has no extensions among its capabilities.
    assert (EXTENSION_ID in (client.server_capabilities.extensions or {})) == (era == "auto")
    tools = (await client.list_tools()).tools
    named = {tool.name: tool.meta["ui"]["resourceUri"] for tool in tools if tool.meta}
    assert named == {tool: f"ui://gearshed/{view}" for tool, view in VIEWS.items()}
    assert set(VIEWS) <= {entry.name for entry in TOOLS if entry.hints.read_only_hint}


@pytest.mark.parametrize("uri", READERS)
async def test_a_view_is_one_small_file_of_the_type_that_hosts_show(client: Client, uri: str) -> None:
    (content,) = (await client.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents)
    assert (content.uri, content.mime_type) == (uri, APP_MIME_TYPE)
    assert len(content.text.encode()) < 10_000
    assert content.text == html(READERS[uri])


async def test_views_are_not_listed_and_others_are_refused(client: Client) -> None:
    assert not [each for each in (await client.list_resources()).resources if each.uri.startswith("ui://")]
    with pytest.raises(MCPError, match="Unknown resource: ui://gearshed/base"):
        await client.read_resource("ui://gearshed/base")


@pytest.mark.parametrize("name", READERS.values())
def test_a_view_loads_nothing_and_writes_data_as_text(name: str) -> None:
    page = html(name)
    assert re.findall(r"https?://[^\"]+", page) == ["http://www.w3.org/2000/svg"]
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|\bsrc=|style=|url\(", page
    )
    assert not re.search(r"\{%|\{\{|\{#", page)


@pytest.mark.parametrize("name", READERS.values())
def test_a_view_calls_tools_that_exist(name: str) -> None:
    called = set(re.findall(r'(?:call\(|TOOL = )"(\w+)"', html(name)))
    assert called <= {entry.name for entry in TOOLS}
    (tool,) = (tool for tool, view in VIEWS.items() if view == name)
    assert tool in called


@pytest.mark.parametrize("name", READERS.values())
def test_views_and_pages_have_the_same_colors(name: str) -> None:
    page = html(name)
    assert all(f'"{color}"' in page for color in COLORS)
    tokens = render.TEMPLATES.get_template("tokens.css").render()
    assert tokens in render.STYLE
    assert (
        compact(f"<style>{tokens}</style>").removeprefix("<style>").removesuffix("</style>").strip() in page
    )
