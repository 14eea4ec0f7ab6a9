"""Rate limits, and limits on what unauthenticated clients can store."""

import asyncio

from db.pool import Pool, create_pool
from mcp_server.accounts.client import MOST_UNUSED
from mcp_server.http.oauth.site import Site
from scripts.browser import Browser, Page, Program, wish
from tests.http.oauth.conftest import web


async def try_to_sign_in(browser: Browser, username: str) -> Page:
    page = await browser.open("/account")
    return await browser.submit(page.forms[0], username=username, password="wrong")


async def minute_passes(pool: Pool) -> None:
    async with pool.connection() as conn:
        await conn.execute("UPDATE attempts SET until = now()")


async def test_one_account_allows_ten_passwords_a_minute(site: Site, pool: Pool) -> None:
    for number in range(11):
        async with web(site, f"198.51.100.{number}") as http:
            page = await try_to_sign_in(Browser(http), "ada")
            assert page.response.status_code == (403 if number < 10 else 429)
            assert ("Wait a minute" in page.words) is (number == 10)
    async with web(site) as http:
        assert (await Browser(http).sign_in()).response.status_code == 429
        await minute_passes(pool)
        assert "Signed in as ada" in (await Browser(http).sign_in()).words


async def test_one_address_may_try_ten_passwords_a_minute(site: Site) -> None:
    async with web(site) as http:
        for number in range(11):
            page = await try_to_sign_in(Browser(http), f"user {number}")
            assert page.response.status_code == (403 if number < 10 else 429)


async def test_a_header_does_not_change_the_client_address(site: Site) -> None:
    async with web(site) as http:
        for number in range(11):
            http.headers["X-Forwarded-For"] = http.headers["X-Real-IP"] = f"203.0.113.{number}"
            page = await try_to_sign_in(Browser(http), f"user {number}")
            assert page.response.status_code == (403 if number < 10 else 429)


async def test_an_ipv6_network_counts_as_one_address(site: Site) -> None:
    for number in range(21):
        async with web(site, f"2001:db8::{number:x}") as http:
            response = await Program(http).register()
            assert response.status_code == (201 if number < 20 else 429)


async def test_one_address_registers_twenty_clients_an_hour(site: Site, pool: Pool) -> None:
    async with web(site) as http, web(site, "203.0.113.9") as other:
        for _ in range(20):
            assert (await Program(http).register()).status_code == 201
        response = await Program(http).register()
        assert (response.status_code, response.json()["error"]) == (429, "temporarily_unavailable")
        assert (await Program(other).register()).status_code == 201
        await minute_passes(pool)
        assert (await Program(http).register()).status_code == 201


async def test_unused_clients_are_bounded_in_number(site: Site, pool: Pool, program: Program) -> None:
    async with pool.connection() as conn:
        await conn.execute(
            "INSERT INTO oauth_clients (client_id, redirect_uris, expires_at)"
            " SELECT n::text, '[]', now() + interval '1 hour' FROM generate_series(2, %(most)s) AS n",
            {"most": MOST_UNUSED},
        )
    response = await program.register()
    assert (response.status_code, response.json()["error"]) == (429, "temporarily_unavailable")
    async with pool.connection() as conn:
        await conn.execute("UPDATE oauth_clients SET expires_at = now()")
    assert (await program.register()).status_code == 201
    async with pool.connection() as conn:
        cursor = await conn.execute("SELECT count(*) FROM oauth_clients")
        assert await cursor.fetchone() == (1,)


async def test_a_client_without_a_grant_expires_after_a_day(
    ada: Browser, program: Program, pool: Pool
) -> None:
    unused, used = program.client_id, (await program.register()).json()["client_id"]
    await ada.allow(wish(used))
    async with pool.connection() as conn:
        cursor = await conn.execute(
            "UPDATE oauth_clients SET expires_at = expires_at - interval '24 hours' RETURNING client_id"
        )
        assert await cursor.fetchall() == [(unused,), (used,)]
    assert (await ada.ask(wish(unused))).response.status_code == 400
    assert (await ada.ask(wish(used))).response.status_code == 200


async def test_without_a_database_every_endpoint_is_unavailable() -> None:
    async with (
        create_pool("postgresql://127.0.0.1:1/gone") as pool,
        web(Site("https://gear.example", pool)) as http,
    ):
        answers = await asyncio.gather(
            Program(http).redeem("x"), Program(http).register(), http.get("/account")
        )
    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert [answer.json()["error"] for answer in answers[:2]] == ["temporarily_unavailable"] * 2
    assert "Retry in a few seconds" in answers[2].text
