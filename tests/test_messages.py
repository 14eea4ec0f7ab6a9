"""Reads as single messages, and writes in few: what PostgreSQL receives, and what callers see."""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, LiteralString, cast

import pytest
from psycopg import errors
from psycopg.sql import SQL
from psycopg.types.json import Jsonb

from db import messages
from db.messages import Connection
from db.pool import Pool, reading, settings, transaction, writing
from db.query import fetch_value
from mcp_server.models.change import Author
from mcp_server.services import category, change, item, listing, summary
from tests.factories import make_item

Sent = Callable[[], list[str]]


@pytest.fixture
async def conn(pool: Pool, user_id: int) -> AsyncGenerator[Connection]:
    async with reading(pool, user_id) as conn:
        assert isinstance(conn, Connection)
        if conn.prepare_threshold is None:
            pytest.skip("Behind a pooler, reads are transactions.")
        yield conn


@pytest.fixture
def sent(conn: Connection, tmp_path: Path) -> Generator[Sent]:
    """Yield a function that returns the types of the messages sent since the last time."""
    seen = 0

    def types() -> list[str]:
        nonlocal seen
        trace.flush()
        found = re.findall(r"^\d{4}-.*\tF\t\d+\t(\w+)", (tmp_path / "trace").read_text(), re.MULTILINE)
        seen, new = len(found), found[seen:]
        return new

    with (tmp_path / "trace").open("w") as trace:
        conn.pgconn.trace(trace.fileno())
        yield types
        conn.pgconn.untrace()


async def test_a_read_is_one_message_once_it_is_prepared(
    pool: Pool, user_id: int, conn: Connection, sent: Sent
) -> None:
    async with transaction(pool, user_id) as other:
        first, second = await make_item(other, "Tent"), await make_item(other, "Stove")
    assert (await item.get(conn, first)).name == "Tent"
    sent()
    assert (await item.get(conn, second)).name == "Stove"
    assert sent() == ["Query"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("bigint", 0),
        ("bigint", -1),
        ("bigint", -(2**63)),
        ("bigint", 2**63 - 1),
        ("float8", -0.25),
        ("boolean", True),
        ("text", None),
        ("text", ""),
        ("text", 'it\'s \\ 100 % "quoted" ; DROP TABLE items; --'),
        ("text", "ø\u2028"),
        ("numeric", Decimal("-1.50")),
        ("bigint[]", [1, -2]),
        ("text[]", ["a", "it's"]),
        ("timestamptz", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    ],
)
async def test_values_arrive_as_in_any_other_statement(conn: Connection, kind: str, value: Any) -> None:
    query = SQL(cast(LiteralString, f"SELECT %(value)s::{kind}"))
    for _ in range(3):
        assert await fetch_value(conn, query, {"value": value}) == value


async def test_json_a_repeated_parameter_and_a_percent_sign(conn: Connection) -> None:
    query = "SELECT %(n)s::int + %(n)s::int || '%%' || (%(data)s::jsonb ->> 'a')"
    assert await fetch_value(conn, query, {"n": 2, "data": Jsonb({"a": "b"}), "unused": 1}) == "4%b"
    assert await fetch_value(conn, "SELECT '100 %'") == "100 %"


async def test_a_list_and_its_count_are_one_message(
    pool: Pool, user_id: int, conn: Connection, sent: Sent
) -> None:
    for _ in range(2):
        assert (await listing.find(conn)).total == 0
    async with transaction(pool, user_id) as other:
        await make_item(other, "Tent")
    sent()
    found = await listing.find(conn)
    assert (found.total, [each.name for each in found.items]) == (1, ["Tent"])
    assert sent() == ["Query"]
    conn.pgconn.exec_(b"DEALLOCATE ALL")
    assert (await listing.find(conn)).total == 1
    async with transaction(pool, user_id) as other:
        assert await listing.find(other) == found


async def test_each_read_has_a_transaction_of_its_own(pool: Pool, user_id: int, conn: Connection) -> None:
    assert await fetch_value(conn, "SELECT count(*) FROM items") == 0
    async with transaction(pool, user_id) as other:
        await make_item(other)
    assert await fetch_value(conn, "SELECT count(*) FROM items") == 1
    assert conn.info.transaction_status == 0
    with pytest.raises(errors.DivisionByZero):
        await fetch_value(conn, "SELECT 1 / 0")
    assert await fetch_value(conn, "SELECT count(*) FROM items") == 1


