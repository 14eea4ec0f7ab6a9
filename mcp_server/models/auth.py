"""Users, keys, and authenticated callers."""

from datetime import datetime
from typing import Literal

from mcp_server.models.fields import Row

Scope = Literal["read", "write"]
# Write access includes read access.
READ: tuple[Scope, ...] = ("read",)
READ_WRITE: tuple[Scope, ...] = ("read", "write")


class Principal(Row):
    """An authenticated caller: the user, the scopes, and the name of the key or of the OAuth client."""

    user_id: int
    scopes: tuple[Scope, ...]
    client: str | None = None
    # Whether a person granted access on the consent page, and so could grant more.
    by_consent: bool = False
    # Until the key or the token expires; None for a key that does not.
    seconds_left: float | None = None

    @property
    def may_write(self) -> bool:
        return "write" in self.scopes


class User(Row):
    """A user. Without a password, the user cannot sign in, but keys work."""

    id: int
    username: str
    has_password: bool
    items: int
    keys: int


class Login(Row):
    """A user and the stored hash of the password."""

    user_id: int
    password_hash: str | None


class Key(Row):
    """A key as listed. The key itself is shown only once, when it is created."""

    id: int
    username: str
    name: str
    key_prefix: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
