"""Items: the things that a person owns."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import AsyncConnection
from psycopg.sql import SQL, Composed
from psycopg.types.json import Jsonb

from db.query import fetch_one, fetch_only
from db.sql import assignments, columns, names, rendered, values
from mcp_server.errors import MOST_PLACES, NotFound, in_list, no_such, shortlist
from mcp_server.models.answer import MOST_ROWS
from mcp_server.models.item import (
    Item,
    ItemChanges,
    ItemDeleted,
    ItemRef,
    ItemsCreated,
    ItemShown,
    ItemsUpdated,
    ItemWritten,
    NewItem,
)
from mcp_server.services import category, image, page, reference
from mcp_server.services.settings import UNITS

# Names of setups, and of threads, that a deletion lists.
MOST_NAMES = 50
# The columns of ItemWritten: those of an item, the name of its category, and the units.
WRITTEN = rendered(
    SQL("""
        {columns},
        (SELECT categories.name FROM categories WHERE categories.id = items.category_id) AS category,
        {units}
    """).format(columns=columns("items", Item), units=UNITS)
)
# The first of an item's lines in setups, and the number of the others.
USED_IN = SQL("""
    array(
        SELECT jsonb_build_object(
            'setup_id', setups.id, 'name', setups.name,
            'quantity', setup_items.quantity, 'classification', setup_items.classification,
            'worn_quantity', CASE
                WHEN setup_items.classification = 'worn' AND setup_items.worn_quantity < setup_items.quantity
                THEN setup_items.worn_quantity
            END
        )
        FROM setup_items
        JOIN setups ON setups.id = setup_items.setup_id
        WHERE setup_items.item_id = items.id
        ORDER BY lower(setups.name), setups.id
        LIMIT {most}
    )
""").format(most=MOST_ROWS)
MORE_USES = SQL("""
    greatest((SELECT count(*) FROM setup_items WHERE setup_items.item_id = items.id) - {most}, 0)
""").format(most=MOST_ROWS)
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
        {used_in} AS setups, {more_uses} AS setups_left_out
    """).format(written=WRITTEN, used_in=USED_IN, more_uses=MORE_USES)
)


async def get(conn: AsyncConnection, item_id: str | int) -> ItemShown:
    """Return an item, the setups that use it and the thread it came from."""
    item_id = await reference.resolve(conn, "item", item_id)
    query = SQL("SELECT {shown} FROM items WHERE id = %(item_id)s").format(shown=SHOWN)
    found = await fetch_one(conn, ItemShown, query, {"item_id": item_id})
    if found is None:
        raise no_such("item", item_id)
    return page.whole(found)


async def create(conn: AsyncConnection, new: NewItem) -> ItemWritten:
    """Create an item and return it. Omitted fields get the defaults of the table."""
    row = await to_columns(conn, {name: value for name, value in new.items() if value is not None})
    query = SQL("{insert} RETURNING {written}").format(insert=insert(row), written=WRITTEN)
    return page.whole(await fetch_only(conn, ItemWritten, query, row))


async def create_many(conn: AsyncConnection, new: Sequence[NewItem]) -> ItemsCreated:
    """Create items, all or none, and return their ids in the same order."""
    category_ids = await find_categories(conn, new)
    given = [{name: each.get(name) for name in NewItem.__annotations__} for each in new]
    ids = await create_rows(
        conn,
        [
            {
                **{name: value for name, value in row.items() if name not in ("weight", "category")},
                "weight_grams": row["weight"],
                "category_id": category_ids[row["category"]],
                "quantity": 1 if row["quantity"] is None else row["quantity"],
            }
            for row in given
        ],
    )
    items = [ItemRef(id=id_, name=each["name"]) for id_, each in zip(ids, new, strict=True)]
    created = ItemsCreated(created=len(items), items=items)
    return page.fit(created, "items", lambda shown: {"items_left_out": len(items) - shown})


