"""One user who sends much does not keep others out."""

import asyncio
import secrets
import socket
from collections.abc import Callable, Generator
from pathlib import Path
from time import monotonic

import httpx2
import pytest
from mcp import Client
from psycopg import AsyncConnection
from psycopg_pool import PoolTimeout

from db import migrations
from db.embedded import Embedded
from db.pool import Pool
from mcp_server.protocol import quota as quotas
from mcp_server.protocol.edge import App
from mcp_server.protocol.quota import Quota
from mcp_server.protocol.shares import EACH, Shares
from mcp_server.server import build_server
from mcp_server.turns import Turns
from scripts.served import Served, served
from tests.abuse.sockets import answer, head, sockets, trickle
from tests.calls import call, refused
from tests.http.conftest import Admit
from tests.http.test_stop import holding, key_of, readiness, until
from tests.test_faults import frozen
from tests.test_faults import server_of_its_own as server_of_its_own

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


@pytest.mark.parametrize("shares", [None, Shares()])
async def test_a_users_calls_take_three_connections_and_leave_one_for_keys(
    pool: Pool, user_id: int, other_user_id: int, url: str, shares: Shares | None
) -> None:
    async with (
        Client(build_server(App(pool, user_id, shares=shares))) as busy,
        Client(build_server(App(pool, other_user_id, shares=shares))) as other,
    ):
        item = await call(busy, "create_item", name="Tent")
        await busy.list_tools()
        async with holding(url, item["id"]) as conn:
            changes = {"notes": "dry"}
            calls = [
                asyncio.create_task(call(busy, "update_item", item_id=item["id"], changes=changes))
                for _ in range(20)
            ]
            await until(conn, EACH if shares else 8, 5)
            if shares:
                assert (await call(other, "list_items"))["total"] == 0
                async with pool.connection(timeout=0.5):
                    pass
            else:
                with pytest.raises(PoolTimeout):
                    async with pool.connection(timeout=0.5):
                        pass
        # Those that waited for their turn are done, in the time that they may take.
        results = await asyncio.gather(*calls, return_exceptions=True)
    if shares:
        assert {result["notes"] for result in results if isinstance(result, dict)} == {"dry"}
        assert len([result for result in results if isinstance(result, dict)]) == 20


async def test_a_call_that_waits_too_long_is_busy(pool: Pool, user_id: int, url: str) -> None:
    shares = Shares(calls=Turns(1, 7, "calls", patience=0.1))
    async with Client(build_server(App(pool, user_id, shares=shares))) as client:
        item = await call(client, "create_item", name="Tent")
        async with holding(url, item["id"]) as conn:
            waiting = asyncio.create_task(
                call(client, "update_item", item_id=item["id"], changes={"notes": "dry"})
            )
            await until(conn, 1, 5)
            error = await refused(client, "list_items")
        assert error.startswith("[busy] Too many calls are in progress.")
        assert (await waiting)["notes"] == "dry"


