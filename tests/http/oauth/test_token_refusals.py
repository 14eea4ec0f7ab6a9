"""Hostile or broken token requests, named by the rule that they violate."""

import hashlib
from typing import Any, LiteralString

import pytest

from db.pool import Pool
from mcp_server.accounts import oauth
from scripts.browser import CHALLENGE, VERIFIER, Browser, Program, wish

OTHER = "https://other.example/callback"


async def run(pool: Pool, statement: LiteralString, **values: Any) -> None:
    async with pool.connection() as conn:
        await conn.execute(statement, values)


# The token endpoint: codes


BAD_REDEMPTIONS: list[tuple[str, dict[str, str | None], str]] = [
    ("client_id is missing", {"client_id": None}, "invalid_request"),
    ("client_id is unknown", {"client_id": "unknown"}, "invalid_client"),
    ("client_id is another client's", {"client_id": "other"}, "invalid_grant"),
    ("client_secret is there", {"client_secret": "x"}, "invalid_client"),
    ("grant_type is missing", {"grant_type": None}, "invalid_request"),
    ("grant_type is password", {"grant_type": "password"}, "unsupported_grant_type"),
    ("grant_type is client_credentials", {"grant_type": "client_credentials"}, "unsupported_grant_type"),
    ("code is missing", {"code": None}, "invalid_request"),
    ("code is unknown", {"code": "x"}, "invalid_grant"),
    ("redirect_uri is missing", {"redirect_uri": None}, "invalid_request"),
    ("redirect_uri is another one", {"redirect_uri": OTHER}, "invalid_grant"),
    ("code_verifier is missing", {"code_verifier": None}, "invalid_request"),
    ("code_verifier is another one", {"code_verifier": "w" * 43}, "invalid_grant"),
    ("code_verifier is short", {"code_verifier": VERIFIER[1:]}, "invalid_grant"),
    ("code_verifier is the challenge", {"code_verifier": CHALLENGE}, "invalid_grant"),
    ("resource is another one of ours", {"resource": "https://gear.example/sse"}, "invalid_target"),
    ("resource begins the same", {"resource": "https://gear.example/mcp2"}, "invalid_target"),
    ("resource is another server", {"resource": "https://evil.example/mcp"}, "invalid_target"),
]


async def test_a_code_is_not_redeemed(
    program: Program, code: str, pool: Pool, subtests: pytest.Subtests
) -> None:
    await run(pool, "INSERT INTO oauth_clients (client_id, redirect_uris) VALUES ('other', '[]')")
    for violates, changes, error in BAD_REDEMPTIONS:
        with subtests.test(violates):
            response = await program.redeem(code, **changes)
            assert response.json()["error"] == error
            assert response.status_code == (401 if error == "invalid_client" else 400)
            assert response.headers["cache-control"] == "no-store"
    # The code is still valid.
    assert (await program.redeem(code)).status_code == 200


async def test_a_code_lives_for_sixty_seconds(program: Program, code: str, pool: Pool) -> None:
    async with pool.connection() as conn:
        cursor = await conn.execute("SELECT extract(epoch FROM expires_at - now()) FROM oauth_codes")
        ((seconds,),) = await cursor.fetchall()
    assert 50 < seconds <= 60
    await run(pool, "UPDATE oauth_codes SET expires_at = now()")
    assert (await program.redeem(code)).json()["error"] == "invalid_grant"


async def test_a_plain_challenge_of_the_old_application_is_not_redeemed(
    program: Program, code: str, pool: Pool
) -> None:
    await run(
        pool,
        "UPDATE oauth_codes SET code_challenge_method = 'plain', code_challenge = %(verifier)s",
        verifier=VERIFIER,
    )
    assert (await program.redeem(code)).json()["error"] == "invalid_grant"


async def test_a_client_that_shows_a_secret_in_a_header_is_refused(program: Program, code: str) -> None:
    response = await program.http.post("/token", data={"code": code}, headers={"Authorization": "Basic eDp5"})
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


