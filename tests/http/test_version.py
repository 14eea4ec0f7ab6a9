"""The MCP-Protocol-Version header: what is answered to a value that is not a version."""

from typing import Any

import httpx2
import pytest
from mcp.types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.applications import Starlette

from tests.http.test_gate import app, keys, web

PING: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "ping"}

__all__ = ["app", "keys"]


async def ping(app: Starlette, key: str, version: str) -> httpx2.Response:
    async with web(app) as http:
        headers = {"Authorization": f"Bearer {key}", "MCP-Protocol-Version": version}
        return await http.post("/mcp", json=PING, headers=headers)


@pytest.mark.parametrize("version", ["junk", "1", "v2025-11-25", "2025-11-25, 2025-06-18", ""])
async def test_a_header_that_is_not_a_version_is_named(
    app: Starlette, keys: dict[str, str], version: str
) -> None:
    response = await ping(app, keys["good"], version)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["code"] == -32022
    assert error["message"].startswith(f"The header MCP-Protocol-Version is {version!r}, which is not")
    assert "2025-11-25" in error["message"]
    assert "2025-11-25" in error["data"]["supported"]


@pytest.mark.parametrize("version", HANDSHAKE_PROTOCOL_VERSIONS)
async def test_a_version_that_is_known_is_served(app: Starlette, keys: dict[str, str], version: str) -> None:
    assert (await ping(app, keys["good"], version)).status_code == 200


async def test_without_a_key_the_header_is_not_looked_at(app: Starlette) -> None:
    assert (await ping(app, "gs_" + "x" * 40, "junk")).status_code == 401
