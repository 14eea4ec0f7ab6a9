"""The whole flow without errors, from registration to revocation."""

from db.pool import Pool
from mcp_server.accounts import oauth
from mcp_server.models.auth import Principal
from scripts.browser import BACK, Browser, Program, wish

MCP = "https://gear.example/mcp"


async def principal(pool: Pool, token: str, resource: str = MCP) -> Principal | None:
    async with pool.connection() as conn:
        return await oauth.find_token(conn, token, resource)


async def test_a_person_allows_a_client_which_then_acts_for_them(
    ada: Browser, program: Program, pool: Pool, user_id: int
) -> None:
    page = await ada.allow(wish(program.client_id))
    assert page.leads_to.startswith(f"{BACK}?")
    assert page.answer == {"code": page.answer["code"], "state": "xyz", "iss": "https://gear.example"}
    response = await program.redeem(page.answer["code"])
    tokens = response.json()
    assert response.headers["cache-control"] == "no-store"
    assert tokens.keys() == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert (tokens["token_type"], tokens["expires_in"], tokens["scope"]) == ("Bearer", 3600, "read write")
    found = await principal(pool, tokens["access_token"])
    assert found is not None
    assert (found.user_id, set(found.scopes), found.client) == (user_id, {"read", "write"}, "Claude")
