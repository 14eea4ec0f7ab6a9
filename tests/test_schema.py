"""The schema is described once. Whatever repeats a part of it is compared with the description."""

from collections.abc import Generator
from typing import Any, LiteralString

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.sql import SQL, Identifier
from sqlalchemy import Connection, text

from alembic import command
from db import migrations
from db.collection import COLLECTION, PROTECTED
from db.revision import SECTIONS, logging, protection
from db.schema import OWN, metadata
from mcp_server.models.category import Category
from mcp_server.models.fields import Row
from mcp_server.models.image import Image
from mcp_server.models.item import Item
from mcp_server.sqlite_migration.target import HELD
from tests.conftest import empty_database, end_sessions

# Columns, constraints, indexes and functions.
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
    """
    SELECT proname, pg_get_functiondef(oid)
    FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace
    ORDER BY 1
    """,
)
SECURITY: LiteralString = """
    SELECT tgrelid::regclass::text, pg_get_triggerdef(oid)
    FROM pg_trigger
    WHERE NOT tgisinternal
    UNION ALL
    SELECT polrelid::regclass::text, format(
        'policy %s, for %s, permissive %s, to %s, using %s, check %s',
        polname, polcmd, polpermissive, polroles, pg_get_expr(polqual, polrelid),
        pg_get_expr(polwithcheck, polrelid)
    )
    FROM pg_policy
    UNION ALL
    SELECT oid::regclass::text, format('row security %s, forced %s', relrowsecurity, relforcerowsecurity)
    FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT pg_class.oid::regclass::text, format('%s granted to gearshed_app', privilege_type)
    FROM pg_class, aclexplode(relacl)
    WHERE relkind = 'r' AND grantee = 'gearshed_app'::regrole
"""


def rows(url: str, query: LiteralString) -> list[Any]:
    with psycopg.connect(url) as conn:
        return conn.execute(query).fetchall()


def described(url: str) -> list[list[Any]]:
    return [rows(url, query) for query in CATALOGUE]


def secured(url: str) -> dict[str, set[str]]:
    """Return each table's triggers, policies, row level security and grants."""
    found: dict[str, set[str]] = {}
    for table, description in rows(url, SECURITY):
        found.setdefault(table, set()).add(description)
    return found


@pytest.fixture
def described_url(server: str) -> Generator[str]:
    """A database as schema.py, collection.py and functions.sql describe it, made without a revision."""
    with empty_database(server) as url:
        with migrations.engine(url).begin() as connection:
            connection.execute(text("CREATE TABLE alembic_version (version_num text)"))
            metadata.create_all(connection)
            for sql in SECTIONS.values():
                if "{table}" not in sql:
                    run(connection, sql.replace("{schema}", "public"))
            for table in PROTECTED:
                run(connection, protection(table))
            for table in COLLECTION:
                run(connection, logging(table, stamped="updated_at" in metadata.tables[table].columns))
        yield url


def run(connection: Connection, sql: str) -> None:
    connection.exec_driver_sql(sql, execution_options={"no_parameters": True})


def test_migrations_build_exactly_the_described_schema(url: str, described_url: str) -> None:
    assert described(url) == described(described_url)
    assert len(described(url)[0]) > 100


def test_each_table_has_the_triggers_policies_and_grants_that_its_list_asks_for(
    url: str, described_url: str
) -> None:
    found, asked = secured(url), secured(described_url)
    tables = found.keys() | asked.keys()
    wrong = {table: found.get(table, set()) ^ asked.get(table, set()) for table in tables}
    assert {table: difference for table, difference in wrong.items() if difference} == {}
    assert all(len(asked[table]) > 5 for table in PROTECTED)


def test_every_table_with_rows_of_one_user_is_in_the_list_of_protected_ones() -> None:
    owned = {
        table.name
        for table in metadata.sorted_tables
        if "user_id" in table.columns and table.columns["user_id"].server_default is not None
    }
    assert owned | {"item_words", "category_words", "item_sums"} == set(PROTECTED)
    assert all(
        getattr(metadata.tables[name].columns["user_id"].server_default, "arg", None) is OWN for name in owned
    )


def test_each_table_of_the_collection_stands_after_those_that_its_rows_belong_to() -> None:
    order = list(COLLECTION)
    early = [
        f"{table} belongs to {key.referred_table.name}"
        for table in order
        for key in metadata.tables[table].foreign_key_constraints
        if not key.use_alter and key.referred_table.name in order[order.index(table) + 1 :]
    ]
    assert early == []


