"""Calls over HTTP on a few connections, by CPU and by time, beside the echoes and the usual stack."""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from time import sleep
from typing import Any, NamedTuple

from scripts.bench.contest import CALLS, Contest, contest
from scripts.bench.figures import Figure
from scripts.bench.load import Cost, Server, compare
from scripts.bench.peer import peer_python
from scripts.bench.rig import ROOT, Rig, free_port
from scripts.served import served

CONNECTIONS, ROUNDS = 8, 7
LEGACY, MODERN = "2025-11-25", "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


class Case(NamedTuple):
    """A call in one era, the calls on each connection in a round, and goals of calls per CPU second.

    The goals are multiples of the usual stack's and of the tuned echo's.
    """

    tool: str
    version: str
    calls: int
    of_usual: float
    of_echo: float | None = None


CASES = [
    Case("get_item", LEGACY, 15, of_usual=3.5, of_echo=0.7),
    Case("get_item", MODERN, 15, of_usual=2, of_echo=0.45),
    Case("list_items", LEGACY, 8, of_usual=2),
    Case("create_item", LEGACY, 12, of_usual=2),
]


class Running(NamedTuple):
    """A server's process and its port."""

    process: int
    port: int


async def measure(rig: Rig) -> list[Figure]:
    async with contest(rig) as held:
        with ExitStack() as stack:
            whole = stack.enter_context(served(held.url, rig.folder / "log of http"))
            servers = [
                Running(whole.process.pid, int(whole.url.rpartition(":")[2])),
                stack.enter_context(listening(held.usual)),
                # The peers' environment has uvloop and httptools.
                stack.enter_context(listening(echo(peer_python(), held))),
                stack.enter_context(listening(echo(sys.executable, held))),
            ]
            return [figure for case in CASES for figure in await time_case(case, held, servers)]


def echo(python: str, held: Contest) -> list[str]:
    return [python, "-m", "scripts.bench.echo", str(held.answers)]


@contextmanager
def listening(command: Sequence[str]) -> Generator[Running]:
    """Start a server on a free port, and wait until it listens."""
    port = free_port()
    with subprocess.Popen([*command, str(port)], cwd=ROOT) as process:
        try:
            wait_for(port, process)
            yield Running(process.pid, port)
        finally:
            process.kill()


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            sleep(0.1)
        else:
            return
    raise RuntimeError(f"{process.args} ended with {process.returncode}")


async def time_case(case: Case, held: Contest, servers: Sequence[Running]) -> list[Figure]:
    def contender(server: Running) -> Server:
        request = post(case.tool, case.version, held.key, server.port)
        return Server(
            server.process,
            held.postmaster,
            lambda: storm(server.port, request, case.calls),
            CONNECTIONS * case.calls,
        )

    whole, usual, tuned, bare = await compare([contender(server) for server in servers], ROUNDS)
    return [
        rates(case, "CPU s", whole, usual, "usual stack", case.of_usual),
        rates(case, "CPU s", whole, tuned, "tuned echo", case.of_echo),
        rates(case, "CPU s", whole, bare, "echo of its bytes"),
        Figure(f"{named(case)}, PostgreSQL", whole.postgres, usual.postgres, "usual stack", ROUNDS),
        rates(case, "s", whole, usual, "usual stack"),
        rates(case, "s", whole, tuned, "tuned echo"),
    ]


def rates(case: Case, per: str, whole: Cost, floor: Cost, floor_is: str, goal: float | None = None) -> Figure:
    """Compare calls per second of the server's CPU, or of time."""
    ours, theirs = (1000 / (cost.server if per == "CPU s" else cost.time) for cost in (whole, floor))
    return Figure(f"{named(case)}, calls per {per}", ours, theirs, floor_is, ROUNDS, "/s", least_ratio=goal)


def named(case: Case) -> str:
    return f"HTTP {case.tool}, {'modern' if case.version == MODERN else 'legacy'}"


def post(tool: str, version: str, key: str, port: int) -> bytes:
    """Return a call of a tool as an HTTP request."""
    params: dict[str, Any] = {"name": tool, "arguments": CALLS[tool]}
    if version == MODERN:
        params["_meta"] = META
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
    headers: Mapping[str, object] = {
        "Host": f"127.0.0.1:{port}",
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": version,
        "Mcp-Method": "tools/call",
        "Mcp-Name": tool,
        "Content-Length": len(body),
    }
    lines = ["POST /mcp HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + body


async def storm(port: int, request: bytes, times: int) -> None:
    await asyncio.gather(*(call_on_one(port, request, times) for _ in range(CONNECTIONS)))


async def call_on_one(port: int, request: bytes, times: int) -> None:
    """Send a request again and again on one connection. Every answer has to be a success."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for _ in range(times):
            writer.write(request)
            answer = await read_answer(reader)
            if b'"result"' not in answer or b'"isError":true' in answer:
                raise RuntimeError(answer.decode())
    finally:
        writer.close()


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    """Read one answer, whose body has a length or comes in chunks."""
    answer = await reader.readuntil(b"\r\n\r\n")
    head = answer.lower()
    if b"content-length: " in head:
        return answer + await reader.readexactly(int(head.partition(b"content-length: ")[2].split()[0]))
    while size := int(await reader.readuntil(b"\r\n"), 16):
        answer += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return answer
