"""Standard input and output. Invalid lines are answered with an error, where the SDK would drop them."""

import json
import re
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from typing import Any, Protocol, Self, cast

import anyio
from anyio.abc import ObjectReceiveStream
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp.types import (
    INVALID_REQUEST,
    PARSE_ERROR,
    JSONRPCError,
    RequestId,
    jsonrpc_message_adapter,
)
from pydantic import BaseModel, ValidationError

from mcp_server.protocol import pipes, sdk
from mcp_server.protocol.message import KEPT, TOO_MANY, has_too_many_values, id_at_an_end, rejection
from mcp_server.protocol.strict import LARGEST_CALL, StrictServer, session_options

# In characters. The largest call fits even if each of its characters is written as \uXXXX.
LARGEST_LINE = 8 * LARGEST_CALL
# Size of the pieces of a longer line that are skipped.
PIECE = 64 * 1024
# These replace the middle of a line. They contain a line break, so no received line contains them.
CUT, CROWDED = "\n\0", "\n\1"
# In digits. Python and the SDK convert integers up to this length.
LONGEST_INTEGER = 4000
HALVES = re.compile("[\ud800-\udfff]")
NO_REQUEST = "jsonrpc must be 2.0, id an integer or a string, method a string, params an object"
TOO_LONG = f"longer than {LARGEST_LINE // 2**20} MB"


class Stream(Protocol):
    """A stream of the SDK."""

    async def receive(self) -> SessionMessage | Exception: ...
    async def send(self, item: SessionMessage, /) -> None: ...
    async def aclose(self) -> None: ...


async def serve(server: StrictServer) -> None:
    """Serve the client on standard input and output until end of file."""
    low_level = sdk.low_level(server)
    async with files() as (lines, output), stdio_server(lines, output) as (received, answers):
        messages = Messages(cast(Stream, received), cast(Stream, answers))
        await low_level.run(messages, answers, session_options(low_level))


@asynccontextmanager
async def files() -> AsyncGenerator[tuple[Any, Any]]:
    """Yield standard input and output as the SDK uses them. None stands for its own output."""
    if pipes.are_pipes():
        async with pipes.pipes(LARGEST_LINE, CUT) as (lines, output):
            yield Checked(lines), output
    else:
        lines = BoundedLines(sys.stdin.buffer, encoding="utf-8", errors="surrogateescape", newline="\n")
        yield anyio.wrap_file(lines), None


@dataclass
class Checked:
    """Lines. Those with too many values lose their middle, so that the SDK does not parse them."""

    lines: AsyncIterator[str]

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        return checked(await anext(self.lines))


def checked(line: str) -> str:
    return line[:KEPT] + CROWDED + line[-KEPT:] if has_too_many_values(line) else line


class BoundedLines(TextIOWrapper):
    """Lines of text. The middle of a line that is too long is skipped, and never held in memory.

    A line with too many values loses its middle too, so that the SDK does not parse it.
    """

    def readline(self, size: int = LARGEST_LINE, /) -> str:
        line = super().readline(size)
        if len(line) < size or line.endswith("\n"):
            return checked(line)
        start, end, line = line[:KEPT], "", ""
        while not end.endswith("\n") and (piece := super().readline(PIECE)):
            end = (end + piece)[-KEPT:]
        return start + CUT + end


class Messages(ObjectReceiveStream[SessionMessage | Exception]):
    """The lines that are valid messages. Every other line is answered with an error."""

    def __init__(self, received: Stream, answers: Stream) -> None:
        self._received = received
        self._answers = answers

    async def receive(self) -> SessionMessage | Exception:
        while isinstance(item := await self._received.receive(), ValidationError):
            found = read_again(item)
            if isinstance(found, SessionMessage):
                return found
            if found is not None:
                await self._answers.send(SessionMessage(found))
        return item

    async def aclose(self) -> None:
        await self._received.aclose()


class Identified(BaseModel):
    """The fields of a request that are needed to answer it."""

    id: RequestId
    method: Any


def read_again(error: ValidationError) -> SessionMessage | JSONRPCError | None:
    """Return the repaired message, or the error to send. An empty line needs no answer."""
    problems = error.errors(include_url=False, include_context=False)
    line, reason = problems[0]["input"], problems[0]["msg"]
    if problems[0]["loc"]:
        message = next((problem["input"] for problem in problems if problem["type"] == "missing"), None)
        return rejection(INVALID_REQUEST, NO_REQUEST, id_of(message))
    if not line.strip():
        return None
    for mark, problem in ((CUT, TOO_LONG), (CROWDED, TOO_MANY)):
        if mark in line:
            return rejection(INVALID_REQUEST, problem, id_at_an_end(line))
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(mended(line), by_name=False))
    except (ValueError, RecursionError):
        return rejection(PARSE_ERROR, reason, id_at_an_end(line))


def mended(line: str) -> str:
    """Return JSON in which values that only Python can parse are replaced by ones that the tools refuse.

    Half of a surrogate pair becomes NUL, and a huge integer becomes Infinity.
    """
    message = json.loads(line, parse_int=number)
    return HALVES.sub(r"\\u0000", json.dumps(message, ensure_ascii=False))


def number(digits: str) -> int | float:
    return int(digits) if len(digits) <= LONGEST_INTEGER else float(digits)


def id_of(message: Any) -> RequestId | None:
    try:
        return Identified.model_validate(message).id
    except ValidationError:
        return None
