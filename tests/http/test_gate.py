"""Who gets in: by which name the server is called, and with which key."""

import asyncio
import hashlib
import re
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import httpx2
import psycopg
import pytest
from argon2 import PasswordHasher
from psycopg_pool import PoolClosed
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse

from db.pool import Pool
from mcp_server.accounts import key
from mcp_server.errors import Busy
from mcp_server.http.address import MOST_FAILURES, MOST_WAITING, Failures
from mcp_server.http.callers import Callers
from mcp_server.http.gate import Gate
from mcp_server.http.metrics import Metrics
from mcp_server.http.serve import build_app
from mcp_server.http.stop import Stop
from mcp_server.models.auth import READ_WRITE, Principal
from mcp_server.protocol.edge import App
from mcp_server.protocol.live import Live
from mcp_server.settings import SettingsError, load
from scripts.served import Served

PLACES = [("POST", "/mcp"), ("GET", "/sse"), ("POST", "/messages/?session_id=" + "0" * 32)]
OWN = ["localhost:{port}", "127.0.0.1:{port}", "[::1]:9", "LOCALHOST"]
FOREIGN = [
    "evil.example",
    "evil.example:{port}",
    "localhost.evil.example",
    "localhost:evil.example",
    "127.0.0.1.evil.example:{port}",
    "evil@localhost",
    "0.0.0.0:{port}",
    "",
]
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
ACCEPT = {"Accept": "application/json, text/event-stream"}


@pytest.mark.parametrize("replica", [0, 1], ids=["loopback", "world"])
@pytest.mark.parametrize(("method", "path"), [*PLACES, ("GET", "/livez"), ("GET", "/readyz")])
async def test_the_server_answers_only_under_its_own_names(
    replicas: tuple[Served, Served], replica: int, method: str, path: str
) -> None:
    url = replicas[replica].url
    port = url.rpartition(":")[2]
    fine = 401 if (method, path) in PLACES else 200
    origins = [*(f"http://{name}" for name in OWN), *(f"https://{name}" for name in FOREIGN), "null"]
    origins += ["localhost", "file://localhost", "chrome-extension://localhost"]
    pairs = [(host, None) for host in OWN + FOREIGN]
    pairs += [(host, origin) for host in ("localhost", "evil.example") for origin in origins]
    async with httpx2.AsyncClient(base_url=url) as http:
        for host, origin in pairs:
            is_own = origin is None or origin.removeprefix("http://") in OWN
            expected = 421 if host in FOREIGN else fine if is_own else 403
            headers = {"Host": host.format(port=port)}
            if origin is not None:
                headers["Origin"] = origin.format(port=port)
            response = await http.request(method, path, headers=headers)
            assert response.status_code == expected, (host, origin)


@pytest.mark.parametrize(
    ("option", "own", "foreign"),
    [
        ({"allowed_host": "gear.example"}, ["gear.example", "gear.example:8443"], ["x.gear.example"]),
        ({"allowed_host": "gear.example:8443"}, ["gear.example:8443"], ["gear.example", "gear.example:1"]),
        ({"public_url": "https://gear.example/"}, ["gear.example"], ["example", "gear.example.evil"]),
    ],
)
async def test_names_can_be_added(
    pool: Pool, option: dict[str, str], own: list[str], foreign: list[str]
) -> None:
    settings = load({"http": True, **option})
    app = build_app(App(pool, None), settings, settings.public_url or "http://localhost", Stop())
    async with web(app) as http:
        for names, status in ((own, 200), (foreign, 421)):
            for name in names:
                assert (await http.get("/livez", headers={"Host": name})).status_code == status


def web(app: Any, address: str = "198.51.100.7") -> httpx2.AsyncClient:
    """An HTTP client with a public address."""
    transport = httpx2.ASGITransport(app, client=(address, 50000))
    return httpx2.AsyncClient(transport=transport, base_url="http://localhost", headers=ACCEPT)


@pytest.fixture
async def app(pool: Pool) -> AsyncGenerator[Starlette]:
    app = build_app(App(pool, None), load({"http": True}), "https://gear.example", Stop())
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def keys(pool: Pool, user_id: int, other_user_id: int) -> dict[str, str]:
    """A valid key, and invalid ones."""
    async with pool.connection() as conn:
        made = {
            "good": await key.create(conn, user_id, "laptop", READ_WRITE, None),
            "expired": await key.create(conn, user_id, "old", READ_WRITE, timedelta(seconds=-1)),
            "revoked": await key.create(conn, user_id, "lost", READ_WRITE, None),
            "orphaned": await key.create(conn, other_user_id, "gone", READ_WRITE, None),
        }
        await conn.execute("DELETE FROM api_keys WHERE name = 'lost'")
        await conn.execute("DELETE FROM users WHERE id = %(id)s", {"id": other_user_id})
    return made


