"""Shared setups: a page for anyone with the link, which shows nothing but the setup."""

import logging
import re
import secrets
from collections.abc import AsyncGenerator
from typing import Any

import httpx2
import psycopg
import pytest
from mcp import Client
from starlette.applications import Starlette

from db.pool import Pool, shared, transaction
from mcp_server.http.address import MOST_FAILURES
from mcp_server.http.share import SharePages
from mcp_server.http.shares import Rate
from mcp_server.process import forget_old_changes
from mcp_server.protocol.edge import App
from mcp_server.server import build_server
from mcp_server.services import share
from scripts.served import Served, connected
from tests.calls import call, refused
from tests.conftest import SITE, run_sql
from tests.http.conftest import Admit
from tests.http.oauth.test_secrets import everything_in

HOSTILE = {
    "html": '<script>alert(1)</script><img src=x onerror="alert(1)">',
    "quotes": "\"'`><svg/onload=alert(1)>",
    "right to left": "\u202eخيمة للجبال\u202c",
    "formula": "=HYPERLINK(1)",
    "long": "W" * 200,
}


@pytest.fixture
async def ada(pool: Pool, user_id: int) -> AsyncGenerator[Client]:
    async with Client(build_server(App(pool, user_id, url=SITE)), mode="auto") as client:
        yield client


@pytest.fixture
async def web(pool: Pool) -> AsyncGenerator[httpx2.AsyncClient]:
    """A browser that is not signed in."""
    async with visitor(pool) as http:
        yield http


def visitor(pool: Pool, rate: int = 0) -> httpx2.AsyncClient:
    app = Starlette(routes=SharePages(pool, Rate(rate)).routes())
    transport = httpx2.ASGITransport(app=app, client=("192.0.2.1", 1))
    return httpx2.AsyncClient(transport=transport, base_url=SITE)


async def packed(client: Client) -> dict[str, Any]:
    """A setup of three lines, one of unknown weight."""
    names = [
        ("Zelt", "540 g", 38000, "base"),
        ("Hut", "60 g", 2500, "worn"),
        ("Gas", None, None, "consumable"),
    ]
    lines: list[dict[str, Any]] = []
    for name, weight, cents, kind in names:
        fields = {"weight": weight, "price_cents": cents} if weight else {}
        item = await call(
            client,
            "create_item",
            name=name,
            category="Shelter" if name == "Zelt" else "",
            notes="ZsecretZ notes",
            product_url="https://shop.example/ZsecretZ",
            **fields,
        )
        lines.append({"item_id": item["id"], "classification": kind})
    return await call(client, "create_setup", name="Lappland", lines=lines)


def path_of(created: dict[str, Any]) -> str:
    assert re.fullmatch(rf"{SITE}/s/[\w-]{{22}}", created["url"], re.ASCII)
    return created["url"].removeprefix(SITE)


async def test_a_page_shows_one_setup_and_nothing_private(
    ada: Client, web: httpx2.AsyncClient, url: str
) -> None:
    for table in ("setups", "items", "categories"):
        run_sql(url, "ALTER TABLE {} ALTER COLUMN id RESTART WITH 7654321", table)
    await call(ada, "create_category", name="Shelter")
    assert (await packed(ada))["id"] == 7654321
    await call(ada, "create_item", name="ZsecretZ item")
    await call(ada, "create_setup", name="ZsecretZ setup")
    await call(ada, "update_settings", changes={"currency": "EUR"})
    path = path_of(await call(ada, "share_setup", setup="Lappland"))
    page = await web.get(path)
    assert page.status_code == 200
    for shown in ("Lappland", "Zelt", "Shelter", "540 g", "at least", "1 line of unknown weight", "Gas"):
        assert shown in page.text, shown
    csv = await web.get(f"{path}/csv")
    for response in (page, csv, await web.get(f"{path}/embed")):
        for hidden in ("ZsecretZ", "380", "38000", "Price", "EUR", "price_cents", "7654"):
            assert hidden not in response.text, hidden
    assert 'property="og:title" content="Lappland: base weight at least 540 g"' in page.text
    assert "style=" not in page.text


