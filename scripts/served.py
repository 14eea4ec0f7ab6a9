"""The server as an HTTP process, and clients that connect to it with a key."""

import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

import httpx2
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

Way = Literal["legacy", "auto", "sse"]
WAYS: tuple[Way, ...] = ("legacy", "auto", "sse")


class Served(NamedTuple):
    """A server's process and address, and the file with its log."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def logged(self) -> str:
        return self.log.read_text()


@contextmanager
def served(
    database_url: str,
    log: Path,
    *options: str,
    program: Sequence[str] = ("-m", "mcp_server"),
    **variables: str,
) -> Generator[Served]:
    """Serve a database, with options and environment variables. *program* are the arguments of Python."""
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, *program, "serve", "--http", "--port", "0", *options],
            env={"PATH": os.environ["PATH"], "DATABASE_URL": database_url, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
    try:
        yield Served(process, address(process, log), log)
    finally:
        process.kill()
        process.wait()


def address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Return the address that a server listens on, once it has logged it."""
    for _ in range(300):
        if found := re.search(r"serving (http://\S+)/mcp", log.read_text()):
            return found[1]
        if process.poll() is not None:
            raise RuntimeError(log.read_text())
        time.sleep(0.1)
    raise TimeoutError(log.read_text())


@asynccontextmanager
async def connected(url: str, key: str, way: Way) -> AsyncGenerator[Client]:
    """Yield a client of the server at *url*, in one era or over SSE."""
    headers = {"Authorization": f"Bearer {key}"}
    if way == "sse":
        async with Client(sse_client(f"{url}/sse", headers), mode="legacy") as client:
            yield client
    else:
        async with (
            httpx2.AsyncClient(headers=headers, timeout=30) as http,
            Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=way) as client,
        ):
            yield client
