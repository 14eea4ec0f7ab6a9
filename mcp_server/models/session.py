"""People who are signed in with a browser, and their sessions."""

from datetime import datetime

from mcp_server.models.fields import Row


class Person(Row):
    id: int
    username: str


class Session(Row):
    """A session as listed. Its secret is only in the cookie."""

    number: int
    browser: str | None
    since: datetime
    is_this: bool
