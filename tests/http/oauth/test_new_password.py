"""A new password, or the removal of the user, ends all access, also that which is being granted."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from psycopg import AsyncConnection

from db.pool import Pool
from mcp_server.accounts import auth, oauth, session, turn
from mcp_server.http.oauth.site import Site
from mcp_server.models.auth import Login
from scripts.browser import Browser, Program, wish
from tests.http.oauth.conftest import HASH
from tests.http.oauth.test_reuse import waiting_for_a_lock, works

End = Callable[[AsyncConnection], Awaitable[None]]


async def new_password(conn: AsyncConnection) -> None:
    await auth.set_password(conn, "ada", "another hash")


async def removal(conn: AsyncConnection) -> None:
    await auth.remove_user(conn, await auth.get_user(conn, "ada"))


ENDS = pytest.mark.parametrize("end", [new_password, removal])


@ENDS
async def test_a_code_that_is_not_redeemed_yet_ends(
    program: Program, code: str, pool: Pool, end: End
) -> None:
    async with pool.connection() as conn:
        await end(conn)
    response = await program.redeem(code)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")


async def test_codes_of_other_users_stay_valid(eve: Browser, program: Program, code: str, pool: Pool) -> None:
    page = await eve.allow(wish(program.client_id))
    async with pool.connection() as conn:
        await new_password(conn)
    assert (await program.redeem(page.answer["code"])).status_code == 200


@ENDS
async def test_a_code_that_is_being_redeemed_ends_with_its_tokens(
    program: Program, code: str, pool: Pool, end: End
) -> None:
    async with pool.connection() as ending, pool.connection() as conn:
        async with conn.transaction():
            tokens = await oauth.redeem(
                conn,
                code,
                program.client_id,
                "https://claude.example/callback",
                "v" * 43,
                "https://gear.example/mcp",
            )
            task = asyncio.create_task(in_transaction(ending, end))
            await waiting_for_a_lock(pool)
        await task
    assert not await works(pool, tokens.model_dump())


async def in_transaction(conn: AsyncConnection, end: End) -> None:
    async with conn.transaction():
        await end(conn)


@ENDS
async def test_a_consent_that_is_sent_meanwhile_gets_no_code(
    ada: Browser, program: Program, pool: Pool, end: End
) -> None:
    page = await ada.ask(wish(program.client_id))
    async with pool.connection() as conn, conn.transaction():
        await end(conn)
        deciding = asyncio.create_task(ada.submit(page.forms[0], decision="write"))
        await waiting_for_a_lock(pool)
    answer = await deciding
    assert (answer.leads_to, answer.forms[0].action) == ("", "/sign-in")
    async with pool.connection() as conn:
        assert await (await conn.execute("SELECT count(*) FROM oauth_codes")).fetchone() == (0,)


@ENDS
async def test_a_sign_in_with_the_old_password_meanwhile_gets_no_session(
    site: Site, user_id: int, pool: Pool, end: End
) -> None:
    login = Login(user_id=user_id, password_hash=HASH)
    async with pool.connection() as conn, conn.transaction():
        await end(conn)
        beginning = asyncio.create_task(begin(site, login))
        await waiting_for_a_lock(pool)
    assert await beginning is None


async def begin(site: Site, login: Login) -> str | None:
    async with site.transaction() as conn:
        return await session.begin(conn, login)


async def test_users_do_not_wait_for_each_other(pool: Pool, user_id: int, other_user_id: int) -> None:
    async with pool.connection() as one, pool.connection() as other, one.transaction():
        await turn.ending(one, user_id)
        async with other.transaction(), asyncio.timeout(5):
            await turn.issuing(other, other_user_id)
