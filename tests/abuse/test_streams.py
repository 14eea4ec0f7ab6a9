"""Streams that outlive their keys, and very many of them."""

import asyncio
from typing import Any

import anyio
import httpx2
import pytest
from mcp import MCPError
from mcp.server.subscriptions import ResourcesListChanged, ResourceUpdated, ServerEvent

from db.pool import Pool
from mcp_server.accounts import key
from mcp_server.errors import Unavailable
from mcp_server.http import leases
from mcp_server.http.leases import Leases
from mcp_server.models.auth import READ, READ_WRITE, Principal
from mcp_server.protocol.live import MOST_CHANGES, MOST_NAMED, MOST_URIS, Live, Notification, Subscriber
from scripts.served import Served
from tests.http.conftest import Admit

LISTEN = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "subscriptions/listen",
    "params": {
        "notifications": {"resourcesListChanged": True},
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    },
}


async def follow(url: str, opens: str, method: str, path: str, begun: asyncio.Event) -> int:
    """Open a stream, wait for its end, and return its status."""
    headers = {"X-API-Key": opens, "Accept": "application/json, text/event-stream"}
    body: Any = None
    if method == "POST":
        headers |= {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "subscriptions/listen"}
        body = LISTEN
    async with (
        httpx2.AsyncClient(timeout=30) as http,
        http.stream(method, f"{url}{path}", headers=headers, json=body) as response,
    ):
        async for _ in response.aiter_bytes():
            begun.set()
        return response.status_code


@pytest.mark.parametrize(("method", "path"), [("GET", "/sse"), ("POST", "/mcp")])
async def test_a_stream_ends_when_its_key_is_revoked(
    direct: None, replicas: tuple[Served, Served], admit: Admit, shared_pool: Pool, method: str, path: str
) -> None:
    ada, begun = await admit(), [asyncio.Event(), asyncio.Event()]
    async with shared_pool.connection() as conn:
        other = await key.create(conn, ada.id, "phone", READ_WRITE, None)
    revoked, kept = (
        asyncio.create_task(follow(replicas[0].url, opens, method, path, event))
        for opens, event in zip((ada.key, other), begun, strict=True)
    )
    with anyio.fail_after(10):
        await asyncio.gather(*(event.wait() for event in begun))
        await asyncio.sleep(0.5)
        assert not revoked.done()
        async with shared_pool.connection() as conn:
            (laptop,) = [each.id for each in await key.list_all(conn, ada.id) if each.name == "laptop"]
            await key.revoke(conn, laptop)
        assert await revoked == 200
    assert not kept.done()
    kept.cancel()
    await asyncio.wait([kept])
    assert "Traceback" not in replicas[0].logged()
    assert "without completing" not in replicas[0].logged()


class Keys:
    """A look-up of keys, and how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: Principal | Exception | None = None

    async def find(self, token: str, resource: str) -> Principal | None:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def lasted(held: Leases, caller: Principal, seconds: float) -> bool:
    """Whether a request with the key of *caller* may last *seconds*."""
    with held.hold(caller, "token", "/mcp") as scope:
        await asyncio.sleep(seconds)
    return not scope.cancelled_caught


async def test_a_stream_ends_when_its_token_expires() -> None:
    keys = Keys()
    caller = Principal(user_id=1, scopes=READ, seconds_left=0.1)
    held = Leases(keys.find)
    async with held.watching():
        assert not await lasted(held, caller, 5)
        # A token that was renewed in place goes on.
        keys.answer = caller.model_copy(update={"seconds_left": 60.0})
        assert await lasted(held, caller, 2)
        # Without an answer it still expires.
        keys.answer = Unavailable("The database does not respond.")
        assert not await lasted(held, caller, 5)


async def test_a_key_is_looked_up_again_once_for_all_its_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = Keys()
    keys.answer = caller = Principal(user_id=1, scopes=READ)
    held = Leases(keys.find)
    monkeypatch.setattr(leases, "RECHECK", 0.1)
    async with held.watching():
        assert all(await asyncio.gather(*(lasted(held, caller, 1.5) for _ in range(20))))
        assert 1 <= keys.asked <= 3
        # The database is down: the streams of a key without an end stay.
        keys.answer = Unavailable("The database does not respond.")
        assert await lasted(held, caller, 1.5)
        keys.answer = None
        assert not await lasted(held, caller, 5)


def followed(live: Live, streams: int, uris: int, *, hears_list: bool = True) -> list[ServerEvent]:
    """Add streams of many resources, and return where they note what they get."""
    received: list[ServerEvent] = []
    for number in range(streams):
        names = {f"gear://items/{number * uris + each}" for each in range(uris)}
        live.add(Subscriber(1, names, received.append, hears_list))
    return received


async def delivered(live: Live) -> int:
    """Wait until all is delivered, and return how often other tasks could run."""
    rounds = 0
    while live._changes or (live._delivery and not live._delivery.done()):  # pyright: ignore[reportPrivateUsage]
        rounds += 1
        await asyncio.sleep(0)
    return rounds


async def test_a_change_that_names_no_resource_is_one_message_for_a_large_stream() -> None:
    change = Notification(user_id=1)
    uris = {f"gear://items/{number}" for number in range(MOST_URIS)}
    # Without folding, each resource has its message.
    assert len(list(change.events(uris))) == MOST_URIS + 1
    live = Live()
    received = followed(live, 60, MOST_URIS)
    live.deliver(change.model_dump_json())
    rounds = await delivered(live)
    assert received == [ResourcesListChanged()] * 60
    # Others run between the messages.
    assert rounds >= 60


async def test_small_streams_and_those_without_the_list_get_each_resource() -> None:
    live = Live()
    small, deaf = followed(live, 1, MOST_NAMED), followed(live, 1, MOST_URIS, hears_list=False)
    live.deliver("{}")
    await delivered(live)
    for received, uris in ((small, MOST_NAMED), (deaf, MOST_URIS)):
        assert sum(isinstance(event, ResourceUpdated) for event in received) == uris


async def test_changes_faster_than_they_are_delivered_become_one() -> None:
    live = Live()
    received = followed(live, 2, MOST_URIS)
    for number in range(10 * MOST_CHANGES):
        live.deliver(Notification(user_id=1, touched=frozenset({f"items/{number}"})).model_dump_json())
    await delivered(live)
    assert ResourcesListChanged() in received
    assert len(received) <= 2 + MOST_CHANGES


async def test_the_streams_of_a_user_follow_a_limited_number_of_resources_together() -> None:
    live = Live()
    uris = {f"gear://items/{number}" for number in range(MOST_URIS)}
    live.check_number(1, uris, len(uris))
    followed(live, 2, MOST_URIS)
    with pytest.raises(MCPError, match=r"^\[busy\] All clients together can subscribe to 1000 resources"):
        live.check_number(1, {"gear://items/1"}, 1)
    live.check_number(2, uris, len(uris))


async def test_a_key_of_another_user_ends_the_request() -> None:
    keys = Keys()
    held = Leases(keys.find)
    caller = Principal(user_id=1, scopes=READ, seconds_left=0.1)
    async with held.watching():
        keys.answer = Principal(user_id=1, scopes=READ)
        assert await lasted(held, caller, 1.5)
        keys.answer = Principal(user_id=2, scopes=READ)
        assert not await lasted(held, caller, 5)
