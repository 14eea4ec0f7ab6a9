"""The reply of a commit is lost: the caller learns that the change may be stored."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from mcp import Client
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from db.pool import create_pool
from mcp_server.accounts.auth import ensure_user
from mcp_server.protocol import strict
from mcp_server.protocol.edge import App
from mcp_server.server import build_server
from tests.calls import call, refused


class Proxy:
    """Passes bytes on between clients and PostgreSQL. While it *swallows*, it keeps the reply of a commit.

    Then it closes the connection, unless it *holds* it.
    """

    def __init__(self, url: str) -> None:
        parts = conninfo_to_dict(url)
        self.host, self.port = str(parts["host"]), int(parts.get("port") or 5432)
        self.swallows = self.holds = False
        self.swallowed = 0
        self.tasks: list[asyncio.Task[None]] = []

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tasks.append(asyncio.create_task(self.serve(reader, writer)))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.host.startswith("/"):
            to = await asyncio.open_unix_connection(f"{self.host}/.s.PGSQL.{self.port}")
        else:
            to = await asyncio.open_connection(self.host, self.port)
        committed = asyncio.Event()
        ways = [self.pass_on(reader, to[1], committed), self.pass_back(to[0], writer, committed)]
        tasks = [asyncio.ensure_future(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            for each in (writer, to[1]):
                each.close()
                await asyncio.wait([asyncio.ensure_future(each.wait_closed())])

    async def pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, committed: asyncio.Event
    ) -> None:
        while data := await reader.read(65536):
            if self.swallows and b"COMMIT" in data:
                committed.set()
            writer.write(data)

    async def pass_back(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, committed: asyncio.Event
    ) -> None:
        while data := await reader.read(65536):
            if committed.is_set():
                self.swallowed += 1
                await asyncio.sleep(60 if self.holds else 0)
                return
            writer.write(data)


@asynccontextmanager
async def behind_a_proxy(url: str, folder: Path) -> AsyncGenerator[tuple[Client, Proxy]]:
    proxy = Proxy(url)
    async with (
        await asyncio.start_unix_server(proxy.accept, folder / ".s.PGSQL.5432"),
        create_pool(make_conninfo(url, host=str(folder), port=5432)) as pool,
    ):
        async with pool.connection() as conn:
            user_id = await ensure_user(conn, "ada")
        async with Client(build_server(App(pool, user_id))) as client:
            # Prepares what later calls use.
            await call(client, "create_item", name="Tent")
            yield client, proxy
    for task in proxy.tasks:
        task.cancel()
    await asyncio.wait(proxy.tasks)


async def names(client: Client) -> list[str]:
    return sorted(item["name"] for item in (await call(client, "list_items"))["items"])


async def test_a_lost_reply_says_that_the_change_may_be_stored(url: str, folder: Path) -> None:
    async with behind_a_proxy(url, folder) as (client, proxy):
        proxy.swallows = True
        answer = await refused(client, "create_item", name="Stove")
        assert proxy.swallowed == 1
        proxy.swallows = False
        assert answer == (
            "[unavailable] The database did not confirm the change, so it may be stored. "
            "Look at list_changes before you retry."
        )
        assert await names(client) == ["Stove", "Tent"]


async def test_with_a_key_the_retry_gets_the_first_result(url: str, folder: Path) -> None:
    async with behind_a_proxy(url, folder) as (client, proxy):
        proxy.swallows = True
        answer = await refused(client, "create_item", name="Stove", idempotency_key="k")
        proxy.swallows = False
        assert "Retry with the same idempotency_key" in answer
        again = await call(client, "create_item", name="Stove", idempotency_key="k")
        assert again["repeated"]
        assert await names(client) == ["Stove", "Tent"]


async def test_a_reply_that_comes_too_late_is_not_confirmed_either(
    url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with behind_a_proxy(url, folder) as (client, proxy):
        monkeypatch.setattr(strict, "DEADLINE", 1)
        proxy.swallows = proxy.holds = True
        answer = await refused(client, "create_item", name="Stove")
        assert proxy.swallowed == 1
        assert "list_changes" in answer
        monkeypatch.undo()
        proxy.swallows = False
        assert await names(client) == ["Stove", "Tent"]


async def test_a_failure_before_the_commit_changes_nothing_and_says_so(url: str, folder: Path) -> None:
    async with behind_a_proxy(url, folder) as (client, _):
        assert "may be stored" not in await refused(client, "update_item", item_id=999, changes={"name": "x"})
        assert await names(client) == ["Tent"]
