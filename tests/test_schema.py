"""The schema is described once, and everything that repeats it is held to it."""

from collections.abc import Generator
from typing import Any, LiteralString

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from alembic import command
from db import migrations
from db.schema import metadata
from mcp_server.models.category import Category
from mcp_server.models.fields import Row
from mcp_server.models.image import Image
from mcp_server.models.item import Item
from tests.conftest import empty_database

# Two catalogue queries that say everything about a schema but its policies.
CATALOGUE: tuple[LiteralString, ...] = (
    """
    SELECT attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
        attgenerated, pg_get_expr(adbin, adrelid)
    FROM pg_attribute
    JOIN pg_class ON pg_class.oid = attrelid AND relkind = 'r' AND relnamespace = 'public'::regnamespace
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attnum > 0 AND NOT attisdropped AND relname <> 'alembic_version'
    ORDER BY 1, 2
    """,
    """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND conrelid <> 'alembic_version'::regclass
    ORDER BY 1, 2
    """,
    """
    SELECT tablename, indexname, indexdef
    FROM pg_indexes
    WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    ORDER BY 1, 2
    """,
)
COLLECTION = [
    "candidates",
    "categories",
    "changes",
    "images",
    "item_words",
    "items",
    "row_changes",
    "settings",
    "setup_items",
    "setups",
    "threads",
]


def rows(url: str, query: LiteralString) -> list[Any]:
    with psycopg.connect(url) as conn:
        return conn.execute(query).fetchall()


def described(url: str) -> list[list[Any]]:
    return [rows(url, query) for query in CATALOGUE]


@pytest.fixture
def empty_url(server: str) -> Generator[str]:
    with empty_database(server) as url:
        yield url


def test_migrations_build_exactly_the_described_schema(url: str, empty_url: str) -> None:
    with migrations.engine(empty_url).begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num text)"))
        metadata.create_all(connection)
    assert described(url) == described(empty_url)
    assert len(described(url)[0]) > 100


def test_alembic_finds_nothing_left_to_generate(url: str) -> None:
    with migrations.engine(url).begin() as connection:
        connection.execute(text("SELECT set_config('gearshed.user_id', '0', true)"))
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_every_revision_goes_up_down_and_up_again(empty_url: str) -> None:
    before = described_without_version(empty_url)
    for revision in migrations.REVISIONS:
        with migrations.engine(empty_url).begin() as connection:
            command.upgrade(migrations.config(connection), revision)
        built = described(empty_url)
        with migrations.engine(empty_url).begin() as connection:
            command.downgrade(migrations.config(connection), "-1")
        assert described(empty_url)[0] == before
        with migrations.engine(empty_url).begin() as connection:
            command.upgrade(migrations.config(connection), revision)
        assert described(empty_url) == built
        before = built[0]


def described_without_version(url: str) -> list[Any]:
    return rows(url, CATALOGUE[0])


def test_the_newest_revision_is_known_without_alembic(url: str) -> None:
    with migrations.engine(url).begin() as connection:
        scripts = ScriptDirectory.from_config(migrations.config(connection))
    assert scripts.get_heads() == [migrations.HEAD]
    assert {script.revision for script in scripts.walk_revisions()} == set(migrations.REVISIONS)
    assert migrations.current(url) == migrations.HEAD


@pytest.mark.parametrize(("model", "table"), [(Category, "categories"), (Image, "images"), (Item, "items")])
def test_every_field_of_a_row_is_a_column(model: type[Row], table: str) -> None:
    assert set(model.model_fields) <= set(metadata.tables[table].columns.keys())


def test_every_table_of_the_collection_forces_row_security(url: str) -> None:
    protected = rows(
        url,
        """
        SELECT relname
        FROM pg_class
        JOIN pg_policy ON polrelid = pg_class.oid AND polcmd = '*'
        WHERE relrowsecurity AND relforcerowsecurity
        ORDER BY 1
        """,
    )
    assert [name for (name,) in protected] == COLLECTION


def test_the_servers_role_may_only_read_and_write_the_collection(url: str) -> None:
    granted = rows(
        url,
        """
        SELECT table_name, array_agg(privilege_type::text ORDER BY privilege_type)
        FROM information_schema.role_table_grants
        WHERE grantee = 'gearshed_app'
        GROUP BY table_name
        ORDER BY 1
        """,
    )
    assert granted == [(name, ["DELETE", "INSERT", "SELECT", "UPDATE"]) for name in COLLECTION]
    ((login, superuser, bypass, creates),) = rows(
        url,
        """
        SELECT rolcanlogin, rolsuper, rolbypassrls, has_schema_privilege('gearshed_app', 'public', 'CREATE')
        FROM pg_roles
        WHERE rolname = 'gearshed_app'
        """,
    )
    assert (login, superuser, bypass, creates) == (False, False, False, False)


def test_the_role_that_finds_out_who_calls_sees_credentials_and_nothing_else(url: str) -> None:
    granted = rows(
        url,
        """
        SELECT table_name, array_agg(DISTINCT privilege_type::text ORDER BY privilege_type::text)
        FROM information_schema.role_column_grants
        WHERE grantee = 'gearshed_auth'
        GROUP BY table_name
        ORDER BY 1
        """,
    )
    assert granted == [
        ("api_keys", ["SELECT", "UPDATE"]),
        ("attempts", ["INSERT", "SELECT", "UPDATE"]),
        ("oauth_clients", ["INSERT", "SELECT", "UPDATE"]),
        ("oauth_codes", ["INSERT", "SELECT", "UPDATE"]),
        ("oauth_tokens", ["INSERT", "SELECT", "UPDATE"]),
        ("sessions", ["INSERT", "SELECT", "UPDATE"]),
        ("users", ["SELECT"]),
    ]


def test_every_key_between_rows_of_the_collection_holds_the_user(url: str) -> None:
    keys = rows(
        url,
        """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint
        WHERE contype = 'f' AND connamespace = 'public'::regnamespace
        """,
    )
    between = [
        (name, text) for table, name, text in keys if table in COLLECTION and "REFERENCES users(" not in text
    ]
    assert len(between) == 13
    assert [name for name, text in between if not text.startswith("FOREIGN KEY (user_id, ")] == []


def test_what_is_deleted_takes_its_references_along_by_an_index(url: str) -> None:
    missing = rows(
        url,
        """
        SELECT conrelid::regclass::text, conname
        FROM pg_constraint
        WHERE contype = 'f' AND connamespace = 'public'::regnamespace
        AND NOT EXISTS (
            SELECT
            FROM pg_index
            WHERE indrelid = conrelid
            AND (indkey[0] = conkey[cardinality(conkey)]
                OR (indkey::int2[])[0:cardinality(conkey) - 1] @> conkey)
        )
        """,
    )
    assert missing == []
