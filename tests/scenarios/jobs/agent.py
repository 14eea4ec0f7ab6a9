"""An agent with a job: its calls and the text that it reads are counted."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from mcp import Client

from tests.calls import text_of


@dataclass
class Agent:
    """A client that knows only what the server says. *tools* and *bytes* are those of its calls."""

    client: Client
    tools: list[str] = field(default_factory=list[str])
    bytes: int = 0

    async def call(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """Return the structure of a result that has to be a success."""
        result = await self.client.call_tool(tool, arguments)
        text = text_of(result)
        assert not result.is_error, text
        assert result.structured_content is not None
        self.tools.append(tool)
        self.bytes += len(text.encode())
        return result.structured_content


@dataclass(frozen=True)
class Job:
    """What a person asks for, how an agent does it, and the calls and bytes that this may take."""

    number: int
    asked: str
    play: Callable[[Agent], Awaitable[None]]
    calls: int
    bytes: int | None = None
    # Calls of the person beforehand, and SQL.
    before: tuple[tuple[str, dict[str, Any]], ...] = ()
    sql: str = ""
