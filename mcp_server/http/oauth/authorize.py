"""The authorization endpoint: a person grants or denies access to a client."""

import re
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from mcp_server import audit
from mcp_server.accounts import client, oauth, session, turn
from mcp_server.http.address import address, spend
from mcp_server.http.oauth.document import fetch_client
from mcp_server.http.oauth.endpoints import needed
from mcp_server.http.oauth.pages import check_token, page, sign_in_page, visitor, with_error_page
from mcp_server.http.oauth.site import Site, fields, form, form_token
from mcp_server.models.oauth import (
    LOOPBACK,
    SCOPES,
    Asked,
    Client,
    OAuthError,
    app_scheme,
    host_of,
    is_document,
)
from mcp_server.models.session import Person

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


@with_error_page
async def authorize(site: Site, request: Request) -> Response:
    """Ask the signed-in person whether a client may have access.

    Without a sign-in, the browser is not redirected to a client and no metadata document is fetched.
    """
    asked = fields(request.url.query.encode())
    person = await visitor(site, request)
    client_id, back = needed(asked, "client_id"), needed(asked, "redirect_uri")
    if person is None and is_document(client_id):
        return sign_in_page(site, request, request.url.query)
    found = await find_client(site, request, person, client_id)
    if not found.allows(back):
        raise OAuthError("invalid_request", "The program has not registered this redirect address.")
    if person is None:
        return sign_in_page(site, request, request.url.query)
    try:
        wish = checked(site, asked)
    except OAuthError as exc:
        audit.note(
            "refused", address=address(request), user=person.username, client=client_id, reason=str(exc)
        )
        return leave(site, asked, error=exc.error, error_description=str(exc))
    if request.method == "GET":
        return consent_page(site, request, person, found, wish)
    return await decide(site, request, person, asked, wish)


async def find_client(site: Site, request: Request, person: Person | None, client_id: str) -> Client:
    """Return the client. A metadata document is fetched each time the consent page is shown."""
    if request.method == "GET" and person and is_document(client_id):
        async with site.transaction() as conn:
            await spend(conn, request, "document for", 30, 60)
        described = await fetch_client(client_id, site.rules, person.id)
        async with site.transaction() as conn:
            await client.remember(conn, described)
        return described
    async with site.transaction() as conn:
        found = await client.find(conn, client_id)
    if found is None:
        raise OAuthError(
            "invalid_client", "The program is not registered, or its registration expired. Connect it again."
        )
    return found


def checked(site: Site, asked: dict[str, str]) -> Asked:
    """Return the validated request, or raise OAuthError."""
    if asked.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response_type must be code.")
    if asked.get("code_challenge_method") != "S256":
        raise OAuthError("invalid_request", "code_challenge_method must be S256.")
    if not CHALLENGE.fullmatch(asked.get("code_challenge", "")):
        raise OAuthError("invalid_request", "code_challenge must be a SHA-256 hash in base64url.")
    # Clients may ask for scopes of other servers, such as openid.
    scopes = [scope for scope in SCOPES if scope in asked.get("scope", "").split()] or ["read"]
    return Asked(
        client_id=asked["client_id"],
        redirect_uri=asked["redirect_uri"],
        code_challenge=asked["code_challenge"],
        scopes=scopes,
        resource=site.resource(asked.get("resource", "")),
    )


def consent_page(site: Site, request: Request, person: Person, found: Client, wish: Asked) -> Response:
    visit, query = site.visit(request), request.url.query
    return page(
        "consent",
        client=found.title,
        # A registered client chooses its own name; only its redirect address is reliable.
        publisher=host_of(found.client_id) if is_document(found.client_id) else None,
        host=host_of(wish.redirect_uri),
        local=bool(LOOPBACK.fullmatch(wish.redirect_uri)),
        app=app_scheme(wish.redirect_uri) is not None,
        write="write" in wish.scopes,
        person=person.username,
        query=query,
        token=form_token(visit, f"authorize?{query}"),
        leave_token=form_token(visit, "sign-out"),
    )


async def decide(
    site: Site, request: Request, person: Person, asked: dict[str, str], wish: Asked
) -> Response:
    """Send the browser back to the client, with a code or an error."""
    sent = await form(request)
    check_token(site, request, sent, f"authorize?{request.url.query}")
    # The person may grant less than the client asked for, or more.
    scopes = {"read": ["read"], "write": ["read", "write"]}.get(sent.get("decision", ""))
    if scopes is None:
        audit.note("denied", address=address(request), user=person.username, client=wish.client_id)
        return leave(site, asked, error="access_denied", error_description="Access was denied.")
    async with site.transaction() as conn:
        await turn.issuing(conn, person.id)
        if await session.find(conn, site.visit(request)) is None:
            return sign_in_page(site, request, request.url.query)
        code = await oauth.allow(conn, person.id, wish.model_copy(update={"scopes": scopes}))
    audit.note(
        "allowed", address=address(request), user=person.username, client=wish.client_id, scopes=scopes
    )
    return leave(site, asked, code=code)


def leave(site: Site, asked: dict[str, str], **answer: str) -> Response:
    """Send the browser back to the client, with a page that redirects.

    An HTTP redirect would not work: browsers apply the form-action policy to every redirect after a form, and
    the client may redirect further, to another host or an app.
    """
    if asked.get("state"):
        answer["state"] = asked["state"]
    back = asked["redirect_uri"]
    to = f"{back}{'&' if '?' in back else '?'}{urlencode({**answer, 'iss': site.url})}"
    return page("leave", to=to, host=host_of(back), reason=answer.get("error_description"))
