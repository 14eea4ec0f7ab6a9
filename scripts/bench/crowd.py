"""Calls per second over HTTP, by a crowd of users at once, with one and with two processes."""

import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import cycle
from statistics import median
from time import perf_counter
from typing import NamedTuple

import anyio
import httpx2

from db.embedded import Embedded
from db.pool import Pool, create_pool, transaction
from mcp_server.accounts import auth, key
from mcp_server.models.auth import READ
from mcp_server.services import item
from scripts.bench.figures import Figure
from scripts.bench.rig import PATIENCE, ROOT, Rig, free_port
from scripts.served import served

ROUNDS = 5
CLIENTS, CALLS_EACH = 50, 20


class HttpClient(NamedTuple):
    """A user's key, and the only item that the user has."""

    key: str
    item_id: int
    name: str


async def measure(rig: Rig) -> list[Figure]:
    """Count calls per second. Each client checks that it gets its own item."""
    with Embedded(rig.folder) as database, ExitStack() as stack:
        async with create_pool(database.url) as pool:
            clients = await admit_clients(pool)
        product = [
            stack.enter_context(served(database.url, rig.folder / f"log {number}")).url for number in range(2)
        ]
        echo = [stack.enter_context(echoing(rig)) for _ in range(2)]
        rounds: dict[tuple[int, bool], list[float]] = {}
        for _ in range(1 + ROUNDS):
            for processes in (1, 2):
                for urls, own in ((product, True), (echo, False)):
                    rate = await storm(urls[:processes], clients, own=own)
                    rounds.setdefault((processes, own), []).append(rate)
        return [
            Figure(
                f"get_item over HTTP, processes: {processes}",
                median(rounds[processes, True][1:]),
                median(rounds[processes, False][1:]),
                "echo on bare SDK",
                ROUNDS,
                "/s",
            )
            for processes in (1, 2)
        ]


async def admit_clients(pool: Pool) -> list[HttpClient]:
    """Create users, each with a key and an item that is named after the user."""
    clients: list[HttpClient] = []
    for number in range(CLIENTS):
        async with pool.connection() as conn:
            user_id = await auth.add_user(conn, f"person {number}", None)
            opens = await key.create(conn, user_id, "bench", READ, None)
        async with transaction(pool, user_id) as conn:
            made = await item.create(conn, {"name": f"of person {number}"})
        clients.append(HttpClient(opens, made.id, f'"name":"{made.name}"'))
    return clients


@contextmanager
def echoing(rig: Rig) -> Generator[str]:
    """Serve recorded answers with nothing but the SDK."""
    port = free_port()
    command = [sys.executable, "-m", "scripts.bench.echo", str(rig.answers), str(port)]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


async def storm(urls: Sequence[str], clients: Sequence[HttpClient], *, own: bool) -> float:
    """Let all clients call at once, each alternating between servers, and return the calls per second."""
    begin = perf_counter()
    async with anyio.create_task_group() as tasks:
        for client in clients:
            tasks.start_soon(call_in_turns, urls, client, own)
    return len(clients) * CALLS_EACH / (perf_counter() - begin)


async def call_in_turns(urls: Sequence[str], client: HttpClient, own: bool) -> None:
    headers = {
        "Authorization": f"Bearer {client.key}",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2025-11-25",
    }
    params = {"name": "get_item", "arguments": {"item_id": client.item_id}}
    async with httpx2.AsyncClient(headers=headers, timeout=PATIENCE) as http:
        for number, url in zip(range(CALLS_EACH), cycle(urls), strict=False):
            message = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
            response = await http.post(f"{url}/mcp", json=message)
            if response.status_code != 200 or (own and client.name not in response.text):
                raise RuntimeError(f"{client.name}: {response.status_code} {response.text}")
