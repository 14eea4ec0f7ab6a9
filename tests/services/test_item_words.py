"""The words that a search looks up: they are those of the items, whichever way an item was written."""

from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection

from db import migrations
from db.pool import Pool, create_pool, transaction
from mcp_server.accounts import auth
from mcp_server.services import category, item, listing
from tests.factories import make_category, make_item


async def words(conn: AsyncConnection) -> dict[int, list[str]]:
    cursor = await conn.execute(
        "SELECT item_id, array_agg(word ORDER BY word) FROM item_words GROUP BY item_id"
    )
    return dict(await cursor.fetchall())


async def versions(conn: AsyncConnection) -> dict[str, Any]:
    """Which row each word is: a word that is written again is another row."""
    cursor = await conn.execute("SELECT word, ctid::text || xmin::text FROM item_words")
    return dict(await cursor.fetchall())


async def test_each_word_of_name_and_notes_is_kept_once_in_lower_case(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Tent X-Mid", notes="the tent, (green)\n2p\t")
    nothing = await make_item(conn, "!")
    assert await words(conn) == {tent: ["2p", "green", "mid", "tent", "the", "x"]}
    assert nothing not in await words(conn)


async def test_a_change_keeps_the_words_that_stay(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Green tent", notes="gift")
    before = await versions(conn)
    await item.update(conn, tent, {"name": "TENT red"})
    assert await words(conn) == {tent: ["gift", "red", "tent"]}
    after = await versions(conn)
    assert {word: after[word] for word in ("gift", "tent")} == {
        word: before[word] for word in ("gift", "tent")
    }
    await item.update(conn, tent, {"notes": None})
    assert await words(conn) == {tent: ["red", "tent"]}


async def test_a_change_of_anything_else_writes_no_words(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Tent", notes="gift")
    before = await versions(conn)
    await item.update(conn, tent, {"weight": 5.0, "quantity": 3})
    await item.update(conn, tent, {"name": "Tent", "notes": "gift"})
    assert await versions(conn) == before


async def test_an_item_that_is_inserted_again_with_its_id_has_its_words_again(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Tent", notes="gift")
    await item.delete(conn, tent)
    assert await words(conn) == {}
    await conn.execute("INSERT INTO items (id, name) VALUES (%(id)s, 'Tarp')", {"id": tent})
    assert await words(conn) == {tent: ["tarp"]}


async def test_copied_items_have_their_words(pool: Pool, user_id: int) -> None:
    """PostgreSQL copies into a table with row security only for those whom it does not bind."""
    async with pool.connection() as conn:
        async with conn.cursor().copy("COPY items (user_id, name) FROM STDIN") as copy:
            for number in range(3):
                await copy.write_row((user_id, f"Peg {number}"))
        assert sorted((await words(conn)).values()) == [[str(number), "peg"] for number in range(3)]


async def test_an_item_keeps_its_words_when_its_category_is_deleted(conn: AsyncConnection) -> None:
    shelter = await make_category(conn, "Shelter")
    tent = await make_item(conn, "Tent", category="Shelter")
    await conn.execute("DELETE FROM categories WHERE id = %(id)s", {"id": shelter})
    assert await words(conn) == {tent: ["tent"]}
    moved = await make_category(conn, "Shelter")
    await item.update(conn, tent, {"category": "Shelter"})
    await category.delete(conn, moved, None)
    assert await words(conn) == {tent: ["tent"]}


async def test_a_user_who_is_removed_leaves_no_words(owner_url: str) -> None:
    migrations.upgrade(owner_url)
    async with create_pool(owner_url) as pool:
        async with pool.connection() as conn:
            leaving, staying = (
                await auth.ensure_user(conn, "leaving"),
                await auth.ensure_user(conn, "staying"),
            )
        for user in (leaving, staying):
            async with transaction(pool, user) as conn:
                await make_item(conn, "Tent")
        async with pool.connection() as conn:
            assert [user.items for user in await auth.list_users(conn)] == [1, 1]
            await auth.remove_user(conn, leaving)
        async with transaction(pool, staying) as conn:
            assert list((await words(conn)).values()) == [["tent"]]
    with psycopg.connect(owner_url) as conn:
        conn.execute("ALTER TABLE item_words NO FORCE ROW LEVEL SECURITY")
        assert conn.execute("SELECT user_id, word FROM item_words").fetchall() == [(staying, "tent")]


async def test_another_user_finds_none_of_them(pool: Pool, user_id: int, other_user_id: int) -> None:
    async with transaction(pool, user_id) as conn:
        await make_item(conn, "Tent")
    async with transaction(pool, other_user_id) as conn:
        assert await words(conn) == {}
        assert (await listing.find(conn, query="tent")).total == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await conn.execute(
                "INSERT INTO item_words (user_id, item_id, word) VALUES (%(user_id)s, 1, 'x')",
                {"user_id": user_id},
            )