async def test_a_token_request_must_be_a_form(program: Program) -> None:
    response = await program.http.post("/token", json={"grant_type": "authorization_code"})
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


async def test_a_token_request_with_a_repeated_field_is_refused(program: Program, code: str) -> None:
    response = await program.http.post(
        "/token",
        content=f"grant_type=authorization_code&code={code}&code={code}",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


async def test_a_form_that_is_too_big_is_not_read(program: Program) -> None:
    response = await program.post("/token", code="x" * 70_000)
    assert response.status_code == 413


@pytest.mark.parametrize("path", ["/token", "/revoke", "/register", "/sign-in", "/sign-out"])
async def test_a_link_cannot_change_anything(program: Program, path: str) -> None:
    assert (await program.http.get(path)).status_code == 405


async def test_an_empty_client_secret_is_ignored(program: Program, code: str) -> None:
    response = await program.redeem(code, client_secret="")
    assert response.status_code == 200
    assert (await program.refresh(response.json()["refresh_token"], client_secret="")).status_code == 200


@pytest.mark.parametrize("resource", ["https://gear.example/mcp", "https://gear.example"])
async def test_a_resource_that_is_named_at_the_token_endpoint_only_binds_the_token(
    ada: Browser, program: Program, pool: Pool, resource: str
) -> None:
    page = await ada.allow(wish(program.client_id, resource=None))
    for foreign in ("https://evil.example/mcp", "https://gear.example/mcp2"):
        response = await program.redeem(page.answer["code"], resource=foreign)
        assert response.json()["error"] == "invalid_target"
    tokens = (await program.redeem(page.answer["code"], resource=resource)).json()
    renewed = (await program.refresh(tokens["refresh_token"], resource="https://gear.example/mcp")).json()
    async with pool.connection() as conn:
        for place, valid in (("/mcp", True), ("/sse", resource == "https://gear.example")):
            found = await oauth.find_token(conn, tokens["access_token"], f"https://gear.example{place}")
            assert (found is not None) is valid
        assert await oauth.find_token(conn, renewed["access_token"], "https://gear.example/mcp")
        assert await oauth.find_token(conn, renewed["access_token"], "https://gear.example/sse") is None
    response = await program.refresh(renewed["refresh_token"], resource="https://gear.example")
    assert response.json()["error"] == "invalid_target"


async def test_an_unknown_scope_is_ignored_when_refreshing(program: Program, tokens: dict[str, str]) -> None:
    response = await program.refresh(tokens["refresh_token"], scope="read admin")
    assert (response.status_code, response.json()["scope"]) == (200, "read write")


# The token endpoint: refreshing


BAD_REFRESHES: list[tuple[str, dict[str, str | None], str]] = [
    ("refresh_token is missing", {"refresh_token": None}, "invalid_request"),
    ("refresh_token is unknown", {"refresh_token": "x"}, "invalid_grant"),
    ("client_id is missing", {"client_id": None}, "invalid_request"),
    ("client_id is another client's", {"client_id": "other"}, "invalid_grant"),
    ("resource is another one of ours", {"resource": "https://gear.example/sse"}, "invalid_target"),
    ("scope is too much", {"scope": "read write admin"}, "invalid_scope"),
]


async def test_a_token_is_not_refreshed(
    program: Program, tokens: dict[str, str], pool: Pool, subtests: pytest.Subtests
) -> None:
    await run(pool, "INSERT INTO oauth_clients (client_id, redirect_uris) VALUES ('other', '[]')")
    await run(pool, "UPDATE oauth_tokens SET scopes = '{read}'")
    for violates, changes, error in BAD_REFRESHES:
        with subtests.test(violates):
            response = await program.refresh(tokens["refresh_token"], **changes)
            assert response.json()["error"] == error
            assert (await program.refresh(tokens["refresh_token"])).status_code == 200


async def test_a_refresh_does_not_widen_the_scope(ada: Browser, program: Program) -> None:
    page = await ada.allow(wish(program.client_id, scope="read"))
    tokens = (await program.redeem(page.answer["code"])).json()
    assert tokens["scope"] == "read"
    response = await program.refresh(tokens["refresh_token"], scope="read write")
    assert response.json()["error"] == "invalid_scope"
    assert (await program.refresh(tokens["refresh_token"])).json()["scope"] == "read"


async def test_a_refresh_token_expires(program: Program, tokens: dict[str, str], pool: Pool) -> None:
    await run(pool, "UPDATE oauth_tokens SET refresh_expires_at = now()")
    assert (await program.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_an_access_token_is_not_a_refresh_token(program: Program, tokens: dict[str, str]) -> None:
    assert (await program.refresh(tokens["access_token"])).json()["error"] == "invalid_grant"


# Use


OTHER_RESOURCES: list[tuple[str, str]] = [
    ("another resource of ours", "https://gear.example/sse"),
    ("the whole server", "https://gear.example"),
    ("a name that begins the same", "https://gear.example/mcp2"),
    ("another server", "https://evil.example/mcp"),
    ("no encryption", "http://gear.example/mcp"),
]


async def test_a_token_is_good_for_its_resource_only(
    pool: Pool, tokens: dict[str, str], subtests: pytest.Subtests
) -> None:
    for violates, resource in OTHER_RESOURCES:
        with subtests.test(violates):
            async with pool.connection() as conn:
                assert await oauth.find_token(conn, tokens["access_token"], "https://gear.example/mcp")
                assert await oauth.find_token(conn, tokens["access_token"], resource) is None


@pytest.mark.parametrize(
    ("violates", "statement"),
    [
        ("it expired", "UPDATE oauth_tokens SET expires_at = now()"),
        ("its client is gone", "DELETE FROM oauth_clients"),
        ("its user is gone", "DELETE FROM users WHERE username = 'ada'"),
    ],
)
async def test_a_token_is_worthless_when(
    pool: Pool, tokens: dict[str, str], violates: str, statement: LiteralString
) -> None:
    await run(pool, statement)
    async with pool.connection() as conn:
        found = await oauth.find_token(conn, tokens["access_token"], "https://gear.example/mcp")
    assert found is None, violates


async def test_only_the_access_token_itself_is_one(pool: Pool, tokens: dict[str, str]) -> None:
    access = tokens["access_token"]
    stored = hashlib.sha256(access.encode()).hexdigest()
    async with pool.connection() as conn:
        for wrong in ("", access[:-1], access.upper(), f"{access} ", stored, tokens["refresh_token"]):
            assert await oauth.find_token(conn, wrong, "https://gear.example/mcp") is None


# Revocation


BAD_REVOCATIONS: list[tuple[str, dict[str, str | None], str]] = [
    ("token is missing", {"token": None}, "invalid_request"),
    ("client_id is missing", {"client_id": None}, "invalid_request"),
    ("client_id is another client's", {"client_id": "other"}, "invalid_grant"),
]


async def test_a_token_is_not_revoked(
    program: Program, tokens: dict[str, str], subtests: pytest.Subtests
) -> None:
    for violates, changes, error in BAD_REVOCATIONS:
        with subtests.test(violates):
            response = await program.post("/revoke", **{"token": tokens["access_token"], **changes})
            assert (response.status_code, response.json()["error"]) == (400, error)
            assert (await program.refresh(tokens["refresh_token"])).status_code == 200


async def test_a_person_can_revoke_only_their_own_grants(
    ada: Browser, eve: Browser, program: Program, tokens: dict[str, str], pool: Pool
) -> None:
    grant = (await ada.open("/account")).forms[0]
    theirs = (await eve.open("/account")).forms[0]
    page = await eve.open("/account")
    assert "Claude" not in page.words
    # With her own form token and the other user's family: treated like an unknown family.
    await eve.http.post("/account", data={**grant.fields, "token": theirs.fields["token"]})
    assert (await program.refresh(tokens["refresh_token"])).status_code == 200
