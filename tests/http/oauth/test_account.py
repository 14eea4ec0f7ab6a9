"""A person's own account: sessions, programs, the password and the own writes."""

import re

import pytest

from db.pool import Pool, transaction
from mcp_server.accounts import auth, browser, limit, session
from mcp_server.accounts.key import digest
from mcp_server.http.oauth.site import Site
from mcp_server.http.oauth.writes import ON_A_PAGE
from mcp_server.models.auth import Login
from scripts.browser import PASSWORD, Browser, Form, Page, Program, wish
from tests.http.oauth.conftest import HASH, signed_in, web
from tests.http.oauth.test_reuse import works

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
NEW = "battery staple 9"
SCRIPT = "<script>alert(1)</script>"


def form_of(page: Page, field: str) -> Form:
    """The first form with a field of this name."""
    return next(form for form in page.forms if field in form.fields)


def session_form(page: Page) -> Form:
    return form_of(page, "session")


def has_session(page: Page) -> bool:
    return page.forms[0].action != "/sign-in"


async def test_a_person_sees_and_ends_each_session(site: Site, ada: Browser) -> None:
    async with web(site) as http:
        http.headers["User-Agent"] = FIREFOX
        other = Browser(http)
        await other.sign_in()
        page = await ada.open("/account")
        assert "Unknown browser This browser Signed in" in page.words
        assert "Firefox on Linux Signed in" in page.words
        (_, theirs) = [form for form in page.forms if "session" in form.fields]
        await ada.submit(theirs)
        assert not has_session(await other.open("/account"))
    page = await ada.open("/account")
    assert has_session(page)
    assert "Firefox" not in page.words


async def test_a_person_ends_all_other_sessions(site: Site, ada: Browser, eve: Browser, user_id: int) -> None:
    async with signed_in(site, user_id) as one, signed_in(site, user_id) as two:
        page = await ada.open("/account")
        assert "Sign out all other browsers" in page.words
        page = await ada.submit(session_form(page), session="x", all="sessions")
        assert "The form does not name any access" in page.words
        page = await ada.open("/account")
        await ada.http.post("/account", data={"token": session_form(page).fields["token"], "all": "sessions"})
        assert [has_session(await each.open("/account")) for each in (ada, one, two)] == [True, False, False]
    assert has_session(await eve.open("/account"))


