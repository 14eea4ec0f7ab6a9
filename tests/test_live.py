"""Changes by one process reach all others at once, and only their owner."""

import asyncio
import gc
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from mcp import Client, MCPError
from mcp.client.subscriptions import Subscription
from mcp.server.subscriptions import ResourcesListChanged, ResourceUpdated, ServerEvent
from mcp.types import (
    EmptyResult,
    ResourceListChangedNotification,
    ResourceUpdatedNotification,
    SubscribeRequest,
    SubscribeRequestParams,
    UnsubscribeRequest,
    UnsubscribeRequestParams,
)
from psycopg import AsyncConnection, errors

from db import migrations
from db.embedded import Embedded
from db.listen import listening, look
from db.pool import Pool, create_pool, transaction
from mcp_server.accounts.auth import ensure_user
from mcp_server.protocol.edge import App
from mcp_server.protocol.live import MOST_SUBSCRIBERS, MOST_URIS, Live, Subscriber
from mcp_server.server import build_server
from tests.calls import call
from tests.pictures import in_base64, photo
from tests.test_faults import stop_at_once
from tests.test_stdio import parameters

Era = Literal["legacy", "auto"]
LIST = "the list"


async def read_at_once() -> None:
    pass


class Ear:
    """The notifications of a client: URIs, and LIST."""

    def __init__(self, read: Callable[[], Awaitable[Any]] = read_at_once) -> None:
        self._read = read
        self.received: list[str] = []
        self._news = asyncio.Event()

    async def note(self, message: Any) -> None:
        await self._read()
        match message:
            case ResourceUpdatedNotification() | ResourceUpdated():
                self.received.append(
                    str(message.uri if isinstance(message, ResourceUpdated) else message.params.uri)
                )
            case ResourceListChangedNotification() | ResourcesListChanged():
                self.received.append(LIST)
            case _:
                return
        self._news.set()

    async def hears(self, *expected: str) -> set[str]:
        """Wait for these, a moment for more, return all that was received, and forget it."""
        async with asyncio.timeout(5):
            while not set(expected) <= set(self.received):
                self._news.clear()
                await self._news.wait()
        await asyncio.sleep(0.1)
        received = set(self.received)
        self.received.clear()
        return received


async def subscribe(client: Client, uri: str) -> None:
    request = SubscribeRequest(params=SubscribeRequestParams(uri=uri))
    await client.session.send_request(request, EmptyResult)


@asynccontextmanager
async def ear(
    server: Any, era: Era, *uris: str, read: Callable[[], Awaitable[Any]] = read_at_once
) -> AsyncGenerator[Ear]:
    """A client of its own that wants to hear of *uris*, and of its list."""
    ear = Ear(read)
    async with Client(server, mode=era, message_handler=ear.note) as client, attentive(client, ear, *uris):
        yield ear


@asynccontextmanager
async def attentive(client: Client, ear: Ear, *uris: str) -> AsyncGenerator[None]:
    """Subscribe a client to *uris* in the way of its era. The client records the messages itself."""
    if client.session.protocol_version == "2025-11-25":
        await client.list_resources()
        for uri in uris:
            await subscribe(client, uri)
        yield
        return

    async def follow(stream: Subscription) -> None:
        async for event in stream:
            await ear.note(event)

    async with client.listen(resource_subscriptions=uris, resources_list_changed=True) as stream:
        task = asyncio.create_task(follow(stream))
        yield
        task.cancel()


class Process(App):
    """What a process has: a user to serve, a connection that listens, and its notifications."""

    notifications: list[dict[str, Any]]


@asynccontextmanager
async def process(url: str, pool: Pool, user_id: int) -> AsyncGenerator[Process]:
    app = Process(pool, user_id)
    object.__setattr__(app, "notifications", [])

    def deliver(notification: str) -> None:
        app.notifications.append(json.loads(notification))
        app.live.deliver(notification)

    async with listening(url, deliver, app.live.users):
        await until(lambda: app.notifications == [{}])
        yield app


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not is_so():  # noqa: ASYNC110 (it may become so in another task, or in the server)
            await asyncio.sleep(0.02)


@pytest.fixture
async def one(direct: None, url: str, pool: Pool, user_id: int) -> AsyncGenerator[Process]:
    async with process(url, pool, user_id) as app:
        yield app


@pytest.fixture
async def other(direct: None, url: str, pool: Pool, user_id: int) -> AsyncGenerator[Process]:
    async with process(url, pool, user_id) as app:
        yield app


