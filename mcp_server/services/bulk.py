"""Many items in one call: a constant number of statements finds, creates or changes all of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composed, Identifier
from psycopg.types.json import Jsonb

from db.sql import names, rendered
from mcp_server.errors import MOST_PLACES, Conflict, InvalidInput, NotFound, in_list, quoted, shortlist
from mcp_server.models.answer import EXCERPT
from mcp_server.models.fields import MOST_NOTES, shown_grams
from mcp_server.models.item import ItemChange, ItemFields
from mcp_server.services import reference

# Columns of the fields that have other names.
COLUMNS_OF = {"weight": ("weight_grams", "weight_margin_grams"), "category": ("category_id",)}
# The columns that a caller can change.
EDITABLE = (
    "name",
    *(column for name in ItemFields.__annotations__ for column in COLUMNS_OF.get(name, (name,))),
)
STATE = rendered(
    SQL("""
        items.id, {columns},
        (SELECT categories.name FROM categories WHERE categories.id = items.category_id) AS category
    """).format(columns=SQL(", ").join(Identifier("items", name) for name in EDITABLE))
)


class Wanted(NamedTuple):
    """An item and its new columns, as the argument at *place* gives them."""

    place: str
    item_id: int
    columns: Mapping[str, Any]


async def find_items(conn: AsyncConnection, references: Sequence[str | int], place: str = "") -> list[int]:
    """Return the ids of existing items that are given by id or name, all or none.

    Ids and exact names are looked up in one statement, and a search runs only for other words. *place* names
    a reference in an error: `updates.{}.item`.
    """
    matches = await reference.exact(conn, "item", references)
    absent: list[str] = []
    vague: list[str] = []
    ids: list[int] = []
    for at, each in enumerate(references):
        places = f" ({place.format(at)})" if place else ""
        try:
            found = matches.get(at) or (None if is_id(each) else await reference.find(conn, "item", each))
        except Conflict as exc:
            vague.append(f"{exc.args[0]}{places}")
            continue
        if found is None:
            absent.append(f"{quoted(int(each) if is_id(each) else each)}{places}")
        else:
            ids.append(found)
    if absent:
        raise NotFound(f"No item {shortlist(absent)}. Nothing was changed. Call list_items to find ids.")
    if vague:
        raise Conflict(f"{' '.join(vague[:MOST_PLACES])} Nothing was changed.")
    return ids


def is_id(reference: str | int) -> bool:
    text = str(reference).strip()
    return text.removeprefix("-").isdigit() and text.isascii()


async def insert(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Create items from rows with the same columns, and return their ids in the same order."""
    if not rows:
        return []
    query = SQL("""
        INSERT INTO items ({names})
        SELECT {names}
        FROM ROWS FROM (jsonb_populate_recordset(NULL::items, %(rows)s)) WITH ORDINALITY AS new
        ORDER BY new.ordinality
        RETURNING id
    """).format(names=names(rows[0]))
    cursor = await conn.execute(query, {"rows": Jsonb([dict(row) for row in rows])})
    return [item_id for (item_id,) in await cursor.fetchall()]


async def change(conn: AsyncConnection, wanted: Sequence[Wanted]) -> list[ItemChange]:
    """Give each of the *wanted* items its new columns, all or none. Return what changed.

    The column `notes_append` is a line to add to the notes.
    """
    twice = [item_id for item_id, count in Counter(each.item_id for each in wanted).items() if count > 1]
    if twice:
        raise InvalidInput(f"Item {in_list(twice)} occurs more than once. Nothing was changed.")
    old = await lock(conn, [each.item_id for each in wanted])
    absent = [each.item_id for each in wanted if each.item_id not in old]
    if absent:
        raise NotFound(f"No item {in_list(absent)}. Nothing was changed. Call list_items to find ids.")
    new = {each.item_id: applied(old[each.item_id], each.columns) for each in wanted}
    check(wanted, new)
    stored = await store(conn, wanted, new)
    return [difference(old[each.item_id], stored[each.item_id]) for each in wanted]


async def lock(conn: AsyncConnection, item_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Lock items until the transaction ends, in the order of their ids. Return their columns by id."""
    query = SQL("SELECT {state} FROM items WHERE id = ANY(%(ids)s::bigint[]) ORDER BY id FOR UPDATE")
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query.format(state=STATE), {"ids": list(item_ids)})
        return {row["id"]: row for row in await cursor.fetchall()}


def applied(old: Mapping[str, Any], columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of an item after its change."""
    new = {**old, **columns}
    added = new.pop("notes_append", None)
    if added is not None:
        new["notes"] = f"{new['notes']}\n{added}" if new["notes"] else added
    return new


def check(wanted: Sequence[Wanted], new: Mapping[int, Mapping[str, Any]]) -> None:
    """Refuse all rows that the table would refuse, each by its place."""
    problems = [
        f"{each.place}quantity: must not be empty" for each in wanted if new[each.item_id]["quantity"] is None
    ]
    problems += [
        f"{each.place}notes_append: the notes would exceed 64 KB"
        for each in wanted
        if len((new[each.item_id]["notes"] or "").encode()) > MOST_NOTES
    ]
    if problems:
        rest = len(problems) - MOST_PLACES
        more = f"; and {rest:,} more" if rest > 0 else ""
        raise InvalidInput(f"{'; '.join(problems[:MOST_PLACES])}{more}.")


async def store(
    conn: AsyncConnection, wanted: Sequence[Wanted], new: Mapping[int, Mapping[str, Any]]
) -> dict[int, dict[str, Any]]:
    """Write the columns that any of the *wanted* changes names. Return the items as stored, by id."""
    given = {"notes" if name == "notes_append" else name for each in wanted for name in each.columns}
    columns = [name for name in EDITABLE if name in given]
    query = SQL("""
        UPDATE items
        SET {assignments} updated_at = now()
        FROM jsonb_populate_recordset(NULL::items, %(rows)s) AS new
        WHERE items.id = new.id
        RETURNING {state}
    """).format(assignments=assigned(columns), state=STATE)
    rows = [{"id": item_id, **{name: row[name] for name in columns}} for item_id, row in new.items()]
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query, {"rows": Jsonb(rows)})
        return {row["id"]: row for row in await cursor.fetchall()}


def assigned(columns: Sequence[str]) -> Composed:
    """`name = new.name, …`, each followed by a comma."""
    return SQL("").join(
        SQL("{} = {}, ").format(Identifier(name), Identifier("new", name)) for name in columns
    )


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> ItemChange:
    """Return the fields of an item that differ, as results name them."""
    fields = [name for name in new if name != "category_id" and new[name] != old[name]]
    texts = [name for name in fields if max(map(length, (old[name], new[name]))) > EXCERPT]
    return ItemChange(
        item=new["id"],
        name=new["name"],
        before={name: excerpt(name, old[name]) for name in fields},
        after={name: excerpt(name, new[name]) for name in fields},
        cut=tuple(texts),
    )


def length(value: Any) -> int:
    return len(value) if isinstance(value, str) else 0


def excerpt(name: str, value: Any) -> Any:
    """Return a value as a result shows it."""
    if length(value) > EXCERPT:
        return f"{value[:EXCERPT]}…"
    return shown_grams(value) if name.endswith("_grams") and value is not None else value
