"""The routes of sign-in and OAuth."""

from functools import partial

from mcp.server.transport_security import RequestBodyLimitMiddleware
from starlette.middleware import Middleware
from starlette.routing import Route

from mcp_server.http.body import WholeBodies
from mcp_server.http.oauth import endpoints
from mcp_server.http.oauth.account import account
from mcp_server.http.oauth.authorize import authorize
from mcp_server.http.oauth.endpoints import Endpoint
from mcp_server.http.oauth.own_password import own_password
from mcp_server.http.oauth.sign_in import sign_in, sign_out
from mcp_server.http.oauth.site import ENDPOINTS, Site
from mcp_server.http.oauth.writes import writes

# Bytes: the limit for forms and registrations.
LARGEST = 64 * 1024


def oauth_routes(site: Site) -> list[Route]:
    """Return the routes of the authorization server and of the metadata of each protected resource."""

    def route(path: str, endpoint: Endpoint, *methods: str) -> Route:
        return Route(
            path,
            partial(endpoint, site),
            methods=methods,
            middleware=[
                Middleware(RequestBodyLimitMiddleware, max_body_size=LARGEST),
                Middleware(WholeBodies, largest=LARGEST),
            ],
        )

    return [
        *(
            route(f"{endpoints.RESOURCE_METADATA}{path}", endpoints.resource_metadata, "GET")
            for path in ("", *ENDPOINTS, *(f"{path}/" for path in ENDPOINTS))
        ),
        route("/.well-known/oauth-authorization-server", endpoints.server_metadata, "GET"),
        route("/register", endpoints.register, "POST"),
        route("/token", endpoints.token, "POST"),
        route("/revoke", endpoints.revoke, "POST"),
        route("/authorize", authorize, "GET", "POST"),
        route("/sign-in", sign_in, "POST"),
        route("/sign-out", sign_out, "POST"),
        route("/account", account, "GET", "POST"),
        route("/account/password", own_password, "GET", "POST"),
        route("/account/writes", writes, "GET"),
    ]