async def test_a_change_at_one_server_reaches_another(one: Process, other: Process, era: Era) -> None:
    async with Client(build_server(one), mode=era) as client:
        tent = (await call(client, "create_item", name="Tent"))["id"]
        stove = (await call(client, "create_item", name="Stove"))["id"]
        setup = (await call(client, "create_setup", name="Weekend", lines=[{"item_id": tent}]))["id"]
        thread = (await call(client, "create_thread", name="Shelter", replaces_item_id=tent))["id"]
        all_of_it = [f"gear://items/{tent}", f"gear://items/{stove}", f"gear://setups/{setup}"]
        all_of_it += [f"gear://threads/{thread}", "gear://summary"]
        of_tent, of_stove, of_setup, of_thread, summary = all_of_it
        async with ear(build_server(other), era, *all_of_it) as ears:
            await call(client, "update_item", item_id=tent, changes={"weight": "1 kg"})
            assert await ears.hears(summary) == {of_tent, of_setup, of_thread, summary}
            await call(client, "add_candidate", thread_id=thread, name="Tarp")
            assert await ears.hears(summary) == {of_thread, summary, LIST}
            await call(client, "update_setup", setup_id=setup, changes={"name": "Week"})
            assert await ears.hears(summary) == {of_tent, of_setup, summary, LIST}
            await call(client, "set_setup_items", setup_id=setup, change=[{"item_id": stove}])
            assert await ears.hears(summary) == {of_stove, of_setup, summary, LIST}
            deleted = await call(client, "delete_item", item_id=stove)
            assert await ears.hears(summary) == {of_stove, of_setup, summary, LIST}
            await call(client, "undo_change", change_id=deleted["change_id"])
            assert await ears.hears(summary) == {of_stove, of_setup, summary, LIST}
            await call(client, "update_settings", changes={"weight_unit": "oz"})
            assert await ears.hears(summary) == {*all_of_it, LIST}
        await until(lambda: other.live.users() == set())


async def test_an_image_that_comes_or_goes_is_heard(one: Process, other: Process, era: Era) -> None:
    async with Client(build_server(one), mode=era) as client:
        tent = (await call(client, "create_item", name="Tent"))["id"]
        sent = in_base64(photo(60, 40, kind="JPEG"))
        image = (await call(client, "upload_image", data=sent, item_id=tent))["id"]
        uris = [f"gear://items/{tent}", f"gear://images/{image}"]
        async with ear(build_server(other), era, *uris) as ears:
            await call(client, "remove_image", item_id=tent)
            assert await ears.hears(*uris) == set(uris)


async def test_a_change_of_another_user_is_not_received(
    url: str, pool: Pool, one: Process, other_user_id: int, era: Era
) -> None:
    async with (
        process(url, pool, other_user_id) as eves,
        Client(build_server(one), mode=era) as ada,
        Client(build_server(eves), mode=era) as eve,
    ):
        tent = (await call(ada, "create_item", name="Tent"))["id"]
        uris = [f"gear://items/{tent}", "gear://summary"]
        async with ear(build_server(eves), era, *uris) as ears:
            eves.notifications.clear()
            await call(ada, "update_item", item_id=tent, changes={"name": "Tarp"})
            await until(lambda: len(eves.notifications) == 1)
            (notification,) = eves.notifications
            assert notification == {"user_id": one.user_id, "touched": [f"items/{tent}"], "listed": False}
            await call(eve, "create_item", name="Stove")
            assert await ears.hears(uris[1]) == {uris[1]}


async def test_a_wide_change_reaches_all_subscribers(one: Process, other: Process, era: Era) -> None:
    async with Client(build_server(one), mode=era) as client:
        async with ear(build_server(other), era, "gear://items/1", "gear://summary") as ears:
            lines = "".join(f"Peg {number},1,gram\n" for number in range(800))
            csv_text = f"item name,weight,unit\n{lines}"
            await call(client, "import_csv", csv_text=csv_text, setup_name="Pegs")
            await ears.hears("gear://items/1", "gear://summary", LIST)
        assert other.notifications[-1] == {"user_id": one.user_id}


async def test_a_client_that_does_not_read_blocks_no_other(one: Process, era: Era) -> None:
    server = build_server(one)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(Client(server, mode=era))
        ears = await stack.enter_async_context(ear(server, era, "gear://summary"))
        never = asyncio.Event().wait
        sleeper = await stack.enter_async_context(ear(server, era, "gear://summary", read=never))
        for name in ("Tent", "Stove", "Pot"):
            await call(client, "create_item", name=name)
            await ears.hears("gear://summary")
        assert sleeper.received == []


@pytest.fixture
def server_of_its_own(folder: Path) -> Generator[Embedded]:
    with Embedded(folder) as database:
        yield database


async def test_after_a_restart_of_the_database_all_notifications_arrive_again(
    server_of_its_own: Embedded,
) -> None:
    database = server_of_its_own
    migrations.upgrade(database.url)
    async with create_pool(database.url) as pool:
        async with pool.connection() as conn:
            user_id = await ensure_user(conn, "ada")
        async with process(database.url, pool, user_id) as app:
            server = build_server(app)
            async with Client(server) as client, ear(server, "auto", "gear://items/1") as ears:
                stop_at_once(database.folder)
                database.start()
                await ears.hears("gear://items/1", LIST)
                assert app.notifications == [{}, {}]
                # A read is repeated when its connection turns out to be lost, a write is not.
                await call(client, "list_items")
                await call(client, "create_item", name="Tent")
                await ears.hears("gear://items/1")
                assert len(app.notifications) == 3


