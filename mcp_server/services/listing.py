"""Pages of items: filters, order, and cursors."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from psycopg import AsyncConnection, errors
from psycopg.sql import SQL, Composable, Composed, Identifier

from db.query import fetch_only
from db.sql import excerpts, rendered
from mcp_server.errors import TimedOut
from mcp_server.models.answer import LONGEST
from mcp_server.models.item import ItemField, ItemPage, ItemRow, Sort, Suggestion
from mcp_server.models.settings import Measured
from mcp_server.models.setup import Classification
from mcp_server.services import category, nearest, page, reference, search, setup
from mcp_server.services.search import Search
from mcp_server.services.settings import UNITS


class Order(NamedTuple):
    """The sort key of a list. `key` is never NULL, so that a page can start after any row.

    Each key has an index. PostgreSQL only uses it under row security if the expression is leakproof: COALESCE
    is not, and LEAST ignores NULL as well. If an `unknown` key would sort first, its rows are selected
    separately and come last.
    """

    key: SQL
    type: SQL
    descending: bool = False
    unknown: str | None = None


WEIGHT = SQL("least(items.weight_grams, 'Infinity')")
PRICE = SQL("least(items.price_cents, 9223372036854775807)")
ORDERS: dict[Sort, Order] = {
    "name": Order(SQL("items.sort_name"), SQL("text")),
    "-name": Order(SQL("items.sort_name"), SQL("text"), descending=True),
    "weight": Order(WEIGHT, SQL("float8")),
    "-weight": Order(WEIGHT, SQL("float8"), descending=True, unknown="Infinity"),
    "price": Order(PRICE, SQL("bigint")),
    "-price": Order(PRICE, SQL("bigint"), descending=True, unknown="9223372036854775807"),
    "newest": Order(SQL("items.created_at"), SQL("timestamptz"), descending=True),
    "-newest": Order(SQL("items.created_at"), SQL("timestamptz")),
    "updated": Order(SQL("items.updated_at"), SQL("timestamptz"), descending=True),
    "-updated": Order(SQL("items.updated_at"), SQL("timestamptz")),
}
# In a setup, the heaviest and the dearest are lines. They are few enough to sort without an index.
LINE_WEIGHT = SQL("coalesce(items.weight_grams::numeric * setup_items.quantity, 'Infinity')")
LINE_PRICE = SQL("coalesce(items.price_cents * setup_items.quantity, 'Infinity')")
LINE_ORDERS: dict[Sort, Order] = {
    **ORDERS,
    "weight": Order(LINE_WEIGHT, SQL("numeric")),
    "-weight": Order(LINE_WEIGHT, SQL("numeric"), descending=True, unknown="Infinity"),
    "price": Order(LINE_PRICE, SQL("numeric")),
    "-price": Order(LINE_PRICE, SQL("numeric"), descending=True, unknown="Infinity"),
}


# The best match comes first: for each word, in the name and whole, in the name, whole elsewhere, elsewhere.
BEST = Order(
    rendered(
        SQL("""
        (
            SELECT lpad((coalesce(sum(place), 0) + missing)::text, 3, '0') || ' ' || items.sort_name
            FROM {named}
            CROSS JOIN (
                SELECT count(*) * 2
                FROM unnest(%(parts)s::text[]) AS part
                WHERE strpos(folded(items.name), folded(part)) = 0
            ) AS literally (missing)
            LEFT JOIN LATERAL (
                SELECT min(CASE
                    WHEN strpos(named.words, ' ' || low || ' ') > 0 THEN 0
                    WHEN strpos(named.words, ' ' || low) > 0 AND NOT whole THEN 1
                    WHEN EXISTS (
                        SELECT FROM item_words WHERE item_words.word = low AND item_words.item_id = items.id
                    ) THEN 2
                    ELSE 3
                END) AS place
                FROM ({wanted}) AS wanted
                GROUP BY bits
            ) AS places ON true
            GROUP BY missing
        )
        """).format(named=search.NAMED.format(name=SQL("items.name")), wanted=search.WANTED)
    ),
    SQL("text"),
)


class Counted(Measured):
    """The number of matching items, at most ENOUGH. If it is less, what they weigh and cost.

    `sums` are grams and cents of all pieces, and the numbers of items of unknown weight and price.
    """

    total: int
    sums: tuple[Decimal | None, ...] | None


# Counting stops here: counting all items would take longer than finding a page.
ENOUGH = 1000

# Conditions by parameter. A condition is only part of the statement if its parameter has a value: a plan that
# covers all of them would be slow.
FILTERS = {
    "category_id": SQL("items.category_id = %(category_id)s"),
    # The values of an unknown weight and price in the indexes.
    "unweighed": SQL("{} = 'Infinity'").format(WEIGHT),
    "unpriced": SQL("{} = 9223372036854775807").format(PRICE),
    "unused": SQL("NOT EXISTS (SELECT FROM setup_items WHERE setup_items.item_id = items.id)"),
    "min_weight": SQL("items.weight_grams >= %(min_weight)s"),
    "max_weight": SQL("{} <= %(max_weight)s").format(WEIGHT),
    "ids": SQL("items.id = ANY (%(ids)s::bigint[])"),
    "parts": search.LITERALLY.format(text=search.ITS_TEXTS.format(item=SQL("items"))),
    "close": search.CLOSELY.format(text=search.ITS_TEXTS.format(item=SQL("items"))),
}
# Of the lines of the setup or, without one, of any setup.
CLASSIFIED = SQL("setup_items.classification = %(classification)s")
EVER_CLASSIFIED = SQL("""
    EXISTS (
        SELECT
        FROM setup_items
        WHERE setup_items.item_id = items.id AND setup_items.classification = %(classification)s
    )
