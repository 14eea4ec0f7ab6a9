"""The cache of authenticated callers: who is in it, for how long, and how revocation empties it."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from time import monotonic

import httpx2
import psycopg
import pytest

from db.listen import listening
from db.pool import Pool
from mcp_server.accounts import key
from mcp_server.http import callers
from mcp_server.http.address import Failures
from mcp_server.http.callers import Callers
from mcp_server.http.gate import Gate
from mcp_server.http.metrics import Metrics
from mcp_server.models.auth import READ, READ_WRITE, Principal
from mcp_server.protocol.live import Live
from scripts.served import Served
from tests.http.conftest import Admit, Person
from tests.http.test_gate import ACCEPT, HELLO

ADA = Principal(user_id=1, scopes=READ)


@pytest.fixture
def cache() -> Callers:
    return Callers(Live(is_connected=True))


def keep(cache: Callers, token: str, found: Principal = ADA) -> None:
    cache.keep(token, "/mcp", found, cache.generation)


def test_a_caller_is_found_with_the_same_key_and_resource(cache: Callers) -> None:
    keep(cache, "one")
    assert cache.find("one", "/mcp") == ADA
    assert cache.find("one", "/sse") is None
    assert cache.find("two", "/mcp") is None


def test_the_cache_contains_no_key(cache: Callers) -> None:
    keep(cache, "a secret")
    assert "a secret" not in repr(vars(cache))


def test_an_entry_is_used_for_a_few_seconds(cache: Callers, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(cache, "one")
    later = monotonic() + callers.FRESH
    monkeypatch.setattr(callers, "monotonic", lambda: later - 0.1)
    assert cache.find("one", "/mcp") == ADA
    monkeypatch.setattr(callers, "monotonic", lambda: later + 0.1)
    assert cache.find("one", "/mcp") is None


def test_an_expiring_key_is_used_until_it_expires(cache: Callers, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(cache, "one", ADA.model_copy(update={"seconds_left": 2.0}))
    now = monotonic()
    monkeypatch.setattr(callers, "monotonic", lambda: now + 1.5)
    found = cache.find("one", "/mcp")
    assert found is not None
    assert found.seconds_left is not None
    assert found.seconds_left <= 0.5
    monkeypatch.setattr(callers, "monotonic", lambda: now + 2.1)
    assert cache.find("one", "/mcp") is None


def test_the_oldest_entries_make_room(cache: Callers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "MOST", 2)
    for token in ("one", "two", "three"):
        keep(cache, token)
    assert [cache.find(token, "/mcp") for token in ("one", "two", "three")] == [None, ADA, ADA]


@pytest.mark.parametrize("ended", [1, None])
def test_what_was_read_before_access_ended_is_not_kept(cache: Callers, ended: int | None) -> None:
    keep(cache, "one")
    before = cache.generation
    cache.forget(ended)
    assert cache.find("one", "/mcp") is None
    cache.keep("one", "/mcp", ADA, before)
    assert cache.find("one", "/mcp") is None


def test_other_users_stay(cache: Callers) -> None:
    keep(cache, "one")
    cache.forget(2)
    assert cache.find("one", "/mcp") == ADA


def test_without_notifications_there_is_no_cache() -> None:
    live = Live(is_connected=True)
    cache = Callers(live)
    keep(cache, "one")
    live.connect(False)
    assert cache.find("one", "/mcp") is None
    keep(cache, "two")
    live.connect(True)
    assert cache.find("two", "/mcp") is None


@asynccontextmanager
async def connected_gate(url: str, pool: Pool) -> AsyncGenerator[Gate]:
    """A gate that receives notifications, as in a serving process."""
    live = Live()
    gate = Gate(pool, "http://localhost", Metrics(pool), Failures(), Callers(live))
    live.when_access_ends = gate.end_access
    async with listening(url, live.deliver, live.users, live.connect):
        async with asyncio.timeout(5):
            while not live.is_connected:  # noqa: ASYNC110 (another task sets it)
                await asyncio.sleep(0.01)
        yield gate


def shown(found: Principal | None) -> Principal | None:
    """A principal without its time, which runs out."""
    return found and found.model_copy(update={"seconds_left": None})


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM api_keys",
        "UPDATE api_keys SET scopes = '{read}'",
        "UPDATE api_keys SET expires_at = now()",
        "UPDATE api_keys SET name = 'phone'",
        "DELETE FROM users",
    ],
)
async def test_a_change_of_a_key_is_seen_although_it_was_cached(
    direct: None, url: str, pool: Pool, user_id: int, change: str
) -> None:
    async with pool.connection() as conn:
        made = await key.create(conn, user_id, "laptop", READ_WRITE, timedelta(days=1))
    async with connected_gate(url, pool) as gate:
        before = await gate.find(made, "/mcp")
        async with await psycopg.AsyncConnection.connect(url) as conn:
            # Another look-up would wait for this lock.
            await conn.execute("LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE")
            async with asyncio.timeout(1):
                cached = await gate.find(made, "/mcp")
            assert before is not None
            assert cached is not None
            assert shown(cached) == shown(before)
            await conn.execute(change.encode())
        async with asyncio.timeout(1):
            while shown(await gate.find(made, "/mcp")) == shown(before):  # noqa: ASYNC110 (another process)
                await asyncio.sleep(0.01)


async def test_recording_the_use_of_a_key_notifies_no_server(direct: None, url: str, user_id: int) -> None:
    heard: list[str] = []
    async with listening(url, heard.append, list), asyncio.timeout(5):
        while not heard:  # noqa: ASYNC110 (another task appends)
            await asyncio.sleep(0.01)
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
            await key.create(conn, user_id, "laptop", READ_WRITE, None)
            await conn.execute("UPDATE api_keys SET last_used_at = now()")
            await conn.execute("DELETE FROM api_keys")
        while len(heard) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    access: dict[str, object] = {"user_id": user_id, "touched": [], "listed": False, "access": True}
    assert [json.loads(each) for each in heard] == [{}, access]


async def hello(server: Served, person: Person) -> int:
    async with httpx2.AsyncClient(base_url=server.url, headers=ACCEPT) as http:
        response = await http.post("/mcp", json=HELLO, headers={"Authorization": f"Bearer {person.key}"})
        return response.status_code


async def test_every_replica_rejects_a_revoked_key_within_a_second(
    direct: None, replicas: tuple[Served, Served], admit: Admit, shared_url: str
) -> None:
    ada = await admit()
    async with await psycopg.AsyncConnection.connect(shared_url) as conn:
        for server in replicas:
            assert await hello(server, ada) == 200
        await conn.execute("LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE")
        for server in replicas:
            assert await hello(server, ada) == 200
        await conn.execute("DELETE FROM api_keys WHERE user_id = %s", [ada.id])
        await conn.commit()
        async with asyncio.timeout(1):
            while {await hello(server, ada) for server in replicas} != {401}:  # noqa: ASYNC110 (theirs)
                await asyncio.sleep(0.01)
