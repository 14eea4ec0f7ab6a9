"""Two replicas on one database, and users with keys."""

import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from db.pool import Pool, create_pool
from mcp_server.accounts import auth, key
from mcp_server.models.auth import READ_WRITE, Scope
from scripts.served import Served, served
from tests.conftest import create_test_db


class Person(NamedTuple):
    id: int
    key: str


Admit = Callable[..., Awaitable[Person]]


@pytest.fixture(scope="session")
def shared_url(server: str, template: str) -> Generator[str]:
    """The URL of a database for all tests here: each test has its own users."""
    with create_test_db(server, template) as url:
        yield url


@pytest.fixture(scope="session")
def replicas(shared_url: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[Served, Served]]:
    """A server that listens on loopback, and one that listens on all addresses."""
    folder = tmp_path_factory.mktemp("logs")
    with ExitStack() as stack:
        first = stack.enter_context(served(shared_url, folder / "first"))
        second = stack.enter_context(served(shared_url, folder / "second", "--host", "0.0.0.0"))  # noqa: S104
        yield first, second


@pytest.fixture
async def shared_pool(shared_url: str) -> AsyncGenerator[Pool]:
    async with create_pool(shared_url) as pool:
        yield pool


@pytest.fixture
def admit(shared_pool: Pool) -> Admit:
    """Create a user with a key."""

    async def made(scopes: Sequence[Scope] = READ_WRITE, name: str = "laptop") -> Person:
        async with shared_pool.connection() as conn:
            user_id = await auth.add_user(conn, f"person {secrets.token_hex(4)}", None)
            return Person(user_id, await key.create(conn, user_id, name, scopes, None))

    return made
