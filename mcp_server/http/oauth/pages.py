"""HTML pages, and what all of them have in common."""

import functools
import hmac
from base64 import b64encode
from hashlib import sha256
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from mcp_server import audit
from mcp_server.accounts import session
from mcp_server.errors import (
    AppError,
    Busy,
    Conflict,
    Forbidden,
    InsufficientScope,
    Internal,
    InUse,
    InvalidInput,
    NotFound,
    ReadOnly,
    from_exception,
)
from mcp_server.http.gate import in_time
from mcp_server.http.oauth.endpoints import Endpoint, address
from mcp_server.http.oauth.site import Site, form_token
from mcp_server.models.oauth import OAuthError
from mcp_server.models.session import Person

TEMPLATES = Environment(
    loader=PackageLoader("mcp_server.http.oauth"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
)
STYLE = TEMPLATES.get_template("style.css").render()
STYLE_HASH = b64encode(sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # With no-referrer, browsers would send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def page(name: str, status: int = 200, **values: Any) -> Response:
    return HTMLResponse(TEMPLATES.get_template(f"{name}.html").render(values), status, HEADERS)


def with_error_page(endpoint: Endpoint) -> Endpoint:
    """Turn errors into a page that shows the message."""

    @functools.wraps(endpoint)
    async def answer(site: Site, request: Request) -> Response:
        try:
            return await in_time(endpoint(site, request))
        except OAuthError as exc:
            audit.note("refused", address=address(request), path=request.url.path, reason=str(exc))
            return page("problem", 400, problem=str(exc))
        except Exception as exc:
            known = from_exception(exc)
            if known is None:
                raise
            return page("problem", status_of(known), problem=known.args[0])

    return answer


STATUS: dict[type[AppError], int] = {
    InvalidInput: 400,
    ReadOnly: 403,
    Forbidden: 403,
    InsufficientScope: 403,
    NotFound: 404,
    Conflict: 409,
    InUse: 409,
    Busy: 429,
    Internal: 500,
}


def status_of(error: AppError) -> int:
    return STATUS.get(type(error), 503)


async def visitor(site: Site, request: Request) -> Person | None:
    async with site.transaction() as conn:
        return await session.find(conn, site.visit(request))


def sign_in_page(
    site: Site,
    request: Request,
    query: str = "",
    problem: str = "",
    username: str = "",
    status: int = 200,
    onward: str = "",
) -> Response:
    """Return the sign-in page. It leads to a consent page, if there is a *query*, or to *onward*."""
    visit = site.visit(request)
    token = form_token(visit, "sign-in")
    response = page(
        "sign_in", status, token=token, query=query, onward=onward, problem=problem, username=username
    )
    site.remember(response, visit)
    return response


def check_token(site: Site, request: Request, sent: dict[str, str], purpose: str) -> None:
    """Raise OAuthError for a form that is not from our own page in this browser (CSRF)."""
    expected = form_token(site.visit(request), purpose)
    if not hmac.compare_digest(expected.encode(), sent.get("token", "").encode()):
        raise OAuthError(
            "invalid_request", "The page has expired or was opened in another browser. Go back and reload it."
        )
