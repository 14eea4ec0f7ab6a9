"""Shares: links that show one setup, read-only, to anyone who has them."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BeforeValidator, Field

from mcp_server.models.fields import INTEGER, Moment, Row, whole_between

Days = Annotated[int, BeforeValidator(whole_between(1, 365)), INTEGER]
SHOWN_ONCE = "The link was shown once. To get another one, call share_setup without idempotency_key."


class Share(Row):
    """An open share. `prices`: whether it shows them."""

    id: int
    setup_id: int
    setup: str
    prices: bool = False
    created_at: Moment
    expires_at: Moment


class ShareList(Row):
    """The open shares, newest first. Their links cannot be shown again."""

    shares: list[Share]


class ShareCreated(Row):
    """A new share, and its link. Only its hash is stored, so the link is shown once."""

    id: int
    setup: str
    prices: bool = False
    expires_at: Moment
    url: Annotated[str | None, Field(description="Shown once")] = None
    hint: str | None = None

    def to_store(self) -> Self:
        return self.model_copy(update={"url": None, "hint": SHOWN_ONCE})


class ShareEnded(Row):
    """The setup that is no longer shared by this link."""

    ended: int
    setup: str


class Shared(Row):
    """What an open link shows."""

    user_id: int
    setup_id: int
    prices: bool
    expires_at: datetime
