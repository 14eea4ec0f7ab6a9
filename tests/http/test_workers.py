"""Several processes that serve on one port, and their supervisor."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx2
import psycopg
import pytest

from scripts.served import Served, connected, served
from tests.calls import call
from tests.http.conftest import Admit
from tests.http.test_gate import ACCEPT, HELLO

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="macOS does not spread connections")


def children(pid: int) -> list[int]:
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def accepted_by(url: str, pids: list[int], number: int = 40) -> Counter[int]:
    """Open connections, and return how many each process has accepted."""
    host, _, port = url.removeprefix("http://").partition(":")
    clients = [socket.create_connection((host, int(port))) for _ in range(number)]
    try:
        for client in clients:
            client.send(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
        return Counter({pid: len(sockets_of(pid) & accepted_on(int(port))) for pid in pids})
    finally:
        for client in clients:
            client.close()


def sockets_of(pid: int) -> set[str]:
    """Return the inodes of a process's sockets, those to the database included."""
    links = [os.readlink(file) for file in Path(f"/proc/{pid}/fd").iterdir()]
    return {link.removeprefix("socket:[").removesuffix("]") for link in links if link.startswith("socket:")}


def accepted_on(port: int) -> set[str]:
    """Return the inodes of established connections to a port of this machine, on its side."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {line[9] for line in lines if line[1].endswith(f":{port:04X}") and line[3] == "01"}


async def until(is_so: Callable[[], bool], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not is_so():  # noqa: ASYNC110 (another process changes it)
            await asyncio.sleep(0.05)


async def working(server: Served, number: int = 2) -> list[int]:
    """Return the process ids of the workers, once all of them listen."""
    pid = server.process.pid

    def listen() -> bool:
        lines = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()
        port = f":{int(server.url.rpartition(':')[2]):04X} "
        return sum(f"{port}00000000:0000 0A " in line for line in lines) == number

    await until(listen)
    return children(pid)


async def test_workers_share_a_port_and_stop_together(shared_url: str, admit: Admit, tmp_path: Path) -> None:
    ada = await admit()
    with served(shared_url, tmp_path / "log", "--workers", "2") as server:
        pids = await working(server)
        assert len(pids) == 2
        counted = accepted_by(server.url, pids)
        assert counted.total() == 40
        assert min(counted.values()) > 0
        async with connected(server.url, ada.key, "legacy") as client:
            made = await call(client, "create_item", name="Tent")
            assert (await call(client, "get_item", item_id=made["id"]))["name"] == "Tent"
        server.process.terminate()
        assert server.process.wait(20) == 0
        assert not any(map(is_running, pids))
        assert server.logged().count("serving") == 1


async def test_a_revoked_key_is_rejected_by_each_worker(
    direct: None, shared_url: str, admit: Admit, tmp_path: Path
) -> None:
    ada = await admit()

    async def statuses() -> set[int]:
        """Return the statuses of requests on separate connections."""
        headers = {**ACCEPT, "Authorization": f"Bearer {ada.key}", "Connection": "close"}
        async with httpx2.AsyncClient(base_url=server.url, headers=headers) as http:
            answers = [await http.post("/mcp", json=HELLO) for _ in range(12)]
        return {answer.status_code for answer in answers}

    with served(shared_url, tmp_path / "log", "--workers", "2") as server:
        await working(server)
        assert await statuses() == {200}
        with psycopg.connect(shared_url) as conn:
            conn.execute("DELETE FROM api_keys WHERE user_id = %s", [ada.id])
        await asyncio.sleep(1)
        assert await statuses() == {401}


async def test_a_killed_worker_is_replaced(shared_url: str, tmp_path: Path) -> None:
    with served(shared_url, tmp_path / "log", "--workers", "2") as server:
        first, second = await working(server)
        os.kill(first, signal.SIGKILL)
        await until(lambda: first not in children(server.process.pid))
        replaced = await working(server)
        assert second in replaced
        assert len(replaced) == 2
        assert "A worker ended with -9" in server.logged()


async def test_workers_end_when_their_supervisor_is_killed(shared_url: str, tmp_path: Path) -> None:
    with served(shared_url, tmp_path / "log", "--workers", "2") as server:
        pids = await working(server)
        server.process.kill()
        await until(lambda: not any(map(is_running, pids)))


async def test_sse_is_refused_with_a_reason(shared_url: str, admit: Admit, tmp_path: Path) -> None:
    ada = await admit()
    with served(shared_url, tmp_path / "log", "--workers", "2") as server:
        async with httpx2.AsyncClient(base_url=server.url) as http:
            answer = await http.get("/sse", headers={"Authorization": f"Bearer {ada.key}"})
    assert answer.status_code == 501
    assert "Connect to /mcp" in answer.text


def test_a_port_in_use_and_a_client_on_standard_input_are_refused(shared_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for options, reason in (
            (["--http", "--port", port], f"cannot listen on 127.0.0.1:{port}"),
            ([], "GEARSHED_WORKERS: a client on standard input has one process"),
        ):
            ended = subprocess.run(
                [sys.executable, "-m", "mcp_server", "serve", "--workers", "2", *options],
                env={"PATH": os.environ["PATH"], "DATABASE_URL": shared_url},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
            assert ended.returncode == 1
            assert reason in ended.stderr