async def test_a_read_cannot_write_and_sees_one_user_only(
    pool: Pool, user_id: int, other_user_id: int, conn: Connection
) -> None:
    async with transaction(pool, other_user_id) as other:
        await make_item(other, "of another user")
    assert await fetch_value(conn, "SELECT count(*) FROM items") == 0
    with pytest.raises(errors.ReadOnlySqlTransaction):
        await conn.execute("INSERT INTO items (name) VALUES ('Tent')")
    async with pool.connection() as plain:
        assert await fetch_value(plain, "SELECT current_setting('gearshed.user_id', true)") in (None, "")
        assert await fetch_value(plain, "SELECT current_user = session_user")


async def test_statements_are_prepared_again_after_psycopg_deallocated_them(
    conn: Connection, sent: Sent
) -> None:
    query = "SELECT %(n)s::int"
    assert await fetch_value(conn, query, {"n": 1}) == 1
    # As psycopg does after a ROLLBACK.
    conn.pgconn.exec_(b"DEALLOCATE ALL")
    sent()
    assert await fetch_value(conn, query, {"n": 2}) == 2
    assert sent() == ["Query"] * 3
    assert await fetch_value(conn, query, {"n": 3}) == 3
    assert sent() == ["Query"]


async def test_a_connection_keeps_a_limited_number_of_statements(
    conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "MOST_PREPARED", 3)
    for number in range(10):
        assert await fetch_value(conn, SQL("SELECT {}").format(number)) == number
    kept = "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'prepared%%'"
    assert await fetch_value(conn, kept, {}) == 3


async def test_an_invalid_statement_leaves_nothing_prepared(conn: Connection) -> None:
    for _ in range(2):
        with pytest.raises(errors.UndefinedTable):
            await fetch_value(conn, "SELECT 1 FROM absent")
    kept = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%absent'"
    assert await fetch_value(conn, kept) == 0


class Few:
    """A connection for writes, and the types of the messages that it sends."""

    def __init__(self, pool: Pool, user_id: int, trace: Path) -> None:
        self._pool, self._user_id, self._trace = pool, user_id, trace

    async def sent(self, work: Callable[[Connection], Awaitable[object]]) -> list[str]:
        """Return the messages of a transaction, its commit included."""
        async with writing(self._pool, self._user_id) as conn:
            if conn.prepare_threshold is None:
                pytest.skip("Behind a pooler, statements are not prepared.")
            with self._trace.open("w") as trace:
                conn.pgconn.trace(trace.fileno())
                await work(conn)
                await conn.commit()
                conn.pgconn.untrace()
        return re.findall(r"^\d{4}-.*\tF\t\d+\t(Query|Sync)", self._trace.read_text(), re.MULTILINE)


@pytest.fixture
def few(pool: Pool, user_id: int, tmp_path: Path) -> Few:
    return Few(pool, user_id, tmp_path / "trace")


def create(name: str) -> Callable[[Connection], Awaitable[object]]:
    """Create an item, and log it as a tool does."""

    async def work(conn: Connection) -> None:
        await item.create(conn, {"name": name})
        await log(conn)

    return work


async def log(conn: Connection) -> None:
    change_id = await change.current(conn)
    effects = await summary.effects(conn, change_id)
    await change.record(
        conn,
        change_id,
        tool="test",
        author=Author(),
        summary=summary.summarize(effects),
        key=None,
        digest=b"",
        result=None,
        commit=not effects[0].undoes,
    )


async def names(pool: Pool, user_id: int) -> list[str]:
    async with reading(pool, user_id) as conn:
        cursor = await conn.execute("SELECT name FROM items ORDER BY id")
        return [name for (name,) in await cursor.fetchall()]


async def test_a_write_is_four_messages_once_it_is_prepared(few: Few, pool: Pool, user_id: int) -> None:
    for name in ("Tent", "Stove", "Pot"):
        await few.sent(create(name))
    # One of them looks for similar items.
    assert len(await few.sent(create("Mug"))) == 4
    assert await names(pool, user_id) == ["Tent", "Stove", "Pot", "Mug"]
    async with reading(pool, user_id) as conn:
        assert await fetch_value(conn, "SELECT count(*) FROM changes JOIN row_changes ON change_id = id") == 4