async def test_prices_are_shown_if_they_are_shared(ada: Client, web: httpx2.AsyncClient) -> None:
    await call(ada, "create_category", name="Shelter")
    await packed(ada)
    await call(ada, "update_settings", changes={"currency": "EUR", "weight_unit": "oz"})
    path = path_of(await call(ada, "share_setup", setup="Lappland", prices=True))
    page = (await web.get(path)).text
    assert "Price: at least 405.00 EUR: 1 line of unknown price" in page
    assert "19 oz" in page
    assert "38000" in (await web.get(f"{path}/csv")).text


async def test_the_csv_can_be_imported_and_keeps_unknown_weights_unknown(
    ada: Client, other_client: Client, web: httpx2.AsyncClient
) -> None:
    await call(ada, "create_category", name="Shelter")
    setup = await packed(ada)
    path = path_of(await call(ada, "share_setup", setup="Lappland", prices=True))
    response = await web.get(f"{path}/csv")
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"] == 'attachment; filename="setup.csv"'
    await call(other_client, "import_csv", csv_text=response.text, setup_name="Theirs")
    theirs = await call(other_client, "get_setup", setup_id="Theirs")
    figures = ("total_grams", "base_grams", "worn_grams", "price_cents", "unweighed", "unpriced")
    assert [theirs[figure] for figure in figures] == [setup[figure] for figure in figures]


@pytest.mark.parametrize("kind", HOSTILE)
async def test_hostile_names_are_text(ada: Client, web: httpx2.AsyncClient, kind: str) -> None:
    name = HOSTILE[kind]
    await call(ada, "create_category", name=name)
    item = await call(ada, "create_item", name=name, category=name, weight=5)
    await call(ada, "create_setup", name=name, lines=[{"item_id": item["id"]}])
    path = path_of(await call(ada, "share_setup", setup=name))
    for page in (await web.get(path), await web.get(f"{path}/embed")):
        assert page.status_code == 200
        assert re.findall(r"<(?:img|svg/)", page.text) == []
        assert page.text.count("<script>") == (0 if page.url.path.endswith("embed") else 1)
        assert 'dir="auto"' in page.text
    csv = (await web.get(f"{path}/csv")).text
    assert not any(line.startswith("=") for line in csv.splitlines())


async def test_unknown_ended_undone_and_expired_links_get_the_same_answer(
    ada: Client, pool: Pool, user_id: int, web: httpx2.AsyncClient
) -> None:
    await call(ada, "create_setup", name="Trip")
    created = [await call(ada, "share_setup", setup="Trip") for _ in range(4)]
    ended, undone, expired, orphaned = map(path_of, created)
    for path in (ended, undone, expired, orphaned):
        assert (await web.get(path)).status_code == 200
    await call(ada, "end_share", share_id=created[0]["id"])
    await call(ada, "undo_change", change_id=created[1]["change_id"])
    async with transaction(pool, user_id) as conn:
        await conn.execute(
            "UPDATE shares SET created_at = now() - interval '2 days', expires_at = now() WHERE id = %(id)s",
            {"id": created[2]["id"]},
        )
    assert [row["id"] for row in (await call(ada, "list_shares"))["shares"]] == [created[3]["id"]]
    await call(ada, "delete_setup", setup_id="Trip")
    unknown, malformed = f"/s/{secrets.token_urlsafe(16)}", "/s/x"
    answers = {
        (answer.status_code, answer.content, tuple(answer.headers.multi_items()))
        for path in (ended, undone, expired, orphaned, unknown, malformed)
        for answer in [await web.get(path + suffix) for suffix in ("", "/embed", "/csv")]
    }
    ((status, body, _),) = answers
    assert status == 404
    assert b"This link shows nothing" in body


async def test_an_undone_end_opens_the_link_again(ada: Client, web: httpx2.AsyncClient) -> None:
    await call(ada, "create_setup", name="Trip")
    created = await call(ada, "share_setup", setup="Trip")
    ended = await call(ada, "end_share", share_id=created["id"])
    assert (ended["ended"], ended["setup"]) == (created["id"], "Trip")
    assert (await web.get(path_of(created))).status_code == 404
    await call(ada, "undo_change", change_id=ended["change_id"])
    assert (await web.get(path_of(created))).status_code == 200
    changes = (await call(ada, "list_changes", setup_id="Trip"))["changes"]
    assert [change["summary"] for change in changes][:3] == [
        'Created a share of setup "Trip"',
        'Deleted a share of setup "Trip"',
        'Created a share of setup "Trip"',
    ]


