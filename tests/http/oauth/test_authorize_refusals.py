"""Hostile registrations and authorization requests, named by the rule that they violate."""

from typing import Any, LiteralString

import pytest

from db.pool import Pool
from mcp_server.http.oauth.site import Site
from scripts.browser import BACK, CHALLENGE, Browser, Program, wish
from tests.http.oauth.conftest import web

OTHER = "https://other.example/callback"
HOSTILE = [
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "vbscript:x",
    "ftp://claude.example/",
    "http://evil.example/callback",
    "http://127.0.0.1.evil.example/",
    "http://127.0.0.2/",
    "http://localhost.evil.example/",
    "http://[::2]/",
    "http://0.0.0.0/",
    "http://2130706433/",
    "https://*.example/callback",
    "https://user@evil.example/",
    "https://claude.example@evil.example/",
    "https://evil.example/#fragment",
    r"https://evil.example\@claude.example/",
    "https:///callback",
    "https:claude.example",
    "//evil.example/",
    "/callback",
    "httpx://evil.example/",
    "http+unix://evil.example/",
    "hxxp://evil.example/",
    "HTTPS://evil.example/",
    "Claude://callback",
    "view-source://x",
    "intent://x",
    "ms-msdt:/x",
    "search-ms://x",
    "blob://x",
    "data:/x",
    "about:/x",
    "x:/callback",
    "claude:callback",
    "https://claude.example:port/",
    "https://claude.example<script>",
    'https://claude.example/"><script>',
    "about:blank",
    "https://сlaude.example/",
    "http://localhost@evil.example/",
    "http://127.0.0.1:80@evil.example/",
    "urn:ietf:wg:oauth:2.0:oob",
]


async def run(pool: Pool, statement: LiteralString, **values: Any) -> None:
    async with pool.connection() as conn:
        await conn.execute(statement, values)


# Registration


async def test_a_hostile_redirect_uri_is_not_registered(site: Site) -> None:
    async with web(site) as http:
        for uri in [*HOSTILE, "", " ", "https://claude.example/a b", "https://claude.example/\n"]:
            program = Program(http)
            response = await program.register(redirect_uris=[uri])
            assert (response.status_code, response.json()["error"]) == (400, "invalid_redirect_uri"), uri
            # It does not cost the others of the list.
            response = await program.register(redirect_uris=[uri, BACK])
            assert (response.status_code, response.json()["redirect_uris"]) == (201, [BACK]), uri
            async with site.transaction() as conn:
                await conn.execute("DELETE FROM attempts")


BAD_METADATA: list[tuple[str, dict[str, Any]]] = [
    ("no redirect_uris", {"redirect_uris": None}),
    ("empty redirect_uris", {"redirect_uris": []}),
    ("a text for redirect_uris", {"redirect_uris": BACK}),
    ("numbers for redirect_uris", {"redirect_uris": [1]}),
    ("too many redirect_uris", {"redirect_uris": [f"{BACK}/{n}" for n in range(11)]}),
    ("a redirect_uri that is too long", {"redirect_uris": [f"{BACK}/{'x' * 2000}"]}),
    ("a name that is too long", {"client_name": "x" * 201}),
    ("a name that is not text", {"client_name": ["Claude"]}),
]


async def test_a_registration_is_refused(site: Site, subtests: pytest.Subtests) -> None:
    for violates, metadata in BAD_METADATA:
        with subtests.test(violates):
            async with web(site) as http:
                response = await Program(http).register(**metadata)
            assert response.status_code == 400
            assert response.json()["error"] in ("invalid_redirect_uri", "invalid_client_metadata")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b"\xff", b'{"redirect_uris":["\\ud800"]}'])
async def test_a_registration_must_be_an_object(site: Site, body: bytes) -> None:
    async with web(site) as http:
        response = await http.post("/register", content=body)
    assert response.status_code == 400


async def test_a_registration_that_is_too_big_is_not_read(site: Site) -> None:
    async with web(site) as http:
        response = await http.post("/register", content=b"x" * 70_000)
    assert response.status_code == 413


# Authorization: no redirect


NOT_TO_BE_TRUSTED: list[tuple[str, dict[str, str | None]]] = [
    ("client_id is missing", {"client_id": None}),
    ("client_id is unknown", {"client_id": "unknown"}),
    ("client_id holds NUL", {"client_id": "\0"}),
    ("redirect_uri is missing", {"redirect_uri": None}),
    ("redirect_uri is another host", {"redirect_uri": "https://evil.example/callback"}),
    ("redirect_uri has another host before it", {"redirect_uri": "https://x.claude.example/callback"}),
    (
        "redirect_uri goes on after the host",
        {"redirect_uri": "https://claude.example.evil.example/callback"},
    ),
    ("redirect_uri has another path", {"redirect_uri": "https://claude.example/"}),
    ("redirect_uri goes on", {"redirect_uri": f"{BACK}/more"}),
    ("redirect_uri has a slash more", {"redirect_uri": f"{BACK}/"}),
    ("redirect_uri climbs", {"redirect_uri": f"{BACK}/../callback"}),
    ("redirect_uri has a query", {"redirect_uri": f"{BACK}?x=1"}),
    ("redirect_uri has a fragment", {"redirect_uri": f"{BACK}#x"}),
    ("redirect_uri has another case", {"redirect_uri": "https://claude.example/Callback"}),
    ("redirect_uri has a port", {"redirect_uri": "https://claude.example:8443/callback"}),
    ("redirect_uri is not encrypted", {"redirect_uri": "http://claude.example/callback"}),
    ("redirect_uri has a user", {"redirect_uri": "https://claude.example@evil.example/callback"}),
    ("redirect_uri is this computer", {"redirect_uri": "http://127.0.0.1/callback"}),
    ("redirect_uri is a script", {"redirect_uri": "javascript:alert(1)"}),
]