async def status(app: Starlette, headers: list[tuple[str, str]], path: str = "/mcp") -> int:
    async with web(app) as http:
        return (await http.post(path, json=HELLO, headers=[*ACCEPT.items(), *headers])).status_code


async def test_a_key_is_accepted_in_either_header(app: Starlette, keys: dict[str, str]) -> None:
    for scheme in ("Bearer ", "bearer ", "BEARER  "):
        assert await status(app, [("Authorization", scheme + keys["good"])]) == 200
    for name in ("X-API-Key", "x-api-key"):
        assert await status(app, [(name, keys["good"])]) == 200


async def test_a_key_with_an_argon2_hash_is_accepted_and_its_hash_becomes_a_sha256(
    app: Starlette, pool: Pool, user_id: int
) -> None:
    old = "gb_3f2a91c07e5d4b68a1f09c3d5e7b8a42"
    row = {"user_id": user_id, "hash": PasswordHasher().hash(old), "prefix": old[:8]}
    stored = "SELECT key_hash, last_used_at IS NOT NULL FROM api_keys"
    async with pool.connection() as conn:
        await conn.execute(
            """
            INSERT INTO api_keys (user_id, name, key_hash, key_prefix)
            VALUES (%(user_id)s, 'phone', %(hash)s, %(prefix)s)
            """,
            row,
        )
    assert await status(app, [("X-API-Key", f"{old}x")]) == 401
    async with pool.connection() as conn:
        assert await (await conn.execute(stored)).fetchall() == [(row["hash"], False)]
    assert await status(app, [("X-API-Key", old)]) == 200
    async with pool.connection() as conn:
        assert await (await conn.execute(stored)).fetchall() == [
            (hashlib.sha256(old.encode()).hexdigest(), True)
        ]
    assert await status(app, [("Authorization", f"Bearer {old}")]) == 200


def wrong(keys: dict[str, str]) -> dict[str, list[tuple[str, str]]]:
    """Headers without a valid key, and what is wrong with each."""
    good = keys["good"]
    return {
        "nothing": [],
        "an empty header": [("Authorization", "")],
        "an empty bearer": [("Authorization", "Bearer ")],
        "an empty key": [("X-API-Key", "")],
        "no scheme": [("Authorization", good)],
        "another scheme": [("Authorization", f"Basic {good}")],
        "a scheme without a space": [("Authorization", f"Bearer{good}")],
        "a truncated key": [("Authorization", f"Bearer {good[:-1]}")],
        "a longer key": [("Authorization", f"Bearer {good}a")],
        "another case": [("Authorization", f"Bearer {good.swapcase()}")],
        "the prefix alone": [("Authorization", "Bearer gs_")],
        "two keys in one": [("Authorization", f"Bearer {good} {good}")],
        "a comma": [("Authorization", f"Bearer {good},{good}")],
        "quotes": [("Authorization", f'Bearer "{good}"')],
        "a trailing space": [("Authorization", f"Bearer {good} x")],
        "a tab": [("Authorization", f"Bearer\t{good}")],
        "a newline": [("X-API-Key", f"{good}\n")],
        "a NUL": [("X-API-Key", f"{good}\0")],
        "another alphabet": [("X-API-Key", "gs_ключключключключ")],
        "SQL": [("X-API-Key", "' OR 1=1 --")],
        "a very long one": [("X-API-Key", "a" * 9000)],
        "two Authorization headers": [("Authorization", f"Bearer {good}")] * 2,
        "both headers": [
            ("Authorization", f"Bearer {good}"),
            ("X-API-Key", good),
        ],
        "one wrong of two": [("X-API-Key", good), ("X-API-Key", "wrong")],
        "an expired key": [("Authorization", f"Bearer {keys['expired']}")],
        "a revoked key": [("Authorization", f"Bearer {keys['revoked']}")],
        "a removed user's key": [("Authorization", f"Bearer {keys['orphaned']}")],
        "a cookie": [("Cookie", f"authorization={good}; x-api-key={good}")],
        "a proxy's header": [("Proxy-Authorization", f"Bearer {good}")],
    }


