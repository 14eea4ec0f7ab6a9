"""The pages: access, content, and protection against hostile names and sites."""

import re
from urllib.parse import urlencode

import pytest

from db.pool import Pool
from mcp_server.accounts import auth
from mcp_server.http.oauth.site import Site
from scripts.browser import BACK, Browser, Program, wish
from tests.http.oauth.conftest import web

SCRIPT = "<script>alert(1)</script>"


async def test_the_sign_in_comes_before_the_consent_page(stranger: Browser, program: Program) -> None:
    page = await stranger.ask(wish(program.client_id))
    page = await stranger.submit(page.forms[0], username="ada", password="correct horse")
    assert "Allow Claude to use your gear?" in page.words
    assert "claude.example" in page.words
    assert "code" in (await stranger.submit(page.forms[0], decision="write")).answer


@pytest.mark.parametrize("scope", ["read", "write", "read write", None])
@pytest.mark.parametrize(("decision", "granted"), [("read", "read"), ("write", "read write")])
async def test_the_person_decides_what_is_allowed(
    ada: Browser, program: Program, scope: str | None, decision: str, granted: str
) -> None:
    page = await ada.ask(wish(program.client_id, scope=scope))
    page = await ada.submit(page.forms[0], decision=decision)
    assert (await program.redeem(page.answer["code"])).json()["scope"] == granted


@pytest.mark.parametrize("path", ["/account", "/authorize?{}", "/authorize?client_id=x"])
async def test_no_page_is_framed_stored_or_runs_anything(ada: Browser, program: Program, path: str) -> None:
    page = await ada.open(path.format(urlencode(wish(program.client_id))))
    headers = page.response.headers
    policy = headers["content-security-policy"]
    for rule in ("default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"):
        assert rule in policy
    assert "unsafe" not in policy
    assert "script-src" not in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert not re.search(r"<script|\son\w+=|\sstyle=", page.response.text)


async def test_what_a_client_calls_itself_stays_text(ada: Browser, program: Program) -> None:
    await program.register(client_name=f"{SCRIPT}\u202e&amp;\x1b")
    page = await ada.ask(wish(program.client_id, state=f'"{SCRIPT}'))
    assert f"Allow {SCRIPT}&amp; to use your gear?" in page.words
    assert SCRIPT not in page.response.text
    assert "\u202e" not in page.response.text
    page = await ada.submit(page.forms[0], decision="write")
    assert SCRIPT not in page.response.text
    assert page.answer["state"] == f'"{SCRIPT}'
    await program.redeem(page.answer["code"])
    assert SCRIPT not in (await ada.open("/account")).response.text


async def test_what_is_typed_at_the_sign_in_stays_text(stranger: Browser) -> None:
    page = await stranger.open("/account")
    page = await stranger.submit(page.forms[0], username=f'"{SCRIPT}', password="x")
    assert page.response.status_code == 403
    assert SCRIPT not in page.response.text
    assert page.forms[0].fields["username"] == f'"{SCRIPT}'
    assert "password" not in page.forms[0].fields or page.forms[0].fields["password"] == ""


@pytest.mark.parametrize(("username", "password"), [("ada", "wrong"), ("unknown", "correct horse"), ("", "")])
async def test_a_wrong_password_and_an_unknown_name_get_the_same_message(
    stranger: Browser, username: str, password: str
) -> None:
    page = await stranger.open("/account")
    page = await stranger.submit(page.forms[0], username=username, password=password)
    assert page.response.status_code == 403
    assert "The user name or the password is wrong." in page.words
    assert (await stranger.open("/account")).forms[0].action == "/sign-in"


async def test_a_sign_in_from_another_site_is_refused(site: Site, stranger: Browser) -> None:
    """Login CSRF: an attacker signs the victim in to the attacker's account."""
    page = await stranger.open("/account")
    async with web(site) as http:
        response = await http.post("/sign-in", data={**page.forms[0].fields, "username": "ada"})
    assert response.status_code == 400


async def test_the_sign_in_gives_the_browser_a_new_cookie_which_scripts_do_not_see(
    stranger: Browser, pool: Pool
) -> None:
    page = await stranger.open("/account")
    before = stranger.http.cookies["__Host-gearshed"]
    response = await stranger.http.post(
        "/sign-in", data={**page.forms[0].fields, "username": "ada", "password": "correct horse"}
    )
    session, browser = response.headers.get_list("set-cookie")
    assert stranger.http.cookies["__Host-gearshed"] != before
    assert re.search(r"^__Host-gearshed=.*; HttpOnly; .*; Path=/; SameSite=lax; Secure$", session)
    assert re.search(r"^__Host-gearshed-browser=.*; HttpOnly; .*; Path=/; SameSite=strict; Secure$", browser)
    assert "Domain" not in session + browser
    async with pool.connection() as conn:
        cursor = await conn.execute("SELECT id FROM sessions")
        ((stored,),) = await cursor.fetchall()
    assert stored not in session


