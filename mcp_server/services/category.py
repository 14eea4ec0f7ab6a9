"""Categories: lookup by name or id, contents, and what happens to the items of a deleted category."""

from collections.abc import Sequence

from psycopg import AsyncConnection, errors
from psycopg.sql import SQL

from db.query import fetch_one, fetch_only, fetch_value
from db.sql import assignments, columns
from mcp_server.errors import Conflict, InvalidInput, no_such, quoted
from mcp_server.models.category import (
    Category,
    CategoryChanges,
    CategoryDeleted,
    CategoryList,
    CategorySummary,
)
from mcp_server.services import page, reference, settings

COLUMNS = columns("categories", Category)


async def list_all(conn: AsyncConnection, limit: int = page.DEFAULT_LIMIT, cursor: str = "") -> CategoryList:
    """Return a page of categories by name, with the number and weight of their items."""
    cursors = page.Cursors("list_categories", keys=("name", "id"))
    query = SQL("""
        SELECT
            {columns},
            coalesce(sum(sums.items), 0)::bigint AS items,
            CASE WHEN sum(sums.items) > sum(sums.unweighed) THEN trim_scale(sum(sums.weight_grams)) END
                AS weight_grams,
            coalesce(sum(sums.unweighed), 0)::bigint AS unweighed,
            json_build_array(lower(categories.name), categories.id) AS place
        FROM (
            SELECT id, name, icon
            FROM categories
            WHERE %(after_id)s::bigint IS NULL
                OR (lower(name), id) > (%(after_name)s::text, %(after_id)s::bigint)
            ORDER BY lower(name), id
            LIMIT %(limit)s
        ) AS categories
        LEFT JOIN item_sums AS sums ON sums.category_id = categories.id
        GROUP BY {columns}
        ORDER BY lower(categories.name), categories.id
    """).format(columns=COLUMNS)
    params = {**cursors.read(cursor), "limit": limit + 1}
    found = await page.fetch_page(conn, CategorySummary, query, params)
    categories = CategoryList(
        total=await fetch_value(conn, "SELECT count(*) FROM categories"),
        categories=found.rows[:limit],
        units=await settings.get(conn),
    )
    return page.fit(
        categories, "categories", lambda shown: {"next_cursor": cursors.next(found.places, shown)}
    )


async def resolve(conn: AsyncConnection, category: str | int) -> int:
    """Return the id of a category, given its id or name. Raise NotFound if it does not exist."""
    return await reference.existing(conn, "category", category)


async def find_many(conn: AsyncConnection, references: Sequence[str | int]) -> dict[str | int, int | None]:
    """Return the ids of categories by their references. None stands for a missing one.

    Exact names and ids are looked up in one statement, and a search runs only for other words.
    """
    found: dict[str | int, int | None] = dict.fromkeys(references)
    for at, category_id in (await reference.exact(conn, "category", references)).items():
        found[references[at]] = category_id
    for words in [each for each in references if found[each] is None]:
        found[words] = await reference.find_existing(conn, "category", words)
    return found


async def create_missing(conn: AsyncConnection, wanted: Sequence[tuple[str, str | None]]) -> list[str]:
    """Create the missing ones of the *wanted* categories, given as names and icons. Return their names."""
    cursor = await conn.execute(
        """
        INSERT INTO categories (name, icon)
        SELECT name, coalesce(icon, 'package')
        FROM unnest(%(names)s::text[], %(icons)s::text[]) WITH ORDINALITY AS wanted (name, icon, at)
        ORDER BY at
        ON CONFLICT (user_id, lower(name)) DO NOTHING
        RETURNING name
        """,
        {"names": [name for name, _ in wanted], "icons": [icon for _, icon in wanted]},
    )
    return [name async for (name,) in cursor]


async def create(conn: AsyncConnection, name: str, icon: str) -> Category:
    """Create a category and return it."""
    query = SQL("""
        INSERT INTO categories (name, icon)
        VALUES (%(name)s, %(icon)s)
        RETURNING {columns}
    """).format(columns=COLUMNS)
    try:
        return await fetch_only(conn, Category, query, {"name": name, "icon": icon})
    except errors.UniqueViolation as exc:
        raise taken(name) from exc


async def update(conn: AsyncConnection, category_id: str | int, changes: CategoryChanges) -> Category:
    """Apply *changes* and return the updated category."""
    category_id = await reference.resolve(conn, "category", category_id)
    query = SQL("""
        UPDATE categories
        SET {assignments} user_id = user_id
        WHERE id = %(category_id)s
        RETURNING {columns}
    """).format(assignments=assignments(changes), columns=COLUMNS)
    try:
        updated = await fetch_one(conn, Category, query, {**changes, "category_id": category_id})
    except errors.UniqueViolation as exc:
        raise taken(changes.get("name", "")) from exc
    if updated is None:
        raise no_such("category", category_id)
    return updated


async def delete(conn: AsyncConnection, category_id: str | int, move_to: str | int | None) -> CategoryDeleted:
    """Delete a category. Its contents move to another category, or become uncategorized."""
    category_id = await reference.resolve(conn, "category", category_id)
    target = None if move_to is None else await resolve(conn, move_to)
    if target == category_id:
        raise InvalidInput("move_to: is the category to delete. Name another one or omit it.")
    moved = 0
    for statement in MOVES:
        cursor = await conn.execute(statement, {"target": target, "category_id": category_id})
        moved += cursor.rowcount
    deleted = await fetch_one(
        conn,
        CategoryDeleted,
        """
        DELETE FROM categories
        WHERE id = %(category_id)s
        RETURNING
            name AS deleted,
            %(moved)s::int AS moved,
            (SELECT target.name FROM categories AS target WHERE target.id = %(target)s) AS moved_to
        """,
        {"category_id": category_id, "moved": moved, "target": target},
    )
    if deleted is None:
        raise no_such("category", category_id)
    return deleted


def taken(name: str) -> Conflict:
    return Conflict(f"A category {quoted(name)} exists already. Call list_categories to find its id.")


# One statement for each table whose rows have a category.
MOVES = (
    "UPDATE items SET category_id = %(target)s, updated_at = now() WHERE category_id = %(category_id)s",
    "UPDATE threads SET category_id = %(target)s, updated_at = now() WHERE category_id = %(category_id)s",
    "UPDATE candidates SET category_id = %(target)s, updated_at = now() WHERE category_id = %(category_id)s",
)