async def test_every_route_rejects_requests_without_one_valid_key(
    app: Starlette, keys: dict[str, str]
) -> None:
    for number, (case, headers) in enumerate(wrong(keys).items()):
        answers: set[str] = set()
        async with web(app, f"203.0.113.{number}") as http:
            for method, path in PLACES:
                sent = httpx2.Headers(headers, encoding="utf-8")
                response = await http.request(method, path, headers=sent)
                assert response.status_code == 401, case
                answers.add(response.text)
                challenge = response.headers["WWW-Authenticate"]
                resource = "/mcp" if path == "/mcp" else "/sse"
                document = f"https://gear.example/.well-known/oauth-protected-resource{resource}"
                assert re.fullmatch(
                    rf'Bearer (error="invalid_token", )?scope="read", resource_metadata="{document}"',
                    challenge,
                )
        (answer,) = answers
        assert keys["good"] not in answer
        assert ("Connect with a key" in answer) == (case in ("nothing", "a cookie", "a proxy's header"))


async def test_a_key_in_the_url_is_ignored(app: Starlette, keys: dict[str, str]) -> None:
    for name in ("key", "api_key", "access_token", "authorization", "x-api-key", "token"):
        assert await status(app, [], f"/mcp?{name}={keys['good']}") == 401


async def test_an_address_that_fails_too_often_must_wait_and_no_other(
    app: Starlette, keys: dict[str, str]
) -> None:
    async with web(app, "203.0.113.1") as http:
        for number in range(MOST_FAILURES + 1):
            # Headers from the client make no difference.
            headers = {"X-API-Key": f"gs_wrong_key_number_{number}", "X-Forwarded-For": f"192.0.2.{number}"}
            response = await http.post("/mcp", json=HELLO, headers=headers)
            expected = (401, None) if number < MOST_FAILURES else (429, "60")
            assert (response.status_code, response.headers.get("Retry-After")) == expected
    assert await status(app, [("X-API-Key", keys["good"])]) == 200


async def test_a_valid_key_is_accepted_from_an_address_that_sent_too_many_invalid_ones(
    app: Starlette, keys: dict[str, str]
) -> None:
    async with web(app) as http:
        for number in range(MOST_FAILURES):
            await http.post("/mcp", json=HELLO, headers={"X-API-Key": f"gs_wrong_key_number_{number}"})
        wrong = await http.post("/mcp", json=HELLO, headers={"X-API-Key": "gs_wrong_key_number_x"})
        assert wrong.status_code == 429
        for header in ({"X-API-Key": keys["good"]}, {"Authorization": f"Bearer {keys['good']}"}):
            assert (await http.post("/mcp", json=HELLO, headers=header)).status_code == 200
        wrong = await http.post("/mcp", json=HELLO, headers={"X-API-Key": keys["revoked"]})
        assert wrong.status_code == 429


async def test_a_flood_of_invalid_keys_takes_one_connection_and_delays_no_known_key() -> None:
    failures, looked_up, running, most = Failures(), list[str](), 0, 0

    async def look_up(token: str) -> None:
        nonlocal running, most
        async with failures.turn("198.51.100.7", token):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.001)
            looked_up.append(token)
            running -= 1

    for _ in range(MOST_FAILURES):
        failures.note("198.51.100.7")
    failures.know("known")
    flood = [asyncio.create_task(look_up(f"wrong {number}")) for number in range(3 * MOST_WAITING)]
    await asyncio.sleep(0)
    await look_up("known")
    assert len(looked_up) <= 3
    results = await asyncio.gather(*flood, return_exceptions=True)
    # One of the flood, and the known key.
    assert most == 2
    assert len(looked_up) == 1 + MOST_WAITING + 1
    assert sum(isinstance(result, Busy) for result in results) == len(flood) - MOST_WAITING - 1


async def test_malformed_keys_do_not_reach_the_database(app: Starlette, pool: Pool) -> None:
    await pool.close()
    for malformed in ("short", "a" * 600, "two words of a key"):
        assert await status(app, [("X-API-Key", malformed)]) == 401
    # A key of the right form does.
    with pytest.raises(PoolClosed):
        await status(app, [("X-API-Key", "gs_wrong_key_number_1")])


def test_failures_count_per_ipv6_network() -> None:
    failures = Failures()
    for number in range(MOST_FAILURES):
        failures.note(f"2001:db8::{number:x}")
    assert failures.too_many("2001:db8::ffff")
    assert not failures.too_many("2001:db8:0:1::1")