""")
IN_SETUP = SQL("""
    JOIN setup_items ON setup_items.item_id = items.id AND setup_items.setup_id = %(setup_id)s
""")
# Columns of an item, and of a line if the list is that of a setup.
OWNED = SQL("items.quantity")
PACKED = SQL("""
    setup_items.quantity, setup_items.classification,
    items.weight_grams::numeric * setup_items.quantity AS line_grams
""")
AMONG_FEW = SQL("items.id = ANY (ARRAY({words})) AND ({filters}) IS TRUE")
AMONG_MANY = SQL("(items.id IN ({words})) IS TRUE AND {filters}")
COUNT = SQL("""
    WITH counted AS MATERIALIZED (
        SELECT items.id FROM items {in_setup} WHERE {matches} LIMIT %(enough)s
    )
    SELECT
        (SELECT count(*) FROM counted) AS total,
        CASE WHEN %(enough)s::int IS NULL OR (SELECT count(*) FROM counted) < %(enough)s::int THEN (
            SELECT ARRAY[
                sum(items.weight_grams::numeric * {quantity}), sum(items.price_cents * {quantity}),
                count(*) FILTER (WHERE items.weight_grams IS NULL),
                count(*) FILTER (WHERE items.price_cents IS NULL)
            ]
            FROM items {in_setup}
            WHERE items.id = ANY (ARRAY(SELECT counted.id FROM counted))
        ) END AS sums,
        {units}
""")
# Find the ids first: the indexes that have the order of a page contain nothing else.
PAGE = SQL("""
    SELECT
        items.id, items.name, categories.name AS category,
        items.weight_grams, items.weight_margin_grams, items.price_cents, {figures}, {texts}
        json_build_array({key}::text, items.id) AS place
    FROM ({parts}) AS page
    JOIN items ON items.id = page.id {in_setup}
    LEFT JOIN categories ON categories.id = items.category_id
    ORDER BY {last}{key} {direction}, items.id {direction}
    LIMIT %(limit)s
""")
PART = SQL("""
    (
        SELECT items.id
        FROM items {in_setup}
        WHERE {matches} AND {within}
        ORDER BY {key} {direction}, items.id {direction}
        LIMIT %(limit)s
    )
