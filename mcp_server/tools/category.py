"""Tools for categories."""

from typing import Annotated

from mcp.server.mcpserver import Context
from pydantic import Field

from mcp_server.models.category import (
    Category,
    CategoryChanges,
    CategoryDeleted,
    CategoryList,
    Icon,
)
from mcp_server.models.change import Key
from mcp_server.models.fields import Cursor, Flag, Limit, Name, OptionalRef, Ref
from mcp_server.protocol.edge import App, Written, read, write
from mcp_server.services import category


async def list_categories(ctx: Context[App], limit: Limit = 200, cursor: Cursor = "") -> CategoryList:
    """List categories with the number and total weight (grams) of their items."""
    return await read(ctx).do(category.list_all, limit, cursor)


async def create_category(
    ctx: Context[App], name: Name, icon: Icon = "package", idempotency_key: Key = None
) -> Written[Category]:
    """Create a category. Names are unique, ignoring case."""
    return await write(ctx, key=idempotency_key).do(category.create, name, icon)


async def update_category(ctx: Context[App], category_id: Ref, changes: CategoryChanges) -> Written[Category]:
    """Change a category's name or icon; omitted fields keep their value."""
    return await write(ctx).do(category.update, category_id, changes)


async def delete_category(
    ctx: Context[App],
    category_id: Ref,
    move_to: Annotated[OptionalRef, Field(description="Category for its items")] = None,
    dry_run: Flag = False,
) -> Written[CategoryDeleted]:
    """Delete a category. Its items move to the category move_to (a merge), or become uncategorized."""
    return await write(ctx, dry_run=dry_run).do(category.delete, category_id, move_to)