async def test_a_person_revokes_all_programs_and_codes(
    ada: Browser, eve: Browser, program: Program, tokens: dict[str, str]
) -> None:
    mine = (await ada.allow(wish(program.client_id))).answer["code"]
    pending = (await ada.allow(wish(program.client_id))).answer["code"]
    hers = (await eve.allow(wish(program.client_id))).answer["code"]
    second = (await program.redeem(mine)).json()
    page = await ada.open("/account")
    assert "Revoke all programs" in page.words
    page = await ada.submit(Form("/account", {"token": page.forms[0].fields["token"], "all": "programs"}))
    assert "You have not connected any programs" in page.words
    for each in (tokens, second):
        assert (await program.refresh(each["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await program.redeem(pending)).json()["error"] == "invalid_grant"
    assert (await program.redeem(hers)).status_code == 200


async def test_a_session_of_another_user_does_not_end(
    ada: Browser, eve: Browser, pool: Pool, other_user_id: int
) -> None:
    async with pool.connection() as conn:
        (hers,) = await session.list_all(conn, other_user_id, "")
    page = await ada.open("/account")
    await ada.submit(session_form(page), session=str(hers.number))
    assert has_session(await eve.open("/account"))


@pytest.mark.parametrize("number", ["", "x", "-1", "١", "9" * 30, "1 OR 1=1"])
async def test_a_session_that_is_not_a_number_is_refused(ada: Browser, number: str) -> None:
    page = await ada.submit(session_form(await ada.open("/account")), session=number)
    assert page.response.status_code == 400
    assert has_session(await ada.open("/account"))


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/account", {"all": "sessions"}),
        ("/account", {"all": "programs"}),
        ("/account", {"session": "1"}),
        ("/account/password", {"password": PASSWORD, "new": NEW, "again": NEW}),
    ],
)
async def test_a_form_of_another_site_or_of_another_page_is_refused(
    site: Site,
    ada: Browser,
    user_id: int,
    program: Program,
    tokens: dict[str, str],
    path: str,
    sent: dict[str, str],
) -> None:
    async with signed_in(site, user_id) as other:
        sign_out = (await ada.open("/account")).forms[-1].fields["token"]
        theirs = (await other.open(path)).forms[0].fields["token"]
        for token in ({}, {"token": ""}, {"token": sign_out}, {"token": theirs}):
            assert (await ada.http.post(path, data={**sent, **token})).status_code == 400
        assert has_session(await other.open("/account"))
    assert (await program.refresh(tokens["refresh_token"])).status_code == 200


@pytest.mark.parametrize("path", ["/account/password", "/account/writes"])
async def test_the_pages_need_a_session_and_run_nothing(ada: Browser, stranger: Browser, path: str) -> None:
    assert (await stranger.open(path)).forms[0].action == "/sign-in"
    response = (await ada.open(path)).response
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "unsafe" not in response.headers["content-security-policy"]
    assert response.headers["cache-control"] == "no-store"
    assert not re.search(r"<script|\son\w+=|\sstyle=", response.text)


async def test_no_page_contains_a_secret_or_its_hash(
    site: Site, ada: Browser, tokens: dict[str, str], pool: Pool
) -> None:
    visit = ada.http.cookies[site.cookie]
    async with pool.connection() as conn:
        cursor = await conn.execute("SELECT refresh_token_hash, access_token_hash FROM oauth_tokens")
        hashes = [hashed for row in await cursor.fetchall() for hashed in row]
    for path in ("/account", "/account/password", "/account/writes"):
        text = (await ada.open(path)).response.text
        for secret in (visit, digest(visit), HASH, tokens["access_token"], tokens["refresh_token"], *hashes):
            assert secret not in text


async def change_password(browser: Browser, **changes: str) -> Page:
    page = await browser.open("/account/password")
    return await browser.submit(page.forms[0], **{"password": PASSWORD, "new": NEW, "again": NEW, **changes})


async def test_a_new_password_ends_everything_else_and_keeps_this_browser(
    site: Site, ada: Browser, stranger: Browser, program: Program, tokens: dict[str, str], pool: Pool
) -> None:
    await stranger.sign_in()
    pending = (await stranger.allow(wish(program.client_id))).answer["code"]
    before = stranger.http.cookies[site.cookie]
    page = await change_password(stranger)
    assert (page.response.status_code, "Password changed" in page.words) == (200, True)
    assert not has_session(await ada.open("/account"))
    assert has_session(await stranger.open("/account"))
    assert stranger.http.cookies[site.cookie] != before
    assert not await works(pool, tokens)
    assert (await program.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await program.redeem(pending)).json()["error"] == "invalid_grant"
    async with pool.connection() as conn:
        assert await session.find(conn, before) is None
        login = await auth.find_login(conn, "ada")
    assert login
    assert browser.recognize(login, stranger.http.cookies[site.browser_cookie])
    async with web(site) as http:
        page = await Browser(http).open("/account")
        page = await Browser(http).submit(page.forms[0], username="ada", password=NEW)
        assert "Signed in as ada" in page.words


@pytest.mark.parametrize(
    ("changes", "status", "problem"),
    [
        ({"password": "wrong horse"}, 403, "The current password is wrong."),
        ({"password": ""}, 403, "The current password is wrong."),
        ({"again": "another one"}, 400, "The two new passwords differ."),
        ({"new": "short", "again": "short"}, 400, "The new password must have 10 to 1000 characters."),
        ({"new": "a" * 20, "again": "a" * 20}, 400, "must have at least 5 different characters."),
    ],
)
async def test_a_password_is_not_replaced_without_the_old_one_and_by_a_weak_one(
    ada: Browser, pool: Pool, changes: dict[str, str], status: int, problem: str
) -> None:
    page = await change_password(ada, **changes)
    assert page.response.status_code == status
    assert problem in page.words
    assert all(secret not in page.response.text for secret in (PASSWORD, NEW, "wrong horse", "another one"))
    async with pool.connection() as conn:
        login = await auth.find_login(conn, "ada")
    assert login
    assert login.password_hash == HASH
    assert has_session(await ada.open("/account"))


async def test_wrong_passwords_count_like_those_of_a_sign_in(ada: Browser) -> None:
    for _ in range(limit.FREE):
        assert (await change_password(ada, password="wrong horse")).response.status_code == 403
    page = await change_password(ada)
    assert page.response.status_code == 429
    assert "Too many attempts." in page.words


async def test_a_password_that_was_replaced_meanwhile_is_not_replaced_again(site: Site, user_id: int) -> None:
    stale = Login(user_id=user_id, password_hash=HASH)
    async with site.transaction() as conn:
        assert await auth.replace_password(conn, stale, "first")
    async with site.transaction() as conn:
        assert await auth.replace_password(conn, stale, "second") is None
        login = await auth.find_login(conn, "ada")
    assert login
    assert login.password_hash == "first"


async def write(pool: Pool, user_id: int, summary: str, client: str | None, program: str | None) -> None:
    async with transaction(pool, user_id) as conn:
        await conn.execute(
            """
            INSERT INTO changes (tool, client, program, summary, at)
            VALUES ('create_item', %(client)s, %(program)s, %(summary)s, '2026-07-01 18:30:59+02')
            """,
            {"client": client, "program": program, "summary": summary},
        )


async def test_a_person_sees_the_own_writes_by_key_and_program(
    ada: Browser, pool: Pool, user_id: int, other_user_id: int
) -> None:
    await write(pool, user_id, "Created the tent", "laptop & co", "agent=1")
    await write(pool, user_id, "Created the tarp", None, None)
    await write(pool, other_user_id, "Created the kite", "laptop & co", "agent=1")
    page = await ada.open("/account/writes")
    assert "Times are in UTC." in page.words
    assert "Created the tent 1 Jul 2026, 16:30 Change" in page.words
    assert "by create_item Key or connection: laptop & co Program: agent=1" in page.words
    assert "by create_item Without a key, on the server's machine" in page.words
    assert "kite" not in page.words
    links = re.findall(r'href="(/account/writes\?[^"]*)"', page.response.text)
    assert links == ["/account/writes?client=laptop+%26+co", "/account/writes?program=agent%3D1"]
    for link in links:
        page = await ada.open(link.replace("&amp;", "&"))
        assert ("tent" in page.words, "tarp" in page.words) == (True, False)
    assert "There are no writes to show." in (await ada.open("/account/writes?client=phone")).words


async def test_the_writes_come_in_pages(ada: Browser, pool: Pool, user_id: int) -> None:
    for number in range(ON_A_PAGE + 1):
        await write(pool, user_id, f"Peg {number:02}.", "laptop", None)
    first = await ada.open("/account/writes?client=laptop")
    assert len(re.findall(r"Peg \d\d\.", first.words)) == ON_A_PAGE
    (link,) = re.findall(r'href="([^"]*cursor[^"]*)"', first.response.text)
    second = await ada.open(link.replace("&amp;", "&"))
    assert re.findall(r"Peg \d\d\.", second.words) == ["Peg 00."]
    assert "Older" not in second.words
    page = await ada.open("/account/writes?cursor=x")
    assert (page.response.status_code, "next_cursor" in page.words) == (400, True)


async def test_what_a_program_stores_and_calls_itself_stays_text(
    ada: Browser, pool: Pool, user_id: int
) -> None:
    hostile = f'">{SCRIPT}'
    await write(pool, user_id, hostile + "x" * 10_000, hostile, hostile)
    for path in (
        "/account/writes",
        f'/account/writes?client="{SCRIPT}',
        f'/account/writes?program="{SCRIPT}',
    ):
        response = (await ada.open(path)).response
        assert SCRIPT not in response.text
        assert len(response.text) < 20_000


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) CriOS/126.0 Safari/604.1",
            "Chrome on iPhone",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/126.0 Safari/537.36 Edg/126.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 14) Chrome/126.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Version/17.5 Safari/605.1", "Safari on macOS"),
        ("Firefox/1.0", "Firefox"),
        (SCRIPT, None),
        ("", None),
    ],
)
def test_a_browser_is_named_by_its_user_agent(user_agent: str, name: str | None) -> None:
    assert browser.describe(user_agent) == name
