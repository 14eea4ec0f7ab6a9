"""Pages of items: search, order, and cursors."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from psycopg import AsyncConnection, errors
from psycopg.sql import SQL, Composable, Composed, Placeholder

from db.query import fetch_only
from mcp_server.errors import TimedOut
from mcp_server.models.item import ItemPage, ItemRow, Sort
from mcp_server.models.settings import Measured
from mcp_server.services import category, page, setup
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


class Counted(Measured):
    """The number of matching items, at most ENOUGH."""

    total: int


# Text after ASCII punctuation, up to the next punctuation.
BEHIND_PUNCTUATION = re.compile(r"(?<=[!-/:-@\[-`{-~])[^!-/:-@\[-`{-~]+")

AROUND_WORDS = "\"'(),.;:!?“”„‘’"

# Single letters or digits that are prefixes. If there are more, each must be a whole word.
MOST_LETTERS = 2
# Counting stops here: counting all items would take longer than finding a page.
ENOUGH = 1000

# Conditions by parameter. A condition is only part of the statement if its parameter has a value: a plan that
# covers all of them would be slow.
FILTERS = {
    "category_id": SQL("items.category_id = %(category_id)s"),
    # The value of an unknown weight in the index.
    "unweighed": SQL("{} = 'Infinity'").format(WEIGHT),
    "parts": SQL("""
        NOT EXISTS (
            SELECT
            FROM unnest(%(parts)s::text[]) AS part
            WHERE strpos(lower(concat_ws(' ', items.name, items.notes)), lower(part)) = 0
        )
    """),
}
IN_SETUP = SQL("""
    JOIN setup_items ON setup_items.item_id = items.id AND setup_items.setup_id = %(setup_id)s
""")
# Columns of an item, and of a line if the list is that of a setup.
OWNED = SQL("items.quantity")
PACKED = SQL("""
    setup_items.quantity, setup_items.classification,
    items.weight_grams::numeric * setup_items.quantity AS line_grams
""")
# Words with a prefix sort between the prefix and the prefix followed by the last code point.
WITH_PREFIX = SQL("""
    SELECT item_id
    FROM item_words
    WHERE word >= lower({prefix}) AND word < lower({prefix}) || U&'\\+10FFFF'
""")
WITH_WORD = SQL("SELECT item_id FROM item_words WHERE word = lower({prefix})")
AMONG_FEW = SQL("items.id = ANY (ARRAY({words})) AND ({filters}) IS TRUE")
AMONG_MANY = SQL("(items.id IN ({words})) IS TRUE AND {filters}")
COUNT = SQL("""
    SELECT
        (
            SELECT count(*)
            FROM (SELECT FROM items {in_setup} WHERE {matches} LIMIT %(enough)s) AS counted
        ) AS total,
        {units}
""")
# Find the ids first: the indexes that have the order of a page contain nothing else.
PAGE = SQL("""
    SELECT
        items.id, items.name, categories.name AS category,
        items.weight_grams, items.price_cents, {figures},
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
    sort: Sort = "name",
    limit: int = 50,
    cursor: str = "",
) -> ItemPage:
    """Return a page of the matching items, and the number of matches up to ENOUGH.

    With a setup, quantity and order are those of its lines, and all matches are counted.

    Each word of *query* must be the prefix of a word in the name or the notes. More than MOST_LETTERS single
    letters must be whole words. A word with other characters than letters and digits (`x-mid`, `100%`) must
    occur literally. *cursor* is the `next_cursor` of the previous page.
    """
    prefixes, parts = read_query(query)
    params = {
        **prefixes,
        "parts": parts,
        "category_id": None if in_category is None else await category.resolve(conn, in_category),
        "setup_id": None if in_setup is None else await setup.resolve(conn, in_setup),
        "unweighed": unweighed,
        "enough": ENOUGH if in_setup is None else None,
        "limit": limit + 1,
    }
    cursors = page.Cursors("list_items", sort, filtered(params), keys=("key", "id"))
    params |= cursors.read(cursor)
    count = COUNT.format(matches=matches(prefixes, params), units=UNITS, in_setup=joined(params))
    try:
        counted = await fetch_only(conn, Counted, count, params)
        many = counted.total == params["enough"]
        found = await page.fetch_page(conn, ItemRow, select(sort, prefixes, params, many=many), params)
    except errors.QueryCanceled as exc:
        raise TimedOut(
            "query: the search took too long. Add a word of at least two letters, or filter by category."
        ) from exc
    items = ItemPage(
        total=None if many else counted.total,
        total_at_least=ENOUGH if many else None,
        items=found.rows[:limit],
        units=counted.units,
    )
    return page.fit(items, "items", lambda shown: {"next_cursor": cursors.next(found.places, shown)})


