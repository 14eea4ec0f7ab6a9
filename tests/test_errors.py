"""Every fault that PostgreSQL can report has one code, and no words of PostgreSQL's."""

import psycopg
import pytest
from psycopg import AsyncConnection, errors
from psycopg_pool import PoolTimeout, TooManyRequests

from mcp_server.errors import AppError, from_exception

CODES = {
    "08000": "unavailable",
    "08006": "unavailable",
    "57P01": "unavailable",
    "57P02": "unavailable",
    "57P03": "unavailable",
    "25006": "read_only",
    "40001": "conflict",
    "40P01": "conflict",
    "55P03": "timeout",
    "57014": "timeout",
    "25P03": "timeout",
    "53100": "storage_full",
    "53200": "busy",
    "53300": "busy",
    "23505": "conflict",
    "23503": "not_found",
    "23502": "invalid_input",
    "23514": "invalid_input",
    "22003": "invalid_input",
    "22P02": "invalid_input",
    "22P05": "invalid_input",
    "22021": "invalid_input",
}


@pytest.mark.parametrize(("state", "code"), CODES.items())
async def test_a_fault_that_postgresql_reports_has_its_code(
    conn: AsyncConnection, state: str, code: str
) -> None:
    await conn.execute("SELECT set_config('test.state', %(state)s, true)", {"state": state})
    with pytest.raises(psycopg.Error) as caught:
        await conn.execute(
            "DO $$ BEGIN RAISE 'the words of the database' "
            "USING ERRCODE = current_setting('test.state'); END $$"
        )
    assert caught.value.sqlstate == state
    found = from_exception(caught.value)
    assert found is not None
    assert str(found).startswith(f"[{code}] ")
    assert "words of the database" not in str(found)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PoolTimeout("x"), "unavailable"),
        (TooManyRequests("x"), "busy"),
        (psycopg.OperationalError("the connection is lost"), "unavailable"),
        (psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes"), "invalid_input"),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"), "invalid_input"),
    ],
)
def test_a_fault_without_a_state_has_its_code(error: Exception, code: str) -> None:
    found = from_exception(error)
    assert isinstance(found, AppError)
    assert found.code == code


@pytest.mark.parametrize(
    "error", [RuntimeError("x"), errors.UndefinedTable("x"), errors.InsufficientPrivilege("x")]
)
def test_an_unexpected_exception_has_none(error: Exception) -> None:
    assert from_exception(error) is None


async def test_a_violated_check_names_its_field(conn: AsyncConnection) -> None:
    with pytest.raises(errors.CheckViolation) as caught:
        await conn.execute("INSERT INTO items (name, weight_grams) VALUES ('Tent', 'NaN')")
    text = str(from_exception(caught.value))
    assert text == "[invalid_input] weight_grams: is not a valid value. Correct it and retry."
