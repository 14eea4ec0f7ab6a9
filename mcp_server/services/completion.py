"""Completions: ids and names that match a part of a name, or the prefix of an id. Names are folded."""

import re
from typing import Literal, TypeAlias

from psycopg import AsyncConnection
from psycopg.sql import SQL

Noun: TypeAlias = Literal["item", "setup", "thread", "image"]
TABLES: dict[Noun, SQL] = {
    "item": SQL("items"),
    "setup": SQL("setups"),
    "thread": SQL("threads"),
    # An image has the name of the item or candidate that uses it.
    "image": SQL("""(
        SELECT image_id AS id, min(name) AS name
        FROM (SELECT image_id, name FROM items UNION ALL SELECT image_id, name FROM candidates) AS owners
        WHERE image_id IS NOT NULL
        GROUP BY image_id
    ) AS images"""),
}


async def ids(conn: AsyncConnection, noun: Noun, text: str, limit: int) -> list[str]:
    """Return the ids that start with *text* or, if it is not a number, of rows with it in their name."""
    query = NUMBERED if re.fullmatch(r"\d+", text, re.ASCII) else NAMED
    cursor = await conn.execute(query.format(table=TABLES[noun]), {"text": text, "limit": limit})
    return [value for (value,) in await cursor.fetchall()]


async def names(conn: AsyncConnection, noun: Noun, text: str, limit: int) -> list[str]:
    """Return the names that contain this text."""
    query = SQL("""
        SELECT DISTINCT ON (lower(name), name) name
        FROM {table}
        WHERE strpos(folded(name), folded(%(text)s)) > 0
        ORDER BY lower(name), name
        LIMIT %(limit)s
    """).format(table=TABLES[noun])
    cursor = await conn.execute(query, {"text": text, "limit": limit})
    return [value for (value,) in await cursor.fetchall()]


NUMBERED = SQL("""
    SELECT id::text
    FROM {table}
    WHERE starts_with(id::text, %(text)s)
    ORDER BY id
    LIMIT %(limit)s
""")
NAMED = SQL("""
    SELECT id::text
    FROM {table}
    WHERE strpos(folded(name), folded(%(text)s)) > 0
    ORDER BY lower(name), id
    LIMIT %(limit)s
""")
