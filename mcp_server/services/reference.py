"""References: the row that a caller names by its id, its name, or words that only it has."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from psycopg import AsyncConnection
from psycopg.sql import SQL, Composed

from db.query import fetch_all, fetch_value
from mcp_server.errors import MOST_COMPARED, Conflict, NotFound, did_you_mean, no_such, plural, quoted
from mcp_server.models.fields import WHOLE, Row, to_id
from mcp_server.services import nearest, search

Noun: TypeAlias = Literal["item", "category", "setup", "thread", "candidate"]
# Rows that a conflict lists.
MOST_LISTED = 10
TABLES: dict[Noun, SQL] = {
    "item": SQL("items"),
    "category": SQL("categories"),
    "setup": SQL("setups"),
    "thread": SQL("threads"),
    "candidate": SQL("candidates"),
}
WITHOUT_CATEGORY = SQL("NULL::text")
ITS_CATEGORY = SQL("(SELECT categories.name FROM categories WHERE categories.id = one.category_id)")
# Hints for a row that does not exist.
HINTS: dict[Noun, str] = {
    "item": "Call list_items to find its id.",
    "category": "Call list_categories to see all of them, or create_category to add one.",
    "setup": "Call list_setups to see all of them.",
    "thread": "Call list_threads to see all of them.",
    "candidate": "Call get_thread to find its id.",
}


class Hit(Row):
    """A row that a name may mean. Of several, only those with the lowest *tier* are meant."""

    id: int
    name: str
    category: str | None
    tier: int


async def resolve(
    conn: AsyncConnection, noun: Noun, reference: str | int, *, within: int | None = None
) -> int:
    """Return the id of the row that *reference* means. An id is not looked up.

    A name means the row with exactly this name, ignoring case, else the only one that a search finds.
    Candidates are searched *within* a thread, items within a setup, if one is given. Raise Conflict if
    several rows match, and NotFound if none does.
    """
    row_id = await find(conn, noun, reference, within=within)
    if row_id is None:
        raise await unknown(conn, noun, reference, within=within)
    return row_id


async def existing(conn: AsyncConnection, noun: Noun, reference: str | int) -> int:
    """Return the id like `resolve`. Raise NotFound for an id that does not exist, too."""
    row_id = await find_existing(conn, noun, reference)
    if row_id is None:
        raise await unknown(conn, noun, reference)
    return row_id


async def find_existing(conn: AsyncConnection, noun: Noun, reference: str | int) -> int | None:
    """Return the id like `existing`, or None if no row matches."""
    row_id = await find(conn, noun, reference)
    query = SQL("SELECT id FROM {table} WHERE id = %(id)s").format(table=TABLES[noun])
    return None if row_id is None else await fetch_value(conn, query, {"id": row_id})


async def find(
    conn: AsyncConnection, noun: Noun, reference: str | int, *, within: int | None = None
) -> int | None:
    """Return the id like `resolve`, or None if no row matches."""
    if isinstance(reference, int):
        return reference
    name = reference.strip()
    hits = await called(conn, noun, name, within)
    if not hits and WHOLE.fullmatch(name):
        return to_id(name)
    hits = hits or (await found(conn, noun, name, within) if name else [])
    best = [hit for hit in hits if hit.tier == hits[0].tier]
    if len(best) > 1:
        raise several(noun, reference, best)
    return best[0].id if best else None


async def resolve_all(
    conn: AsyncConnection, noun: Noun, references: Sequence[str | int], *, within: int | None = None
) -> list[int]:
    """Return the ids of the rows that *references* mean, in the same order.

    Exact names and ids in texts are looked up in one statement, and a search runs only for other words.
    """
    has_texts = any(isinstance(each, str) for each in references)
    known = await exact(conn, noun, references, within=within) if has_texts else {}
    return [
        known[at] if at in known else await resolve(conn, noun, each, within=within)
        for at, each in enumerate(references)
    ]


async def exact(
    conn: AsyncConnection, noun: Noun, references: Sequence[str | int], *, within: int | None = None
) -> dict[int, int]:
    """Return the ids of the rows with exactly these names or ids, by the places of *references*.

    A name that several rows have is left out.
    """
    texts = [each.strip() if isinstance(each, str) else None for each in references]
    query = SQL("""
        SELECT wanted.at - 1, coalesce(named.id, numbered.id)
        FROM unnest(%(names)s::text[], %(ids)s::bigint[]) WITH ORDINALITY AS wanted (name, id, at)
        CROSS JOIN LATERAL (
            SELECT min(id) AS id, count(*) AS rows
            FROM (
                SELECT one.id FROM {table} AS one WHERE {its_name} = lower(wanted.name) AND {within} LIMIT 2
            ) AS first
        ) AS named
        LEFT JOIN {table} AS numbered ON numbered.id = wanted.id
        WHERE named.rows = 1 OR named.rows = 0 AND numbered.id IS NOT NULL
    """).format(table=TABLES[noun], its_name=name_of(noun), within=is_within(noun, within))
    ids = [to_id(each) if WHOLE.fullmatch(str(each).strip()) else None for each in references]
    cursor = await conn.execute(query, {"names": texts, "ids": ids, "within": within})
    return {at: row_id async for at, row_id in cursor}


def name_of(noun: Noun) -> SQL:
    """Return the name as it is compared, which for items has an index."""
    return SQL("one.sort_name" if noun == "item" else "lower(one.name)")


async def called(conn: AsyncConnection, noun: Noun, name: str, within: int | None) -> list[Hit]:
    """Return the rows with exactly this name, ignoring case."""
    is_called = SQL("{} = lower(%(name)s)").format(name_of(noun))
    query = hits(noun, SQL("0"), is_called, within)
    params = {"name": name, "within": within, "limit": MOST_LISTED + 1}
    return await fetch_all(conn, Hit, query, params)


async def found(conn: AsyncConnection, noun: Noun, name: str, within: int | None) -> list[Hit]:
    """Return the rows that a search for *name* finds: those whose name it matches, else any."""
    wanted = search.read_query(name)
    in_name = search.in_name(wanted, SQL("one.name"))
    tier = SQL("""
        CASE WHEN folded(one.name) = folded(%(name)s) THEN 1 WHEN {in_name} THEN 2 ELSE 3 END
    """).format(in_name=in_name)
    matching: SQL | Composed = in_name
    if noun == "item" and wanted.bits:
        matching = SQL("one.id = ANY (ARRAY({words})) AND ({texts}) IS TRUE").format(
            words=search.with_words(wanted), texts=search.in_texts(SQL("one"))
        )
    elif noun == "item":
        matching = search.in_texts(SQL("one"))
    query = hits(noun, tier, matching, within)
    params = {**wanted.params(), "name": name, "within": within, "limit": MOST_LISTED + 1}
    return await fetch_all(conn, Hit, query, params)


def hits(noun: Noun, tier: SQL | Composed, matching: SQL | Composed, within: int | None) -> Composed:
    """Return the statement that selects the first matching rows, the lowest tier first."""
    return SQL("""
        SELECT one.id, one.name, {category} AS category, {tier} AS tier
        FROM {table} AS one
        WHERE {matching} AND {within}
        ORDER BY tier, lower(one.name), one.id
        LIMIT %(limit)s
    """).format(
        category=ITS_CATEGORY if noun in ("item", "candidate", "thread") else WITHOUT_CATEGORY,
        tier=tier,
        table=TABLES[noun],
        matching=matching,
        within=is_within(noun, within),
    )


def is_within(noun: Noun, within: int | None) -> SQL:
    return SQL("true") if within is None else WITHIN[noun]


WITHIN: dict[Noun, SQL] = {
    "candidate": SQL("one.thread_id = %(within)s"),
    "item": SQL(
        "EXISTS (SELECT FROM setup_items WHERE setup_items.setup_id = %(within)s"
        " AND setup_items.item_id = one.id)"
    ),
}


# How an error names what a row was looked for in, and its hint.
WHERE: dict[Noun, tuple[str, str]] = {
    "candidate": (" in this thread", "Call get_thread to find its id."),
    "item": (" in this setup", "Call get_setup to see its lines."),
}


def several(noun: Noun, reference: str, hits: Sequence[Hit]) -> Conflict:
    listed = [
        f"{hit.id} {quoted(hit.name)}" + (f" in {quoted(hit.category)}" if hit.category else "")
        for hit in hits[:MOST_LISTED]
    ]
    more = ", and more" if len(hits) > MOST_LISTED else ""
    return Conflict(
        f"Several {plural(noun)} match {quoted(reference)}: {', '.join(listed)}{more}. Use an id."
    )


async def unknown(
    conn: AsyncConnection, noun: Noun, reference: str | int, *, within: int | None = None
) -> NotFound:
    """Return the error for a row that does not exist, with the nearest names."""
    if noun != "category" and (isinstance(reference, int) or WHOLE.fullmatch(reference.strip())):
        return no_such(noun, to_id(reference))
    names = await near_items(conn, str(reference), within) if noun == "item" else []
    if names:
        hint = f" Did you mean {' or '.join(map(quoted, names))}?"
    else:
        hint = did_you_mean(str(reference), await first_names(conn, noun, within))
    where, what_next = ("", HINTS[noun]) if within is None else WHERE[noun]
    return NotFound(f"No {noun} {quoted(reference)}{where}.{hint} {what_next}")


async def near_items(conn: AsyncConnection, name: str, within: int | None) -> list[str]:
    """Return the names of two items that the nearest words find."""
    names: dict[str, None] = {}
    for query in await nearest.queries(conn, name):
        names |= dict.fromkeys(hit.name for hit in await found(conn, "item", query, within))
    return [*names][:2]


async def first_names(conn: AsyncConnection, noun: Noun, within: int | None) -> list[str]:
    query = SQL("""
        SELECT one.name FROM {table} AS one WHERE {within} ORDER BY lower(one.name), one.id LIMIT {most}
    """).format(table=TABLES[noun], within=is_within(noun, within), most=MOST_COMPARED)
    rows = await conn.execute(query, {"within": within})
    return [name for (name,) in await rows.fetchall()]
