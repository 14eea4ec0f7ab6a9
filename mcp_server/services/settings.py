"""Settings: a person's units of weight and currency, and how the person's spreadsheets are read."""

from psycopg import AsyncConnection
from psycopg.sql import SQL

from db.query import fetch_value
from mcp_server.models.csv import Saved
from mcp_server.models.settings import SettingsChanges, Units

# The units as a column, so that a result with a `display` needs no extra statement.
UNITS = SQL("""
    (
        SELECT jsonb_build_object(
            'weight_unit', coalesce(max(settings.value) FILTER (WHERE settings.key = 'weight_unit'), 'g'),
            'currency', max(settings.value) FILTER (WHERE settings.key = 'currency')
        )
        FROM settings
    ) AS units
""")

# The keys of settings that remember how a spreadsheet is read end with what its header is known by.
COLUMNS = "columns:"
MOST_REMEMBERED = 50


async def get(conn: AsyncConnection) -> Units:
    """Return the person's units. Default: grams, no currency."""
    value = await fetch_value(conn, SQL("SELECT {units}").format(units=UNITS))
    return Units.model_validate(value)


async def update(conn: AsyncConnection, changes: SettingsChanges) -> Units:
    """Apply *changes* and return the new units. None clears a value."""
    rows = [{"key": key, "value": value} for key, value in changes.items()]
    async with conn.cursor() as cursor:
        await cursor.executemany("DELETE FROM settings WHERE key = %(key)s AND %(value)s::text IS NULL", rows)
        await cursor.executemany(
            """
            INSERT INTO settings AS old (key, value)
            SELECT %(key)s, %(value)s
            WHERE %(value)s::text IS NOT NULL
            ON CONFLICT (user_id, key) DO UPDATE SET value = excluded.value
            WHERE old.value <> excluded.value
            """,
            rows,
        )
    return await get(conn)


async def remembered(conn: AsyncConnection) -> dict[str, Saved]:
    """Return how spreadsheets are read, by their headers."""
    cursor = await conn.execute(
        "SELECT key, value FROM settings WHERE starts_with(key, %(prefix)s)", {"prefix": COLUMNS}
    )
    return {
        key.removeprefix(COLUMNS): Saved.model_validate_json(value) for key, value in await cursor.fetchall()
    }


async def remember(conn: AsyncConnection, header: str, saved: Saved) -> None:
    """Remember how a spreadsheet is read. Of too many headers, the oldest is forgotten."""
    await conn.execute(
        """
        INSERT INTO settings AS old (key, value)
        VALUES (%(key)s, %(value)s)
        ON CONFLICT (user_id, key) DO UPDATE SET value = excluded.value
        WHERE old.value <> excluded.value
        """,
        {"key": f"{COLUMNS}{header}", "value": saved.model_dump_json(exclude_none=True)},
    )
    await conn.execute(
        """
        DELETE FROM settings
        WHERE id IN (
            SELECT id
            FROM settings
            WHERE starts_with(key, %(prefix)s)
            ORDER BY id DESC
            OFFSET %(most)s
        )
        """,
        {"prefix": COLUMNS, "most": MOST_REMEMBERED},
    )
