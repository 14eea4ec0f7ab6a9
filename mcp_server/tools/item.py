"""Tools for items."""

from typing import Annotated, Unpack

from mcp.server.mcpserver import Context
from pydantic import Field

from mcp_server.models.change import Key
from mcp_server.models.fields import Cursor, Flag, Limit, OptionalRef, Ref, Weight
from mcp_server.models.item import (
    ItemChanges,
    ItemDeleted,
    ItemField,
    ItemPage,
    ItemsCreated,
    ItemShown,
    ItemsUpdated,
    ItemWritten,
    NewItem,
    Sort,
)
from mcp_server.models.setup import Classification
from mcp_server.protocol.edge import App, Written, read, write
from mcp_server.protocol.schema import spread
from mcp_server.services import item, listing


async def list_items(
    ctx: Context[App],
    query: Annotated[
        str, Field(max_length=200, description="All words must match; prefixes allowed; a|b means either")
    ] = "",
    category: OptionalRef = None,
    setup: OptionalRef = None,
    unused: Annotated[Flag, Field(description="In no setup")] = False,
    unweighed: Flag = False,
    unpriced: Flag = False,
    classification: Classification | None = None,
    min_weight: Weight = None,
    max_weight: Weight = None,
    ids: Annotated[list[Ref], Field(max_length=500)] = [],  # noqa: B006
    fields: Annotated[list[ItemField], Field(max_length=10, description="Only these, as notes")] = [],  # noqa: B006
    sort: Annotated[
        Sort | None, Field(description="- reverses the order; unknown values come last; default: best match")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> ItemPage:
    """Search or list items that meet all conditions, with the totals of all of them.

    Weights and prices are per piece. Empty means unknown, or quantity 1. With setup: quantity, classification
    (empty: base) and line_grams are of its lines, and so are order and totals.
    """
    return await read(ctx).do(
        listing.find,
        query=query,
        in_category=category,
        in_setup=setup,
        unused=unused,
        unweighed=unweighed,
        unpriced=unpriced,
        classification=classification,
        min_weight=min_weight,
        max_weight=max_weight,
        ids=ids,
        fields=fields,
        sort=sort,
        limit=limit,
        cursor=cursor,
    )


async def get_item(ctx: Context[App], item_id: Ref) -> ItemShown:
    """Show an item with all its fields, the setups that use it and the thread it came from.

    Missing fields are unknown; a missing quantity is 1.
    """
    return await read(ctx).do(item.get, item_id)


@spread
async def create_item(
    ctx: Context[App], idempotency_key: Key = None, **new: Unpack[NewItem]
) -> Written[ItemWritten]:
    """Create an item. Omit unknown values: a weight or price of 0 means weightless or free."""
    return await write(ctx, key=idempotency_key).do(item.create, new)


async def create_items(
    ctx: Context[App],
    items: Annotated[list[NewItem], Field(min_length=1, max_length=500)],
    idempotency_key: Key = None,
) -> Written[ItemsCreated]:
    """Create up to 500 items at once, all or none."""
    return await write(ctx, key=idempotency_key).do(item.create_many, items)


async def update_item(ctx: Context[App], item_id: Ref, changes: ItemChanges) -> Written[ItemWritten]:
    """Change fields of an item. Omitted fields keep their value; null or "" clears a field."""
    return await write(ctx).do(item.update, item_id, changes)


async def update_items(
    ctx: Context[App],
    item_ids: Annotated[list[Ref], Field(min_length=1, max_length=500)],
    changes: ItemChanges,
    dry_run: Flag = False,
) -> Written[ItemsUpdated]:
    """Apply the same changes to up to 500 items, all or none."""
    return await write(ctx, dry_run=dry_run).do(item.update_many, item_ids, changes)


async def delete_item(ctx: Context[App], item_id: Ref, dry_run: Flag = False) -> Written[ItemDeleted]:
    """Delete an item and remove it from all setups; the result names these setups."""
    return await write(ctx, dry_run=dry_run).do(item.delete, item_id)
