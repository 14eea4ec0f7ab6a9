"""Reads as single messages: what PostgreSQL receives, and what callers see."""

import re
from collections.abc import AsyncGenerator, Callable, Generator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, LiteralString, cast

import pytest
from psycopg import errors
from psycopg.sql import SQL
from psycopg.types.json import Jsonb

from db import reading as messages
from db.pool import Pool, reading, transaction
from db.query import fetch_value
from db.reading import Connection
from mcp_server.services import item
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
    kept = "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'reading%%'"
    assert await fetch_value(conn, kept, {}) == 3


async def test_an_invalid_statement_leaves_nothing_prepared(conn: Connection) -> None:
    for _ in range(2):
        with pytest.raises(errors.UndefinedTable):
            await fetch_value(conn, "SELECT 1 FROM absent")
    kept = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%absent'"
    assert await fetch_value(conn, kept) == 0
