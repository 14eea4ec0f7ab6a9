"""The messages that a call sends to PostgreSQL, counted by a proxy between the two."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NamedTuple

from anyio.from_thread import start_blocking_portal
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from scripts.bench.contest import Contest, contest
from scripts.bench.figures import Figure
from scripts.bench.http import LEGACY, call_on_one, post
from scripts.bench.rig import Rig
from scripts.bench.stdio import PRODUCT, piped
from scripts.served import served

# The first calls prepare their statements.
WARM_UP, CALLS_EACH = 20, 200
GOALS = {"get_item": 1, "list_items": 1, "create_item": 3}
# A simple query, and the end of an extended one. The server waits for the answer of each.
WAITED_FOR = frozenset(b"QS")


class Proxy:
    """A proxy in front of PostgreSQL that counts the messages whose answer the client waits for."""

    def __init__(self, socket: str) -> None:
        self.count, self._socket = 0, socket

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_unix_connection(self._socket)
        await asyncio.gather(self._requests(reader, to_server), answers(from_server, writer))

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            # The first message has no type.
            size = await reader.readexactly(4)
            writer.write(size + await reader.readexactly(int.from_bytes(size, "big") - 4))
            while True:
                head = await reader.readexactly(5)
                writer.write(head + await reader.readexactly(int.from_bytes(head[1:], "big") - 4))
                self.count += head[0] in WAITED_FOR
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while block := await reader.read(1 << 16):
        writer.write(block)
    writer.close()


class Counted(NamedTuple):
    """A proxy, and the database's address through it."""

    proxy: Proxy
    url: str


@asynccontextmanager
async def counted(url: str) -> AsyncGenerator[Counted]:
    proxy = Proxy(f"{conninfo_to_dict(url)['host']}/.s.PGSQL.5432")
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield Counted(
        proxy, make_conninfo(url, host="127.0.0.1", port=port, sslmode="disable", gssencmode="disable")
    )
    server.close()


async def measure(rig: Rig) -> list[Figure]:
    # In a thread of its own, because starting a server blocks this one.
    async with contest(rig) as held:
        with start_blocking_portal() as portal, portal.wrap_async_context_manager(counted(held.url)) as way:
            return [*await over_stdio(way), await over_http(rig, held, way)]


async def over_stdio(way: Counted) -> list[Figure]:
    with piped(PRODUCT, DATABASE_URL=way.url) as client:
        figures: list[Figure] = []
        for tool, most in GOALS.items():
            await client.repeat(tool, WARM_UP)
            before = way.proxy.count
            await client.repeat(tool, CALLS_EACH)
            figures.append(per_call(f"messages, {tool}", way.proxy.count - before, most))
        return figures


async def over_http(rig: Rig, held: Contest, way: Counted) -> Figure:
    with served(way.url, rig.folder / "log of messages") as server:
        port = int(server.url.rpartition(":")[2])
        request = post("get_item", LEGACY, held.key, port)
        await call_on_one(port, request, WARM_UP)
        before = way.proxy.count
        await call_on_one(port, request, CALLS_EACH)
        return per_call("messages, get_item with a key", way.proxy.count - before, 1)


def per_call(what: str, count: int, most: int) -> Figure:
    # Rounded, because the process also sends a message now and then that belongs to no call.
    return Figure(what, round(count / CALLS_EACH, 1), 1, "one round trip", CALLS_EACH, "", value_goal=most)
