"""Pages, searches and totals of users with many items beside those of one with few, among a million items."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import psycopg

from db import migrations
from db.embedded import Embedded
from db.pool import Pool, create_pool, transaction
from mcp_server.models.item import Sort
from mcp_server.models.setup import NewLine
from mcp_server.services import listing, setup, totals
from scripts.bench.figures import Figure
from scripts.bench.rig import Rig, Service, medians, serve, timed
from scripts.databases import empty_database

ROUNDS, ROUNDS_OF_TOTALS = 100, 10
# The number of items of each user that is compared, all in a table with the items of others.
SIZES = (100, 10_000, 100_000)
IN_TABLE = 1_000_000
# A user's items. There are twenty of each model, however many items there are. They take turns in the user's
# categories, if there are twenty.
ITEMS = """
    INSERT INTO items (user_id, category_id, name, notes, weight_grams, price_cents, created_at, updated_at)
    SELECT
        %(user_id)s,
        (SELECT min(id) FROM categories WHERE user_id = %(user_id)s) + mod(n, 20),
        concat_ws(
            ' ',
            (array['Alpine', 'Carbon', 'Down', 'Light', 'Merino', 'Storm', 'Trail'])[1 + mod(n, 7)],
            (array['Filter', 'Jacket', 'Lamp', 'Mat', 'Pot', 'Quilt', 'Sack', 'Tarp', 'Tent'])[1 + mod(n, 9)],
            'mk' || lpad(mod(n, %(size)s / 20)::text, 5, '0')
        ),
        (array['bought used', 'a gift', 'needs repair', NULL])[1 + mod(n, 4)],
        nullif(mod(n * 7919::bigint, 30000), 0) / 10.0,
        nullif(mod(n * 104729::bigint, 50000), 0),
        now() - n * interval '1 minute',
        now() - mod(n * 7919::bigint, 100000) * interval '1 minute'
    FROM generate_series(1, %(size)s) AS n
"""


class Case(NamedTuple):
    """The same work for each of the users in SIZES."""

    what: str
    services: Sequence[Service]
    n: int = ROUNDS
    ratio_goal: float | None = 2


async def measure(rig: Rig) -> list[Figure]:
    with Embedded(rig.folder) as server, empty_database(server.url) as url:
        migrations.upgrade(url)
        fill(url)
        async with create_pool(url) as pool:
            figures = [await compare_setups(pool)]
            for case in await cases(pool):
                figures += await compare(pool, case)
            return figures


def fill(url: str) -> None:
    """Give users 1, 2 and 3 as many items as SIZES lists, and others the rest of a million, 1,000 each."""
    with psycopg.connect(url, autocommit=True) as conn:
        for user_id, size in enumerate([*SIZES, *[1000] * ((IN_TABLE - sum(SIZES)) // 1000)], 1):
            conn.execute("INSERT INTO users (username) VALUES (%(user_id)s::text)", {"user_id": user_id})
            conn.execute(ITEMS, {"user_id": user_id, "size": size})
        conn.execute("VACUUM ANALYZE")


async def cases(pool: Pool) -> list[Case]:
    """Return pages of searches, first and deep pages in each order, and totals."""
    page = partial(listing.find, limit=20)
    result = [
        Case("search, 20 found", [partial(page, query="mk00003")] * 3),
        Case("search, every ninth found", [partial(page, query="tent")] * 3),
    ]
    for sort in listing.ORDERS:
        cursors = [await deep_cursor(pool, user_id, sort) for user_id in range(1, 4)]
        result += [
            Case(f"by {sort}, first page", [partial(page, sort=sort)] * 3),
            Case(f"by {sort}, deep page", [partial(page, sort=sort, cursor=cursor) for cursor in cursors]),
        ]
    return [*result, Case("get_totals", [totals.summarize] * 3, n=ROUNDS_OF_TOTALS, ratio_goal=None)]


async def deep_cursor(pool: Pool, user_id: int, sort: Sort) -> str:
    """Return the cursor of the page that follows seven tenths of a user's items."""
    cursor = ""
    async with transaction(pool, user_id, read_only=True) as conn:
        ahead = SIZES[user_id - 1] * 7 // 10
        while ahead > 0:
            page = await listing.find(conn, sort=sort, limit=min(ahead, 500), cursor=cursor)
            ahead, cursor = ahead - len(page.items), page.next_cursor or ""
    return cursor


async def compare(pool: Pool, case: Case) -> list[Figure]:
    """Time *case* for all users in turns, and put the others beside the one with the fewest items."""
    rounds = [
        [
            await timed(partial(serve, pool, user_id, service))
            for user_id, service in enumerate(case.services, 1)
        ]
        for _ in range(1 + case.n)
    ]
    few, *more = medians(rounds)
    return [
        Figure(
            f"{case.what}, {size:,}", value, few, f"of {SIZES[0]} items", case.n, ratio_goal=case.ratio_goal
        )
        for size, value in zip(SIZES[1:], more, strict=True)
    ]


async def compare_setups(pool: Pool) -> Figure:
    """Time a setup of 200 lines beside one of 20."""
    async with transaction(pool, 3) as conn:
        lines: list[NewLine] = [{"item_id": row.id} for row in (await listing.find(conn, limit=200)).items]
        made = [await setup.create(conn, f"{n} lines", lines[:n]) for n in (20, 200)]
    rounds = [
        [await timed(partial(serve, pool, 3, partial(setup.get, setup_id=one.id))) for one in made]
        for _ in range(1 + ROUNDS)
    ]
    few, many = medians(rounds)
    return Figure("get_setup, 200 lines", many, few, "20 lines", ROUNDS)
