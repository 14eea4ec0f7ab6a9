"""Client ID metadata documents: the client_id is the URL of a document that describes the client."""

from pydantic import ValidationError

from mcp_server.errors import AppError, Busy
from mcp_server.models.oauth import Client, Document, OAuthError, is_redirect_uri
from mcp_server.untrusted.fetch import Rules, fetch

LARGEST, SECONDS = 16 * 1024, 5.0


async def fetch_client(url: str, rules: Rules, user_id: int) -> Client:
    """Fetch the document at *url* for a user, and return the client that it describes."""
    try:
        data = await fetch(
            url, rules, SECONDS, accept="application/json", user_id=user_id, largest=LARGEST, redirects=0
        )
        document = Document.model_validate_json(data)
    except Busy:
        raise
    except (AppError, ValidationError):
        raise OAuthError(
            "invalid_client", "client_id does not lead to a metadata document that this server can use."
        ) from None
    if document.client_id != url:
        raise OAuthError("invalid_client", "The metadata document names another client_id.")
    uris = list(filter(is_redirect_uri, document.redirect_uris))
    return Client(client_id=url, client_name=document.client_name, redirect_uris=uris)