@pytest.mark.parametrize("number", [1, 7, 500])
async def test_many_items_take_as_many_messages_as_one(
    few: Few, pool: Pool, user_id: int, number: int
) -> None:
    async def work(conn: Connection) -> None:
        made = await item.create_many(
            conn, [{"name": f"Peg {each}", "category": "Tents"} for each in range(number)]
        )
        assert made.created == number
        await log(conn)

    async with transaction(pool, user_id) as conn:
        await category.create(conn, "Tents", "tent")
    for _ in range(3):
        await few.sent(work)
    assert len(await few.sent(work)) == 6


async def test_a_write_that_fails_is_rolled_back_at_each_message(few: Few, pool: Pool, user_id: int) -> None:
    for name in ("Tent", "Stove", "Pot"):
        await few.sent(create(name))
    for broken in ("first", "second", "last"):
        with pytest.raises(errors.Error):
            await few.sent(failing(broken))
    assert await names(pool, user_id) == ["Tent", "Stove", "Pot"]
    # The next write works on the same connections.
    assert await few.sent(create("Mug"))
    assert await names(pool, user_id) == ["Tent", "Stove", "Pot", "Mug"]


def failing(broken: str) -> Callable[[Connection], Awaitable[object]]:
    async def work(conn: Connection) -> None:
        await item.create(conn, {"name": "" if broken == "first" else "Lost"})
        if broken == "second":
            await conn.execute("SELECT 1 / 0")
        # The change has no such number, so the log has rows of a change that is missing at the commit.
        await conn.commit_after(SQL("SELECT 1"), {})

    return work


async def test_a_savepoint_or_a_copy_begins_the_transaction_first(few: Few, pool: Pool, user_id: int) -> None:
    async def savepoint(conn: Connection) -> None:
        async with conn.transaction():
            await item.create(conn, {"name": "Tent"})
        raise LookupError

    async def copy(conn: Connection) -> None:
        user = "COPY (SELECT current_setting('gearshed.user_id')) TO STDOUT"
        async with conn.cursor() as cursor, cursor.copy(user) as copying:
            assert [row async for row in copying.rows()] == [(str(user_id),)]
        await item.create(conn, {"name": "Stove"})
        raise LookupError

    async def many(conn: Connection) -> None:
        async with conn.cursor() as cursor:
            await cursor.executemany("INSERT INTO items (name) VALUES (%(name)s)", [{"name": "Pot"}])
        raise LookupError

    async def temporary(conn: Connection) -> None:
        await conn.execute("CREATE TEMPORARY TABLE sketch ON COMMIT DROP AS SELECT 1 AS id")
        assert await fetch_value(conn, "SELECT current_setting('gearshed.user_id')") == str(user_id)
        raise LookupError

    for work in (savepoint, copy, many, temporary):
        with pytest.raises(LookupError):
            await few.sent(work)
    assert await names(pool, user_id) == []


async def test_a_write_prepares_its_statements_again_after_psycopg_deallocated_them(
    few: Few, pool: Pool, user_id: int
) -> None:
    for name in ("Tent", "Stove", "Pot"):
        await few.sent(create(name))

    async def work(conn: Connection) -> None:
        conn.pgconn.exec_(b"DEALLOCATE ALL")
        await item.create(conn, {"name": "Mug"})
        assert conn.change_id is not None
        # Psycopg does not know either.
        conn.prepare_threshold = None
        await log(conn)
        conn.prepare_threshold = 2

    await few.sent(work)
    assert await names(pool, user_id) == ["Tent", "Stove", "Pot", "Mug"]


async def test_a_transaction_without_statements_sends_nothing(few: Few) -> None:
    async def nothing(conn: Connection) -> None:
        pass

    assert await few.sent(nothing) == []


async def test_a_small_and_a_large_number_are_one_statement(conn: Connection, sent: Sent) -> None:
    assert await fetch_value(conn, "SELECT %(value)s + 1", {"value": 1}) == 2
    sent()
    assert await fetch_value(conn, "SELECT %(value)s + 1", {"value": 100_000}) == 100_001
    assert sent() == ["Query"]


async def test_a_transaction_has_no_number_of_an_earlier_change(pool: Pool, user_id: int) -> None:
    async with pool.connection() as conn:
        with conn.beginning(b"BEGIN;" + settings(user_id, False, True)):
            await conn.begin()
            assert conn.change_id is not None
        assert conn.change_id is None
        await conn.rollback()
