"""Rate limits, and limits on what unauthenticated clients can store."""

import asyncio

import pytest

from db.pool import Pool, create_pool, credentials
from db.query import fetch_value
from mcp_server.accounts import browser, client, limit
from mcp_server.accounts.client import MOST_UNUSED
from mcp_server.errors import Busy
from mcp_server.http.oauth import sign_in
from mcp_server.http.oauth.site import Site
from mcp_server.models.auth import Login
from scripts.browser import Browser, Page, Program, wish
from tests.http.oauth.conftest import web


async def try_to_sign_in(browser: Browser, username: str) -> Page:
    page = await browser.open("/account")
    return await browser.submit(page.forms[0], username=username, password="wrong")


async def minute_passes(pool: Pool) -> None:
    async with pool.connection() as conn:
        await conn.execute("UPDATE attempts SET until = now()")


async def test_one_account_allows_ten_passwords_from_one_address(site: Site, pool: Pool) -> None:
    async with web(site) as http:
        for number in range(11):
            page = await try_to_sign_in(Browser(http), "ada")
            assert page.response.status_code == (403 if number < 10 else 429)
            assert ("Wait a minute" in page.words) is (number == 10)
        assert (await Browser(http).sign_in()).response.status_code == 429
        await minute_passes(pool)
        assert "Signed in as ada" in (await Browser(http).sign_in()).words


async def test_wrong_passwords_from_elsewhere_do_not_lock_the_owner_out(site: Site) -> None:
    for number in range(11):
        async with web(site, f"198.51.100.{number}") as http:
            assert (await try_to_sign_in(Browser(http), "ada")).response.status_code == 403
    async with web(site, "203.0.113.9") as http:
        assert "Signed in as ada" in (await Browser(http).sign_in()).words


async def test_a_known_browser_is_not_locked_out_by_a_neighbour_at_the_same_address(site: Site) -> None:
    async with web(site) as http, web(site) as neighbour:
        known = Browser(http)
        await known.submit((await known.sign_in()).forms[-1])
        pages = [await try_to_sign_in(Browser(neighbour), "ada") for _ in range(11)]
        assert pages[-1].response.status_code == 429
        assert "Signed in as ada" in (await known.sign_in()).words


async def test_a_known_browser_has_a_limit_of_its_own_and_is_known_for_one_user_only(site: Site) -> None:
    async with web(site) as http, web(site, "203.0.113.9") as elsewhere:
        known = Browser(http)
        await known.submit((await known.sign_in()).forms[-1])
        for number in range(11):
            page = await try_to_sign_in(known, "ada")
            assert page.response.status_code == (403 if number < 10 else 429)
        # The cookie is of no help with another name.
        elsewhere.cookies.update(http.cookies)
        pages = [await try_to_sign_in(Browser(elsewhere), "eve") for _ in range(11)]
        assert pages[-1].response.status_code == 429


async def test_a_browser_is_no_longer_known_after_a_new_password(site: Site, user_id: int) -> None:
    old, new = (Login(user_id=user_id, password_hash=text) for text in ("old hash", "new hash"))
    cookie = browser.introduce(old)
    assert browser.recognize(old, cookie) == cookie.partition(".")[0]
    other = Login(user_id=user_id + 1, password_hash="old hash")
    without = Login(user_id=user_id, password_hash=None)
    for login in (new, other, without):
        assert browser.recognize(login, cookie) is None
    for forged in ("", ".", f"x{cookie}", cookie[:-1], f"1.{browser.signature(without, '1')}", "é.é"):
        assert browser.recognize(old, forged) is None
        assert browser.recognize(without, forged) is None


@pytest.mark.usefixtures("any_alphabet")
async def test_all_spellings_of_a_name_are_one_account(site: Site, pool: Pool) -> None:
    async with pool.connection() as conn:
        await conn.execute("UPDATE users SET username = 'İda' WHERE username = 'ada'")
        ((spelling,),) = await (await conn.execute("SELECT lower('İda')")).fetchall()
    assert spelling != "İda"
    async with web(site) as http:
        for number in range(10):
            page = await try_to_sign_in(Browser(http), ("İda", spelling)[number % 2])
            assert page.response.status_code == 403
        await clear_networks(pool)
        for name in ("İda", spelling):
            assert (await try_to_sign_in(Browser(http), name)).response.status_code == 429