""")


async def find(
    conn: AsyncConnection,
    *,
    query: str = "",
    in_category: str | int | None = None,
    in_setup: str | int | None = None,
    unweighed: bool = False,
    unpriced: bool = False,
    unused: bool = False,
    classification: Classification | None = None,
    min_weight: float | None = None,
    max_weight: float | None = None,
    ids: Sequence[str | int] = (),
    fields: Sequence[ItemField] = (),
    sort: Sort | None = None,
    limit: int = 50,
    cursor: str = "",
) -> ItemPage:
    """Return a page of the items that match all conditions, and their number up to ENOUGH.

    With a setup, quantity and order are those of its lines, and all matches are counted. The totals of all
    matches are known if fewer than ENOUGH match, and then the best match of a *query* comes first unless
    *sort* is given. With *fields*, items have only their id, their name and these. *cursor* is the
    `next_cursor` of the previous page.
    """
    wanted = search.read_query(query)
    params = {
        **wanted.params(),
        "category_id": None if in_category is None else await category.resolve(conn, in_category),
        "setup_id": None if in_setup is None else await setup.resolve(conn, in_setup),
        "unweighed": unweighed,
        "unpriced": unpriced,
        "unused": unused,
        "classification": classification,
        "min_weight": min_weight,
        "max_weight": max_weight,
        "ids": await reference.resolve_all(conn, "item", ids),
        "enough": ENOUGH if in_setup is None else None,
        "limit": limit + 1,
        "longest": LONGEST,
    }
    try:
        is_ranked, many = False, False
        # Without a query, the number of matches does not matter for the page: they are one message.
        counted = await fetch_only(conn, Counted, count(wanted, params), params) if query.strip() else None
        if counted:
            many = counted.total == params["enough"]
            is_ranked = sort is None and not many
        cursors = page.Cursors("list_items", sort, is_ranked, filtered(params), keys=("key", "id"))
        params |= cursors.read(cursor)
        order = BEST if is_ranked else orders(params)[sort or "name"]
        statement = select(order, wanted, params, texts_of(fields), many=many)
        if counted:
            found = await page.fetch_page(conn, ItemRow, statement, params)
            suggested = await suggest(conn, query, params) if counted.total == 0 else []
        else:
            counted, found = await page.fetch_counted(
                conn, Counted, count(wanted, params), ItemRow, statement, params
            )
            many, suggested = counted.total == params["enough"], []
    except errors.QueryCanceled as exc:
        raise TimedOut(
            "query: the search took too long. Add a word of at least two letters, or filter by category."
        ) from exc
    grams, cents, no_weight, no_price = counted.sums or (None, None, 0, 0)
    items = ItemPage(
        total=None if many else counted.total,
        total_at_least=ENOUGH if many else None,
        total_grams=grams,
        total_cents=cents,
        unweighed=int(no_weight or 0),
        unpriced=int(no_price or 0),
        did_you_mean=tuple(suggested),
        items=[row.only(fields) for row in found.rows[:limit]],
        units=counted.units,
    )
    return page.fit(items, "items", lambda shown: {"next_cursor": cursors.next(found.places, shown)})


def count(wanted: Search, params: Mapping[str, Any]) -> Composed:
    """Count the matching items up to ENOUGH, and add up what they weigh and cost if there are fewer."""
    quantity = SQL("items.quantity" if params["setup_id"] is None else "setup_items.quantity")
    return COUNT.format(
        matches=matches(wanted, params), units=UNITS, in_setup=joined(params), quantity=quantity
    )


async def suggest(conn: AsyncConnection, query: str, params: Mapping[str, Any]) -> list[Suggestion]:
    """Return queries with the nearest words of the person's items that find some with the same filters."""
    suggested: list[Suggestion] = []
    for near in await nearest.queries(conn, query):
        wanted = search.read_query(near)
        found = SQL(
            "SELECT items.id FROM items {in_setup} WHERE {matches} ORDER BY items.id LIMIT 10"
        ).format(in_setup=joined(params), matches=matches(wanted, {**params, **wanted.params()}))
        cursor = await conn.execute(found, {**params, **wanted.params()})
        ids = [item_id for (item_id,) in await cursor.fetchall()]
        suggested += [Suggestion(query=near, ids=ids)] if ids else []
    return suggested


