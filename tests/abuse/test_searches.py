"""Searches that a few letters could make expensive. Work is counted in rows that PostgreSQL reads."""

from string import ascii_lowercase
from typing import Any

import pytest
from psycopg import AsyncConnection, errors
from psycopg.sql import SQL, Composable

from mcp_server.errors import InvalidInput, TimedOut
from mcp_server.services import listing, search
from tests.factories import make_item

ITEMS = 300
NOTHING: dict[str, Any] = {
    "parts": [],
    "close": [],
    "category_id": None,
    "setup_id": None,
    "unweighed": False,
    "unpriced": False,
    "unused": False,
    "classification": None,
    "min_weight": None,
    "max_weight": None,
    "ids": [],
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
    wanted = search.read_query(" ".join(ascii_lowercase))
    assert (len(wanted.words), wanted.parts) == (26, ())
    as_prefixes = wanted._replace(lookups=tuple(each._replace(whole=False) for each in wanted.lookups))
    assert await rows_read(conn, search.HITS, NOTHING | as_prefixes.params()) >= 26 * ITEMS
    params = NOTHING | wanted.params()
    found = SQL("SELECT FROM items WHERE {}").format(listing.matches(wanted, params))
    assert await rows_read(conn, found, params) == 0


async def test_the_letters_of_words_with_hyphens_are_looked_up_once_at_most(conn: AsyncConnection) -> None:
    await fill(conn)
    query = " ".join(f"x-{letter}" for letter in ascii_lowercase)
    wanted = search.read_query(query)
    assert len(wanted.words) == len(wanted.close) == 26
    params = NOTHING | wanted.params()
    found = SQL("SELECT FROM items WHERE {}").format(listing.matches(wanted, params))
    assert await rows_read(conn, found, params) <= 2 * ITEMS


async def test_more_words_than_a_number_has_bits_are_refused(conn: AsyncConnection) -> None:
    words = [f"{first}{second}" for first in "abc" for second in ascii_lowercase]
    await listing.find(conn, query=" ".join(words[:60]))
    with pytest.raises(InvalidInput, match=r"query: has more than 60 words\. Use fewer\."):
        await listing.find(conn, query=" ".join(words[:61]))


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