async def test_an_untrusted_request_is_not_redirected(
    ada: Browser, program: Program, subtests: pytest.Subtests
) -> None:
    for violates, changes in NOT_TO_BE_TRUSTED:
        with subtests.test(violates):
            page = await ada.ask(wish(program.client_id, **changes))
            assert page.response.status_code == 400
            assert (page.leads_to, page.forms) == ("", [])
            assert "Something went wrong" in page.words


@pytest.mark.parametrize("parameter", ["client_id", "redirect_uri", "resource", "scope", "code_challenge"])
async def test_a_repeated_parameter_is_refused(ada: Browser, program: Program, parameter: str) -> None:
    asked = wish(program.client_id)
    page = await ada.open(f"/authorize?{oauth_query(asked)}&{parameter}={asked[parameter]}")
    assert (page.response.status_code, page.leads_to) == (400, "")
    assert "repeated" in page.words


def oauth_query(asked: dict[str, str]) -> str:
    return "&".join(f"{name}={value}" for name, value in asked.items())


async def test_a_hostile_redirect_uri_of_the_old_application_leads_nowhere(ada: Browser, pool: Pool) -> None:
    await run(
        pool,
        "INSERT INTO oauth_clients (client_id, redirect_uris) VALUES ('old', to_jsonb(%(uris)s::text[]))",
        uris=[BACK, *HOSTILE],
    )
    assert (await ada.ask(wish("old"))).response.status_code == 200
    for uri in HOSTILE:
        page = await ada.ask(wish("old", redirect_uri=uri))
        assert (page.response.status_code, page.leads_to, page.forms) == (400, "", []), uri


@pytest.mark.parametrize(
    ("registered", "asked", "allowed"),
    [
        ("http://127.0.0.1/back", "http://127.0.0.1:5123/back", True),
        ("http://127.0.0.1:33418/back", "http://127.0.0.1:5123/back", True),
        ("http://localhost:33418/back", "http://localhost:5123/back", True),
        ("http://[::1]/back", "http://[::1]:5123/back", True),
        ("http://127.0.0.1/back", "http://127.0.0.1:5123/other", False),
        ("http://127.0.0.1/back", "http://localhost:5123/back", False),
        ("http://127.0.0.1/back", "https://127.0.0.1:5123/back", False),
        ("http://127.0.0.1/back", "http://127.0.0.1:5123/back?x=1", False),
        ("http://127.0.0.1/back", "http://127.0.0.1:5123@evil.example/back", False),
        ("https://claude.example/back", "https://claude.example:443/back", False),
    ],
)
async def test_only_on_loopback_may_the_port_differ(
    ada: Browser, program: Program, registered: str, asked: str, allowed: bool
) -> None:
    await program.register(redirect_uris=[registered])
    page = await ada.ask(wish(program.client_id, redirect_uri=asked))
    assert (page.response.status_code == 200) is allowed


@pytest.mark.parametrize("uri", ["cursor://anysphere.cursor-mcp/oauth/callback", "com.example.app:/callback"])
async def test_an_app_is_called_by_its_own_scheme(ada: Browser, program: Program, uri: str) -> None:
    response = await program.register(redirect_uris=["javascript:alert(1)", uri, BACK])
    assert (response.status_code, response.json()["redirect_uris"]) == (201, [uri, BACK])
    page = await ada.ask(wish(program.client_id, redirect_uri=uri))
    scheme = uri.partition(":")[0]
    assert f"an app on this device that opens {scheme}: links" in page.words
    page = await ada.submit(page.forms[0], decision="write")
    assert page.leads_to.startswith(f"{uri}?code=")
    assert f'<a href="{uri}?code=' in page.response.text
    assert f"Redirecting to {scheme}:" in page.words
    tokens = await program.redeem(page.answer["code"], redirect_uri=uri)
    assert tokens.json()["scope"] == "read write"
    assert f"{scheme}:" in (await ada.open("/account")).words
    for other in (f"{uri}/more", f"{uri}?x=1", uri.upper(), uri.replace(scheme, f"{scheme}x"), uri[:-1]):
        page = await ada.ask(wish(program.client_id, redirect_uri=other))
        assert (page.response.status_code, page.leads_to, page.forms) == (400, "", []), other


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        ("admin", "read"),
        ("*", "read"),
        ("openid profile read", "read"),
        ("read write admin", "read write"),
        ("write offline_access", "read write"),
    ],
)
async def test_unknown_scopes_are_ignored(ada: Browser, program: Program, asked: str, granted: str) -> None:
    page = await ada.allow(wish(program.client_id, scope=asked))
    assert (await program.redeem(page.answer["code"])).json()["scope"] == granted