def matches(wanted: Search, params: Mapping[str, Any], *, many: bool = False) -> Composable:
    """Return the conditions of a list: those of FILTERS that have a value, and the words.

    PostgreSQL would plan for the average user, so the plan is given. Usually, the items with the words are
    fetched by id and then sorted. If they are *many*, or the list is that of a setup, items are read in order
    and looked up among them. A condition with IS TRUE is only checked: PostgreSQL neither looks it up in an
    index nor makes it a join.
    """
    # A weight of 0 is a condition too.
    unset = [name for name in FILTERS if params[name] is None or params[name] is False or params[name] == []]
    given = [FILTERS[name] for name in FILTERS if name not in unset]
    if params["classification"] is not None:
        given.append(EVER_CLASSIFIED if params["setup_id"] is None else CLASSIFIED)
    filters = SQL(" AND ").join([SQL("true"), *given])
    if not wanted.bits:
        return filters
    among = AMONG_MANY if many or params["setup_id"] is not None else AMONG_FEW
    return among.format(words=search.with_words(wanted), filters=filters)


def orders(params: Mapping[str, Any]) -> Mapping[Sort, Order]:
    return ORDERS if params["setup_id"] is None else LINE_ORDERS


def texts_of(fields: Sequence[ItemField]) -> Composable:
    """Return the columns of the fields that a list has only on request. Long texts are cut."""
    rest = [
        SQL("items.{},").format(Identifier(name))
        for name in ("weight_source", "image_id", "updated_at")
        if name in fields
    ]
    texts = [name for name in ("notes", "product_url") if name in fields]
    return SQL(" ").join([*rest, *([SQL("{},").format(excerpts("items", texts))] if texts else [])])


def select(
    order: Order, wanted: Search, params: Mapping[str, Any], texts: Composable, *, many: bool
) -> Composed:
    """Return the statement for a page, which starts after the row of the cursor in *params*, if any."""
    words = {
        "figures": OWNED if params["setup_id"] is None else PACKED,
        "texts": texts,
        "in_setup": joined(params),
        "key": order.key,
        "direction": SQL("DESC" if order.descending else "ASC"),
        "matches": matches(wanted, params, many=many),
    }
    parts = [PART.format(**words, within=within) for within in ranges(order, params["after_key"])]
    last = SQL("") if order.unknown is None else SQL("{} = {}, ").format(order.key, order.unknown)
    return PAGE.format(**words, parts=SQL(" UNION ALL ").join(parts), last=last)


def joined(params: Mapping[str, Any]) -> SQL:
    """Return the join with the lines of a setup, if there is one."""
    return SQL("") if params["setup_id"] is None else IN_SETUP


def ranges(order: Order, after_key: str | None) -> list[Composable]:
    """Return the conditions of a page's parts. Each is a range of the order's index."""
    beyond = SQL("({key}, items.id) {beyond} (%(after_key)s::{type}, %(after_id)s)").format(
        key=order.key, type=order.type, beyond=SQL("<" if order.descending else ">")
    )
    rest = beyond if after_key else SQL("true")
    if order.unknown is None:
        return [rest]
    unknown = SQL("{} = {}").format(order.key, order.unknown)
    if after_key == order.unknown:
        return [SQL("{} AND {}").format(unknown, rest)]
    return [SQL("{} < {} AND {}").format(order.key, order.unknown, rest), unknown]


def filtered(params: Mapping[str, Any]) -> list[Any]:
    """Return the filters and their values."""
    names = {*FILTERS, "setup_id", "classification", "lookup_bits", "lookup_words", "lookup_whole"}
    return [params[name] for name in sorted(names)]