async def find_categories(
    conn: AsyncConnection, new: Sequence[NewItem]
) -> dict[str | int | None, int | None]:
    """Return the ids of all categories that *new* items name, or raise NotFound for the missing ones."""
    references = [wanted for each in new if (wanted := each.get("category")) is not None]
    found = await category.find_all(conn, dict.fromkeys(references)) if references else {}
    for name in [name for name, id_ in found.items() if id_ is None]:
        found[name] = await reference.find_existing(conn, "category", name)
    ids: dict[str | int | None, int | None] = {None: None, **found}
    missing = [name for name, id_ in found.items() if id_ is None]
    if missing:
        problems: list[str] = []
        # Only for these, because a hint compares the name with all others.
        for name in missing[:MOST_PLACES]:
            rows = [f"items.{at}" for at, each in enumerate(new) if each.get("category") == name]
            unknown = await reference.unknown(conn, "category", name)
            problems.append(f"{unknown.args[0]} ({shortlist(rows)})")
        rest = len(missing) - MOST_PLACES
        more = f" {rest} more categories are missing." if rest > 0 else ""
        raise NotFound(f"{' '.join(problems)}{more} Nothing was created.")
    return ids


async def create_rows(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Create items from rows with the same columns, and return their ids in the same order."""
    if not rows:
        return []
    query = SQL("""
        INSERT INTO items ({names})
        SELECT {names} FROM jsonb_populate_recordset(NULL::items, %(rows)s)
        RETURNING id
    """).format(names=names(rows[0]))
    cursor = await conn.execute(query, {"rows": Jsonb(rows)})
    return [id_ async for (id_,) in cursor]


async def update(conn: AsyncConnection, item_id: str | int, changes: ItemChanges) -> ItemWritten:
    """Apply *changes* and return the updated item. None clears a field."""
    item_id = await reference.resolve(conn, "item", item_id)
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
    return page.whole(updated)


async def update_many(
    conn: AsyncConnection, item_ids: Sequence[str | int], changes: ItemChanges
) -> ItemsUpdated:
    """Apply the same *changes* to many items, all or none."""
    item_ids = await reference.resolve_all(conn, "item", item_ids)
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
        raise NotFound(f"No item {in_list(absent)}. Nothing was changed. Call list_items to find ids.")
    return ItemsUpdated(updated=len(updated))


async def delete(conn: AsyncConnection, item_id: str | int) -> ItemDeleted:
    """Delete an item, its lines in setups, and its image if nothing else uses it."""
    item_id = await reference.resolve(conn, "item", item_id)
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
                LIMIT %(most)s
            ) AS removed_from_setups,
            (SELECT count(*) FROM setup_items WHERE setup_items.item_id = items.id) AS setups_left_out,
            array(
                SELECT threads.name
                FROM threads
                WHERE threads.replaces_item_id = items.id AND threads.status = 'active'
                ORDER BY lower(threads.name), threads.id
                LIMIT %(most)s
            ) AS no_longer_replaced_in_threads,
            (
                SELECT count(*)
                FROM threads
                WHERE threads.replaces_item_id = items.id AND threads.status = 'active'
            ) AS threads_left_out
        """,
        {"item_id": item_id, "most": MOST_NAMES},
    )
    if deleted is None:
        raise no_such("item", item_id)
    await image.delete_unused(conn, [deleted.image_id])
    return ItemDeleted(
        deleted=deleted.deleted,
        removed_from_setups=deleted.removed_from_setups,
        setups_left_out=deleted.setups_left_out - len(deleted.removed_from_setups),
        no_longer_replaced_in_threads=deleted.no_longer_replaced_in_threads,
        threads_left_out=deleted.threads_left_out - len(deleted.no_longer_replaced_in_threads),
    )


async def to_columns(conn: AsyncConnection, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Convert the fields `weight` and `category` to columns, and names of items to ids."""
    row = dict(fields)
    if "weight" in row:
        row["weight_grams"] = row.pop("weight")
    if "category" in row:
        name = row.pop("category")
        row["category_id"] = None if name is None else await category.resolve(conn, name)
    if row.get("replaces_item_id") is not None:
        row["replaces_item_id"] = await reference.resolve(conn, "item", row["replaces_item_id"])
    return row


def insert(row: Mapping[str, Any]) -> Composed:
    return SQL("INSERT INTO items ({names}) VALUES ({values})").format(names=names(row), values=values(row))


class DeletedRow(ItemDeleted):
    """A deleted item, its image, and the numbers of all its setups and threads."""

    image_id: int | None
