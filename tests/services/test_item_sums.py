"""The sums of items that triggers keep: equal to the plain sums after every write."""

import asyncio
from typing import Any

import psycopg

from db.pool import Pool, transaction
from mcp_server.accounts import auth
from mcp_server.services import item
from tests import sums
from tests.factories import make_category

ROWS = "SELECT count(*) FROM item_sums"


async def checked(pool: Pool, user_id: int) -> list[Any]:
    async with transaction(pool, user_id) as conn:
        kept = await sums.kept(conn)
        assert kept == await sums.plain(conn)
        return kept


async def test_sums_follow_every_kind_of_write(pool: Pool, user_id: int) -> None:
    async with transaction(pool, user_id) as conn:
        ids = {"tents": await make_category(conn, "Tents"), "food": await make_category(conn, "Food")}
    statements = (
        "INSERT INTO items (name, category_id, weight_grams, quantity) VALUES ('a', %(tents)s, 0.1, 3)",
        "INSERT INTO items (name, category_id, price_cents) SELECT 'b', %(food)s, generate_series(1, 9)",
        "INSERT INTO items (name) VALUES ('c'), ('d')",
        "UPDATE items SET weight_grams = 0.2, price_cents = NULL WHERE name = 'a'",
        "UPDATE items SET name = 'e' WHERE name = 'd'",
        "UPDATE items SET category_id = %(tents)s",
        "UPDATE items SET category_id = NULL WHERE price_cents > 3",
        "UPDATE items SET category_id = NULL WHERE category_id = %(food)s",
        "DELETE FROM categories WHERE id = %(food)s",
        "DELETE FROM items WHERE price_cents > 5",
        "DELETE FROM items",
    )
    for statement in statements:
        async with transaction(pool, user_id) as conn:
            await conn.execute(statement, ids)
        await checked(pool, user_id)


async def test_a_write_that_is_rolled_back_and_another_user_change_nothing(
    pool: Pool, user_id: int, other_user_id: int
) -> None:
    async with transaction(pool, user_id) as conn:
        await item.create(conn, {"name": "Tent", "weight": 1})
    before = await checked(pool, user_id)
    async with transaction(pool, other_user_id) as conn:
        await item.create(conn, {"name": "Stove", "weight": 2})
    async with transaction(pool, user_id) as conn:
        await item.create(conn, {"name": "Lost", "weight": 4})
        await conn.rollback()
    assert await checked(pool, user_id) == before
    assert await checked(pool, other_user_id) != before


async def test_an_update_that_changes_no_sum_adds_no_row(pool: Pool, user_id: int) -> None:
    async with transaction(pool, user_id) as conn:
        await item.create(conn, {"name": "Tent", "weight": 1})
        cursor = await conn.execute(ROWS)
        before = await cursor.fetchone()
        await conn.execute("SELECT setseed(0.5)")
        await conn.execute("UPDATE items SET name = 'Tarp'")
        assert await (await conn.execute(ROWS)).fetchone() == before


async def test_many_writes_leave_few_rows(pool: Pool, user_id: int) -> None:
    async with transaction(pool, user_id) as conn:
        created = await item.create(conn, {"name": "Tent", "weight": 1})
        await conn.execute("SELECT setseed(0.5)")
        for weight in range(1500):
            query = "UPDATE items SET weight_grams = %(weight)s WHERE id = %(id)s"
            await conn.execute(query, {"weight": weight, "id": created.id})
        (rows,) = await (await conn.execute(ROWS)).fetchone() or (0,)
        assert rows < 500
    await checked(pool, user_id)


async def test_concurrent_writes_do_not_wait_for_each_other(pool: Pool, user_id: int) -> None:
    async with transaction(pool, user_id) as conn:
        await item.create(conn, {"name": "Tent", "weight": 1})
    async with transaction(pool, user_id) as first, asyncio.timeout(5):
        await item.create(first, {"name": "Stove", "weight": 2})

        async def write(number: int) -> None:
            async with transaction(pool, user_id) as conn:
                for each in range(60):
                    await item.create(conn, {"name": f"Peg {number} {each}", "weight": each})

        await asyncio.gather(*map(write, range(3)))
    (sum_of_all,) = await checked(pool, user_id)
    assert sum_of_all[1] == 182


async def test_a_deleted_user_leaves_no_sums(pool: Pool, user_id: int, url: str) -> None:
    async with transaction(pool, user_id) as conn:
        await item.create(conn, {"name": "Tent", "weight": 1})
    async with pool.connection() as conn:
        await auth.remove_user(conn, user_id)
    with psycopg.connect(url) as owner:
        assert owner.execute(ROWS).fetchone() == (0,)