async def test_on_plain_http_the_cookie_is_one_that_browsers_take(site: Site) -> None:
    async with web(Site("http://127.0.0.1:8000", site.pool)) as http:
        response = await http.get("/account")
    assert response.headers["set-cookie"].startswith("gearshed=")
    assert "Secure" not in response.headers["set-cookie"]


@pytest.mark.parametrize("query", ["//evil.example", "\r\nX: y", "https://evil.example/", "@evil.example"])
async def test_the_sign_in_leads_to_our_own_pages_only(stranger: Browser, query: str) -> None:
    page = await stranger.open("/account")
    fields = {**page.forms[0].fields, "username": "ada", "password": "correct horse", "query": query}
    response = await stranger.http.post("/sign-in", data=fields)
    assert response.headers["location"].startswith("/authorize?")
    assert "x" not in response.headers


async def test_a_sign_out_ends_the_session(ada: Browser, pool: Pool) -> None:
    kept = dict(ada.http.cookies)
    page = await ada.open("/account")
    page = await ada.submit(page.forms[-1])
    assert page.forms[0].action == "/sign-in"
    ada.http.cookies.update(kept)
    assert (await ada.open("/account")).forms[0].action == "/sign-in"


async def test_an_expired_session_asks_for_a_new_sign_in(ada: Browser, pool: Pool) -> None:
    assert "Signed in as ada" in (await ada.open("/account")).words
    async with pool.connection() as conn:
        await conn.execute("UPDATE sessions SET expires_at = now()")
    assert (await ada.open("/account")).forms[0].action == "/sign-in"


async def test_a_sign_out_from_another_site_is_refused(ada: Browser) -> None:
    assert (await ada.http.post("/sign-out", data={})).status_code == 400
    assert "Signed in as ada" in (await ada.open("/account")).words


async def test_another_user_can_sign_in_and_returns_to_the_consent_page(
    ada: Browser, program: Program
) -> None:
    page = await ada.ask(wish(program.client_id))
    page = await ada.submit(page.forms[1])
    page = await ada.submit(page.forms[0], username="eve", password="correct horse")
    assert "Allow Claude to use your gear?" in page.words
    assert "Signed in as eve" in page.words


async def test_a_person_sees_and_revokes_what_they_allowed(
    ada: Browser, program: Program, tokens: dict[str, str]
) -> None:
    page = await ada.open("/account")
    assert "Claude Can view and change your gear claude.example Connected" in page.words
    page = await ada.submit(page.forms[0])
    assert "You have not connected any programs" in page.words
    assert (await program.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_client_of_the_old_application_keeps_its_access(
    ada: Browser, pool: Pool, user_id: int
) -> None:
    async with pool.connection() as conn:
        await conn.execute(
            "INSERT INTO oauth_clients (client_id, client_name, redirect_uris, created_at)"
            " VALUES ('old', NULL, jsonb_build_array(%(uri)s::text), '2025-01-01')",
            {"uri": BACK},
        )
        await conn.execute(
            "INSERT INTO oauth_tokens (user_id, client_id, access_token_hash, refresh_token_hash, expires_at,"
            " refresh_expires_at, created_at)"
            " VALUES (%(user_id)s, 'old', encode(sha256('a'), 'hex'), encode(sha256('r'), 'hex'),"
            " now() + interval '1 hour', now() + interval '1 day', '2025-01-01')",
            {"user_id": user_id},
        )
    assert "old Can view and change your gear" in (await ada.open("/account")).words
    renewed = await Program(ada.http, "old").refresh("r")
    assert renewed.json()["scope"] == "read write"
    assert "Allow old to use" in (await ada.ask(wish("old"))).words


async def test_a_new_password_ends_all_that_came_with_the_old_one(
    ada: Browser, eve: Browser, program: Program, tokens: dict[str, str], pool: Pool
) -> None:
    assert "Claude" in (await ada.open("/account")).words
    async with pool.connection() as conn, conn.transaction():
        await auth.set_password(conn, "ada", "x")
    assert (await ada.open("/account")).forms[0].action == "/sign-in"
    assert (await program.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
    assert "Signed in as eve" in (await eve.open("/account")).words


@pytest.mark.parametrize("family", ["", "x", "00000000-0000-0000-0000-000000000000"])
async def test_an_unknown_grant_is_not_revoked(
    ada: Browser, program: Program, tokens: dict[str, str], family: str
) -> None:
    page = await ada.open("/account")
    await ada.submit(page.forms[0], family=family)
    assert (await program.refresh(tokens["refresh_token"])).status_code == 200
