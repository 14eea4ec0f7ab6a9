"""Tools for items."""

from typing import Annotated, Unpack

from mcp.server.mcpserver import Context
from pydantic import Field

from mcp_server.models.change import Key
from mcp_server.models.fields import CategoryRef, Flag, Id, Limit, SetupRef
from mcp_server.models.item import (
    ItemChanges,
    ItemDeleted,
    ItemPage,
    ItemsCreated,
    ItemShown,
    ItemsUpdated,
    ItemWritten,
    NewItem,
    Sort,
)
from mcp_server.protocol.edge import App, Written, read, write
from mcp_server.protocol.schema import spread
from mcp_server.services import item, listing


async def list_items(
    ctx: Context[App],
    query: Annotated[
        str, Field(max_length=200, description="Words, or beginnings of them, that all occur")
    ] = "",
    category: Annotated[CategoryRef, Field(description="Name or id")] = None,
    setup: Annotated[SetupRef, Field(description="Name or id")] = None,
    unweighed: Annotated[Flag, Field(description="Only items of unknown weight")] = False,
    sort: Annotated[Sort, Field(description="- reverses; unknown values come last")] = "name",
    limit: Limit = 50,
    cursor: Annotated[str, Field(max_length=2000, description="next_cursor of the page before")] = "",
) -> ItemPage:
    """Search or list items. Grams and cents are of one piece; empty means unknown, or quantity 1."""
    return await read(ctx).do(
        listing.find,
        query=query,
        in_category=category,
        in_setup=setup,
        unweighed=unweighed,
        sort=sort,
        limit=limit,
        cursor=cursor,
    )


async def get_item(ctx: Context[App], item_id: Id) -> ItemShown:
    """Show one item with all its fields, the setups that use it and the thread it came from.

    Fields that are missing are unknown; no quantity is 1.
    """
    return await read(ctx).do(item.get, item_id)


@spread
async def create_item(
    ctx: Context[App], idempotency_key: Key = None, **new: Unpack[NewItem]
) -> Written[ItemWritten]:
    """Create an item. Leave out what is unknown: a weight or price of 0 means it weighs or costs nothing."""
    return await write(ctx, key=idempotency_key).do(item.create, new)


async def create_items(
    ctx: Context[App],
    items: Annotated[list[NewItem], Field(min_length=1, max_length=500)],
    idempotency_key: Key = None,
) -> Written[ItemsCreated]:
    """Create up to 500 items at once, all or none."""
    return await write(ctx, key=idempotency_key).do(item.create_many, items)


async def update_item(ctx: Context[App], item_id: Id, changes: ItemChanges) -> Written[ItemWritten]:
    """Change fields of one item. Fields left out keep their value; null or "" clears one to unknown."""
    return await write(ctx).do(item.update, item_id, changes)


async def update_items(
    ctx: Context[App],
    item_ids: Annotated[list[Id], Field(min_length=1, max_length=500)],
    changes: ItemChanges,
    dry_run: Flag = False,
) -> Written[ItemsUpdated]:
    """Make the same changes to up to 500 items, all or none."""
    return await write(ctx, dry_run=dry_run).do(item.update_many, item_ids, changes)


async def delete_item(ctx: Context[App], item_id: Id, dry_run: Flag = False) -> Written[ItemDeleted]:
    """Delete an item, also from every setup; the result names those setups."""
    return await write(ctx, dry_run=dry_run).do(item.delete, item_id)
