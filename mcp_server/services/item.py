"""Items: the things that a person owns."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import AsyncConnection
from psycopg.sql import SQL, Composed

from db.query import fetch_one, fetch_only
from db.sql import columns, names, rendered, values
from mcp_server.errors import MOST_PLACES, InvalidInput, NotFound, no_such, shortlist
from mcp_server.models import weight
from mcp_server.models.answer import MOST_ROWS
from mcp_server.models.item import (
    Item,
    ItemChanges,
    ItemCreated,
    ItemDeleted,
    ItemsCreated,
    ItemShown,
    ItemStored,
    ItemsUpdated,
    ItemUpdate,
    ItemUpdated,
    NewItem,
)
from mcp_server.services import bulk, category, image, page, reference, settings, similar
from mcp_server.services.bulk import Wanted
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


async def create(conn: AsyncConnection, new: NewItem) -> ItemCreated:
    """Create an item and return it. Omitted fields get the defaults of the table."""
    row = await to_columns(conn, {name: value for name, value in new.items() if value is not None})
    alike = await similar.to_items(conn, [new["name"]])
    query = SQL("{insert} RETURNING {written}").format(insert=insert(row), written=WRITTEN)
    written = await fetch_only(conn, ItemCreated, query, row)
    found = tuple(each.model_copy(update={"row": None}) for each in alike)
    return page.whole(written.model_copy(update={"similar": found}))


async def create_many(conn: AsyncConnection, new: Sequence[NewItem]) -> ItemsCreated:
    """Create items, all or none, and return them as stored, in the same order."""
    category_ids = await find_categories(conn, [each.get("category") for each in new], "items.{}")
    alike = await similar.to_items(conn, [each["name"] for each in new])
    given: list[dict[str, Any]] = [{name: each.get(name) for name in NewItem.__annotations__} for each in new]
    rows: list[dict[str, Any]] = [
        {
            **{name: value for name, value in with_weight(row).items() if name != "category"},
            "category_id": category_ids[row["category"]],
            "quantity": 1 if row["quantity"] is None else row["quantity"],
        }
        for row in given
    ]
    ids = await bulk.insert(conn, rows)
    items = [
        ItemStored(
            id=id_,
            name=str(each["name"]),
            weight_grams=each["weight_grams"],
            weight_margin_grams=each["weight_margin_grams"],
        )
        for id_, each in zip(ids, rows, strict=True)
    ]
    created = ItemsCreated(
        created=len(items),
        similar_left_out=max(len(alike) - similar.MOST_SHOWN, 0),
        items=items,
        similar=tuple(alike[: similar.MOST_SHOWN]),
        units=await settings.get(conn),
    )
    return page.fit(created, "items", lambda shown: {"items_left_out": len(items) - shown})


async def find_categories(
    conn: AsyncConnection, references: Sequence[str | int | None], place: str
) -> dict[str | int | None, int | None]:
    """Return the ids of categories by their references, or raise NotFound for the missing ones.

    *place* names a reference in an error: `items.{}`.
    """
    wanted = [each for each in dict.fromkeys(references) if each is not None]
    found = await category.find_many(conn, wanted) if wanted else {}
    missing = [name for name, id_ in found.items() if id_ is None]
    if missing:
        problems: list[str] = []
        # Only for these, because a hint compares the name with all others.
        for name in missing[:MOST_PLACES]:
            rows = [place.format(at) for at, each in enumerate(references) if each == name]
            unknown = await reference.unknown(conn, "category", name)
            problems.append(f"{unknown.args[0]} ({shortlist(rows)})")
        rest = len(missing) - MOST_PLACES
        more = f" {rest} more categories are missing." if rest > 0 else ""
        raise NotFound(f"{' '.join(problems)}{more} Nothing was created.")
    return {None: None, **found}


async def update(conn: AsyncConnection, item_id: str | int, changes: ItemChanges) -> ItemUpdated:
    """Apply *changes* and return the updated item, with its old values. None clears a field."""
    item_id = await reference.resolve(conn, "item", item_id)
    columns = await to_columns(conn, changes)
    try:
        (changed,) = await bulk.change(conn, [Wanted("", item_id, columns)])
    except NotFound:
        raise no_such("item", item_id) from None
    query = SQL("SELECT {written} FROM items WHERE id = %(item_id)s").format(written=WRITTEN)
    updated = await fetch_only(conn, ItemUpdated, query, {"item_id": item_id})
    return page.whole(updated.model_copy(update={"before": changed.before or None}))


def check_updates(
    item_ids: Sequence[str | int], changes: ItemChanges | None, updates: Sequence[ItemUpdate]
) -> None:
    """Refuse arguments of update_items that are neither the same changes for many nor different ones."""
    if bool(updates) == bool(item_ids) or (changes is None) == bool(item_ids):
        raise InvalidInput("Give item_ids and changes (the same for all), or updates (one for each item).")


async def update_many(
    conn: AsyncConnection,
    item_ids: Sequence[str | int],
    changes: ItemChanges | None,
    updates: Sequence[ItemUpdate] = (),
) -> ItemsUpdated:
    """Apply the same *changes* to many items, or to each of the *updates* its own: all or none."""
    if updates:
        changed = await bulk.change(conn, await each_wanted(conn, updates))
    else:
        ids = dict.fromkeys(await bulk.find_items(conn, item_ids))
        columns = await to_columns(conn, changes or {})
        changed = await bulk.change(conn, [Wanted("changes.", item_id, columns) for item_id in ids])
    differing = [each for each in changed if each.after]
    updated = ItemsUpdated(updated=len(changed), items=differing, units=await settings.get(conn))
    return page.fit(updated, "items", lambda shown: {"items_left_out": len(differing) - shown})


async def each_wanted(conn: AsyncConnection, updates: Sequence[ItemUpdate]) -> list[Wanted]:
    """Return the items of *updates* and their new columns."""
    ids = await bulk.find_items(conn, [each["item"] for each in updates], "updates.{}.item")
    references = [each["changes"].get("category") for each in updates]
    category_ids = await find_categories(conn, references, "updates.{}.changes.category")
    wanted: list[Wanted] = []
    for at, (item_id, each) in enumerate(zip(ids, updates, strict=True)):
        columns = with_weight(each["changes"])
        if "category" in columns:
            columns["category_id"] = category_ids[columns.pop("category")]
        wanted.append(Wanted(f"updates.{at}.changes.", item_id, columns))
    return wanted


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
    """Convert the fields of a weight and `category` to columns, and names of items to ids."""
    row = with_weight(fields)
    if "category" in row:
        name = row.pop("category")
        row["category_id"] = None if name is None else await category.resolve(conn, name)
    if row.get("replaces_item_id") is not None:
        row["replaces_item_id"] = await reference.resolve(conn, "item", row["replaces_item_id"])
    return row


def with_weight(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Convert the fields `weight` and `weight_source` to columns."""
    rest = {name: value for name, value in fields.items() if name not in ("weight", "weight_source")}
    return {**rest, **weight.columns_of(fields)}


def insert(row: Mapping[str, Any]) -> Composed:
    return SQL("INSERT INTO items ({names}) VALUES ({values})").format(names=names(row), values=values(row))


class DeletedRow(ItemDeleted):
    """A deleted item, its image, and the numbers of all its setups and threads."""

    image_id: int | None
