"""Tools for categories."""

from typing import Annotated

from mcp.server.mcpserver import Context
from pydantic import Field

from mcp_server.edge import App, read, write
from mcp_server.models.category import (
    Category,
    CategoryChanges,
    CategoryDeleted,
    CategoryList,
    Icon,
)
from mcp_server.models.fields import CategoryRef, Id, Name
from mcp_server.services import category


async def list_categories(ctx: Context[App]) -> CategoryList:
    """List all categories with the number and total weight (grams) of their items."""
    async with read(ctx) as conn:
        return await category.list_all(conn)


async def create_category(ctx: Context[App], name: Name, icon: Icon = "package") -> Category:
    """Create a category. Names are unique, upper or lower case alike."""
    async with write(ctx) as conn:
        return await category.create(conn, name, icon)


async def update_category(ctx: Context[App], category_id: Id, changes: CategoryChanges) -> Category:
    """Change a category's name or icon; fields left out keep their value."""
    async with write(ctx) as conn:
        return await category.update(conn, category_id, changes)


async def delete_category(
    ctx: Context[App],
    category_id: Id,
    move_to: Annotated[CategoryRef, Field(description="Category (name or id) that gets its items")] = None,
) -> CategoryDeleted:
    """Delete a category. Its items are kept: in the category move_to, or else uncategorized."""
    async with write(ctx) as conn:
        return await category.delete(conn, category_id, move_to)
