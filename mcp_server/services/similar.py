"""Similar names: whether something that is created exists already under nearly the same name.

Two names are similar if they are the same without case, spaces, punctuation and the s of a plural, as `Tent
pegs` and `tent-peg`. They must also have their longest word in common, up to that s: by this word, an index
finds the items to compare.
"""

from collections.abc import Sequence
from typing import Literal

from psycopg import AsyncConnection
from psycopg.sql import SQL

from db.query import fetch_all
from mcp_server.models.item import Similar

# A name without spaces, punctuation and the s of a plural.
ALIKE = SQL("regexp_replace({name}, '(s\\M|[^[:alnum:]]+)', '', 'g')")
# Items that are compared, for one word and in all, and similar ones that a result names.
MOST_OF_WORD, MOST_COMPARED = 2_000, 20_000
MOST_SHOWN = 20
MOST_IDS = 10
TABLES = {"setup": SQL("setups"), "thread": SQL("threads")}


async def to_items(conn: AsyncConnection, names: Sequence[str]) -> list[Similar]:
    """Return an item for each of the *names* that has a similar one. Call it before the items are created."""
    query = SQL("""
        WITH wanted AS MATERIALIZED (
            SELECT at - 1 AS row, lower(name) AS name, {wanted_key} AS key
            FROM unnest(%(names)s::text[]) WITH ORDINALITY AS given (name, at)
        ), longest AS (
            SELECT DISTINCT regexp_replace(longest.word, 's$', '') AS word
            FROM wanted
            CROSS JOIN LATERAL (
                SELECT word
                FROM words_of(translate(wanted.name, '-‐', '  ')) AS word
                ORDER BY length(word) DESC, word
                LIMIT 1
            ) AS longest
        ), compared AS MATERIALIZED (
            SELECT items.id, items.name, {item_key} AS key
            FROM items
            WHERE items.id = ANY (ARRAY(
                SELECT same.id
                FROM wanted
                CROSS JOIN LATERAL (
                    SELECT items.id FROM items WHERE items.sort_name = wanted.name ORDER BY items.id LIMIT 1
                ) AS same
                UNION ALL
                (
                    SELECT near.item_id
                    FROM longest
                    CROSS JOIN LATERAL (
                        SELECT item_words.item_id
                        FROM item_words
                        WHERE item_words.word = ANY (ARRAY[longest.word, longest.word || 's'])
                        LIMIT %(most_of_word)s
                    ) AS near
                    LIMIT %(most)s
                )
            ))
        )
        SELECT DISTINCT ON (wanted.row) wanted.row, compared.id, compared.name
        FROM wanted
        JOIN compared ON compared.key = wanted.key
        WHERE wanted.key <> ''
        ORDER BY wanted.row, compared.id
    """).format(
        wanted_key=ALIKE.format(name=SQL("lower(name)")), item_key=ALIKE.format(name=SQL("items.sort_name"))
    )
    params = {"names": list(names), "most_of_word": MOST_OF_WORD, "most": MOST_COMPARED}
    return await fetch_all(conn, Similar, query, params)


async def named(conn: AsyncConnection, noun: Literal["setup", "thread"], name: str) -> tuple[int, ...]:
    """Return the ids of the first setups or threads with a name, ignoring case."""
    query = SQL("SELECT id FROM {table} WHERE lower(name) = lower(%(name)s) ORDER BY id LIMIT %(most)s")
    cursor = await conn.execute(query.format(table=TABLES[noun]), {"name": name, "most": MOST_IDS})
    return tuple([row_id for (row_id,) in await cursor.fetchall()])
