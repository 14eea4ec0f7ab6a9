"""Who has signed in."""

from mcp_server.models.fields import Row


class Person(Row):
    id: int
    username: str