async def test_the_headers_forbid_what_a_page_does_not_need(ada: Client, web: httpx2.AsyncClient) -> None:
    await call(ada, "create_setup", name="Trip")
    path = path_of(await call(ada, "share_setup", setup="Trip"))
    page, embedded = await web.get(path), await web.get(f"{path}/embed")
    for response in (page, embedded, await web.get(f"{path}/csv"), await web.get("/s/x")):
        headers = response.headers
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-robots-tag"] == "noindex, nofollow"
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy
        framed = "frame-ancestors *" in policy
        assert framed == (response is embedded)
        assert ("x-frame-options" in headers) != framed
    assert '<meta name="robots" content="noindex">' in page.text
    head = await web.head(path)
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(page.content)))
    assert (await web.post(path)).status_code == 405


async def test_a_retry_with_the_same_key_says_that_the_link_was_shown(
    ada: Client, pool: Pool, user_id: int, url: str
) -> None:
    await call(ada, "create_setup", name="Trip")
    first = await call(ada, "share_setup", setup="Trip", idempotency_key="k")
    again = await call(ada, "share_setup", setup="Trip", idempotency_key="k")
    assert (again["id"], again["repeated"]) == (first["id"], True)
    assert "url" not in again
    assert again["hint"].startswith("The link was shown once.")
    shown = await call(ada, "get_change", change_id=first["change_id"])
    token = path_of(first).removeprefix("/s/")
    hashed = share.hash_of(token)
    assert hashed
    assert "token_hash" not in str(shown)
    assert token not in everything_in(url)
    assert hashed.hex() in everything_in(url)


async def test_shares_that_expired_long_ago_are_deleted_with_old_changes(
    ada: Client, pool: Pool, user_id: int
) -> None:
    await call(ada, "create_setup", name="Trip")
    old, recent, _ = [(await call(ada, "share_setup", setup="Trip"))["id"] for _ in range(3)]
    async with transaction(pool, user_id) as conn:
        for share_id, days in ((old, 91), (recent, 89)):
            await conn.execute(
                """
                UPDATE shares
                SET created_at = now() - interval '200 days',
                    expires_at = now() - make_interval(days => %(days)s)
                WHERE id = %(id)s
                """,
                {"id": share_id, "days": days},
            )
    await forget_old_changes(pool, user_id, 90)
    async with transaction(pool, user_id) as conn:
        assert await (await conn.execute("SELECT min(id), count(*) FROM shares")).fetchone() == (recent, 2)


async def test_without_http_the_error_names_the_command(pool: Pool, user_id: int) -> None:
    async with Client(build_server(App(pool, user_id)), mode="auto") as client:
        await call(client, "create_setup", name="Trip")
        text = await refused(client, "share_setup", setup="Trip")
        assert text.startswith("[forbidden] Links need a server over HTTP.")
        assert "gearshed export NAME.html" in text
        assert (await call(client, "list_shares"))["shares"] == []


@pytest.mark.parametrize("days", [0, 366, -1])
async def test_a_share_lasts_a_year_at_most(ada: Client, days: int) -> None:
    await call(ada, "create_setup", name="Trip")
    assert "days: must be from 1 to 365" in await refused(ada, "share_setup", setup="Trip", days=days)


async def test_few_shares_are_open_at_once(ada: Client) -> None:
    await call(ada, "create_setup", name="Trip")
    for _ in range(share.MOST_OPEN):
        await call(ada, "share_setup", setup="Trip")
    assert (await refused(ada, "share_setup", setup="Trip")).startswith("[conflict] 100 shares are open")


async def test_the_role_of_the_pages_sees_one_setup_of_one_user(
    ada: Client, other_client: Client, pool: Pool, user_id: int, other_user_id: int
) -> None:
    hashes: list[bytes] = []
    for client in (ada, other_client):
        await call(client, "create_category", name="Shelter")
        await packed(client)
        await call(client, "create_item", name="Elsewhere", category="Shelter")
        await call(client, "create_setup", name="Elsewhere")
        created = await call(client, "share_setup", setup="Lappland")
        hashes.append(share.hash_of(path_of(created).removeprefix("/s/")) or b"")
    counts = {"shares": 1, "setups": 1, "setup_items": 3, "items": 3, "categories": 1}
    for user, own, other in ((user_id, *hashes), (other_user_id, *reversed(hashes))):
        async with shared(pool, own, user) as conn:
            for table, count in counts.items():
                found = await (await conn.execute(COUNTS[table])).fetchall()
                assert found == [(count,)], table
        # Neither another user's number nor another link's hash shows more.
        for token_hash, number in ((other, user), (b"\0" * 32, user), (own, 0)):
            async with shared(pool, token_hash, number) as conn:
                for table in ("setups", "setup_items", "items", "categories"):
                    assert await (await conn.execute(COUNTS[table])).fetchall() == [(0,)], table