@pytest.fixture(scope="module")
def strict_server(shared_url: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[Served]:
    """A server with low rates."""
    folder = tmp_path_factory.mktemp("logs")
    rates = {"GEARSHED_RATE_CALLS": "30", "GEARSHED_RATE_MB": "1"}
    with served(shared_url, folder / "log", **rates) as server:
        yield server


async def test_requests_beyond_the_rate_are_429_and_one_line_of_the_log(
    strict_server: Served, admit: Admit
) -> None:
    ada, eve = await admit(), await admit()
    async with httpx2.AsyncClient(base_url=strict_server.url) as http:
        answers = [
            await http.post("/mcp", json=PING, headers={"X-API-Key": ada.key, "Accept": "application/json"})
            for _ in range(60)
        ]
        statuses = [each.status_code for each in answers]
        # Some more are allowed with time.
        assert 31 <= statuses.index(429) + 1 <= 45
        assert set(statuses) == {200, 429}
        last = next(each for each in answers if each.status_code == 429)
        assert 1 <= int(last.headers["Retry-After"]) <= 3
        assert "[busy] You sent too much within a minute. Retry in " in last.json()["error"]["message"]
        headers = {"X-API-Key": eve.key, "Accept": "application/json"}
        assert (await http.post("/mcp", json=PING, headers=headers)).status_code == 200
    assert strict_server.logged().count(f'refused user={ada.id} reason="GEARSHED_RATE_CALLS"') == 1


async def test_bytes_beyond_the_rate_are_429(strict_server: Served, admit: Admit) -> None:
    ada = await admit()
    headers = {"X-API-Key": ada.key, "Accept": "application/json", "Content-Type": "application/json"}
    async with httpx2.AsyncClient(base_url=strict_server.url, headers=headers) as http:
        large = b" " * 1_100_000
        assert (await http.post("/mcp", content=large)).status_code == 400
        refusal = await http.post("/mcp", json=PING)
    assert (refusal.status_code, int(refusal.headers["Retry-After"])) == (429, pytest.approx(6, abs=2))


async def test_a_user_sends_sixteen_bodies_at_once(replicas: tuple[Served, Served], admit: Admit) -> None:
    ada, eve = await admit(), await admit()
    with sockets(replicas[0], 20) as clients:
        for client in clients:
            client.send(head("/mcp", f"X-API-Key: {ada.key}", "Content-Length: 5000") + b"{")
        async with httpx2.AsyncClient(base_url=replicas[0].url) as http:
            headers = {"X-API-Key": eve.key, "Accept": "application/json"}
            assert (await http.post("/mcp", json=PING, headers=headers)).status_code == 200
        trickle([], 4.5)
        assert sum(has_answer(client) for client in clients) == 4
        (first,) = {answer(client) for client in clients if has_answer(client)}
        assert first == b"HTTP/1.1 429 Too Many Requests"


def has_answer(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        return bool(client.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False


async def test_a_user_opens_sixty_four_streams(replicas: tuple[Served, Served], admit: Admit) -> None:
    ada, eve = await admit(), await admit()
    with sockets(replicas[0], 70) as clients:
        for client in clients[:69]:
            client.send(head("/sse", f"X-API-Key: {ada.key}", method="GET"))
        clients[69].send(head("/sse", f"X-API-Key: {eve.key}", method="GET"))
        answers = [answer(client) for client in clients]
    assert answers.count(b"HTTP/1.1 200 OK") == 65
    assert answers[69] == b"HTTP/1.1 200 OK"
    assert answers.count(b"HTTP/1.1 429 Too Many Requests") == 5


async def test_a_frozen_database_does_not_keep_requests_waiting(
    server_of_its_own: Embedded, tmp_path: Path
) -> None:
    database = server_of_its_own
    migrations.upgrade(database.url)
    opens = await key_of(database.url)
    headers = {"X-API-Key": opens, "Accept": "application/json"}
    with served(database.url, tmp_path / "log") as server:
        async with httpx2.AsyncClient(base_url=server.url, timeout=60) as http:
            cached = {**headers, "X-API-Key": await key_of(database.url)}
            assert (await http.post("/mcp", json=PING, headers=cached)).status_code == 200
            with frozen(database):
                started = monotonic()
                answers = await asyncio.gather(
                    http.post("/mcp", json=PING, headers=headers),
                    http.get("/account"),
                    http.post("/register", json={"redirect_uris": ["https://a.example/back"]}),
                    http.get("/readyz"),
                )
                assert monotonic() - started < 14
                assert [each.status_code for each in answers] == [503] * 4
            await readiness(http, 200)
            assert (await http.post("/mcp", json=PING, headers=headers)).status_code == 200


async def test_a_user_beyond_the_quota_can_only_delete(
    pool: Pool, user_id: int, other_user_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotas, "FRESH", 0.0)
    monkeypatch.setattr(quotas, "TIMES", 0)
    quota = Quota(1)
    async with (
        Client(build_server(App(pool, user_id, quota=quota))) as ada,
        Client(build_server(App(pool, other_user_id, quota=quota))) as eve,
    ):
        tent = await call(ada, "create_item", name="Tent")
        # Noise, because what is stored compressed counts as such.
        items = [{"name": f"Peg {number}", "notes": secrets.token_hex(30_000)} for number in range(20)]
        await call(ada, "create_items", items=items)
        error = await refused(ada, "create_item", name="Stove")
        assert error.startswith("[storage_full] ")
        assert " of 1 MB are used: 0.0 by images, " in error
        assert "GEARSHED_QUOTA_MB" in error
        assert (await call(ada, "list_items"))["total"] == 21
        await call(ada, "delete_item", item_id=tent["id"])
        await call(eve, "create_item", name="Stove")


async def test_the_measurement_is_kept_for_a_moment(
    conn: AsyncConnection, user_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = 0
    measure: Callable[..., object] = quotas.measure

    async def counted(conn: AsyncConnection) -> object:
        nonlocal measured
        measured += 1
        return await measure(conn)  # pyright: ignore[reportGeneralTypeIssues]

    monkeypatch.setattr(quotas, "measure", counted)
    quota = Quota(1)
    for _ in range(10):
        await quota.check(conn, user_id, "create_item")
    assert measured == 1
    await quota.check(conn, user_id, "delete_item")
    await quota.check(conn, user_id, "create_item")
    assert measured == 2
