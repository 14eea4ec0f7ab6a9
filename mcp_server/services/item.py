"""Items: finding, keeping and losing the things a person owns."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.sql import SQL, Composed
from pydantic import ConfigDict, TypeAdapter

from db.query import fetch_all, fetch_one, fetch_only, fetch_value
from db.sql import assignments, columns, names, rendered, values
from mcp_server.errors import InvalidInput, NotFound, in_list, no_such
from mcp_server.models.item import (
    Item,
    ItemChanges,
    ItemDeleted,
    ItemPage,
    ItemRef,
    ItemRow,
    ItemsCreated,
    ItemShown,
    ItemsUpdated,
    ItemWritten,
    NewItem,
    Sort,
)
from mcp_server.services import category, image
from mcp_server.services.settings import SETTINGS


class Order(NamedTuple):
    """What a list is sorted by. `key` is never NULL, so that a page can start behind any row."""

    key: SQL
    type: SQL
    descending: bool = False


# Unknown weights and prices come last in both directions.
ORDERS: dict[Sort, Order] = {
    "name": Order(SQL("lower(items.name)"), SQL("text")),
    "-name": Order(SQL("lower(items.name)"), SQL("text"), descending=True),
    "weight": Order(SQL("coalesce(items.weight_grams, 'Infinity')"), SQL("float8")),
    "-weight": Order(SQL("coalesce(items.weight_grams, -1)"), SQL("float8"), descending=True),
    "price": Order(SQL("coalesce(items.price_cents, 9223372036854775807)"), SQL("bigint")),
    "-price": Order(SQL("coalesce(items.price_cents, -1)"), SQL("bigint"), descending=True),
    "newest": Order(SQL("items.created_at"), SQL("timestamptz"), descending=True),
    "-newest": Order(SQL("items.created_at"), SQL("timestamptz")),
    "updated": Order(SQL("items.updated_at"), SQL("timestamptz"), descending=True),
    "-updated": Order(SQL("items.updated_at"), SQL("timestamptz")),
}

# An item's own columns, the name of its category and the settings: what ItemWritten is made of.
WRITTEN = rendered(
    SQL("""
        {columns},
        (SELECT categories.name FROM categories WHERE categories.id = items.category_id) AS category,
        {settings}
    """).format(columns=columns("items", Item), settings=SETTINGS)
)
SHOWN = rendered(
    SQL("""
        {written},
        (
            SELECT jsonb_build_object('thread_id', threads.id, 'name', threads.name)
            FROM threads
            WHERE threads.resolved_item_id = items.id
            ORDER BY threads.id
            LIMIT 1
        ) AS thread,
        array(
            SELECT jsonb_build_object(
                'setup_id', setups.id, 'name', setups.name,
                'quantity', setup_items.quantity, 'classification', setup_items.classification
            )
            FROM setup_items
            JOIN setups ON setups.id = setup_items.setup_id
            WHERE setup_items.item_id = items.id
            ORDER BY lower(setups.name), setups.id
        ) AS setups
    """).format(written=WRITTEN)
)


async def get(conn: AsyncConnection, item_id: int) -> ItemShown:
    """Return one item, with the setups that use it and the thread it came from."""
    query = SQL("SELECT {shown} FROM items WHERE id = %(item_id)s").format(shown=SHOWN)
    found = await fetch_one(conn, ItemShown, query, {"item_id": item_id})
    if found is None:
        raise no_such("item", item_id)
    return found


async def find(
    conn: AsyncConnection, *, query: str, in_category: str | int | None, sort: Sort, limit: int, cursor: str
) -> ItemPage:
    """Return one page of the items that match, and how many match in all.

    Each word of *query* has to begin a word of the name or the notes; one that is not only letters and digits
    (`x-mid`, `100%`) has to be in them as it is. *cursor* is the `next_cursor` of the page before.
    """
    words = query.split()
    params = {
        "prefixes": " & ".join(f"{word}:*" for word in words if is_plain(word)),
        "parts": [word for word in words if not is_plain(word)],
        "category_id": None if in_category is None else await category.find(conn, in_category),
        "limit": limit + 1,
        **read_cursor(cursor, sort),
    }
    order = ORDERS[sort]
    statement = PAGE.format(
        matches=MATCHES,
        key=order.key,
        type=order.type,
        beyond=SQL("<" if order.descending else ">"),
        direction=SQL("DESC" if order.descending else "ASC"),
    )
    found = await fetch_all(conn, FoundRow, statement, params)
    return ItemPage(
        total=await fetch_value(conn, COUNT, params),
        next_cursor=write_cursor(sort, found[limit - 1]) if len(found) > limit else None,
        items=[ItemRow(**row.model_dump(exclude={"key"})) for row in found[:limit]],
    )


async def create(conn: AsyncConnection, new: NewItem) -> ItemWritten:
    """Create an item and return it; fields left out take the table's defaults."""
    row = await to_columns(conn, {name: value for name, value in new.items() if value is not None})
    query = SQL("{insert} RETURNING {written}").format(insert=insert(row), written=WRITTEN)
    return await fetch_only(conn, ItemWritten, query, row)


