"""Resources: what the reading tools say of one thing, under an address that a person can attach."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.types import Resource, ResourceTemplate, TextContent, ToolAnnotations
from psycopg import AsyncConnection

from mcp_server.errors import AppError, NotFound
from mcp_server.models.fields import Id
from mcp_server.models.image import ImageShown
from mcp_server.models.setup import SetupTotals
from mcp_server.models.thread import ThreadSummary
from mcp_server.protocol.edge import App, read
from mcp_server.protocol.reply import reply
from mcp_server.protocol.schema import to_tool
from mcp_server.protocol.strict import answer, printable, refusal, run
from mcp_server.services import image, setup, thread
from mcp_server.services.completion import Noun
from mcp_server.tools.item import get_item
from mcp_server.tools.setup import get_setup
from mcp_server.tools.thread import get_thread
from mcp_server.tools.totals import get_totals

SCHEME = "gear://"
READS = ToolAnnotations(read_only_hint=True)
# Setups, and threads, that are listed by name. Further ones have their address all the same.
MOST = 100


class ResourceKind(NamedTuple):
    """What is read under `gear://<noun>s/{id}`: what *function* says of the row with this id."""

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
    """Return an image as it is stored."""
    return await read(ctx).do(image.get, image_id)


KINDS = (
    ResourceKind("item", get_item, "An item with all its fields, its setups and the thread it came from"),
    ResourceKind("setup", get_setup, "A packing list: its totals, its weight by category and every line"),
    ResourceKind("thread", get_thread, "Research before a purchase: the candidates side by side"),
    # Each image has a type of its own.
    ResourceKind("image", get_image, "The image of an item or a candidate, as it is stored", mime_type=None),
)
TEMPLATES = [kind.template for kind in KINDS]
READERS = {f"{kind.noun}s": (kind.noun, to_tool(kind.function, "", READS)) for kind in KINDS}
SUMMARY = Resource(
    uri="gear://summary",
    name="summary",
    title="Summary of the collection",
    description="What there is, by category: how many, how heavy, how dear",
    mime_type="text/plain",
)
SUMMARY_READER = to_tool(get_totals, "", READS)


async def read_at(uri: str, context: Context[App, Any]) -> ReadResourceContents:
    """Return what is at an address. What goes wrong is said in the words of the tool that is asked."""
    try:
        found = await run(*reader_of(uri), context)
    except (ToolError, AppError) as exc:
        raise refusal(exc, {"uri": uri}) from exc
    if isinstance(found, ImageShown):
        return ReadResourceContents(found.data, found.mime_type)
    return ReadResourceContents(cast(TextContent, reply(found).content[0]).text, "text/plain")


def reader_of(uri: str) -> tuple[Tool, dict[str, Any]]:
    """Return the tool that knows what is at an address, and its arguments."""
    if uri == SUMMARY.uri:
        return SUMMARY_READER, {}
    parts = re.fullmatch(r"gear://(\w+)/(.*)", uri, re.DOTALL)
    if parts is None or parts[1] not in READERS:
        known = ", ".join([SUMMARY.uri, *(template.uri_template for template in TEMPLATES)])
        raise NotFound(f"No resource {printable(uri)!r}. There are: {known}.")
    noun, tool = READERS[parts[1]]
    return tool, {f"{noun}_id": parts[2]}


async def list_mine(ctx: Context[App]) -> list[Resource]:
    """Return the summary, then setups and active threads by name."""
    return await read(ctx).do(list_in)


async def list_in(conn: AsyncConnection) -> list[Resource]:
    setups = (await setup.list_all(conn)).setups[:MOST]
    threads = (await thread.list_all(conn, "active")).threads[:MOST]
    return [
        SUMMARY,
        *(listed("setups", each, f"Setup, lines: {each.items}") for each in setups),
        *(listed("threads", each, f"Thread, candidates: {each.candidates}") for each in threads),
    ]


def listed(plural: str, row: SetupTotals | ThreadSummary, description: str) -> Resource:
    uri = f"gear://{plural}/{row.id}"
    return Resource(uri=uri, name=row.name, description=description, mime_type="text/plain")


LISTER = to_tool(list_mine, "", READS)


async def list_all(context: Context[App, Any]) -> list[Resource]:
    """Return what is worth attaching."""
    return await answer(LISTER, {}, context)
