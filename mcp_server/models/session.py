"""The person signed in with a browser."""

from mcp_server.models.fields import Row


class Person(Row):
    id: int
    username: str
