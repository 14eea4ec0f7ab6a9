"""Rows with sensible defaults, made the way the server makes them."""

from typing import Any, cast

from psycopg import AsyncConnection

from mcp_server.models.item import NewItem
from mcp_server.services import category, item, setup


async def make_category(conn: AsyncConnection, name: str = "Shelter") -> int:
    return (await category.create(conn, name, "tent")).id


async def make_item(conn: AsyncConnection, name: str = "Tent", **fields: Any) -> int:
    return (await item.create(conn, cast(NewItem, {"name": name, **fields}))).id


async def make_setup(conn: AsyncConnection, name: str = "Weekend", *item_ids: int) -> int:
    return (await setup.create(conn, name, [{"item_id": item_id} for item_id in item_ids])).id
