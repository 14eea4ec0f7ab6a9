"""The revision that puts stored text into Unicode's form NFC."""

import unicodedata
from typing import Any

import psycopg
from mcp import Client
from sqlalchemy import text as sql

from alembic import command
from db import migrations
from db.pool import create_pool
from mcp_server.protocol.edge import App
from mcp_server.server import build_server
from tests.calls import call

NFC, NFD = (unicodedata.normalize(form, "Kläder") for form in ("NFC", "NFD"))
NOTES = f"first line\n\u0303{NFD}"


def downgrade(url: str, revision: str) -> None:
    with migrations.engine(url).begin() as connection:
        connection.execute(sql("SELECT set_config('gearshed.user_id', '0', true)"))
        command.downgrade(migrations.config(connection), revision)


def fill(url: str) -> None:
    """Store what a person wrote on macOS, with the change that logged it."""
    with psycopg.connect(url) as conn:
        conn.execute("INSERT INTO users (id, username) VALUES (7, %(name)s)", {"name": NFD})
        conn.execute("SELECT set_config('gearshed.user_id', '7', false)")
        for row_id, name in ((1, NFC), (2, NFD), (3, "Mat")):
            conn.execute(
                "INSERT INTO categories (id, name) VALUES (%(id)s, %(name)s)", {"id": row_id, "name": name}
            )
        conn.execute("SELECT set_config('gearshed.change_id', '5', true)")
        conn.execute(
            """
            INSERT INTO items (id, name, category_id, notes, external_id)
            VALUES (4, %(name)s, 2, %(notes)s, %(name)s)
            """,
            {"name": NFD, "notes": NOTES},
        )
        conn.execute("INSERT INTO changes (id, tool, summary) VALUES (5, 'create_item', 'created')")


def value(url: str, query: Any) -> Any:
    with psycopg.connect(url) as conn:
        row = conn.execute(query).fetchone()
        return row and row[0]


async def test_stored_text_is_normalized_and_old_changes_can_be_undone(url: str) -> None:
    downgrade(url, "0011")
    fill(url)
    words = "SELECT count(*) FROM item_words WHERE word = 'klader'"
    assert value(url, words) == 0
    migrations.upgrade(url)
    assert value(url, "SELECT username FROM users WHERE id = 7") == NFC
    assert value(url, "SELECT array_agg(name ORDER BY id) FROM categories") == [NFC, "Mat"]
    kept = unicodedata.normalize("NFC", NOTES)
    assert value(url, "SELECT ARRAY[name, notes, external_id, category_id::text] FROM items") == [
        NFC,
        kept,
        NFC,
        "1",
    ]
    assert value(url, "SELECT after ->> 'notes' FROM row_changes") == kept
    assert value(url, words) == 1
    assert value(url, "SELECT bool_and(relforcerowsecurity) FROM pg_class WHERE relname = 'items'")
    async with create_pool(url) as pool, Client(build_server(App(pool, 7))) as client:
        assert (await call(client, "list_items", query=NFD, category=NFD))["total"] == 1
        await call(client, "undo_change", change_id=5)
        assert (await call(client, "list_items"))["total"] == 0


def test_what_is_unique_stays_as_it_is_where_it_would_no_longer_be(url: str) -> None:
    downgrade(url, "0011")
    with psycopg.connect(url) as conn:
        for name in (NFC, NFD):
            conn.execute("INSERT INTO users (username) VALUES (%(name)s)", {"name": name})
    migrations.upgrade(url)
    names = value(url, "SELECT array_agg(username ORDER BY id) FROM users WHERE username LIKE 'Kl%der'")
    assert names == [NFC, NFD]
