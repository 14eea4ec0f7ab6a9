"""The words that a search looks up: they are those of the items, whichever way an item was written."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
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
    assert await words(conn) == {tent: ["2p", "green", "mid", "tent", "the", "x", "xmid"]}
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


# Few words, and notes of so many that some have no place in the index.
TEXTS = st.one_of(
    st.lists(st.sampled_from(["tent", "Tent", "red", "2p", "!"]), max_size=5).map(" ".join),
    st.tuples(st.integers(0, 3000), st.integers(1900, 4000)).map(
        lambda span: " ".join(f"w{number}" for number in range(span[0], sum(span)))
    ),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writes=st.lists(st.tuples(st.integers(0, 2), TEXTS, st.booleans()), min_size=2, max_size=8))
async def test_however_items_are_written_their_words_are_the_first_2000(
    pool: Pool, user_id: int, writes: list[tuple[int, str, bool]]
) -> None:
    async with transaction(pool, user_id) as conn:
        items = [await make_item(conn, "Tent pole") for _ in range(3)]
        for which, notes, deletes in writes:
            if deletes:
                await item.delete(conn, items[which])
                items[which] = await make_item(conn, "Tent pole", notes=notes or None)
            else:
                await item.update(conn, items[which], {"notes": notes or None})
            cursor = await conn.execute("""
                SELECT id, array_agg(word ORDER BY word COLLATE "C")
                FROM items, words_of(concat_ws(' ', name, notes)) AS word
                GROUP BY id
            """)
            assert await words(conn) == dict(await cursor.fetchall())
            assert all(len(each) <= 2000 for each in (await words(conn)).values())
        await conn.rollback()


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)


# Values of the row that a trigger runs for, as parameters of a prepared statement.
VALUES = {
    "NEW.user_id": "$1",
    "NEW.id": "$2",
    "OLD.name": "$3",
    "OLD.notes": "$3",
    "NEW.name": "$4",
    "NEW.notes": "$4",
}


@pytest.mark.parametrize("analysed", [False, True])
@pytest.mark.parametrize("function", ["change_words", "remove_words"])
def test_triggers_look_each_word_up_by_the_whole_key(url: str, function: str, analysed: bool) -> None:
    with psycopg.connect(url) as conn:
        conn.execute("INSERT INTO users (id, username) VALUES (1, 'ada')")
        conn.execute("CREATE TEMPORARY TABLE gone (user_id bigint, id bigint, name text, notes text)")
        conn.execute("GRANT ALL ON gone TO gearshed_app")
        conn.execute("""
            INSERT INTO item_words (user_id, word, item_id)
            SELECT 1, 'word ' || number % 500, number FROM generate_series(1, 50000) AS number
        """)
        if analysed:
            conn.execute("ANALYZE item_words")
        conn.execute(
            "SELECT set_config('role', 'gearshed_app', true), set_config('gearshed.user_id', '1', true)"
        )
        (body,) = conn.execute(
            "SELECT prosrc FROM pg_proc WHERE proname = %(name)s", {"name": function}
        ).fetchone() or ("",)
        statement = re.findall(r"DELETE FROM item_words[^;]+", body)[0]
        for value, parameter in VALUES.items():
            statement = statement.replace(value, parameter)
        types = b"(bigint, bigint, text, text)" if "$" in statement else b""
        conn.execute(b"PREPARE trigger_statement" + types + b" AS " + statement.encode())
        conn.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        execute = b"EXPLAIN (FORMAT JSON) EXECUTE trigger_statement"
        (plans,) = conn.execute(execute + (b"(1, 1, 'a', 'b')" if types else b"")).fetchone() or ([],)
    scans = [node for node in nodes(plans[0]["Plan"]) if node.get("Relation Name") == "item_words"]
    kinds = {node["Node Type"].replace("Only ", "") for node in scans}
    assert kinds == {"Index Scan", "ModifyTable", "Tid Scan"}
    (lookup,) = [node for node in scans if "Index Cond" in node]
    assert all(column in lookup["Index Cond"] for column in ("user_id", "word", "item_id"))
    assert "Filter" not in lookup
