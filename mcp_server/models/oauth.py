"""OAuth 2.1: clients and where they may send a browser, what they ask for, and what they get."""

import re
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from mcp_server.models.fields import Row

SCOPES = ("read", "write")

# Nothing that a browser, an HTML page or a header could read in another way than we do.
PLAIN = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()+,;=%]{1,2000}")
HTTPS = re.compile(
    r"https://(?P<host>[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)(?P<port>:\d{1,5})?(?P<rest>[/?].*)?"
)
LOOPBACK = re.compile(r"http://(?P<host>localhost|127\.0\.0\.1|\[::1\])(?P<port>:\d{1,5})?(?P<rest>[/?].*)?")


class OAuthError(Exception):
    """What a client is told: an error code of OAuth, and a sentence without what was sent."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error


class Replayed(OAuthError):
    """A code or refresh token came a second time: whoever holds the others may have stolen them."""

    def __init__(self, family: UUID) -> None:
        super().__init__("invalid_grant", "It was used before, so all that came from it is revoked.")
        self.family = family


def redirect_uri(text: str) -> str:
    """Return *text* if a browser may be sent there: https, or http to a program on the person's computer."""
    if not PLAIN.fullmatch(text) or not (HTTPS.fullmatch(text) or LOOPBACK.fullmatch(text)):
        raise ValueError("must be https, or http to 127.0.0.1, [::1] or localhost, without a fragment")
    return text


def is_redirect_uri(text: str) -> bool:
    try:
        return bool(redirect_uri(text))
    except ValueError:
        return False


def same_place(registered: str, asked: str) -> bool:
    """Whether the two are equal; on loopback, programs take any port that is free (RFC 8252, 7.3)."""
    ours, theirs = LOOPBACK.fullmatch(registered), LOOPBACK.fullmatch(asked)
    if ours and theirs:
        return ours.group("host", "rest") == theirs.group("host", "rest")
    return registered == asked


def host_of(uri: str) -> str:
    """The host and port that a person should read before going on."""
    found = HTTPS.fullmatch(uri) or LOOPBACK.fullmatch(uri)
    return f"{found['host']}{found['port'] or ''}" if found else uri


def is_document(client_id: str) -> bool:
    """Whether *client_id* is the address of a document about the client: https, with a path."""
    found = PLAIN.fullmatch(client_id) and HTTPS.fullmatch(client_id)
    path = (found["rest"] or "").partition("?")[0] if found else ""
    return len(path) > 1 and not {".", ".."} & set(path.split("/"))


def readable(name: str) -> str:
    """*name* without what cannot be seen or turns the text around it."""
    return "".join(character for character in name if character.isprintable()).strip()


RedirectUri = Annotated[str, AfterValidator(redirect_uri)]
ClientName = Annotated[str, StringConstraints(max_length=200), AfterValidator(readable)]


class Client(Row):
    """A program that asks for access. It has no secret: anybody may register."""

    client_id: str
    client_name: str | None
    redirect_uris: list[str]

    @property
    def title(self) -> str:
        return self.client_name or self.client_id

    def allows(self, uri: str) -> bool:
        """Whether a browser may be sent to *uri*; a row from before this rule is held to it too."""
        return is_redirect_uri(uri) and any(same_place(known, uri) for known in self.redirect_uris)


class Registration(BaseModel):
    """What a client says of itself; what this server has no use for is left out."""

    model_config = ConfigDict(frozen=True, strict=True)

    client_name: ClientName | None = None
    redirect_uris: Annotated[list[RedirectUri], Field(min_length=1, max_length=10)]


class Document(BaseModel):
    """What a client's document says. As it is for all servers, it may name addresses that ours refuses."""

    model_config = ConfigDict(frozen=True, strict=True)

    client_id: str
    client_name: ClientName | None = None
    redirect_uris: Annotated[list[str], Field(min_length=1, max_length=50)]
    # Those of this server have no secret.
    token_endpoint_auth_method: Literal["none"] | None = None
    client_secret: None = None


class Asked(Row):
    """A checked request for access, which a person may allow."""

    client_id: str
    redirect_uri: str
    code_challenge: str
    scopes: list[str]
    resource: str


class Code(Row):
    """A code as it was given out."""

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
    """An access token and its refresh token, as they are known: by who may use them, not by their text."""

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
    """Whose a token is."""

    client_id: str
    family: UUID


class Tokens(Row):
    """What a client gets, once: the texts themselves are stored nowhere."""

    access_token: str
    expires_in: int
    refresh_token: str
    scope: str


class Grant(Row):
    """What a person has allowed one client."""

    family: UUID
    client: str
    redirect_uris: list[str]
    scopes: list[str]
    since: datetime
    renewed: datetime

    @property
    def hosts(self) -> list[str]:
        return sorted({host_of(uri) for uri in self.redirect_uris})
