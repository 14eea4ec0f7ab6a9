"""Endpoints for clients: metadata, registration, tokens and revocation."""

import functools
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from psycopg import AsyncConnection
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mcp_server import audit
from mcp_server.accounts import client, oauth
from mcp_server.errors import Busy, from_exception, from_validation
from mcp_server.http.address import address, spend
from mcp_server.http.gate import in_time
from mcp_server.http.oauth.site import Site, form
from mcp_server.models.oauth import SCOPES, OAuthError, Registration, Replayed, Tokens

Endpoint: TypeAlias = Callable[[Site, Request], Coroutine[Any, Any, Response]]
RESOURCE_METADATA = "/.well-known/oauth-protected-resource"
NO_STORE = {"Cache-Control": "no-store"}


def with_oauth_errors(endpoint: Endpoint) -> Endpoint:
    """Turn errors into OAuth's JSON error responses."""

    @functools.wraps(endpoint)
    async def answer(site: Site, request: Request) -> Response:
        try:
            return await in_time(endpoint(site, request))
        except OAuthError as exc:
            audit.note("refused", address=address(request), path=request.url.path, reason=str(exc))
            status = 401 if exc.error == "invalid_client" else 400
            return problem(exc.error, str(exc), status)
        except Exception as exc:
            known = from_exception(exc)
            if known is None:
                raise
            status = 429 if isinstance(known, Busy) else 503
            return problem("temporarily_unavailable", known.args[0], status)

    return answer


def problem(error: str, description: str, status: int) -> Response:
    return JSONResponse({"error": error, "error_description": description}, status, NO_STORE)


async def resource_metadata(site: Site, request: Request) -> Response:
    """Return the metadata of a protected resource (RFC 9728), whose path ends the path of the request."""
    return JSONResponse(
        {
            "resource": f"{site.url}{request.url.path.removeprefix(RESOURCE_METADATA).rstrip('/')}",
            "authorization_servers": [site.url],
            # The scope to request first. The server asks for more when a client calls a tool that writes.
            "scopes_supported": ["read"],
            "bearer_methods_supported": ["header"],
            "resource_name": "Gearshed",
        }
    )


async def server_metadata(site: Site, _: Request) -> Response:
    """Return the metadata of the authorization server (RFC 8414)."""
    return JSONResponse(
        {
            "issuer": site.url,
            "authorization_endpoint": f"{site.url}/authorize",
            "token_endpoint": f"{site.url}/token",
            "registration_endpoint": f"{site.url}/register",
            "revocation_endpoint": f"{site.url}/revoke",
            "scopes_supported": SCOPES,
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["none"],
            "revocation_endpoint_auth_methods_supported": ["none"],
            "code_challenge_methods_supported": ["S256"],
            "client_id_metadata_document_supported": True,
            "authorization_response_iss_parameter_supported": True,
        }
    )


@with_oauth_errors
async def register(site: Site, request: Request) -> Response:
    """Register a client (RFC 7591). It gets no secret, whatever it requests; PKCE does not need one."""
    try:
        asked = Registration.model_validate_json(await request.body())
    except ValidationError as exc:
        wrong = {str(problem["loc"][0]) for problem in exc.errors() if problem["loc"]}
        error = "invalid_redirect_uri" if wrong == {"redirect_uris"} else "invalid_client_metadata"
        raise OAuthError(error, str(from_validation(exc))) from None
    async with site.transaction() as conn:
        await spend(conn, request, "register", 20, 3600)
        registered = await client.register(conn, asked)
    audit.note(
        "registered", address=address(request), client=registered.title, client_id=registered.client_id
    )
    return JSONResponse(
        {
            **registered.model_dump(exclude_none=True),
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
        },
        201,
        NO_STORE,
    )


@with_oauth_errors
async def token(site: Site, request: Request) -> Response:
    """Issue tokens for a code or a refresh token. Reuse of either revokes the whole family."""
    sent = await form(request)
    if "authorization" in request.headers or sent.get("client_secret"):
        raise OAuthError("invalid_client", "Clients of this server have no secret. Send only client_id.")
    try:
        async with site.transaction() as conn:
            await spend(conn, request, "token", 300, 60)
            tokens = await exchange(conn, site, sent)
    except Replayed as exc:
        async with site.transaction() as conn:
            await oauth.end(conn, exc.family)
        audit.warn("revoked", address=address(request), family=str(exc.family), reason="reused")
        raise
    return JSONResponse({"token_type": "Bearer", **tokens.model_dump()}, headers=NO_STORE)


async def exchange(conn: AsyncConnection, site: Site, sent: dict[str, str]) -> Tokens:
    client_id, resource = needed(sent, "client_id"), sent.get("resource", "")
    if await client.find(conn, client_id) is None:
        raise OAuthError("invalid_client", "Unknown client_id. Register again.")
    if resource:
        resource = site.resource(resource)
    match needed(sent, "grant_type"):
        case "authorization_code":
            return await oauth.redeem(
                conn,
                needed(sent, "code"),
                client_id,
                needed(sent, "redirect_uri"),
                needed(sent, "code_verifier"),
                resource,
            )
        case "refresh_token":
            scopes = sent.get("scope", "").split()
            return await oauth.refresh(conn, needed(sent, "refresh_token"), client_id, scopes, resource)
        case _:
            raise OAuthError("unsupported_grant_type", "Use authorization_code or refresh_token.")


@with_oauth_errors
async def revoke(site: Site, request: Request) -> Response:
    """Revoke a token and its whole family (RFC 7009). An unknown token is not an error."""
    sent = await form(request)
    async with site.transaction() as conn:
        family = await oauth.revoke(conn, needed(sent, "token"), needed(sent, "client_id"))
    if family:
        audit.note("revoked", address=address(request), family=str(family), reason="by its client")
    return Response(headers=NO_STORE)


def needed(sent: dict[str, str], name: str) -> str:
    if not sent.get(name):
        raise OAuthError("invalid_request", f"{name} is missing.")
    return sent[name]
