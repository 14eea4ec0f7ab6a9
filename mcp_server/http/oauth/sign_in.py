"""Sign-in and sign-out."""

import re

from psycopg import AsyncConnection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mcp_server import audit
from mcp_server.accounts import auth, browser, limit, password, session
from mcp_server.http.address import address, client_network, spend
from mcp_server.http.oauth.pages import check_token, sign_in_page, with_error_page
from mcp_server.http.oauth.site import Site, form
from mcp_server.models.auth import Login

# Attempts an hour from all unknown browsers, whatever their networks: bounds guessing from very many.
MOST_FOR_ACCOUNT = 300


@with_error_page
async def sign_in(site: Site, request: Request) -> Response:
    """Start a session and continue to the page that asked for the sign-in."""
    sent = await form(request)
    check_token(site, request, sent, "sign-in")
    username, query, onward = (sent.get(name, "") for name in ("username", "query", "onward"))
    async with site.transaction() as conn:
        login = await auth.find_login(conn, username)
        counted = await count_attempt(conn, site, request, login, username)
    fits = await password.matches(login.password_hash if login else None, sent.get("password", ""))
    visit = None
    if login is not None and fits:
        async with site.transaction() as conn:
            # A new session id, to prevent session fixation.
            visit = await session.begin(conn, login, browser_of(request))
            await limit.succeeded(conn, counted)
    if login is None or visit is None:
        # An unknown user name is not logged: it may be a password typed into the wrong field.
        known = username if login else None
        audit.note("refused", address=address(request), user=known, reason="invalid user name or password")
        problem = "The user name or the password is wrong."
        return sign_in_page(site, request, query, problem, username, status=403, onward=onward)
    audit.note("signed in", address=address(request), user=username)
    response = RedirectResponse(destination(query, onward), 303)
    site.remember(response, visit)
    site.remember_browser(response, browser.introduce(login))
    return response


def destination(query: str, onward: str) -> str:
    """Return where a person goes after the sign-in: never to another site."""
    if query:
        return f"/authorize?{query}"
    return onward if re.match(r"/gear(/|\?|$)", onward) else "/account"


def browser_of(request: Request) -> str | None:
    """Return the name by which a person recognizes the browser in a list of sessions."""
    return browser.describe(request.headers.get("user-agent", ""))


async def count_attempt(
    conn: AsyncConnection, site: Site, request: Request, login: Login | None, username: str
) -> str:
    """Count an attempt to sign in, and return what was counted. Raise Busy if there were too many.

    A browser from which the person signed in before has a count of its own, so that strangers cannot lock the
    person out. Otherwise the account counts per network, and so do all accounts together.
    """
    account = await auth.account_of(conn, login, username)
    known = login and browser.recognize(login, request.cookies.get(site.browser_cookie, ""))
    what = f"sign-in as {account} from {f'browser {known}' if known else client_network(request)}"
    await limit.slow_down(conn, what)
    if not known:
        await spend(conn, request, "sign-in from", 10, 60)
        await limit.spend(conn, f"sign-in as {account}", MOST_FOR_ACCOUNT, 3600)
    return what


@with_error_page
async def sign_out(site: Site, request: Request) -> Response:
    """End the session. Grants stay valid."""
    sent = await form(request)
    check_token(site, request, sent, "sign-out")
    async with site.transaction() as conn:
        await session.end(conn, site.visit(request))
    query = sent.get("query", "")
    return RedirectResponse(f"/authorize?{query}" if query else "/account", 303)
