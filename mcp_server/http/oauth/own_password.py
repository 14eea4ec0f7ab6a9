"""The page on which a person replaces the own password."""

from starlette.requests import Request
from starlette.responses import Response

from mcp_server import audit
from mcp_server.accounts import auth, browser, limit, password, session
from mcp_server.errors import InvalidInput
from mcp_server.http.address import address
from mcp_server.http.oauth.pages import check_token, page, sign_in_page, visitor, with_error_page
from mcp_server.http.oauth.sign_in import browser_of, count_attempt
from mcp_server.http.oauth.site import Site, form, form_token
from mcp_server.models.session import Person

WRONG = "The current password is wrong."


@with_error_page
async def own_password(site: Site, request: Request) -> Response:
    """Ask for the current password and a new one, and replace it.

    Like `gearshed users password`, this ends all sessions and all access of programs. This browser gets a new
    session.
    """
    person = await visitor(site, request)
    if person is None:
        return sign_in_page(site, request)
    if request.method == "GET":
        return password_page(site, request, person)
    sent = await form(request)
    check_token(site, request, sent, "password")
    problem = problem_of(sent)
    if problem:
        return password_page(site, request, person, problem, 400)
    response = await replace(site, request, person, sent)
    if response is None:
        audit.note("refused", address=address(request), user=person.username, reason="invalid password")
        return password_page(site, request, person, WRONG, 403)
    audit.note("changed password", address=address(request), user=person.username)
    return response


async def replace(site: Site, request: Request, person: Person, sent: dict[str, str]) -> Response | None:
    """Replace the password; return None if the current one does not match."""
    async with site.transaction() as conn:
        login = await auth.find_login(conn, person.username)
        # Guessing the password here and at the sign-in counts as the same.
        counted = await count_attempt(conn, site, request, login, person.username)
    fits = await password.matches(login.password_hash if login else None, sent.get("password", ""))
    if login is None or login.user_id != person.id or not fits:
        return None
    hashed = await password.hashed(sent["new"])
    async with site.transaction() as conn:
        renewed = await auth.replace_password(conn, login, hashed)
        visit = renewed and await session.begin(conn, renewed, browser_of(request))
        if renewed is None or visit is None:
            return None
        await limit.succeeded(conn, counted)
    response = page("password_changed")
    site.remember(response, visit)
    site.remember_browser(response, browser.introduce(renewed))
    return response


def problem_of(sent: dict[str, str]) -> str | None:
    """Return what is wrong with the new password, or None."""
    if sent.get("new", "") != sent.get("again", ""):
        return "The two new passwords differ."
    try:
        password.check(sent.get("new", ""))
    except InvalidInput as exc:
        return f"The new password {exc.args[0].removeprefix('password: ')}"
    return None


def password_page(
    site: Site, request: Request, person: Person, problem: str = "", status: int = 200
) -> Response:
    token = form_token(site.visit(request), "password")
    return page("password", status, person=person.username, problem=problem, token=token)
