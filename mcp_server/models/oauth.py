"""OAuth 2.1: clients, redirect URIs, authorization requests, codes and tokens."""

import re
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from mcp_server.models.fields import Row

SCOPES = ("read", "write")

# Only characters that browsers, HTML and HTTP headers interpret the same way.
PLAIN = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()+,;=%]{1,2000}")
HTTPS = re.compile(
    r"https://(?P<host>[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)(?P<port>:\d{1,5})?(?P<rest>[/?].*)?"
)
# A scheme of an app on the same device (RFC 8252, 7.1), such as cursor://anysphere.cursor-mcp/oauth/callback.
PRIVATE = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]+):/.+")
# Schemes that browsers and operating systems handle: they run code, show files, or start other programs.
# Names that imitate http are refused too.
DANGEROUS = re.compile(
    r"""
    javascript|livescript|vbscript|mocha|.*script|data|file|filesystem|about|blob|view-source|resource|res|jar
    |chrome.*|moz-.*|edge|brave|opera|safari.*|ftps?|sftp|ssh|telnet|smb|nfs|ldaps?|wss?|mailto|tel|sms|callto
    |facetime|intent|android-app|ms-.*|search|search-ms|shell|mk|hcp|feed|htt.*|htps?|hxxps?
    """,
    re.VERBOSE,
)
LOOPBACK = re.compile(r"http://(?P<host>localhost|127\.0\.0\.1|\[::1\])(?P<port>:\d{1,5})?(?P<rest>[/?].*)?")


class OAuthError(Exception):
    """An error response: an OAuth error code, and a description that does not repeat the input."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error


class Replayed(OAuthError):
    """A code or refresh token was reused, so one of its tokens may be stolen."""

    def __init__(self, family: UUID) -> None:
        super().__init__("invalid_grant", "It was used before, so all tokens derived from it are revoked.")
        self.family = family


def redirect_uri(text: str) -> str:
    """Return *text* if it is a valid redirect URI: https, http to a loopback address, or an app's scheme."""
    known = HTTPS.fullmatch(text) or LOOPBACK.fullmatch(text) or app_scheme(text)
    if not known or not PLAIN.fullmatch(text):
        raise ValueError(
            "must be https, http to 127.0.0.1, [::1] or localhost, or a private-use scheme such as "
            "com.example.app:/callback, without a fragment"
        )
    return text


def app_scheme(uri: str) -> str | None:
    """Return the private-use scheme of *uri*, or None if it has another one."""
    found = PRIVATE.fullmatch(uri)
    if not found or DANGEROUS.fullmatch(found["scheme"]):
        return None
    return found["scheme"]


def is_redirect_uri(text: str) -> bool:
    try:
        return bool(redirect_uri(text))
    except ValueError:
        return False


def same_place(registered: str, asked: str) -> bool:
    """Return whether two redirect URIs match. On loopback, the port is ignored (RFC 8252, 7.3)."""
    ours, theirs = LOOPBACK.fullmatch(registered), LOOPBACK.fullmatch(asked)
    if ours and theirs:
        return ours.group("host", "rest") == theirs.group("host", "rest")
    return registered == asked


def host_of(uri: str) -> str:
    """Return what a person should check on the consent page: host and port, or the scheme of an app."""
    found = HTTPS.fullmatch(uri) or LOOPBACK.fullmatch(uri)
    if found:
        return f"{found['host']}{found['port'] or ''}"
    scheme = app_scheme(uri)
    return f"{scheme}:" if scheme else uri


def is_document(client_id: str) -> bool:
    """Return whether *client_id* is the URL of a client ID metadata document: https, with a path."""
    found = PLAIN.fullmatch(client_id) and HTTPS.fullmatch(client_id)
    path = (found["rest"] or "").partition("?")[0] if found else ""
    return len(path) > 1 and not {".", ".."} & set(path.split("/"))


def readable(name: str) -> str:
    """Return *name* without invisible characters and those that change the text direction."""
    return "".join(character for character in name if character.isprintable()).strip()


def acceptable(uris: list[str]) -> list[str]:
    """Return the valid redirect URIs. Clients register one list with all servers, so others are ignored."""
    found = list(filter(is_redirect_uri, uris))
    if not found:
        return [redirect_uri(uri) for uri in uris]
    return found


ClientName = Annotated[str, StringConstraints(max_length=200), AfterValidator(readable)]


class Client(Row):
    """An OAuth client. It has no secret: registration is open."""

    client_id: str
    client_name: str | None
    redirect_uris: list[str]

    @property
    def title(self) -> str:
        return self.client_name or self.client_id

    def allows(self, uri: str) -> bool:
        """Return whether *uri* is a registered redirect URI that is valid by today's rules."""
        return is_redirect_uri(uri) and any(same_place(known, uri) for known in self.redirect_uris)


class Registration(BaseModel):
    """The metadata that this server uses from a registration request."""

    model_config = ConfigDict(frozen=True, strict=True)

    client_name: ClientName | None = None
    redirect_uris: Annotated[list[str], Field(min_length=1, max_length=10), AfterValidator(acceptable)]


class Document(BaseModel):
    """A client ID metadata document. It is written for all servers, so some URIs may be invalid for ours."""

    model_config = ConfigDict(frozen=True, strict=True)

    client_id: str
    client_name: ClientName | None = None
    redirect_uris: Annotated[list[str], Field(min_length=1, max_length=50)]
    # Clients of this server have no secret.
    token_endpoint_auth_method: Literal["none"] | None = None
    client_secret: None = None


class Asked(Row):
    """A validated authorization request."""

    client_id: str
    redirect_uri: str
    code_challenge: str
    scopes: list[str]
    resource: str


class Code(Row):
    """An authorization code that was issued."""

    id: int
    user_id: int
    client_id: str
    redirect_uri: str
    code_challenge: str
    code_challenge_method: str
    scopes: list[str]
    resource: str | None
    family: UUID
    used: bool
    expired: bool


class Pair(Row):
    """An access token and its refresh token, without their secrets."""

    id: int
    user_id: int
    client_id: str
    scopes: list[str]
    resource: str | None
    family: UUID
    consented_at: datetime
    expired: bool
    replayed: bool


class TokenOwner(Row):
    """The client and the family that a token belongs to."""

    client_id: str
    family: UUID


class Tokens(Row):
    """New tokens for a client. Only their hashes are stored."""

    access_token: str
    expires_in: int
    refresh_token: str
    scope: str


class Grant(Row):
    """Access that a person has granted to one client."""

    family: UUID
    client: str
    redirect_uris: list[str]
    scopes: list[str]
    since: datetime
    renewed: datetime

    @property
    def hosts(self) -> list[str]:
        return sorted({host_of(uri) for uri in self.redirect_uris})