async def test_two_processes_on_one_embedded_database_hear_each_other(folder: Path) -> None:
    program = parameters("--data-dir", str(folder))
    async with Client(program) as client, ear(program, "legacy", "gear://summary") as ears:
        await call(client, "create_item", name="Tent")
        await ears.hears("gear://summary")


async def test_without_notifications_changes_are_polled(client: Client, user_id: int, url: str) -> None:
    received: list[str] = []
    async with (
        await AsyncConnection.connect(url, autocommit=True) as conn,
    ):
        looking = asyncio.create_task(look(conn, received.append, lambda: [user_id, 99]))
        await until(lambda: len(received) == 2)
        await call(client, "create_item", name="Tent")
        await until(lambda: len(received) == 3)
        assert json.loads(received[2]) == {"user_id": user_id}
        looking.cancel()


async def test_no_role_of_the_server_sees_where_others_wrote(one: Process) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        async with transaction(one.pool, one.user_id or 0) as conn:
            await conn.execute("SELECT lsn FROM last_writes")


@pytest.mark.parametrize("garbage", ["", "no JSON", '{"user_id": "?"}', "[]"])
async def test_a_notification_that_cannot_be_read_stands_for_any_change(garbage: str) -> None:
    live, received = Live(), list[ServerEvent]()
    live.add(Subscriber(1, {"gear://items/1"}, received.append))
    live.deliver(garbage)
    await until(lambda: len(received) == 2)
    assert received == [ResourceUpdated("gear://items/1"), ResourcesListChanged()]


async def test_a_session_of_2025_can_end_a_subscription(one: Process) -> None:
    async with Client(build_server(one), mode="legacy") as client:
        await subscribe(client, "gear://items/1")
        await subscribe(client, "gear://items/1")
        assert one.live.users() == {one.user_id}
        request = UnsubscribeRequest(params=UnsubscribeRequestParams(uri="gear://items/1"))
        await client.session.send_request(request, EmptyResult)
        (subscriber,) = one.live._subscribers  # pyright: ignore[reportPrivateUsage]
        assert subscriber.uris == set()


async def test_an_invalid_subscription_is_refused(one: Process) -> None:
    async with Client(build_server(one), mode="legacy") as client:
        with pytest.raises(MCPError, match=r'\[not_found\] No resource "gear://tents/1"'):
            await subscribe(client, "gear://tents/1")
        for number in range(MOST_URIS):
            await subscribe(client, f"gear://items/{number + 1}")
        with pytest.raises(MCPError, match="At most 500"):
            await subscribe(client, "gear://summary")
    uris = [f"gear://items/{number}" for number in range(MOST_URIS + 1)]
    async with Client(build_server(one)) as client:
        with pytest.raises(MCPError, match="At most 500"):
            async with client.listen(resource_subscriptions=uris):
                pass


async def test_one_person_cannot_take_every_place(one: Process) -> None:
    places = [Subscriber(one.user_id or 0, set(), print) for _ in range(MOST_SUBSCRIBERS)]
    for place in places:
        one.live.add(place)
    async with Client(build_server(one)) as client:
        with pytest.raises(MCPError, match=r"\[busy\] 64 clients are subscribed"):
            async with client.listen(resources_list_changed=True):
                pass
        one.live.add(Subscriber(99, set(), print))
        one.live.remove(places[0])
        async with client.listen(resources_list_changed=True):
            pass
    # What the refused one left behind would warn now.
    gc.collect()


async def test_a_session_of_2025_can_read_even_without_a_place(one: Process) -> None:
    for _ in range(MOST_SUBSCRIBERS):
        one.live.add(Subscriber(one.user_id or 0, set(), print))
    async with Client(build_server(one), mode="legacy") as client:
        assert (await client.list_resources()).resources
        with pytest.raises(MCPError, match=r"\[busy\] 64 clients are subscribed"):
            await subscribe(client, "gear://summary")


async def test_a_lost_connection_is_reported_before_it_is_back(url: str, direct: None) -> None:
    states: list[bool] = []
    news = asyncio.Event()

    def connected(is_connected: bool) -> None:
        states.append(is_connected)
        news.set()

    async def until(expected: list[bool]) -> None:
        async with asyncio.timeout(10):
            while states != expected:
                await news.wait()
                news.clear()

    async with listening(url, lambda _: None, lambda: (), connected):
        await until([True])
        async with await AsyncConnection.connect(url, autocommit=True) as conn:
            await conn.execute("""
                SELECT pg_terminate_backend(pid)
                FROM pg_stat_activity
                WHERE datname = current_database() AND query = 'LISTEN gearshed_changes'
            """)
        await until([True, False, True])
    assert states == [True, False, True, False]