async def create_many(conn: AsyncConnection, new: Sequence[NewItem]) -> ItemsCreated:
    """Create items, all or none, and return their ids in the same order."""
    category_ids = await find_categories(conn, new)
    rows = [
        {
            "name": each["name"],
            "weight_grams": each.get("weight"),
            "price_cents": each.get("price_cents"),
            "quantity": 1 if (quantity := each.get("quantity")) is None else quantity,
            "category_id": category_ids.get(each.get("category")),
            "notes": each.get("notes"),
            "product_url": each.get("product_url"),
        }
        for each in new
    ]
    ids = await create_rows(conn, rows)
    items = [ItemRef(id=id_, name=each["name"]) for id_, each in zip(ids, new, strict=True)]
    return ItemsCreated(created=len(items), items=items)


async def find_categories(
    conn: AsyncConnection, new: Sequence[NewItem]
) -> dict[str | int | None, int | None]:
    """Return the ids of all categories that *new* items name, or say which items name one that is absent."""
    ids: dict[str | int | None, int | None] = {None: None}
    problems: list[str] = []
    for reference in dict.fromkeys(each.get("category") for each in new):
        try:
            ids[reference] = None if reference is None else await category.find(conn, reference)
        except NotFound as exc:
            rows = [f"items.{at}" for at, each in enumerate(new) if each.get("category") == reference]
            problems.append(f"{exc.args[0]} ({', '.join(rows)})")
    if problems:
        raise NotFound(f"{' '.join(problems)} Nothing was created.")
    return ids