COUNTS = {
    "shares": b"SELECT count(*) FROM shares",
    "setups": b"SELECT count(*) FROM setups",
    "setup_items": b"SELECT count(*) FROM setup_items",
    "items": b"SELECT count(*) FROM items",
    "categories": b"SELECT count(*) FROM categories",
}


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT notes FROM items",
        "SELECT product_url FROM items",
        "SELECT token_hash FROM shares",
        "SELECT data FROM images",
        "SELECT name FROM threads",
        "SELECT summary FROM changes",
        "SELECT after FROM row_changes",
        "SELECT username FROM users",
        "SELECT key_hash FROM api_keys",
        "SELECT word FROM item_words",
        "DELETE FROM shares",
        "UPDATE setups SET name = 'x'",
        "INSERT INTO settings (key, value) VALUES ('currency', 'EUR')",
    ],
)
async def test_the_role_of_the_pages_can_do_nothing_else(pool: Pool, user_id: int, statement: str) -> None:
    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)):
        async with shared(pool, b"\0" * 32, user_id) as conn:
            await conn.execute(statement.encode())


async def test_wrong_links_are_refused_after_some_and_a_right_one_still_opens(
    ada: Client, web: httpx2.AsyncClient
) -> None:
    await call(ada, "create_setup", name="Trip")
    path = path_of(await call(ada, "share_setup", setup="Trip"))
    statuses = [
        (await web.get(f"/s/{secrets.token_urlsafe(16)}")).status_code for _ in range(MOST_FAILURES + 2)
    ]
    assert statuses == [404] * MOST_FAILURES + [429] * 2
    assert (await web.get(path)).status_code == 200


async def test_a_page_that_is_opened_too_often_is_refused(ada: Client, pool: Pool) -> None:
    await call(ada, "create_setup", name="Trip")
    path = path_of(await call(ada, "share_setup", setup="Trip"))
    async with visitor(pool, rate=2) as http:
        answers = [await http.get(path) for _ in range(8)]
    assert {answer.status_code for answer in answers[:2]} == {200}
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) > 0


async def test_no_token_is_in_a_log_line_or_a_metric(
    replicas: tuple[Served, Served],
    admit: Admit,
    ada: Client,
    web: httpx2.AsyncClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    person = await admit()
    first, second = replicas
    async with connected(first.url, person.key, "auto") as client, httpx2.AsyncClient() as http:
        await call(client, "create_setup", name="Trip")
        created = await call(client, "share_setup", setup="Trip", idempotency_key="k")
        token = created["url"].rpartition("/")[2]
        for server in replicas:
            for suffix in ("", "/embed", "/csv"):
                assert (await http.get(f"{server.url}/s/{token}{suffix}")).status_code == 200
        assert (await http.post(f"{first.url}/s/{token}")).status_code == 405
        assert (await http.get(f"{first.url}/s/{token}/x")).status_code == 404
        assert (await http.get(f"{first.url}/s/{token}", headers={"Host": "evil.example"})).status_code == 421
        await call(client, "end_share", share_id=created["id"])
        assert (await http.get(f"{first.url}/s/{token}")).status_code == 404
        metrics = (await http.get(f"{first.url}/metrics")).text
    assert "share_setup" in first.logged()
    assert 'tool="share_setup"' in metrics
    assert token not in first.logged() + second.logged() + metrics
    # In the process of the test, at the most detailed level.
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    await call(ada, "create_setup", name="Trip")
    created = await call(ada, "share_setup", setup="Trip", idempotency_key="k")
    assert (await web.get(path_of(created))).status_code == 200
    logged = "\n".join(f"{record.name} {record.getMessage()} {record.args}" for record in caplog.records)
    assert path_of(created).removeprefix("/s/") not in logged
