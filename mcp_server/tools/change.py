"""Tools for changes."""

from typing import Annotated

from mcp.server.mcpserver import Context
from pydantic import BeforeValidator, Field, WithJsonSchema

from mcp_server.models.change import (
    MOST_UNDONE,
    ChangeFilter,
    ChangePage,
    ChangeShown,
    ChangesUndone,
    ChangeUndone,
)
from mcp_server.models.fields import Cursor, Flag, Id, Limit, OptionalRef, whole_between
from mcp_server.models.period import Since, Until
from mcp_server.protocol.edge import App, Written, read, write
from mcp_server.services import history
from mcp_server.services.undo import undo, undo_many

Client = Annotated[str, Field(max_length=200, description="Name of the key or OAuth client")]
Program = Annotated[str, Field(max_length=200, description="What the program calls itself")]
Last = Annotated[
    int | None,
    BeforeValidator(whole_between(1, MOST_UNDONE)),
    WithJsonSchema({"type": "integer", "maximum": MOST_UNDONE}),
]


async def list_changes(
    ctx: Context[App],
    tool: Annotated[str, Field(max_length=100, description="Only changes by this tool")] = "",
    client: Client = "",
    program: Program = "",
    since: Since = None,
    until: Until = None,
    item_id: OptionalRef = None,
    setup_id: OptionalRef = None,
    thread_id: OptionalRef = None,
    limit: Limit = 20,
    cursor: Cursor = "",
) -> ChangePage:
    """List changes, newest first: all, or some.

    With setup_id: all that changed what the setup weighs or costs, also those of its items.
    """
    return await read(ctx).do(
        history.find,
        ChangeFilter(client=client, program=program, since=since, until=until),
        tool=tool,
        item_id=item_id,
        setup_id=setup_id,
        thread_id=thread_id,
        limit=limit,
        cursor=cursor,
    )


async def get_change(
    ctx: Context[App], change_id: Id, limit: Limit = 100, cursor: Cursor = ""
) -> ChangeShown:
    """Show what a change did: each row before and after. With limit 1, texts are whole."""
    return await read(ctx).do(history.get, change_id, limit, cursor)


async def undo_change(ctx: Context[App], change_id: Id, dry_run: Flag = False) -> Written[ChangeUndone]:
    """Undo a change completely or not at all. An undo is a change too and can itself be undone."""
    return await write(ctx, dry_run=dry_run).do(undo, change_id)


async def undo_changes(
    ctx: Context[App],
    last: Last = None,
    change_ids: Annotated[list[Id], Field(max_length=MOST_UNDONE)] = [],  # noqa: B006
    client: Client = "",
    program: Program = "",
    since: Since = None,
    until: Until = None,
    dry_run: Flag = False,
) -> Written[ChangesUndone]:
    """Undo many changes as one, all or none: the last ones, these ids, or all of a client, program or period.

    Changes that are undone already, and undos, are skipped.
    """
    which = ChangeFilter(client=client, program=program, since=since, until=until)
    return await write(ctx, dry_run=dry_run).do(undo_many, which, last=last, change_ids=change_ids)