async def clear_networks(pool: Pool) -> None:
    async with pool.connection() as conn:
        cursor = await conn.execute(
            "DELETE FROM attempts WHERE what = %(what)s", {"what": limit.digest("sign-in from 198.51.100.7")}
        )
        assert cursor.rowcount == 1


async def test_delays_double_up_to_an_hour_and_end_with_a_success(pool: Pool) -> None:
    async def attempt() -> None:
        async with credentials(pool) as conn:
            await limit.slow_down(conn, "x")

    async def delay() -> int:
        async with pool.connection() as conn:
            return await fetch_value(
                conn,
                "SELECT round(extract(epoch FROM until - now()))::int FROM attempts WHERE what = %(what)s",
                {"what": limit.digest("delay of x")},
            )

    async def delay_passes() -> None:
        async with pool.connection() as conn:
            cursor = await conn.execute(
                "UPDATE attempts SET until = now() WHERE what = %(what)s",
                {"what": limit.digest("delay of x")},
            )
            assert cursor.rowcount == 1

    for _ in range(limit.FREE):
        await attempt()
    delays = list[int]()
    for _ in range(8):
        with pytest.raises(Busy, match=r"Wait (a|\d+) minutes?, then retry"):
            await attempt()
        delays.append(await delay())
        await delay_passes()
        await attempt()
    assert (
        delays
        == [pytest.approx(60 * 2**number, abs=5) for number in range(6)] + [pytest.approx(3600, abs=5)] * 2
    )
    async with pool.connection() as conn:
        await limit.succeeded(conn, "x")
    for _ in range(limit.FREE):
        await attempt()


async def test_concurrent_attempts_get_no_more_than_the_free_ones(pool: Pool) -> None:
    async def attempt() -> None:
        async with credentials(pool) as conn:
            await limit.slow_down(conn, "x")

    results = await asyncio.gather(*(attempt() for _ in range(30)), return_exceptions=True)
    assert sum(result is None for result in results) == limit.FREE
    assert sum(isinstance(result, Busy) for result in results) == 30 - limit.FREE


async def test_one_account_has_a_limit_for_very_many_addresses(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in, "MOST_FOR_ACCOUNT", 3)
    async with web(site) as known:
        await Browser(known).submit((await Browser(known).sign_in()).forms[-1])
        for number in range(4):
            async with web(site, f"203.0.113.{number}") as http:
                page = await try_to_sign_in(Browser(http), "ada")
                assert page.response.status_code == (403 if number < 2 else 429)
        assert "Signed in as ada" in (await Browser(known).sign_in()).words


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


async def test_an_ipv6_network_of_many_networks_has_a_limit_too(site: Site) -> None:
    for number in range(61):
        async with web(site, f"2001:db8:0:{number // 15:x}::1") as http:
            response = await Program(http).register()
            assert response.status_code == (201 if number < 60 else 429)
    async with web(site, "2001:db8:1::1") as http:
        assert (await Program(http).register()).status_code == 201


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
            " SELECT n::text, '[]', now() + make_interval(mins => n) FROM generate_series(2, %(most)s) AS n",
            {"most": MOST_UNUSED},
        )
        await conn.execute(
            "INSERT INTO oauth_clients (client_id, redirect_uris, expires_at) VALUES ('used', '[]', NULL)"
        )
    # The table is full, so the oldest client makes room.
    for oldest in ("2", "3"):
        async with pool.connection() as conn:
            assert await client.find(conn, oldest)
        assert (await program.register()).status_code == 201
        async with pool.connection() as conn:
            assert await client.find(conn, oldest) is None
            assert await client.find(conn, program.client_id)
            assert await client.find(conn, "used")
            cursor = await conn.execute("SELECT count(*) FROM oauth_clients WHERE expires_at IS NOT NULL")
            assert await cursor.fetchone() == (MOST_UNUSED,)
    async with pool.connection() as conn:
        await conn.execute("UPDATE oauth_clients SET expires_at = now() WHERE expires_at IS NOT NULL")
    assert (await program.register()).status_code == 201
    async with pool.connection() as conn:
        cursor = await conn.execute("SELECT count(*) FROM oauth_clients")
        assert await cursor.fetchone() == (2,)


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