async def test_a_body_that_is_too_large_is_refused_after_authentication(
    app: Starlette, keys: dict[str, str]
) -> None:
    async with web(app) as http:
        large = b" " * (9 * 1024 * 1024)
        headers = {"Authorization": f"Bearer {keys['good']}", "Content-Type": "application/json"}
        assert (await http.post("/mcp", content=large, headers=headers)).status_code == 413
        headers["Authorization"] += "x"
        assert (await http.post("/mcp", content=large, headers=headers)).status_code == 401


PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
PAGE = "https://inspector.example"
SHARED = [
    "/mcp",
    "/mcp/",
    "/register",
    "/token",
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-protected-resource/mcp",
]


@pytest.fixture
async def shared_app(pool: Pool) -> AsyncGenerator[Starlette]:
    """A server that pages of another origin may use."""
    settings = load({"http": True, "allowed_origin": f"{PAGE}, http://127.0.0.1:6274"})
    app = build_app(App(pool, None), settings, "https://gear.example", Stop())
    async with app.router.lifespan_context(app):
        yield app


async def test_pages_of_an_allowed_origin_may_use_what_clients_need(
    shared_app: Starlette, keys: dict[str, str]
) -> None:
    wanted = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}
    wanted["Access-Control-Request-Headers"] = "authorization, content-type, mcp-protocol-version"
    async with web(shared_app) as http:
        for path in SHARED:
            response = await http.options(path, headers=wanted)
            assert (response.status_code, response.content) == (204, b""), path
            assert response.headers["Access-Control-Allow-Origin"] == PAGE
            assert "POST" in response.headers["Access-Control-Allow-Methods"]
            allowed = response.headers["Access-Control-Allow-Headers"]
            assert allowed == wanted["Access-Control-Request-Headers"]
            assert response.headers["Vary"] == "Origin"
            response = await http.request(
                "GET" if "known" in path else "POST", path, headers={"Origin": PAGE}
            )
            assert response.status_code in (200, 400, 401), path
            assert response.headers["Access-Control-Allow-Origin"] == PAGE
            assert "Access-Control-Allow-Credentials" not in response.headers
            exposed = response.headers["Access-Control-Expose-Headers"]
            assert exposed == "WWW-Authenticate, Mcp-Session-Id"
        headers = {"Origin": PAGE, "X-API-Key": keys["good"]}
        assert (await http.post("/mcp", json=HELLO, headers=headers)).status_code == 200


async def test_pages_of_other_origins_may_not_and_learn_which_option_would_allow_them(
    shared_app: Starlette, app: Starlette
) -> None:
    wanted = {"Access-Control-Request-Method": "POST"}
    others = [
        "https://evil.example",
        f"{PAGE}:8443",
        f"{PAGE}.evil.example",
        "http://inspector.example",
        "null",
    ]
    for server, origins in ((shared_app, others), (app, [PAGE])):
        async with web(server) as http:
            for origin in origins:
                for path in SHARED:
                    response = await http.options(path, headers={**wanted, "Origin": origin})
                    assert response.status_code == 403, (path, origin)
                    assert "--allowed-origin" in response.text
                    assert "Access-Control-Allow-Origin" not in response.headers
    async with web(shared_app) as http:
        for path in ("/authorize", "/sign-in", "/account", "/revoke", "/sse", "/livez", "/metrics", "/mcp/x"):
            response = await http.options(path, headers={**wanted, "Origin": PAGE})
            assert response.status_code == 403, path


@pytest.mark.parametrize("origin", ["*", "null", "inspector.example", "https://*.example", "https://x/y"])
def test_an_origin_without_scheme_or_with_more_is_refused(origin: str) -> None:
    with pytest.raises(SettingsError, match="GEARSHED_ALLOWED_ORIGIN"):
        load({"allowed_origin": origin})


async def test_a_slash_at_the_end_makes_no_difference(app: Starlette, keys: dict[str, str]) -> None:
    good = {"Authorization": f"Bearer {keys['good']}"}
    async with web(app) as http:
        response = await http.post("/mcp/", json=PING)
        assert response.status_code == 401
        assert 'oauth-protected-resource/mcp"' in response.headers["WWW-Authenticate"]
        assert (await http.post("/mcp/", json=PING, headers=good)).status_code == 200
        assert (await http.get("/sse/")).status_code == 401
        metadata = await http.get("/.well-known/oauth-protected-resource/mcp/")
        assert metadata.json()["resource"] == "https://gear.example/mcp"
        for path in ("/token/", "/register/", "/authorize/", "/livez/"):
            assert (await http.post(path)).status_code == 404