# Authorization: an error for the client


ASKED_WRONGLY: list[tuple[str, dict[str, str | None], str]] = [
    ("response_type is missing", {"response_type": None}, "unsupported_response_type"),
    ("response_type is token", {"response_type": "token"}, "unsupported_response_type"),
    ("response_type is code id_token", {"response_type": "code id_token"}, "unsupported_response_type"),
    ("code_challenge is missing", {"code_challenge": None}, "invalid_request"),
    ("code_challenge is short", {"code_challenge": CHALLENGE[1:]}, "invalid_request"),
    ("code_challenge is long", {"code_challenge": f"{CHALLENGE}A"}, "invalid_request"),
    ("code_challenge is padded", {"code_challenge": f"{CHALLENGE[:-1]}="}, "invalid_request"),
    ("code_challenge_method is missing", {"code_challenge_method": None}, "invalid_request"),
    ("code_challenge_method is plain", {"code_challenge_method": "plain"}, "invalid_request"),
    ("code_challenge_method is s256", {"code_challenge_method": "s256"}, "invalid_request"),
    ("resource is another server", {"resource": "https://evil.example/mcp"}, "invalid_target"),
    (
        "resource looks like this server",
        {"resource": "https://gear.example.evil.example/mcp"},
        "invalid_target",
    ),
    ("resource is another path", {"resource": "https://gear.example/admin"}, "invalid_target"),
    ("resource goes on", {"resource": "https://gear.example/mcp2"}, "invalid_target"),
    ("resource is not encrypted", {"resource": "http://gear.example/mcp"}, "invalid_target"),
    ("resource has a fragment", {"resource": "https://gear.example/mcp#x"}, "invalid_target"),
    ("resource is not a URL", {"resource": "gear"}, "invalid_target"),
]


async def test_a_client_gets_an_error_for_an_invalid_request(
    ada: Browser, program: Program, subtests: pytest.Subtests
) -> None:
    for violates, changes, error in ASKED_WRONGLY:
        with subtests.test(violates):
            page = await ada.ask(wish(program.client_id, **changes))
            assert page.leads_to.startswith(f"{BACK}?")
            assert page.answer["error"] == error
            assert (page.answer["state"], page.answer["iss"]) == ("xyz", "https://gear.example")
            assert "code" not in page.answer


async def test_a_stranger_is_sent_nowhere_whatever_was_asked(stranger: Browser, program: Program) -> None:
    page = await stranger.ask(wish(program.client_id, scope="admin"))
    assert (page.response.status_code, page.leads_to) == (200, "")
    assert page.forms[0].action == "/sign-in"


# The consent


async def test_a_denied_client_gets_access_denied(ada: Browser, program: Program) -> None:
    page = await ada.ask(wish(program.client_id))
    page = await ada.submit(page.forms[0], decision="deny")
    assert page.answer == {
        "error": "access_denied",
        "error_description": "Access was denied.",
        "state": "xyz",
        "iss": "https://gear.example",
    }


async def test_a_consent_without_a_decision_is_a_denial(ada: Browser, program: Program) -> None:
    page = await ada.ask(wish(program.client_id))
    assert (await ada.submit(page.forms[0])).answer["error"] == "access_denied"


@pytest.mark.parametrize("token", ["", "0" * 64, "ü"])
async def test_a_consent_without_the_pages_token_is_refused(
    ada: Browser, program: Program, token: str
) -> None:
    page = await ada.ask(wish(program.client_id))
    page = await ada.submit(page.forms[0], decision="write", token=token)
    assert (page.response.status_code, page.leads_to) == (400, "")
    assert "another browser" in page.words


async def test_a_consent_from_another_browser_is_refused(
    ada: Browser, eve: Browser, program: Program
) -> None:
    page = await ada.ask(wish(program.client_id))
    page = await eve.submit(page.forms[0], decision="write")
    assert (page.response.status_code, page.leads_to) == (400, "")


async def test_a_consent_is_valid_only_for_the_request_that_was_shown(ada: Browser, program: Program) -> None:
    shown = (await ada.ask(wish(program.client_id, state="shown"))).forms[0]
    other = (await ada.ask(wish(program.client_id, state="other"))).forms[0]
    other.fields["token"] = shown.fields["token"]
    assert (await ada.submit(other, decision="write")).response.status_code == 400


async def test_a_consent_after_the_session_ended_asks_for_a_new_one(
    ada: Browser, program: Program, pool: Pool
) -> None:
    page = await ada.ask(wish(program.client_id))
    await run(pool, "UPDATE sessions SET expires_at = now()")
    page = await ada.submit(page.forms[0], decision="write")
    assert (page.leads_to, page.forms[0].action) == ("", "/sign-in")
