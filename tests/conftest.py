"""A real PostgreSQL for the whole run, and a separate migrated database for each test."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Generator
from functools import cache
from pathlib import Path
from typing import Literal

import psycopg
import pytest
from mcp import Client
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pytest_docker.plugin import Services

from db import migrations
from db.embedded import Embedded
from db.pool import Pool, create_pool, transaction
from mcp_server.accounts.auth import ensure_user
from mcp_server.protocol.edge import App
from mcp_server.server import build_server
from scripts.databases import create_test_db, empty_database, run_sql

ROOT = Path(__file__).parents[1]
# Where links of the in-memory servers lead.
SITE = "https://gear.example"
COMPOSE = (["docker", "compose"], ["docker-compose"])


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgres",
        default="auto",
        metavar="SERVER",
        help="docker, embedded, embedded18, the URL of a server, or auto: docker if an engine with the "
        "image is available, else embedded",
    )
    parser.addoption("--template", metavar="NAME", help="a migrated database of SERVER to copy for each test")


def pytest_report_header(config: pytest.Config) -> str:
    return f"postgres: {chosen_server(config)}"


def chosen_server(config: pytest.Config) -> str:
    choice = config.getoption("--postgres")
    if choice != "auto":
        return str(choice)
    return "docker" if compose_command() and has_image("postgres:16") else "embedded"


@cache
def compose_command() -> str | None:
    """Docker Compose, version 2 or 1."""
    return next((" ".join(words) for words in COMPOSE if succeeds(*words, "version")), None)


def has_image(name: str) -> bool:
    return succeeds("docker", "image", "inspect", name) or succeeds("docker", "pull", "--quiet", name)


def succeeds(*command: str) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, timeout=120, check=False).returncode == 0


@pytest.fixture(scope="session")
def docker_compose_command() -> str:
    command = compose_command()
    assert command, "neither `docker compose` nor `docker-compose` is installed"
    return command


@pytest.fixture(scope="session")
def docker_compose_file() -> str:
    return str(ROOT / "docker-compose.dev.yml")


@pytest.fixture(scope="session")
def docker_setup() -> str:
    # Version 1 has no --wait, so `server` below waits.
    return "up -d"


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Generator[str]:
    """The address of the PostgreSQL server that --postgres chose."""
    choice = chosen_server(request.config)
    if choice == "docker":
        os.environ["POSTGRES_PORT"] = "0"
        services: Services = request.getfixturevalue("docker_services")
        url = f"postgresql://gearshed:gearshed@127.0.0.1:{services.port_for('postgres', 5432)}/gearshed"
        services.wait_until_responsive(lambda: answers(url), timeout=60, pause=0.1)
        forget_the_disk(url)
        yield url
    elif choice in ("embedded", "embedded18"):
        version = 18 if choice == "embedded18" else 16
        with (
            tempfile.TemporaryDirectory(prefix="gearshed-test-") as folder,
            Embedded(Path(folder), version=version) as embedded,
        ):
            forget_the_disk(embedded.url)
            yield embedded.url
    else:
        yield choice


def answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


def forget_the_disk(server: str) -> None:
    """Turn fsync off on a server whose data is not needed after the tests."""
    run_sql(server, "ALTER SYSTEM SET fsync = off")
    run_sql(server, "SELECT pg_reload_conf()")


@pytest.fixture(scope="session")
def direct(server: str) -> None:
    """For tests that do not work behind a pooler, such as those of LISTEN and of pg_dump."""
    with psycopg.connect(server) as conn:
        if conn.execute("SELECT pg_backend_pid()").fetchone() != (conn.info.backend_pid,):
            pytest.skip("the server is behind a pooler")


@pytest.fixture(scope="session")
def template(request: pytest.FixtureRequest, server: str) -> Generator[str]:
    """The name of a database with all migrations applied, to copy from."""
    if given := request.config.getoption("--template"):
        yield str(given)
        return
    name = f"gearshed_test_{os.getpid()}_template"
    with empty_database(server, name) as url:
        migrations.upgrade(url)
        end_sessions(server, name)
        yield name


def end_sessions(server: str, database: str) -> None:
    """End the sessions that a pooler keeps open: a database with sessions cannot be copied."""
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(
            "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = %(database)s",
            {"database": database},
        )


@pytest.fixture
def url(server: str, template: str) -> Generator[str]:
    """The address of a database for this test, with all migrations applied."""
    with create_test_db(server, template) as url:
        yield url


@pytest.fixture
def empty_url(server: str) -> Generator[str]:
    with empty_database(server) as url:
        yield url


@pytest.fixture
def owner_url(server: str, template: str, empty_url: str) -> Generator[str]:
    """An empty database, and an owner who is not a superuser.

    The template has created the server's roles already, so an administrator has to grant them.
    """
    name = str(conninfo_to_dict(empty_url)["dbname"])
    run_sql(server, "CREATE ROLE {} LOGIN CREATEROLE PASSWORD 'owner'", name)
    try:
        run_sql(server, "ALTER DATABASE {} OWNER TO {}", name, name)
        run_sql(empty_url, "ALTER SCHEMA public OWNER TO {}", name)
        run_sql(server, "GRANT {}, {} TO {}", "gearshed_app", "gearshed_auth", name)
        run_sql(server, "GRANT {} TO {} WITH INHERIT FALSE", "gearshed_share", name)
        yield make_conninfo(empty_url, user=name, password="owner")
    finally:
        run_sql(empty_url, "REASSIGN OWNED BY {} TO CURRENT_USER", name)
        run_sql(empty_url, "DROP OWNED BY {}", name)
        run_sql(server, "ALTER DATABASE {} OWNER TO CURRENT_USER", name)
        run_sql(server, "DROP ROLE {}", name)


@pytest.fixture
def any_alphabet(url: str) -> None:
    """For tests of upper and lower case beyond ASCII, which the locale C does not have."""
    with psycopg.connect(url) as conn:
        if conn.execute("SELECT lower('Ö') = 'ö'").fetchone() != (True,):
            pytest.skip("this server's locale has upper and lower case for ASCII only")


@pytest.fixture
def folder() -> Generator[Path]:
    """A folder for an embedded database."""
    # Not pytest's tmp_path, which only its owner can enter: as root, PostgreSQL runs as another user.
    path = Path(tempfile.mkdtemp(prefix="gearshed test "))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def pool(url: str) -> AsyncGenerator[Pool]:
    async with create_pool(url) as pool:
        yield pool


@pytest.fixture
async def user_id(pool: Pool) -> int:
    async with pool.connection() as conn:
        return await ensure_user(conn, "ada")


@pytest.fixture
async def other_user_id(pool: Pool) -> int:
    async with pool.connection() as conn:
        return await ensure_user(conn, "eve")


@pytest.fixture
async def conn(pool: Pool, user_id: int) -> AsyncGenerator[AsyncConnection]:
    """A transaction on ada's collection, like that of a tool call."""
    async with transaction(pool, user_id) as conn:
        yield conn


@pytest.fixture(params=["legacy", "auto"])
def era(request: pytest.FixtureRequest) -> Literal["legacy", "auto"]:
    """The protocol of 2025-11-25 or of 2026-07-28."""
    return request.param


@pytest.fixture
async def client(pool: Pool, user_id: int, era: Literal["legacy", "auto"]) -> AsyncGenerator[Client]:
    """An in-memory client of ada's server."""
    async with Client(build_server(App(pool, user_id, url=SITE)), mode=era) as client:
        yield client


@pytest.fixture
async def other_client(
    pool: Pool, other_user_id: int, era: Literal["legacy", "auto"]
) -> AsyncGenerator[Client]:
    """An in-memory client of eve's server, on the same database."""
    async with Client(build_server(App(pool, other_user_id, url=SITE)), mode=era) as client:
        yield client
