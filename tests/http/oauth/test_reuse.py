"""Reuse of codes and tokens: harmless by accident, but revoked after a theft."""

import asyncio
import logging

import pytest

from db.pool import Pool
from mcp_server.accounts import oauth
from scripts.browser import Browser, Program, wish

MCP = "https://gear.example/mcp"


async def works(pool: Pool, tokens: dict[str, str]) -> bool:
    async with pool.connection() as conn:
        return await oauth.find_token(conn, tokens["access_token"], MCP) is not None


async def pass_by(pool: Pool, seconds: int) -> None:
    """Move the time of past refreshes back."""
    async with pool.connection() as conn:
        cursor = await conn.execute(
            "UPDATE oauth_tokens SET rotated_at = rotated_at - make_interval(secs => %(seconds)s)",
            {"seconds": seconds},
        )
        assert cursor.rowcount > 0


async def test_one_of_twenty_concurrent_redemptions_succeeds_and_then_all_is_revoked(
    program: Program, code: str, pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    responses = await asyncio.gather(*(program.redeem(code) for _ in range(20)))
    (tokens,) = [response.json() for response in responses if response.status_code == 200]
    refused = [response.json()["error"] for response in responses if response.status_code != 200]
    assert refused == ["invalid_grant"] * 19
    assert not await works(pool, tokens)
    assert (await program.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
    assert 'revoked address="198.51.100.7"' in caplog.text


async def test_a_code_reused_later_revokes_its_tokens(program: Program, code: str, pool: Pool) -> None:
    tokens = (await program.redeem(code)).json()
    renewed = (await program.refresh(tokens["refresh_token"])).json()
    assert await works(pool, renewed)
    async with pool.connection() as conn:
        await conn.execute("UPDATE oauth_codes SET expires_at = now() - interval '1 hour'")
    assert (await program.redeem(code)).json()["error"] == "invalid_grant"
    assert not await works(pool, tokens)
    assert not await works(pool, renewed)


async def test_eight_concurrent_refreshes_all_get_valid_tokens(
    program: Program, tokens: dict[str, str], pool: Pool
) -> None:
    responses = await asyncio.gather(*(program.refresh(tokens["refresh_token"]) for _ in range(8)))
    pairs = [response.json() for response in responses]
    assert [response.status_code for response in responses] == [200] * 8
    assert len({pair["refresh_token"] for pair in pairs}) == 8
    for pair in [tokens, *pairs]:
        assert await works(pool, pair)
    # The client goes on with one of them.
    for _ in range(3):
        renewed = await program.refresh(pairs[-1]["refresh_token"])
        pairs.append(renewed.json())
        assert renewed.status_code == 200


async def test_two_used_successors_of_one_refresh_token_end_the_family(
    program: Program, tokens: dict[str, str], pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    ours, theirs = [(await program.refresh(tokens["refresh_token"])).json() for _ in range(2)]
    assert await works(pool, ours)
    renewed = (await program.refresh(ours["refresh_token"])).json()
    # One successor used twice is a lost response.
    assert (await program.refresh(ours["refresh_token"])).status_code == 200
    assert await works(pool, renewed)
    response = await program.refresh(theirs["refresh_token"])
    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")
    for pair in (tokens, ours, theirs, renewed):
        assert not await works(pool, pair)
    assert 'reason="reused"' in caplog.text


async def test_a_fork_is_detected_after_the_parent_has_expired_and_was_deleted(
    program: Program, tokens: dict[str, str], pool: Pool
) -> None:
    ours, theirs = [(await program.refresh(tokens["refresh_token"])).json() for _ in range(2)]
    async with pool.connection() as conn:
        cursor = await conn.execute(
            """
            UPDATE oauth_tokens SET expires_at = now(), refresh_expires_at = now() WHERE parent_id IS NULL
            """
        )
        assert cursor.rowcount == 1
    assert (await program.refresh(ours["refresh_token"])).status_code == 200
    async with pool.connection() as conn:
        cursor = await conn.execute("SELECT count(*) FROM oauth_tokens WHERE parent_id IS NULL")
        assert await cursor.fetchone() == (0,)
    assert (await program.refresh(theirs["refresh_token"])).json()["error"] == "invalid_grant"


async def test_two_concurrent_uses_of_two_successors_end_the_family(
    program: Program, tokens: dict[str, str], pool: Pool
) -> None:
    pairs = [(await program.refresh(tokens["refresh_token"])).json() for _ in range(2)]
    responses = await asyncio.gather(*(program.refresh(pair["refresh_token"]) for pair in pairs))
    assert sorted(response.status_code for response in responses) == [200, 400]
    for pair in [*pairs, *(response.json() for response in responses if response.status_code == 200)]:
        assert not await works(pool, pair)


async def test_a_refresh_can_be_retried_after_a_lost_response(
    program: Program, tokens: dict[str, str], pool: Pool
) -> None:
    lost = await program.refresh(tokens["refresh_token"])
    assert lost.status_code == 200
    await pass_by(pool, 50)
    again = await program.refresh(tokens["refresh_token"])
    assert again.status_code == 200
    assert await works(pool, again.json())


async def test_a_refresh_token_reused_later_revokes_its_family(
    program: Program, tokens: dict[str, str], pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    renewed = (await program.refresh(tokens["refresh_token"])).json()
    await pass_by(pool, 61)
    response = await program.refresh(tokens["refresh_token"])
    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")
    assert not await works(pool, tokens)
    assert not await works(pool, renewed)
    assert (await program.refresh(renewed["refresh_token"])).json()["error"] == "invalid_grant"
    (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert record.getMessage().startswith('revoked address="198.51.100.7" family="')


async def test_a_second_use_does_not_prolong_the_grace(
    program: Program, tokens: dict[str, str], pool: Pool
) -> None:
    for _ in range(2):
        assert (await program.refresh(tokens["refresh_token"])).status_code == 200
        await pass_by(pool, 31)
    assert (await program.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_replay_ends_its_own_family_only(
    ada: Browser, program: Program, tokens: dict[str, str], pool: Pool
) -> None:
    page = await ada.allow(wish(program.client_id))
    others = (await program.redeem(page.answer["code"])).json()
    await program.refresh(tokens["refresh_token"])
    await pass_by(pool, 61)
    await program.refresh(tokens["refresh_token"])
    assert not await works(pool, tokens)
    assert await works(pool, others)


async def test_tokens_that_are_being_issued_do_not_survive_a_revocation(
    program: Program, tokens: dict[str, str], pool: Pool
) -> None:
    """The family is revoked while a refresh has inserted its tokens but not committed."""
    async with pool.connection() as conn:
        async with conn.transaction():
            renewed = await oauth.refresh(conn, tokens["refresh_token"], program.client_id, [], "")
            revoking = asyncio.create_task(program.post("/revoke", token=tokens["access_token"]))
            await waiting_for_a_lock(pool)
        assert (await revoking).status_code == 200
    assert not await works(pool, renewed.model_dump())


async def waiting_for_a_lock(pool: Pool) -> None:
    query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    async with asyncio.timeout(5), pool.connection() as conn:
        while await (await conn.execute(query)).fetchone() == (0,):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_family_ends_half_a_year_after_the_consent(
    program: Program, tokens: dict[str, str], pool: Pool
) -> None:
    async with pool.connection() as conn:
        await conn.execute("UPDATE oauth_tokens SET consented_at = now() - interval '179 days'")
        renewed = (await program.refresh(tokens["refresh_token"])).json()
        cursor = await conn.execute(
            "SELECT max(refresh_expires_at) < now() + interval '25 hours' FROM oauth_tokens"
            " WHERE rotated_at IS NULL"
        )
        assert await cursor.fetchone() == (True,)
        await conn.execute("UPDATE oauth_tokens SET consented_at = now() - interval '180 days'")
    last = (await program.refresh(renewed["refresh_token"])).json()
    assert (await program.refresh(last["refresh_token"])).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_a_client_can_revoke_its_tokens(
    program: Program, tokens: dict[str, str], pool: Pool, kind: str
) -> None:
    renewed = (await program.refresh(tokens["refresh_token"])).json()
    for _ in range(2):
        response = await program.post("/revoke", token=tokens[kind], token_type_hint="nonsense")
        assert (response.status_code, response.content) == (200, b"")
    assert not await works(pool, tokens)
    assert not await works(pool, renewed)
    assert (await program.refresh(renewed["refresh_token"])).json()["error"] == "invalid_grant"
