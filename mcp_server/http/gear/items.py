"""The gear: a list to search and edit, and a page for each item."""

from typing import NamedTuple, cast, get_args

from psycopg import AsyncConnection
from starlette.responses import Response

from mcp_server.errors import InvalidInput
from mcp_server.http.gear.visit import Visit
from mcp_server.models.category import CategoryList
from mcp_server.models.change import Change, ChangeFilter
from mcp_server.models.item import ItemField, ItemPage, ItemShown, Sort
from mcp_server.services import category, history, item, listing

ON_A_PAGE = 50
FIELDS: tuple[ItemField, ...] = ("category", "weight_grams", "price_cents", "quantity", "image_id")
SORTS: dict[Sort, str] = {
    "name": "Name",
    "-weight": "Heaviest first",
    "weight": "Lightest first",
    "-price": "Most expensive first",
    "price": "Cheapest first",
    "newest": "Newest first",
    "updated": "Last changed first",
}
# Filters of items with unknown values.
UNKNOWN = ("unweighed", "unpriced")


class Listing(NamedTuple):
    page: ItemPage
    categories: CategoryList
    edited: ItemShown | None


async def items(visit: Visit) -> Response:
    """List items: those that match, sorted, a page at a time. One of them can be edited in its place."""
    found = await visit.read(gather, visit)
    return await visit.page(
        "items",
        page=found.page,
        categories=found.categories.categories,
        edited=found.edited,
        units=found.page.units,
        sorts=SORTS,
    )


async def gather(conn: AsyncConnection, visit: Visit) -> Listing:
    sort, edit = visit.asked("sort"), visit.asked("edit")
    if sort and sort not in get_args(Sort):
        raise InvalidInput("sort: is unknown. Choose another order.")
    found = await listing.find(
        conn,
        query=visit.asked("query"),
        in_category=visit.asked("category") or None,
        unweighed=visit.asked("unknown") == "unweighed",
        unpriced=visit.asked("unknown") == "unpriced",
        fields=FIELDS,
        sort=cast(Sort, sort) if sort else None,
        limit=ON_A_PAGE,
        cursor=visit.asked("cursor"),
    )
    is_listed = any(str(each.id) == edit for each in found.items)
    edited = await item.get(conn, int(edit)) if is_listed else None
    return Listing(found, await category.list_all(conn), edited)


class OneItem(NamedTuple):
    item: ItemShown
    categories: CategoryList
    changes: list[Change]


async def item_page(visit: Visit) -> Response:
    """Show an item with its fields to edit, its setups and its changes."""
    found = await visit.read(gather_one, visit.row_id("item"))
    return await visit.page(
        "item",
        item=found.item,
        categories=found.categories.categories,
        changes=found.changes,
        units=found.item.units,
    )


async def gather_one(conn: AsyncConnection, item_id: int) -> OneItem:
    return OneItem(
        await item.get(conn, item_id),
        await category.list_all(conn),
        (await history.find(conn, ChangeFilter(), item_id=item_id, limit=10)).changes,
    )
