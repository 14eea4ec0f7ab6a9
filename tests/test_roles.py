"""A server's role can serve and nothing else. Its password comes from a file."""

import re
import secrets
from collections.abc import Generator
from pathlib import Path
from typing import LiteralString, NamedTuple

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.errors import InsufficientPrivilege

from db import migrations, roles
from db.migrations import UnusableDatabase
from db.pool import create_pool, credentials, last_write, shared, transaction
from mcp_server.services import item, share
from mcp_server.settings import read_line
from tests.conftest import run_sql
from tests.factories import make_item
from tests.test_cli import complaint, gearshed

PASSWORD = secrets.token_hex(16)


class Role(NamedTuple):
    name: str
    url: str


@pytest.fixture
def role(server: str, url: str) -> Generator[Role]:
    """A role that can serve the database at *url*, and its address there."""
    name = f"server {secrets.token_hex(4)}"
    roles.let_serve(url, name, PASSWORD)
    yield Role(name, make_conninfo(url, user=name, password=PASSWORD))
    run_sql(url, "DROP OWNED BY {}", name)
    run_sql(server, "DROP ROLE {}", name)


async def test_it_serves_a_collection_and_looks_keys_and_shares_up(role: Role, user_id: int) -> None:
    migrations.check(role.url)
    async with create_pool(role.url) as pool:
        async with transaction(pool, user_id) as conn:
            assert (await item.get(conn, await make_item(conn, "Tarp"))).name == "Tarp"
        async with credentials(pool) as conn:
            assert await (await conn.execute("SELECT count(*) FROM api_keys")).fetchone() == (0,)
        async with pool.connection() as conn:
            assert await last_write(conn, user_id) == 0
        async with shared(pool, b"no token") as conn:
            assert await share.find(conn) is None


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id bigint)",
        "ALTER TABLE items DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_rows ON items",
        "UPDATE users SET password_hash = 'x'",
        "DELETE FROM users",
        "UPDATE api_keys SET scopes = '{read,write}'",
        "UPDATE alembic_version SET version_num = '0001'",
        "CREATE ROLE another",
        "COPY items TO PROGRAM 'cat'",
    ],
)
def test_it_can_change_neither_tables_nor_users(role: Role, statement: str) -> None:
    with psycopg.connect(role.url) as conn, pytest.raises(InsufficientPrivilege):
        conn.execute(statement.encode())


# Triggers write to these tables. One with the same name, and with a trigger, notes as which role it runs.
REPLACE_TABLES: LiteralString = """
    CREATE TEMPORARY TABLE ran (name text, role text);
    CREATE FUNCTION pg_temp.attack() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO pg_temp.ran VALUES (TG_TABLE_NAME, current_user);
            RETURN NULL;
        END $$;
    CREATE TEMPORARY TABLE last_writes (user_id bigint PRIMARY KEY, lsn bigint);
    CREATE TEMPORARY TABLE row_changes (
        user_id bigint, change_id bigint, table_name text, row_id bigint, before jsonb, after jsonb
    );
    CREATE TRIGGER attack AFTER INSERT ON last_writes FOR EACH ROW EXECUTE FUNCTION pg_temp.attack();
    CREATE TRIGGER attack AFTER INSERT ON row_changes FOR EACH ROW EXECUTE FUNCTION pg_temp.attack();
    GRANT ALL ON ran, last_writes, row_changes TO PUBLIC;
"""


def attack_with_temporary_tables(role: Role, user_id: int) -> set[tuple[str, str]]:
    """Return the tables whose planted triggers ran, each with the role that they ran as."""
    with psycopg.connect(role.url) as conn:
        conn.execute(
            """
            SELECT
                set_config('gearshed.user_id', %(user_id)s, true),
                set_config('gearshed.change_id', nextval('changes_id_seq')::text, true)
            """,
            {"user_id": str(user_id)},
        )
        conn.execute("INSERT INTO items (name) VALUES ('Tarp')")
        conn.execute("INSERT INTO setups (name) VALUES ('Trip')")
        conn.execute(
            "INSERT INTO setup_items (setup_id, item_id) SELECT setups.id, items.id FROM setups, items"
        )
        conn.execute(REPLACE_TABLES)
        # A foreign key deletes the setup's lines, as the owner of their table.
        conn.execute("DELETE FROM setups")
        conn.execute("INSERT INTO changes (tool, summary) VALUES ('delete_setup', 'Deleted')")
        ran = set(conn.execute("SELECT name, role FROM ran").fetchall())
        conn.rollback()
    return ran


