"""Rows with sensible defaults, made the way the server makes them."""

from typing import Any, cast

from psycopg import AsyncConnection

from mcp_server.models.candidate import CandidateChanges
from mcp_server.models.item import NewItem
from mcp_server.models.thread import NewThread
from mcp_server.services import candidate, category, item, setup, thread


async def make_category(conn: AsyncConnection, name: str = "Shelter") -> int:
    return (await category.create(conn, name, "tent")).id


async def make_item(conn: AsyncConnection, name: str = "Tent", **fields: Any) -> int:
    return (await item.create(conn, cast(NewItem, {"name": name, **fields}))).id


async def make_setup(conn: AsyncConnection, name: str = "Weekend", *item_ids: int) -> int:
    return (await setup.create(conn, name, [{"item_id": item_id} for item_id in item_ids])).id


async def make_thread(conn: AsyncConnection, name: str = "Research", **fields: Any) -> int:
    return (await thread.create(conn, cast(NewThread, {"name": name, **fields}))).id


async def make_candidate(conn: AsyncConnection, thread_id: int, name: str = "Tarp", **fields: Any) -> int:
    return (await candidate.add(conn, thread_id, cast(CandidateChanges, {"name": name, **fields}))).id