@pytest.mark.parametrize("version", [None, "2025-11-25", "2026-07-28"])
async def test_a_client_that_accepts_only_json_gets_json(
    app: Starlette, keys: dict[str, str], version: str | None
) -> None:
    headers = {"X-API-Key": keys["good"], "Accept": "application/json"}
    if version:
        headers["MCP-Protocol-Version"] = version
    async with web(app) as http:
        response = await http.post("/mcp", json=PING, headers=headers)
        assert response.headers["Content-Type"] == "application/json"
        assert response.json()["id"] == 1
        if version != "2026-07-28":
            assert (response.status_code, response.json()["result"]) == (200, {})


async def test_a_request_of_an_older_protocol_gets_json_unless_it_accepts_only_streams(
    app: Starlette, keys: dict[str, str]
) -> None:
    async with web(app) as http:
        response = await http.post("/mcp", json=HELLO, headers={"X-API-Key": keys["good"]})
        assert response.headers["Content-Type"] == "application/json"
        assert response.json()["result"]["serverInfo"]["name"] == "gearshed"
        only_streams = {"X-API-Key": keys["good"], "Accept": "text/event-stream"}
        assert (await http.post("/mcp", json=HELLO, headers=only_streams)).status_code == 406


@pytest.mark.parametrize("path", ["/mcp", "/messages/?session_id=0"])
async def test_a_body_of_too_many_values_is_refused_before_it_is_parsed(
    app: Starlette, keys: dict[str, str], path: str
) -> None:
    body = '{"jsonrpc":"2.0","id":7,"method":"ping","params":{"x":[' + "[]," * 50_000 + "[]]}}"
    headers = {"X-API-Key": keys["good"], "Content-Type": "application/json"}
    async with web(app) as http:
        response = await http.post(path, content=body, headers=headers)
        assert response.status_code == 400
        assert "more than 50,000 values" in response.json()["error"]["message"]


async def test_a_request_with_two_hosts_is_refused(app: Starlette) -> None:
    async with web(app) as http:
        for hosts in (["localhost", "evil.example"], ["localhost", "localhost"]):
            headers = [("Host", host) for host in hosts]
            assert (await http.get("/livez", headers=headers)).status_code == 421


async def test_a_key_is_looked_up_again_after_a_lost_connection(
    direct: None, app: Starlette, pool: Pool, url: str, keys: dict[str, str]
) -> None:
    async with pool.connection() as first, pool.connection() as second:
        pids = [first.info.backend_pid, second.info.backend_pid]
    with psycopg.connect(url) as conn:
        for pid in pids:
            conn.execute("SELECT pg_terminate_backend(%(pid)s, 5000)", {"pid": pid})
    assert await status(app, [("X-API-Key", keys["good"])]) == 200


async def test_access_that_ends_during_a_look_up_is_not_cached(
    pool: Pool, keys: dict[str, str], user_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    callers = Callers(Live(is_connected=True))
    entrance = Gate(pool, "https://gear.example", Metrics(pool), Failures(), callers)

    async def ask(self: Gate, token: str, resource: str) -> Principal | None:
        found = await real(self, token, resource)
        if ends:
            self.end_access(user_id)
        return found

    real = Gate._ask  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(Gate, "_ask", ask)
    for ends in (True, False):
        assert await entrance.find(keys["good"], "/mcp")
        assert (callers.find(keys["good"], "/mcp") is None) == ends


async def test_a_known_key_does_not_wait_for_the_look_ups_of_invalid_ones(
    pool: Pool, keys: dict[str, str]
) -> None:
    failures = Failures()
    entrance = Gate(pool, "https://gear.example", Metrics(pool), failures, Callers(Live()))
    address, known = "198.51.100.7", {"X-API-Key": keys["good"]}
    async with web(entrance.guard(PlainTextResponse("in"), "/mcp"), address) as http:
        assert (await http.get("/", headers=known)).text == "in"
        for _ in range(MOST_FAILURES):
            failures.note(address)
        async with failures.turn(address, "an invalid key"), asyncio.timeout(10):
            assert (await http.get("/", headers=known)).text == "in"