def test_a_migration_from_sqlite_sees_every_table_that_it_would_empty() -> None:
    # The migration writes its own mark. The other tables have no rows unless one in the list has.
    derived = {"item_words", "category_words", "item_sums"}
    others = derived | {"users", "row_changes", "attempts", "sqlite_migrations", "last_writes"}
    assert set(HELD) | others == metadata.tables.keys()


def test_alembic_finds_nothing_left_to_generate(url: str) -> None:
    with migrations.engine(url).begin() as connection:
        connection.execute(text("SELECT set_config('gearshed.user_id', '0', true)"))
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_every_revision_goes_up_down_and_up_again(empty_url: str) -> None:
    nothing: list[list[Any]] = [[] for _ in CATALOGUE]
    before = nothing[0]
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
    with migrations.engine(empty_url).begin() as connection:
        command.downgrade(migrations.config(connection), "base")
    assert described(empty_url) == nothing


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
    assert [name for (name,) in protected] == sorted(PROTECTED)


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
    assert granted == [(name, ["DELETE", "INSERT", "SELECT", "UPDATE"]) for name in sorted(PROTECTED)]
    ((login, superuser, bypass, creates),) = rows(
        url,
        """
        SELECT rolcanlogin, rolsuper, rolbypassrls, has_schema_privilege('gearshed_app', 'public', 'CREATE')
        FROM pg_roles
        WHERE rolname = 'gearshed_app'
        """,
    )
    assert (login, superuser, bypass, creates) == (False, False, False, False)


def test_every_function_names_the_schemas_that_it_uses_and_the_temporary_one_last(url: str) -> None:
    """Functions whose body PostgreSQL parses when it creates them do not look names up later."""
    paths = rows(
        url,
        """
        SELECT proname, prosecdef, proconfig
        FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND (prosecdef OR prosqlbody IS NULL)
        """,
    )
    assert {name for name, is_definer, _ in paths if is_definer} == {"note_last_write", "replace_password"}
    assert len(paths) > 7
    assert [name for name, _, path in paths if path != ["search_path=pg_catalog, public, pg_temp"]] == []


def test_the_functions_use_the_schema_that_the_tables_are_in(server: str, empty_url: str) -> None:
    with psycopg.connect(empty_url) as conn:
        name = conn.info.dbname
        conn.execute('CREATE SCHEMA "My gear"')
        conn.execute(SQL("ALTER DATABASE {} SET search_path = 'My gear'").format(Identifier(name)))
    # Sessions that a pooler keeps open have the former path.
    end_sessions(server, name)
    migrations.upgrade(empty_url)
    paths = rows(
        empty_url, "SELECT DISTINCT proconfig FROM pg_proc WHERE proname IN ('tell_change', 'add_words')"
    )
    assert paths == [(['search_path=pg_catalog, "My gear", pg_temp'],)]
    with psycopg.connect(empty_url) as conn:
        conn.execute("INSERT INTO users (username) VALUES ('ada')")
        conn.execute(
            "SELECT set_config('gearshed.user_id', '1', true), set_config('gearshed.change_id', '1', true)"
        )
        conn.execute("INSERT INTO items (name) VALUES ('Tarp')")
        conn.execute("INSERT INTO changes (id, tool, summary) VALUES (1, 'create_item', 'Created')")
        query = "SELECT (SELECT count(*) FROM last_writes), (SELECT count(*) FROM item_words)"
        assert conn.execute(query).fetchone() == (1, 1)


def test_the_servers_role_draws_numbers_of_changes_and_items_in_advance(url: str) -> None:
    drawn = rows(
        url,
        """
        SELECT relname
        FROM pg_class, aclexplode(relacl)
        WHERE relkind = 'S' AND grantee = 'gearshed_app'::regrole AND privilege_type = 'USAGE'
        ORDER BY 1
        """,
    )
    assert drawn == [("changes_id_seq",), ("items_id_seq",)]


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
        (name, text) for table, name, text in keys if table in PROTECTED and "REFERENCES users(" not in text
    ]
    assert sorted(name for name, _ in between) == sorted(
        str(key.name)
        for table in PROTECTED
        for key in metadata.tables[table].foreign_key_constraints
        if key.referred_table.name != "users"
    )
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