async def create_rows(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Create items from rows of the same columns, and return their ids in the same order."""
    if not rows:
        return []
    query = SQL("{insert} RETURNING id").format(insert=insert(rows[0]))
    async with conn.cursor() as cursor:
        await cursor.executemany(query, rows, returning=True)
        return [row[0] async for result in cursor.results() async for row in result]


async def update(conn: AsyncConnection, item_id: int, changes: ItemChanges) -> ItemWritten:
    """Apply *changes* and return the item as it now is; None clears a field."""
    row = await to_columns(conn, changes)
    query = SQL("""
        UPDATE items
        SET {assignments} updated_at = now()
        WHERE id = %(item_id)s
        RETURNING {written}
    """).format(assignments=assignments(row), written=WRITTEN)
    updated = await fetch_one(conn, ItemWritten, query, {**row, "item_id": item_id})
    if updated is None:
        raise no_such("item", item_id)
    return updated


async def update_many(conn: AsyncConnection, item_ids: Sequence[int], changes: ItemChanges) -> ItemsUpdated:
    """Apply the same *changes* to many items, to all or none."""
    row = await to_columns(conn, changes)
    query = SQL("""
        UPDATE items
        SET {assignments} updated_at = now()
        WHERE id = ANY(%(item_ids)s::bigint[])
        RETURNING id
    """).format(assignments=assignments(row))
    cursor = await conn.execute(query, {**row, "item_ids": list(item_ids)})
    updated = {item_id for (item_id,) in await cursor.fetchall()}
    absent = [item_id for item_id in item_ids if item_id not in updated]
    if absent:
        raise NotFound(f"No item {in_list(absent)}. Nothing was changed. Call list_items to find the ids.")
    return ItemsUpdated(updated=len(updated))


async def delete(conn: AsyncConnection, item_id: int) -> ItemDeleted:
    """Delete an item, and with it its lines in setups, and its image if nothing else shows it."""
    deleted = await fetch_one(
        conn,
        DeletedRow,
        """
        DELETE FROM items
        WHERE id = %(item_id)s
        RETURNING
            name AS deleted,
            image_id,
            array(
                SELECT setups.name
                FROM setup_items
                JOIN setups ON setups.id = setup_items.setup_id
                WHERE setup_items.item_id = items.id
                ORDER BY lower(setups.name), setups.id
            ) AS removed_from_setups
        """,
        {"item_id": item_id},
    )
    if deleted is None:
        raise no_such("item", item_id)
    await image.delete_unused(conn, [deleted.image_id])
    return ItemDeleted(**deleted.model_dump(exclude={"image_id"}))


async def to_columns(conn: AsyncConnection, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Turn the two fields that a caller writes differently into columns: `weight` and `category`."""
    row = dict(fields)
    if "weight" in row:
        row["weight_grams"] = row.pop("weight")
    if "category" in row:
        reference = row.pop("category")
        row["category_id"] = None if reference is None else await category.find(conn, reference)
    return row


def insert(row: Mapping[str, Any]) -> Composed:
    return SQL("INSERT INTO items ({names}) VALUES ({values})").format(names=names(row), values=values(row))


def is_plain(word: str) -> bool:
    """Whether PostgreSQL would take *word* for one word too; scripts from CJK on do not part theirs."""
    return max(word) < "\u2e80" and all(letter.isalpha() or letter.isdecimal() for letter in word)


class FoundRow(ItemRow):
    """A row of a page, and the text of what it is sorted by: where the next page starts."""

    key: str


class DeletedRow(ItemDeleted):
    """A deleted item, and the image that it showed."""

    image_id: int | None


MATCHES = SQL("""
    (%(category_id)s::bigint IS NULL OR items.category_id = %(category_id)s)
    AND (%(prefixes)s = '' OR items.search @@ to_tsquery('simple', %(prefixes)s))
    AND NOT EXISTS (
        SELECT
        FROM unnest(%(parts)s::text[]) AS part
        WHERE strpos(lower(concat_ws(' ', items.name, items.notes)), lower(part)) = 0
    )
""")
COUNT = SQL("SELECT count(*) FROM items WHERE {matches}").format(matches=MATCHES)
PAGE = SQL("""
    SELECT
        items.id, items.name, categories.name AS category,
        items.weight_grams, items.price_cents, items.quantity, {key}::text AS key
    FROM items
    LEFT JOIN categories ON categories.id = items.category_id
    WHERE {matches}
    AND (%(after_id)s::bigint IS NULL OR ({key}, items.id) {beyond} (%(after_key)s::{type}, %(after_id)s))
    ORDER BY {key} {direction}, items.id {direction}
    LIMIT %(limit)s
""")


# A page's sort, and the key and id of its last row.
CURSOR = TypeAdapter(tuple[str, str, int], config=ConfigDict(strict=True))


def write_cursor(sort: Sort, last: FoundRow) -> str:
    return base64.urlsafe_b64encode(CURSOR.dump_json((sort, last.key, last.id))).decode().rstrip("=")


def read_cursor(cursor: str, sort: Sort) -> dict[str, Any]:
    if not cursor:
        return {"after_key": None, "after_id": None}
    try:
        its_sort, key, item_id = CURSOR.validate_json(
            base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        )
    except ValueError:
        its_sort = key = item_id = None
    if its_sort != sort:
        raise InvalidInput(
            "cursor: not the next_cursor of a page with this sort. Leave it out to start again."
        )
    return {"after_key": key, "after_id": item_id}
