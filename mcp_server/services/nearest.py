"""The nearest words: what a query that finds nothing may have meant."""

import re
from collections.abc import Iterable, Sequence

from psycopg import AsyncConnection
from psycopg.sql import SQL

from db.query import fetch_all
from mcp_server.models.fields import Row
from mcp_server.services import search
from mcp_server.services.search import WANTED, read_query

# Queries that are suggested.
MOST_SUGGESTED = 3
# A shorter word is near to too many others.
LEAST_LETTERS = 3
# Words with at least this many letters may have two wrong ones.
LEAST_OF_TWO = 6
# Rows of words that are read: first those with the same first letter, then any.
MOST_READ = 150_000


class Unknown(Row):
    """A word that no item has, as it is written and as it is stored."""

    written: str
    folded: str


async def queries(conn: AsyncConnection, query: str) -> list[str]:
    """Return *query* with the nearest words of the person's own items in place of those that none has."""
    unknown = await unknown_words(conn, query)
    if any(len(word.folded) < LEAST_LETTERS for word in unknown):
        return []
    near = {word.written: await nearest(conn, word.folded) for word in unknown}
    if not near or not all(near.values()):
        return []
    if len(near) > 1:
        near = {written: found[:1] for written, found in near.items()}
    suggested: list[str] = []
    for choice in range(max(map(len, near.values()))):
        better = query
        for written, found in near.items():
            better = re.sub(rf"(?<!\w){re.escape(written)}(?!\w)", found[choice], better)
        suggested.append(better)
    return suggested


async def unknown_words(conn: AsyncConnection, query: str) -> list[Unknown]:
    """Return the words of *query* that no item has, not even as a prefix."""
    wanted = read_query(query)
    words = {bit: word for word, bit in wanted.words.items() if search.is_plain(word)}
    statement = SQL("""
        WITH wanted AS ({wanted}), found AS (
            SELECT bit_or(wanted.bits) AS bits
            FROM wanted
            WHERE EXISTS (
                SELECT FROM item_words WHERE item_words.word >= wanted.low AND item_words.word < wanted.high
            ) OR EXISTS (
                SELECT
                FROM category_words
                WHERE category_words.word >= wanted.low AND category_words.word < wanted.high
            )
        )
        SELECT word AS written, folded(word) AS folded
        FROM unnest(%(bits)s::bigint[], %(words)s::text[]) AS written (bits, word), found
        WHERE found.bits IS NULL OR written.bits & found.bits = 0
        LIMIT %(most)s
    """).format(wanted=WANTED)
    params = {**wanted.params(), "bits": [*words], "words": [*words.values()], "most": MOST_SUGGESTED}
    return await fetch_all(conn, Unknown, statement, params)


async def nearest(conn: AsyncConnection, word: str) -> list[str]:
    """Return the stored words with the smallest edit distance to *word*, if it is small enough."""
    most = 2 if len(word) >= LEAST_OF_TWO else 1
    cursor = await conn.execute(
        """
        SELECT DISTINCT word
        FROM (
            (
                SELECT word
                FROM item_words
                WHERE word >= left(%(word)s, 1) AND word < left(%(word)s, 1) || U&'\\+10FFFF'
                ORDER BY word
                LIMIT %(most_read)s
            )
            UNION ALL
            (SELECT word FROM item_words ORDER BY word LIMIT %(most_read)s)
            UNION ALL
            SELECT word FROM category_words
        ) AS known
        WHERE length(word) BETWEEN length(%(word)s) - %(most)s AND length(%(word)s) + %(most)s
        """,
        {"word": word, "most": most, "most_read": MOST_READ},
    )
    return closest(word, [known for (known,) in await cursor.fetchall()], most)


def closest(word: str, known: Iterable[str], most: int) -> list[str]:
    """Return the first of the *known* words with the smallest edit distance to *word*, at *most* this one."""
    letters = set(word)
    near: dict[int, list[str]] = {}
    for other in known:
        # Each edit adds or removes at most two of the letters that only one of them has.
        if len(letters ^ set(other)) <= 2 * most:
            distance = edits(word, other, most)
            if distance <= most:
                near.setdefault(distance, []).append(other)
    first = sorted(near[min(near)], key=lambda other: (other[:1] != word[:1], other)) if near else []
    return first[:MOST_SUGGESTED]


def edits(first: str, second: str, most: int) -> int:
    """Return how many letters to insert, delete, replace or swap with the next. Stop above *most*."""
    before: Sequence[int] = ()
    row: Sequence[int] = range(len(second) + 1)
    for i, letter in enumerate(first, 1):
        earlier, before, new = before, row, [i]
        for j, other in enumerate(second, 1):
            cost = min(before[j] + 1, new[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == second[j - 2] and first[i - 2] == other:
                cost = min(cost, earlier[j - 2] + 1)
            new.append(cost)
        if min(new) > most and min(before) > most:
            return most + 1
        row = new
    return row[-1]
