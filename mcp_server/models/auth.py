"""Who calls, and with what right."""

from datetime import datetime
from typing import Literal

from mcp_server.models.fields import Row

Scope = Literal["read", "write"]
# Whoever may write may read too.
READ: tuple[Scope, ...] = ("read",)
READ_WRITE: tuple[Scope, ...] = ("read", "write")


class Principal(Row):
    """Whose collection a call is about, what it may do, and the name of its key or client."""

    user_id: int
    scopes: tuple[Scope, ...]
    client: str | None = None
    # Whether a person has allowed it on our page, and so could allow more.
    by_consent: bool = False

    @property
    def may_write(self) -> bool:
        return "write" in self.scopes


class User(Row):
    """Somebody with a collection; without a password one cannot sign in, but keys work."""

    id: int
    username: str
    has_password: bool
    items: int
    keys: int


class Login(Row):
    """What a password is compared with."""

    user_id: int
    password_hash: str | None


class Key(Row):
    """A key as it is listed: the key itself is shown once, when it is made."""

    id: int
    username: str
    name: str
    key_prefix: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