def read_query(query: str) -> tuple[dict[str, str], list[str]]:
    """Split *query* into prefixes, each with a parameter name, and parts that must occur literally."""
    # Punctuation around a word is ignored. Punctuation alone is searched for.
    words = [word.strip(AROUND_WORDS) or word for word in query.split()]
    parts = [word for word in words if not is_plain(word)]
    # A word starts after punctuation: text with x-mid contains the word mid, which the index finds.
    behind = [run for part in parts for run in BEHIND_PUNCTUATION.findall(part)]
    prefixes = dict.fromkeys(word for word in [*words, *behind] if is_plain(word))
    # A run within a part only helps to find it, and a single letter hardly does.
    lone = [word for word in prefixes if len(word) == 1 and word not in words]
    for word in lone[len(lone) == len(prefixes) :]:
        del prefixes[word]
    return {f"prefix_{number}": prefix for number, prefix in enumerate(prefixes)}, parts


def is_plain(word: str) -> bool:
    """Whether the database too sees *word* as a single word. CJK and later scripts do not separate words."""
    return max(word) < "\u2e80" and all(letter.isalpha() or letter.isdecimal() for letter in word)


def matches(prefixes: Mapping[str, str], params: Mapping[str, Any], *, many: bool = False) -> Composable:
    """Return the conditions of a list: those of FILTERS that have a value, and the words.

    PostgreSQL would plan for the average user, so the plan is given. Usually, the items with the words are
    fetched by id and then sorted. If they are *many*, or the list is that of a setup, items are read in order
    and looked up among them. A condition with IS TRUE is only checked: PostgreSQL neither looks it up in an
    index nor makes it a join.
    """
    filters = SQL(" AND ").join([SQL("true"), *(FILTERS[name] for name in FILTERS if params[name])])
    if not prefixes:
        return filters
    letters = sum(len(word) == 1 for word in prefixes.values())
    words = SQL(" INTERSECT ").join(
        with_word(word, letters).format(prefix=Placeholder(name)) for name, word in prefixes.items()
    )
    among = AMONG_MANY if many or params["setup_id"] is not None else AMONG_FEW
    return among.format(words=words, filters=filters)


def with_word(word: str, letters: int) -> SQL:
    """Return the items with a word. Many words start with a letter, so few single *letters* are prefixes."""
    return WITH_WORD if len(word) == 1 and letters > MOST_LETTERS else WITH_PREFIX


def select(sort: Sort, prefixes: Mapping[str, str], params: Mapping[str, Any], *, many: bool) -> Composed:
    """Return the statement for a page, which starts after the row of the cursor in *params*, if any."""
    order = (ORDERS if params["setup_id"] is None else LINE_ORDERS)[sort]
    words = {
        "figures": OWNED if params["setup_id"] is None else PACKED,
        "in_setup": joined(params),
        "key": order.key,
        "direction": SQL("DESC" if order.descending else "ASC"),
        "matches": matches(prefixes, params, many=many),
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


def filtered(params: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the filters and their values."""
    filters = {*FILTERS, "setup_id"}
    return [(name, params[name]) for name in sorted(params) if name in filters or name.startswith("prefix")]
