"""Settings: a person's units of weight and currency."""

from psycopg import AsyncConnection
from psycopg.sql import SQL

from db.query import fetch_value
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
