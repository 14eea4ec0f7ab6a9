"""A read token, and every tool that writes."""

import json

import httpx2
import pytest

from db.pool import Pool
from mcp_server.http.oauth.step_up import tool_of
from mcp_server.http.serve import build_app
from mcp_server.http.stop import Stop
from mcp_server.protocol.edge import App
from mcp_server.server import TOOLS, WRITES
from mcp_server.settings import load
from scripts.browser import Browser, Program, wish

METADATA = "https://gear.example/.well-known/oauth-protected-resource/mcp"


def call(tool: str) -> bytes:
    params: dict[str, object] = {"name": tool, "arguments": {}}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()


async def test_a_read_token_gets_the_scope_that_each_writing_tool_needs(
    ada: Browser, program: Program, pool: Pool
) -> None:
    page = await ada.allow(wish(program.client_id, scope="read"))
    tokens = (await program.redeem(page.answer["code"])).json()
    app = build_app(App(pool, None), load({}), "https://gear.example", Stop())
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app),
        base_url="https://gear.example",
        headers={"Authorization": f"Bearer {tokens['access_token']}"},
    ) as http:
        for tool in WRITES:
            response = await http.post("/mcp", content=call(tool))
            assert response.status_code == 403, tool
            assert response.json()["error"] == "insufficient_scope"
            assert response.headers["www-authenticate"] == (
                f'Bearer error="insufficient_scope", scope="read write", resource_metadata="{METADATA}"'
            )
    assert len(WRITES) + sum(bool(entry.hints.read_only_hint) for entry in TOOLS) == len(TOOLS)


async def test_a_request_without_a_token_gets_the_metadata_and_the_scope(pool: Pool) -> None:
    app = build_app(App(pool, None), load({}), "https://gear.example", Stop())
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app), base_url="https://gear.example"
    ) as http:
        response = await http.post("/mcp", content=call("list_items"))
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == f'Bearer scope="read", resource_metadata="{METADATA}"'
        metadata = (await http.get(METADATA)).json()
        assert metadata["resource"] == "https://gear.example/mcp"
        assert metadata["authorization_servers"] == ["https://gear.example"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"\xff", b'{"method":"tools/call"}', b'{"method":"ping"}', call("x")[1:]]
)
def test_a_request_that_does_not_call_a_tool_is_passed_on(body: bytes) -> None:
    assert tool_of(call("create_item")) == "create_item"
    assert tool_of(body) is None
