"""Run a statement and return its rows as models."""

from collections.abc import Mapping
from typing import Any, TypeVar

from psycopg import AsyncConnection
from psycopg.abc import QueryNoTemplate
from psycopg.rows import class_row

Model = TypeVar("Model")


async def fetch_one(
    conn: AsyncConnection, model: type[Model], query: QueryNoTemplate, params: Mapping[str, Any] | None = None
) -> Model | None:
    """Return the first row as a *model*, or None without a row."""
    async with conn.cursor(row_factory=class_row(model)) as cursor:
        await cursor.execute(query, params)
        return await cursor.fetchone()


async def fetch_all(
    conn: AsyncConnection, model: type[Model], query: QueryNoTemplate, params: Mapping[str, Any] | None = None
) -> list[Model]:
    """Return every row as a *model*."""
    async with conn.cursor(row_factory=class_row(model)) as cursor:
        await cursor.execute(query, params)
        return await cursor.fetchall()


async def fetch_only(
    conn: AsyncConnection, model: type[Model], query: QueryNoTemplate, params: Mapping[str, Any] | None = None
) -> Model:
    """Return the one row of a statement that always has one, such as an INSERT … RETURNING."""
    (row,) = await fetch_all(conn, model, query, params)
    return row


async def fetch_value(
    conn: AsyncConnection, query: QueryNoTemplate, params: Mapping[str, Any] | None = None
) -> Any:
    """Return the first column of the first row, or None without a row."""
    cursor = await conn.execute(query, params)
    row = await cursor.fetchone()
    return row[0] if row else None
