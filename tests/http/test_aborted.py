"""Clients that leave in the middle of a request: not an error of the server."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from scripts.served import Served, connected, served
from tests.calls import call
from tests.http.test_stop import holding, key_of, until

MODERN = {
    "MCP-Protocol-Version": "2026-07-28",
    "Mcp-Method": "tools/call",
    "Mcp-Name": "update_item",
}
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


async def send(
    server: Served, path: str, headers: Sequence[tuple[str, str]], body: bytes, length: int
) -> None:
    """Send a part of a request, wait a moment, and leave."""
    place = urlsplit(server.url)
    assert place.hostname
    _, writer = await asyncio.open_connection(place.hostname, place.port)
    lines = [f"POST {path} HTTP/1.1", f"Host: {place.netloc}", f"Content-Length: {length}"]
    lines += [f"{name}: {value}" for name, value in headers]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    await writer.drain()
    await asyncio.sleep(0.3)
    writer.transport.abort()


@pytest.mark.parametrize("accept", ["application/json, text/event-stream", "application/json"])
async def test_an_aborted_request_is_not_a_traceback(url: str, tmp_path: Path, accept: str) -> None:
    opens = await key_of(url)
    with served(url, tmp_path / "log") as server:
        mcp = [("X-API-Key", opens), ("Content-Type", "application/json"), ("Accept", accept)]
        form = [("Content-Type", "application/x-www-form-urlencoded")]
        nothing: list[tuple[str, str]] = []
        sends = [("/mcp", mcp), ("/mcp", [*mcp, *MODERN.items()]), ("/register", nothing), ("/token", form)]
        sends += [("/revoke", form), ("/sign-in", form), (f"/messages/?session_id={'0' * 32}", mcp)]
        await asyncio.gather(*(send(server, path, headers, b"{", 1000) for path, headers in sends))
        async with connected(server.url, opens, "legacy") as client:
            await call(client, "list_items")
        assert "Traceback" not in server.logged(), server.logged()
        assert "Exception" not in server.logged(), server.logged()


@pytest.mark.parametrize("accept", ["application/json, text/event-stream", "application/json"])
async def test_a_cancelled_call_is_not_a_traceback(url: str, tmp_path: Path, accept: str) -> None:
    opens = await key_of(url)
    with served(url, tmp_path / "log") as server:
        async with connected(server.url, opens, "legacy") as client:
            item = await call(client, "create_item", name="Tent")
            arguments = {"item_id": item["id"], "changes": {"name": "Tarp"}}
            mcp = [("X-API-Key", opens), ("Content-Type", "application/json"), ("Accept", accept)]
            async with holding(url, item["id"]) as conn:
                for headers in (mcp, [*mcp, *MODERN.items()]):
                    params = {"name": "update_item", "arguments": arguments, "_meta": META}
                    request = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
                    body = json.dumps(request).encode()
                    calling = asyncio.create_task(send(server, "/mcp", headers, body, len(body)))
                    await until(conn, 1, 5)
                    await calling
                    await until(conn, 0, 5)
                async with connected(server.url, opens, "sse") as leaving:
                    calling = asyncio.create_task(call(leaving, "update_item", **arguments))
                    await until(conn, 1, 5)
                    calling.cancel()
                    await until(conn, 0, 5)
            await call(client, "get_item", item_id=item["id"])
        assert "Traceback" not in server.logged(), server.logged()
        assert "Exception" not in server.logged(), server.logged()
