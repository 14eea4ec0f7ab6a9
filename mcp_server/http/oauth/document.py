"""Client ID metadata documents: a client that is known by the address of a document about itself."""

from pydantic import ValidationError

from mcp_server.errors import AppError
from mcp_server.models.oauth import Client, Document, OAuthError, is_redirect_uri
from mcp_server.untrusted.fetch import Rules, fetch

LARGEST, SECONDS = 16 * 1024, 5.0


async def fetch_client(url: str, rules: Rules) -> Client:
    """Return the client that the document at *url* describes, as it says at this moment."""
    try:
        data = await fetch(url, rules, SECONDS, accept="application/json", largest=LARGEST, redirects=0)
        document = Document.model_validate_json(data)
    except (AppError, ValidationError):
        raise OAuthError(
            "invalid_client", "At its client_id there is no document that this server can use."
        ) from None
    if document.client_id != url:
        raise OAuthError("invalid_client", "The document at its client_id is about another client.")
    uris = list(filter(is_redirect_uri, document.redirect_uris))
    return Client(client_id=url, client_name=document.client_name, redirect_uris=uris)
