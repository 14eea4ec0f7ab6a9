"""Clients that open connections and do not finish what they send."""

import ipaddress
import resource
import socket
from contextlib import suppress
from pathlib import Path

import anyio
import anyio.lowlevel
import httpx2
import pytest

from mcp_server.http.connections import Connections
from scripts.served import Served, served
from tests.abuse.sockets import answer, head, program, sockets, trickle
from tests.http.conftest import Admit

LIMITS = "from mcp_server.http import connections as c; c.FOR_HEAD, c.FOR_BODY = {}, {}"
# Without the parser in C, the one in Python is used.
PARSERS = {"httptools": "import httptools; ", "h11": "import sys; sys.modules['httptools'] = None; "}
LOOPS = {"uvloop": "import uvloop", "asyncio": "import sys; sys.modules['uvloop'] = None"}
HALF_BODY = head("/mcp", "Content-Length: 5000") + b'{"jsonrpc"'


def ended(stream: socket.socket) -> bool:
    """Whether the server closed a connection, after what it sent."""
    stream.setblocking(False)
    try:
        while stream.recv(65536):
            pass
    except BlockingIOError:
        return False
    return True


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("is_limited", [False, True])
async def test_half_sent_requests_do_not_keep_their_connections(
    shared_url: str, admit: Admit, tmp_path: Path, is_limited: bool, parser: str
) -> None:
    ada = await admit()
    limits = PARSERS[parser] + (LIMITS.format(0.5, 1) if is_limited else LIMITS.format(1000, 1000))
    with (
        served(shared_url, tmp_path / "log", program=program(limits)) as server,
        sockets(server, 6) as (silent, half, body, own_body, again, stream),
    ):
        half.send(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        body.send(HALF_BODY)
        own_body.send(head("/mcp", f"X-API-Key: {ada.key}", "Content-Length: 5000") + b"{")
        again.send(head("/livez", method="GET"))
        assert answer(again) == b"HTTP/1.1 200 OK"
        stream.send(head("/sse", f"X-API-Key: {ada.key}", method="GET"))
        assert answer(stream) == b"HTTP/1.1 200 OK"
        slow = {silent, half, body, own_body, again}
        # What is sent is not the beginning of a request, which only httptools notices at once.
        invalid = {silent, again} if parser == "httptools" else set[socket.socket]()
        assert trickle(slow, 2.5) == (slow if is_limited else invalid)
        # A stream is not a request that is being sent.
        assert not ended(stream)
        assert "Traceback" not in server.logged()


@pytest.mark.parametrize("parser", PARSERS)
async def test_a_request_whose_head_has_no_end_is_refused(
    shared_url: str, admit: Admit, tmp_path: Path, parser: str
) -> None:
    ada = await admit()
    parts = [
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Long: ",
        b"GET /",
        head("/mcp", f"X-API-Key: {ada.key}", "Transfer-Encoding: chunked") + b"0\r\nX-Trailer: ",
        head("/mcp", f"X-API-Key: {ada.key}", "Transfer-Encoding: chunked") + b"1;",
    ]
    with served(shared_url, tmp_path / "log", program=program(PARSERS[parser])) as server:
        for part in parts:
            with sockets(server, 1) as (client,):
                client.send(part)
                sent = 0
                with suppress(ConnectionError):
                    while sent < 10 * 2**20:
                        sent += client.send(b"x" * 16384)
                        await anyio.lowlevel.checkpoint()
                assert sent < 10 * 2**20, part
        with sockets(server, 1) as (client,):
            client.send(head("/livez", method="GET"))
            assert answer(client) == b"HTTP/1.1 200 OK"


async def test_too_many_connections_are_refused_in_one_line_of_the_log(
    shared_url: str, tmp_path: Path
) -> None:
    with served(shared_url, tmp_path / "log", GEARSHED_MAX_CONNECTIONS_EACH="20") as server:
        with sockets(server, 60) as clients:
            for client in clients:
                client.send(head("/livez", method="GET"))
            answers = [answer(client) for client in clients]
            # One that arrives after the refusal resets the connection.
            assert answers.count(b"HTTP/1.1 200 OK") == 20
            assert {*answers} <= {b"HTTP/1.1 200 OK", b"HTTP/1.1 503 Service Unavailable", b""}
        async with httpx2.AsyncClient(base_url=server.url) as http:
            assert (await http.get("/livez")).status_code == 200
        assert server.logged().count("Refusing connections of 127.0.0.1") == 1


def test_a_proxy_carries_more_connections_than_an_address() -> None:
    connections = Connections(10, 3, [ipaddress.ip_network("192.0.2.0/24")])
    assert [connections.admit("198.51.100.7") for _ in range(4)] == [True, True, True, False]
    # One client has a whole /64 of IPv6.
    assert [connections.admit(f"2001:db8::{n}") for n in range(4)] == [True, True, True, False]
    assert [connections.admit("192.0.2.1") for _ in range(5)] == [True] * 4 + [False]
    connections.leave("198.51.100.7")
    assert connections.admit("198.51.100.7")


@pytest.mark.parametrize("loop", LOOPS)
async def test_without_free_files_the_log_stays_short_and_the_server_recovers(
    shared_url: str, tmp_path: Path, loop: str
) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    low = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (200, {hard}))"
    with served(
        shared_url, tmp_path / "log", program=program(LOOPS[loop], low, LIMITS.format(1, 1))
    ) as server:
        # The server raises its limit, and keeps some files from connections.
        assert resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE) == (hard, hard)
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (60, 60))
        with sockets(server, 200) as clients:
            with anyio.fail_after(30):
                while not (any(map(ended, clients)) or "out of system resource" in server.logged()):  # noqa: ASYNC110
                    await anyio.sleep(0.1)
            # Without the filter, each further second has thousands of lines. uvloop closes connections.
            trickle(clients[:1], 2)
            logged = server.logged()
            assert logged.count("socket.accept() out of system resource") == (loop == "asyncio")
            assert len(logged) < 5000
        async with httpx2.AsyncClient(base_url=server.url, timeout=30) as http:
            assert (await http.get("/livez")).status_code == 200


async def test_garbage_is_one_line_of_the_log(replicas: tuple[Served, Served]) -> None:
    with sockets(replicas[0], 30) as clients:
        for client in clients:
            client.send(b"no HTTP\r\n\r\n")
        assert {answer(client) for client in clients} == {b"HTTP/1.1 400 Bad Request"}
    assert replicas[0].logged().count("Invalid HTTP request") == 1