async def test_a_temporary_table_cannot_replace_one_that_a_trigger_writes_to(
    role: Role, url: str, user_id: int
) -> None:
    assert attack_with_temporary_tables(role, user_id) == set()
    with psycopg.connect(url) as conn:
        owner, version = conn.info.user, conn.info.server_version
    for function in ("note_last_write", "log_row_change"):
        run_sql(url, 'ALTER FUNCTION {} SET search_path = "$user", public', function)
    # Without pg_temp at the end of the path, the triggers run, and with the owner's rights.
    ran = attack_with_temporary_tables(role, user_id)
    assert ran >= {("last_writes", owner), ("row_changes", role.name)}
    assert (("row_changes", owner) in ran) == (version >= 180000)


def test_the_password_can_be_changed_and_is_stored_as_a_hash(role: Role, url: str) -> None:
    with psycopg.connect(url) as conn:
        query = "SELECT rolpassword FROM pg_authid WHERE rolname = %(name)s"
        before = conn.execute(query, {"name": role.name}).fetchone()
        conn.rollback()
        roles.let_serve(url, role.name, "another")
        after = conn.execute(query, {"name": role.name}).fetchone()
    assert before
    assert after
    assert before != after
    assert after[0].startswith("SCRAM-SHA-256$")


def test_the_owner_cannot_be_made_a_server(url: str) -> None:
    with psycopg.connect(url) as conn:
        owner = conn.info.user
    with pytest.raises(UnusableDatabase, match="owns the tables"):
        roles.let_serve(url, owner, "no matter")
    psycopg.connect(url).close()


def test_the_command_line_makes_the_role_and_serves_as_it(server: str, url: str, tmp_path: Path) -> None:
    name = f"server {secrets.token_hex(4)}"
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    options = ("--server-role", name, "--server-password-file", str(file))
    assert gearshed("db", "upgrade", *options, DATABASE_URL=url).stdout == f"{migrations.HEAD}\n"
    as_server = make_conninfo(url, user=name, password="not this one")
    done = gearshed("db", "current", DATABASE_URL=as_server, DATABASE_PASSWORD_FILE=str(file))
    assert done.stdout == f"{migrations.HEAD}\n", done.stderr
    run_sql(url, "DROP OWNED BY {}", name)
    run_sql(server, "DROP ROLE {}", name)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "must contain the password on a single line"),
        (b"\n", "must contain the password on a single line"),
        (b"one\ntwo\n", "must contain the password on a single line"),
        (b"\xff", "cannot be read: it is not UTF-8 text"),
    ],
)
def test_a_file_that_holds_no_password_is_refused(tmp_path: Path, content: bytes | None, reason: str) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(f"{str(file)!r} {reason}")):
        read_line(str(file))


def test_the_command_line_names_a_file_that_cannot_be_read() -> None:
    line = complaint(gearshed("serve", DATABASE_URL="postgresql://", DATABASE_PASSWORD_FILE="/nowhere"))
    assert "DATABASE_PASSWORD_FILE: " in line
    assert "'/nowhere' cannot be read" in line
    options = ("--server-role", "server", "--server-password-file", "/nowhere")
    line = complaint(gearshed("db", "upgrade", *options, DATABASE_URL="postgresql://"))
    assert "--server-password-file: '/nowhere' cannot be read" in line


def test_what_goes_together_is_asked_for_together(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("secret")
    assert "Set both" in complaint(gearshed("serve", DATABASE_PASSWORD_FILE=str(file)))
    options = ("--server-role", "server")
    assert "must be given together" in complaint(
        gearshed("db", "upgrade", *options, DATABASE_URL="postgresql://")
    )
