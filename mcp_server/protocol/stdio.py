"""Standard input and output, on which no line stays without an answer: the SDK drops what it cannot parse."""

import json
import re
import sys
from io import TextIOWrapper
from typing import Any, Protocol, cast

import anyio
from anyio.abc import ObjectReceiveStream
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp.types import (
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    RequestId,
    jsonrpc_message_adapter,
)
from pydantic import BaseModel, ValidationError

from mcp_server.protocol import sdk
from mcp_server.protocol.strict import LARGEST_CALL, StrictServer, session_options

# In characters. The largest call fits, with each of its characters written as \uXXXX.
LARGEST_LINE = 8 * LARGEST_CALL
# What is kept of each end of a longer line, enough to find its id, and in what pieces the rest goes by.
KEPT, PIECE = 1000, 64 * 1024
# Stands for the rest. Nothing that is sent in one line looks like this, and JSON never does.
CUT = "\n\0"
# Digits that Python and the SDK convert.
LONGEST_INTEGER = 4000
HALVES = re.compile("[\ud800-\udfff]")
NO_REQUEST = "jsonrpc must be 2.0, id a whole number or a text, method a text, params an object"
TOO_LONG = f"longer than {LARGEST_LINE // 2**20} MB"

SCALAR = r'("[^"\\\x00-\x1f]*"|-?\d{1,18})'
ID = rf'"id"\s*:\s*(?P<id>{SCALAR})'
FIELD = rf'"\w+"\s*:\s*{SCALAR}'
# An id with nothing nested before it, or nothing nested after it, is that of the message.
FIRST_ID = re.compile(rf"\s*\{{\s*({FIELD}\s*,\s*)*?{ID}\s*[,}}]")
LAST_ID = re.compile(rf"{ID}\s*(,\s*{FIELD}\s*)*\}}\s*$")


class Stream(Protocol):
    """What the SDK reads from, and writes to."""

    async def receive(self) -> SessionMessage | Exception: ...
    async def send(self, item: SessionMessage, /) -> None: ...
    async def aclose(self) -> None: ...


async def serve(server: StrictServer) -> None:
    """Serve the client on standard input and output until the input ends."""
    low_level = sdk.low_level(server)
    lines = BoundedLines(sys.stdin.buffer, encoding="utf-8", errors="surrogateescape", newline="\n")
    async with stdio_server(anyio.wrap_file(lines)) as (received, answers):
        messages = Messages(cast(Stream, received), cast(Stream, answers))
        await low_level.run(messages, answers, session_options(low_level))


class BoundedLines(TextIOWrapper):
    """Text in lines. One that is too long never is in memory whole: its middle is cut out."""

    def readline(self, size: int = LARGEST_LINE, /) -> str:
        line = super().readline(size)
        if len(line) < size or line.endswith("\n"):
            return line
        start, end, line = line[:KEPT], "", ""
        while not end.endswith("\n") and (piece := super().readline(PIECE)):
            end = (end + piece)[-KEPT:]
        return start + CUT + end


class Messages(ObjectReceiveStream[SessionMessage | Exception]):
    """The lines that are messages; every other one is answered with an error."""

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
    """As much of a request as it takes to answer it."""

    id: RequestId
    method: Any


def read_again(error: ValidationError) -> SessionMessage | JSONRPCError | None:
    """Return the message, if it can be mended, or else what to answer: nothing to an empty line."""
    problems = error.errors(include_url=False, include_context=False)
    line, reason = problems[0]["input"], problems[0]["msg"]
    if problems[0]["loc"]:
        message = next((problem["input"] for problem in problems if problem["type"] == "missing"), None)
        return rejection(INVALID_REQUEST, NO_REQUEST, id_of(message))
    if not line.strip():
        return None
    if CUT in line:
        return rejection(INVALID_REQUEST, TOO_LONG, id_at_an_end(line))
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(mended(line), by_name=False))
    except (ValueError, RecursionError):
        return rejection(PARSE_ERROR, reason, id_at_an_end(line))


def mended(line: str) -> str:
    """Return JSON with what only Python can read replaced by what the tools refuse in words.

    Half of a surrogate pair becomes NUL, and an endless integer becomes Infinity.
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


def id_at_an_end(line: str) -> RequestId | None:
    """Return the id that a line names before or after everything that is nested."""
    found = FIRST_ID.match(line[:KEPT]) or LAST_ID.search(line[-KEPT:])
    return found and json.loads(found["id"])


def rejection(code: int, reason: str, request_id: RequestId | None) -> JSONRPCError:
    message = f"Not a message of the protocol: {reason}. Nothing was done; send it again, corrected."
    return JSONRPCError(jsonrpc="2.0", id=request_id, error=ErrorData(code=code, message=message))
