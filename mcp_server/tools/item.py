"""Tools for items."""

from typing import Annotated, Unpack

from mcp.server.mcpserver import Context
from pydantic import Field

from mcp_server.models.change import Key
from mcp_server.models.fields import STRING, Cursor, Flag, Limit, OptionalRef, Ref
from mcp_server.models.item import (
    ItemChanges,
    ItemCreated,
    ItemDeleted,
    ItemField,
    ItemPage,
    ItemsCreated,
    ItemShown,
    ItemsMerged,
    ItemsUpdated,
    ItemUpdate,
    ItemUpdated,
    NewItem,
    Pieces,
    Sort,
)
from mcp_server.models.setup import Classification
from mcp_server.models.weight import Weight
from mcp_server.protocol.edge import App, Written, read, write
from mcp_server.protocol.schema import spread
from mcp_server.services import item, listing, merge


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
    min_weight: Annotated[Weight, STRING] = None,
    max_weight: Annotated[Weight, STRING] = None,
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
    (empty: base), line_grams, order and totals are of its lines.
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
) -> Written[ItemCreated]:
    """Create an item. Omit unknown values: a weight or price of 0 means weightless or free.

    weight_source: measured, maker, shop, estimate.
    """
    return await write(ctx, key=idempotency_key).do(item.create, new)


async def create_items(
    ctx: Context[App],
    items: Annotated[list[NewItem], Field(min_length=1, max_length=500)],
    idempotency_key: Key = None,
) -> Written[ItemsCreated]:
    """Create up to 500 items at once, all or none."""
    return await write(ctx, key=idempotency_key).do(item.create_many, items)


async def update_item(
    ctx: Context[App], item_id: Ref, changes: ItemChanges, idempotency_key: Key = None
) -> Written[ItemUpdated]:
    """Change fields of an item. Omitted fields keep their value; null or "" clears a field.

    quantity counts owned pieces (packed ones: set_setup_items); weight and price are of one piece.
    """
    return await write(ctx, key=idempotency_key).do(item.update, item_id, changes)


async def update_items(
    ctx: Context[App],
    item_ids: Annotated[list[Ref], Field(max_length=500)] = [],  # noqa: B006
    changes: Annotated[ItemChanges | None, Field(description="The same for all item_ids")] = None,
    updates: Annotated[list[ItemUpdate], Field(max_length=500, description="Different ones")] = [],  # noqa: B006
    dry_run: Flag = False,
    idempotency_key: Key = None,
) -> Written[ItemsUpdated]:
    """Change up to 500 items, all or none: different `updates`, or the same changes for all item_ids."""
    item.check_updates(item_ids, changes, updates)
    return await write(ctx, key=idempotency_key, dry_run=dry_run).do(
        item.update_many, item_ids, changes, updates
    )


async def merge_items(
    ctx: Context[App],
    keep: Ref,
    items: Annotated[list[Ref], Field(min_length=1, max_length=100)],
    pieces: Annotated[Pieces, Field(description="Owned quantity: sum, or that of keep")],
    dry_run: Flag = False,
) -> Written[ItemsMerged]:
    """Merge duplicate items into one, also in setups and threads. Its unknown fields are filled in."""
    return await write(ctx, dry_run=dry_run).do(merge.merge, keep, items, pieces)


async def delete_item(ctx: Context[App], item_id: Ref, dry_run: Flag = False) -> Written[ItemDeleted]:
    """Delete an item and remove it from all setups; the result names these setups."""
    return await write(ctx, dry_run=dry_run).do(item.delete, item_id)
