"""A person's own account: what has access to it, and the way to end that."""

import re
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mcp_server import audit
from mcp_server.accounts import oauth, session, turn
from mcp_server.http.address import address
from mcp_server.http.oauth.pages import check_token, page, sign_in_page, visitor, with_error_page
from mcp_server.http.oauth.site import Site, form, form_token
from mcp_server.models.oauth import OAuthError
from mcp_server.models.session import Person


@with_error_page
async def account(site: Site, request: Request) -> Response:
    """List programs and sessions with access, and end it."""
    person = await visitor(site, request)
    if person is None:
        return sign_in_page(site, request)
    if request.method == "POST":
        sent = await form(request)
        check_token(site, request, sent, "account")
        await end_access(site, request, person, sent)
        return RedirectResponse("/account", 303)
    visit = site.visit(request)
    async with site.transaction() as conn:
        grants = await oauth.grants(conn, person.id)
        sessions = await session.list_all(conn, person.id, visit)
    return page(
        "account",
        person=person.username,
        grants=grants,
        sessions=sessions,
        token=form_token(visit, "account"),
        leave_token=form_token(visit, "sign-out"),
    )


async def end_access(site: Site, request: Request, person: Person, sent: dict[str, str]) -> None:
    """End the access that a form names: one program, one session, all programs, or all other sessions."""
    what = {name: sent[name] for name in ("family", "session", "all") if name in sent}
    async with site.transaction() as conn:
        match what:
            case {"family": family}:
                await oauth.end(conn, to_family(family), person.id)
            case {"session": number}:
                await session.end_number(conn, person.id, to_number(number))
            case {"all": "programs"}:
                await turn.ending(conn, person.id)
                await oauth.end_all(conn, person.id)
            case {"all": "sessions"}:
                await turn.ending(conn, person.id)
                await session.end_others(conn, person.id, site.visit(request))
            case _:
                raise nothing_to_end()
    audit.note("revoked", address=address(request), user=person.username, **what)


def to_family(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise nothing_to_end() from None


def to_number(text: str) -> int:
    if not re.fullmatch(r"\d{1,18}", text, re.ASCII):
        raise nothing_to_end()
    return int(text)


def nothing_to_end() -> OAuthError:
    return OAuthError("invalid_request", "The form does not name any access. Go back and reload the page.")
