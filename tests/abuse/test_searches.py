"""Searches that a few letters could make expensive. Work is counted in rows that PostgreSQL reads."""

from string import ascii_lowercase
from typing import Any

import pytest
from psycopg import AsyncConnection, errors
from psycopg.sql import SQL, Composable, Placeholder

from mcp_server.errors import TimedOut
from mcp_server.services import listing
from tests.factories import make_item

ITEMS = 300
NOTHING: dict[str, Any] = {
    "parts": [],
    "category_id": None,
    "setup_id": None,
    "unweighed": False,
    "enough": listing.ENOUGH,
}


async def fill(conn: AsyncConnection) -> None:
    """Create items that each have a word with every first letter."""
    await conn.execute(
        """
        INSERT INTO items (name, notes)
        SELECT 'Tent ' || number, string_agg(letter || 'x' || number, ' ')
        FROM generate_series(1, %(items)s) AS number, unnest(%(letters)s::text[]) AS letter
        GROUP BY number
        """,
        {"letters": list(ascii_lowercase), "items": ITEMS},
    )
    await conn.execute("ANALYZE item_words")


async def rows_read(conn: AsyncConnection, words: Composable, params: dict[str, Any]) -> int:
    """Return how many rows of item_words a statement reads."""
    explain = SQL("EXPLAIN (ANALYZE, FORMAT JSON) {}").format(words)
    row = await (await conn.execute(explain, params)).fetchone()
    assert row is not None
    return read_in(row[0][0]["Plan"])


def read_in(plan: dict[str, Any]) -> int:
    inner = sum(map(read_in, plan.get("Plans", ())))
    own = plan["Actual Rows"] * plan["Actual Loops"] if plan.get("Relation Name") == "item_words" else 0
    return inner + round(own)


async def test_many_single_letters_are_looked_up_as_words(conn: AsyncConnection) -> None:
    await fill(conn)
    prefixes, parts = listing.read_query(" ".join(ascii_lowercase))
    assert (len(prefixes), parts) == (26, [])
    params = NOTHING | prefixes
    as_prefixes = SQL(" INTERSECT ALL ").join(
        listing.WITH_PREFIX.format(prefix=Placeholder(name)) for name in prefixes
    )
    assert await rows_read(conn, as_prefixes, params) >= 26 * ITEMS
    found = SQL("SELECT FROM items WHERE {}").format(listing.matches(prefixes, params))
    assert await rows_read(conn, found, params) == 0


async def test_the_letters_of_parts_are_looked_up_once_at_most(conn: AsyncConnection) -> None:
    await fill(conn)
    query = " ".join(f"x-{letter}" for letter in ascii_lowercase)
    prefixes, parts = listing.read_query(query)
    assert len(prefixes) == 1
    assert len(parts) == 26
    assert list(listing.read_query(f"tent {query}")[0].values()) == ["tent"]
    params = NOTHING | prefixes | {"parts": parts}
    found = SQL("SELECT FROM items WHERE {}").format(listing.matches(prefixes, params))
    assert await rows_read(conn, found, params) <= 2 * ITEMS


async def test_a_single_letter_still_finds_what_a_person_expects(conn: AsyncConnection) -> None:
    await make_item(conn, "Rain jacket M")
    await make_item(conn, "Rain jacket medium")
    hyphen = await make_item(conn, "Tent X-Mid 2")

    async def found(query: str) -> set[int]:
        return {each.id for each in (await listing.find(conn, query=query)).items}

    assert len(await found("jacket m")) == 2
    assert await found("jacket m r") == await found("jacket m")
    assert await found("x 2 m") == set()
    assert len(await found("m")) == 3
    plus = await make_item(conn, "Mat X 2 M")
    assert await found("x 2 m") == {plus}
    assert await found("x-m") == {hyphen}
    assert await found("tent x-m") == {hyphen}
    assert await found("mid 2") == {hyphen}
    assert await found("mid 3") == set()


async def test_a_search_that_takes_too_long_says_how_to_search(conn: AsyncConnection) -> None:
    notes = " ".join(f"word{number}" for number in range(6000))
    for number in range(20):
        await make_item(conn, f"Tent {number}", notes=notes)
    await conn.execute("SET LOCAL statement_timeout = 1")
    with pytest.raises(
        TimedOut, match=r"query: the search took too long\. Add a word of at least two let"
    ) as caught:
        await listing.find(conn, query=" ".join(f"%{number}" for number in range(40)))
    assert isinstance(caught.value.__cause__, errors.QueryCanceled)
