"""The server as a process that listens, and clients with a key."""

import os
import re
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Literal, NamedTuple

import httpx2
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

Way = Literal["legacy", "auto", "sse"]
WAYS: tuple[Way, ...] = ("legacy", "auto", "sse")


class Served(NamedTuple):
    """A server's process and address, and the file that holds its log."""

    process: subprocess.Popen[str]
    url: str
    log: str

    def logged(self) -> str:
        with open(self.log) as file:
            return file.read()


@contextmanager
def served(database_url: str, log: str, *options: str, **environment: str) -> Generator[Served]:
    with open(log, "w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "mcp_server", "serve", "--http", "--port", "0", *options],
            env={"PATH": os.environ["PATH"], "DATABASE_URL": database_url, **environment},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stderr
            line = process.stderr.readline()
            found = re.search(r"serving (http://\S+)/mcp", line)
            assert found, line + process.stderr.read()
            yield Served(process, found[1], log)
        finally:
            process.kill()
            process.wait()


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
