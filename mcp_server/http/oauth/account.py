"""Sign-in, sign-out, and the page that lists and revokes grants."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mcp_server import audit
from mcp_server.accounts import auth, limit, oauth, password, session
from mcp_server.http.address import address, client_network
from mcp_server.http.oauth.pages import check_token, page, sign_in_page, visitor, with_error_page
from mcp_server.http.oauth.site import Site, form, form_token
from mcp_server.models.oauth import OAuthError


@with_error_page
async def sign_in(site: Site, request: Request) -> Response:
    """Start a session and continue to the page that asked for the sign-in."""
    sent = await form(request)
    check_token(site, request, sent, "sign-in")
    username, query = sent.get("username", ""), sent.get("query", "")
    async with site.transaction() as conn:
        await limit.spend(conn, f"sign-in {username.casefold()}", 10, 60)
        await limit.spend(conn, f"sign-in from {client_network(request)}", 10, 60)
        login = await auth.find_login(conn, username)
    fits = await password.matches(login.password_hash if login else None, sent.get("password", ""))
    visit = None
    if login is not None and fits:
        async with site.transaction() as conn:
            # A new session id, to prevent session fixation.
            visit = await session.begin(conn, login)
    if visit is None:
        # An unknown user name is not logged: it may be a password typed into the wrong field.
        known = username if login else None
        audit.note("refused", address=address(request), user=known, reason="invalid user name or password")
        return sign_in_page(
            site, request, query, "The user name or the password is wrong.", username, status=403
        )
    audit.note("signed in", address=address(request), user=username)
    response = RedirectResponse(f"/authorize?{query}" if query else "/account", 303)
    site.remember(response, visit)
    return response


@with_error_page
async def sign_out(site: Site, request: Request) -> Response:
    """End the session. Grants stay valid."""
    sent = await form(request)
    check_token(site, request, sent, "sign-out")
    async with site.transaction() as conn:
        await session.end(conn, site.visit(request))
    query = sent.get("query", "")
    return RedirectResponse(f"/authorize?{query}" if query else "/account", 303)


@with_error_page
async def account(site: Site, request: Request) -> Response:
    """List grants, and revoke them."""
    person = await visitor(site, request)
    if person is None:
        return sign_in_page(site, request)
    visit = site.visit(request)
    if request.method == "POST":
        sent = await form(request)
        check_token(site, request, sent, "account")
        async with site.transaction() as conn:
            await oauth.end(conn, to_family(sent), person.id)
        audit.note("revoked", address=address(request), user=person.username, family=sent["family"])
        return RedirectResponse("/account", 303)
    async with site.transaction() as conn:
        grants = await oauth.grants(conn, person.id)
    return page(
        "account",
        person=person.username,
        grants=grants,
        token=form_token(visit, "account"),
        leave_token=form_token(visit, "sign-out"),
    )


def to_family(sent: dict[str, str]) -> UUID:
    try:
        return UUID(sent.get("family", ""))
    except ValueError:
        raise OAuthError(
            "invalid_request", "There is nothing to revoke. Go back and reload the page."
        ) from None
