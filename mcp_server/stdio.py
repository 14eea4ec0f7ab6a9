"""Standard input and output, on which no line stays without an answer: the SDK drops what it cannot parse."""

import json
from types import TracebackType
from typing import Any, Protocol, Self, cast

import anyio
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp.types import INVALID_REQUEST, PARSE_ERROR, ErrorData, JSONRPCError
from pydantic import ValidationError

from mcp_server.strict import StrictServer


class Stream(Protocol):
    """What the SDK reads from, and writes to."""

    async def receive(self) -> SessionMessage | Exception: ...
    async def send(self, item: SessionMessage, /) -> None: ...
    async def aclose(self) -> None: ...


async def serve(server: StrictServer) -> None:
    """Serve the client on standard input and output until the input ends."""
    low_level = server._lowlevel_server  # pyright: ignore[reportPrivateUsage]
    async with stdio_server() as (lines, answers):
        messages = Messages(cast(Stream, lines), cast(Stream, answers))
        await low_level.run(messages, answers, low_level.create_initialization_options())


class Messages:
    """The lines that are messages; every other one is answered with an error."""

    def __init__(self, lines: Stream, answers: Stream) -> None:
        self._lines = lines
        self._answers = answers

    async def receive(self) -> SessionMessage | Exception:
        while isinstance(item := await self._lines.receive(), ValidationError):
            await self._answers.send(SessionMessage(refusal(item)))
        return item

    async def aclose(self) -> None:
        await self._lines.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        await self.aclose()


def refusal(error: ValidationError) -> JSONRPCError:
    """Say what is wrong with a line, under its request's id if that can be found out."""
    problem = error.errors(include_url=False)[0]
    line = problem["input"]
    is_json = problem["type"] != "json_invalid"
    message = f"Not a message of the protocol: {problem['msg']}. Nothing was done; send it again, corrected."
    return JSONRPCError(
        jsonrpc="2.0",
        id=id_of(line if is_json else parsed(line)),
        error=ErrorData(code=INVALID_REQUEST if is_json else PARSE_ERROR, message=message),
    )


def parsed(line: str) -> Any:
    """Read what Python takes for JSON: half of a surrogate pair, or a number of any length."""
    try:
        return json.loads(line, parse_int=lambda digits: int(digits[:19]))
    except (ValueError, RecursionError):
        return None


def id_of(message: Any) -> str | int | None:
    found = cast(dict[str, Any], message).get("id") if isinstance(message, dict) else None
    return found if isinstance(found, str | int) and not isinstance(found, bool) else None
