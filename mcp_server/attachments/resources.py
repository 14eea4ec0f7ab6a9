"""Resources: results of reading tools under URIs that a person can attach."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from mcp import MCPError
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.types import Resource, ResourceTemplate, TextContent, ToolAnnotations
from psycopg import AsyncConnection

from mcp_server.errors import LONGEST_PATH, AppError, NotFound, quoted
from mcp_server.models.fields import Id
from mcp_server.models.image import ImageShown
from mcp_server.models.setup import SetupTotals
from mcp_server.models.thread import ThreadSummary
from mcp_server.protocol.edge import App, read
from mcp_server.protocol.reply import reply
from mcp_server.protocol.schema import to_tool
from mcp_server.protocol.strict import answer, refusal, run
from mcp_server.services import image, setup, thread
from mcp_server.services.completion import Noun
from mcp_server.tools.item import get_item
from mcp_server.tools.setup import get_setup
from mcp_server.tools.thread import get_thread
from mcp_server.tools.totals import get_totals

SCHEME = "gear://"
READS = ToolAnnotations(read_only_hint=True)
# Number of setups, and of threads, that are listed. Others can be read by URI.
MOST = 100
# Characters of their names in the list.
LONGEST_NAME = 100
# In characters. An id has at most 1000 digits.
LONGEST_URI = 1100


class ResourceKind(NamedTuple):
    """The resources `gear://<noun>s/{id}`. *function* reads the row with this id."""

    noun: Noun
    function: Callable[..., Any]
    description: str
    mime_type: str | None = "text/plain"

    @property
    def template(self) -> ResourceTemplate:
        return ResourceTemplate(
            uri_template=f"gear://{self.noun}s/{{id}}",
            name=self.noun,
            title=self.noun.capitalize(),
            description=self.description,
            mime_type=self.mime_type,
        )


async def get_image(ctx: Context[App], image_id: Id) -> ImageShown:
    """Return a stored image."""
    return await read(ctx).do(image.get, image_id)


KINDS = (
    ResourceKind("item", get_item, "An item with all its fields, its setups and the thread it came from"),
    ResourceKind("setup", get_setup, "A packing list: its totals, its weight by category and every line"),
    ResourceKind("thread", get_thread, "Purchase research: the candidates side by side"),
    # The type depends on the image.
    ResourceKind("image", get_image, "The stored image of an item or a candidate", mime_type=None),
)
TEMPLATES = [kind.template for kind in KINDS]
READERS = {f"{kind.noun}s": (kind.noun, to_tool(kind.function, "", READS)) for kind in KINDS}
SUMMARY = Resource(
    uri="gear://summary",
    name="summary",
    title="Summary of the collection",
    description="Number, weight and value of all items, by category",
    mime_type="text/plain",
)
SUMMARY_READER = to_tool(get_totals, "", READS)


async def read_at(uri: str, context: Context[App, Any]) -> ReadResourceContents:
    """Return the content at a URI. Errors have the messages of the tool that reads it."""
    try:
        found = await run(*reader_of(uri), context)
        if isinstance(found, ImageShown):
            return ReadResourceContents(found.data, found.mime_type)
        return ReadResourceContents(cast(TextContent, reply(found).content[0]).text, "text/plain")
    except (ToolError, AppError) as exc:
        raise refused(uri, exc) from exc


def refused(uri: str, error: ToolError | AppError) -> MCPError:
    """Return the protocol error for a URI, whose start it repeats."""
    return refusal(error, {"uri": uri[:LONGEST_PATH]})


def reader_of(uri: str) -> tuple[Tool, dict[str, Any]]:
    """Return the tool that reads a URI, and its arguments."""
    if uri == SUMMARY.uri:
        return SUMMARY_READER, {}
    parts = re.fullmatch(r"gear://(\w+)/(.*)", uri[: LONGEST_URI + 1], re.DOTALL)
    if parts is None or parts[1] not in READERS or len(uri) > LONGEST_URI:
        known = ", ".join([SUMMARY.uri, *(template.uri_template for template in TEMPLATES)])
        raise NotFound(f"No resource {quoted(uri)}. Available: {known}.")
    noun, tool = READERS[parts[1]]
    return tool, {f"{noun}_id": parts[2]}


async def list_mine(ctx: Context[App]) -> list[Resource]:
    """Return the summary, then setups and active threads by name."""
    return await read(ctx).do(list_in)


async def list_in(conn: AsyncConnection) -> list[Resource]:
    setups = (await setup.list_all(conn, limit=MOST)).setups
    threads = (await thread.list_all(conn, "active", limit=MOST)).threads
    return [
        SUMMARY,
        *(listed("setups", each, f"Setup, lines: {each.items}") for each in setups),
        *(listed("threads", each, f"Thread, candidates: {each.candidates}") for each in threads),
    ]


def listed(plural: str, row: SetupTotals | ThreadSummary, description: str) -> Resource:
    uri = f"gear://{plural}/{row.id}"
    # Names of 200 characters, which a row may have, would make the list too long.
    name = row.name if len(row.name) <= LONGEST_NAME else f"{row.name[: LONGEST_NAME - 1]}…"
    return Resource(uri=uri, name=name, description=description, mime_type="text/plain")


LISTER = to_tool(list_mine, "", READS)


async def list_all(context: Context[App, Any]) -> list[Resource]:
    """Return the listed resources."""
    return await answer(LISTER, {}, context)
