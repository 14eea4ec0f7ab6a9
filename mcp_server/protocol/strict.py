"""The SDK's server made strict: unknown arguments are refused, errors are short, calls end in time."""

import asyncio
import logging
import random
import re
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, TypeVar, cast

import anyio
import psycopg
from mcp import MCPError
from mcp.server import NotificationOptions, Server
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.server.mcpserver.tools import Tool
from mcp.server.models import InitializationOptions
from mcp.types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolResult,
    GetPromptResult,
    InputRequiredResult,
)
from psycopg import errors
from psycopg_pool import PoolTimeout
from pydantic import ValidationError

from mcp_server.errors import (
    MOST_PLACES,
    AppError,
    Forbidden,
    InsufficientScope,
    Internal,
    InvalidInput,
    NotFound,
    TimedOut,
    Unavailable,
    did_you_mean,
    from_exception,
    from_validation,
    quoted,
    shown_path,
)
from mcp_server.models.fields import Row, all_nfc
from mcp_server.protocol.edge import App, Call, Written, current_call, principal
from mcp_server.protocol.reply import reply
from mcp_server.protocol.schema import Arguments, reads

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

# Seconds that a call may take, and that its cancellation may take.
DEADLINE, GRACE = 10.0, 2.0
# Seconds before each retry of a transaction after a serialization failure or a deadlock.
PAUSES = (0.02, 0.05, 0.1)
LARGEST_CALL = 4 * 1024 * 1024
DEEPEST = 32
# Characters of the name of a field.
LONGEST_KEY = 200
# Arguments that n8n and SiYuan add to every call. They and names that start with an underscore are ignored,
# unless a tool has an argument of that name.
INJECTED = frozenset({"toolCallId", "sessionId", "action", "chatInput"})
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class StrictServer(MCPServer[App]):
    """An MCPServer that validates every call strictly.

    Tools that are *off* are not listed. Calling one is an error with the reason.
    """

    def __init__(self, name: str, *, off: Mapping[str, str], **options: Any) -> None:
        super().__init__(name, **options)
        self._off = off

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[App, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool. Any failure is a ToolError for the model: `[code] What was wrong. What to do next.`"""
        try:
            tool = self._find(name, context)
            arguments = given(tool, arguments)
            result = await run(tool, arguments, context or Context(mcp_server=self))
            if isinstance(result, Written):
                return cast(Written[Row], result).reply
            return reply(result) if isinstance(result, Row) else tool.fn_metadata.convert_result(result)
        except AppError as exc:
            raise ToolError(str(exc)) from exc

    def _find(self, name: str, context: Context[App, Any] | None) -> Tool:
        if name in self._off:
            raise Forbidden(
                f"{name} is turned off: {self._off[name]}. "
                "Continue without it, or ask the person who runs Gearshed to turn it on."
            )
        tool = self._tool_manager.get_tool(name)
        if tool is None:
            known = [tool.name for tool in self._tool_manager.list_tools()]
            raise NotFound(f"No tool {quoted(name)}.{did_you_mean(name, known)}")
        if context and not reads(tool) and not principal(context).may_write:
            raise InsufficientScope(
                f"{name} writes, but your key or consent is read-only. "
                "Continue without it, or ask the person for a key or a consent with write access."
            )
        return tool

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None, context: Context[App, Any] | None = None
    ) -> GetPromptResult | InputRequiredResult:
        """Render a prompt. A person chose it, so failures are protocol errors."""
        prompt = self._prompt_manager.get_prompt(name)
        if prompt is None:
            known = [prompt.name for prompt in self._prompt_manager.list_prompts()]
            hint = did_you_mean(name, known) or f" Available: {', '.join(known)}."
            raise refusal(NotFound(f"No prompt {quoted(name)}.{hint}"))
        required = {argument.name for argument in prompt.arguments or () if argument.required}
        if missing := required - (arguments or {}).keys():
            raise refusal(InvalidInput(f"{', '.join(sorted(missing))}: is required."))
        try:
            return await super().get_prompt(name, arguments, context)
        except ValueError as exc:
            cause = exc.__cause__ and exc.__cause__.__cause__
            if isinstance(cause, ValidationError):
                raise refusal(from_validation(cause)) from exc
            raise


def session_options(server: Server[App]) -> InitializationOptions:
    """Return the capabilities for a session to which the server can send notifications."""
    return server.create_initialization_options(NotificationOptions(resources_changed=True))


def given(tool: Tool, arguments: dict[str, Any]) -> dict[str, Any]:
    """Drop what a client adds, and what it means to omit: some send null for it, others an empty string.

    An argument can also be called `setup` instead of `setup_id`, and `category_id` instead of `category`.
    """
    valid, required = tool.parameters.get("properties", {}), tool.parameters.get("required", ())
    for name in arguments.keys() - valid.keys():
        other = name.removesuffix("_id") if name.endswith("_id") else f"{name}_id"
        if other in valid and other not in arguments:
            arguments = {other if key == name else key: value for key, value in arguments.items()}
    return {
        name: value
        for name, value in arguments.items()
        if value is not None
        and (value != "" or name in required)
        and (name in valid or not (name in INJECTED or name.startswith("_")))
    }


def check_arguments(tool: Tool, arguments: dict[str, Any]) -> None:
    """Refuse unknown arguments, many unknown fields, and text anywhere that PostgreSQL cannot store."""
    valid = tool.parameters.get("properties", {})
    for name in arguments.keys() - valid.keys():
        hint = did_you_mean(name, valid) or f" Valid: {', '.join(valid) or 'none'}."
        raise InvalidInput(f"{tool.name} has no argument {quoted(name)}.{hint}")
    check_fields(tool, arguments)
    size = 0
    for path, text in texts(arguments, ""):
        size += len(text)
        if UNSTORABLE.search(text):
            raise InvalidInput(f"{shown_path(path)}: contains NUL or half of a surrogate pair. Remove it.")
    if size > LARGEST_CALL:
        raise InvalidInput(
            "The arguments exceed 4 MB. Send less at once; for an image, a smaller copy or its URL."
        )


def check_fields(tool: Tool, arguments: dict[str, Any]) -> None:
    """Refuse long names, and many unknown fields: pydantic would make an object of each."""
    named = list(islice(unknown_fields(tool.parameters, arguments, ""), MOST_PLACES + 1))
    if len(named) > MOST_PLACES:
        shown = "; ".join(f"{shown_path(path)}: no such field" for path in named[:MOST_PLACES])
        raise InvalidInput(f"{shown}; and more.")


def unknown_fields(schema: Mapping[str, Any], value: Any, path: str) -> Iterator[str]:
    """Yield the path of each field in *value* that its schema does not have."""
    if isinstance(value, list) and "items" in schema:
        for index, inner in enumerate(cast(list[Any], value)):
            yield from unknown_fields(schema["items"], inner, f"{path}{index}.")
    elif isinstance(value, dict) and "properties" in schema:
        for name, inner in cast(dict[str, Any], value).items():
            if len(name) > LONGEST_KEY:
                raise InvalidInput(
                    f"{shown_path(path + name)}: the name of a field has at most {LONGEST_KEY} characters."
                )
            if name in schema["properties"]:
                yield from unknown_fields(schema["properties"][name], inner, f"{path}{name}.")
            else:
                yield f"{path}{name}"


def texts(value: Any, path: str, depth: int = 1) -> Iterator[tuple[str, str]]:
    """Yield every string in *value*, including keys, with its path."""
    if depth > DEEPEST:
        raise InvalidInput(f"{shown_path(path)}: is nested deeper than {DEEPEST} levels. Flatten it.")
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for index, inner in enumerate(cast(list[Any], value)):
            yield from texts(inner, f"{path}.{index}", depth + 1)
    elif isinstance(value, dict):
        for key, inner in cast(dict[str, Any], value).items():
            inside = f"{path}.{key}" if path else key
            yield inside, key
            yield from texts(inner, inside, depth + 1)


async def run(tool: Tool, arguments: dict[str, Any], context: Context[App, Any]) -> Any:
    """Check the arguments, put them into NFC, and run a tool. Failures become errors for the model."""
    call = Call(tool.name, arguments)
    current_call.set(call)
    try:
        if isinstance(tool.fn_metadata, Arguments):
            arguments = tool.fn_metadata.unpacked(arguments)
        check_arguments(tool, arguments)
        arguments = all_nfc(arguments)
        current_call.set(replace(call, arguments=arguments))
        return await within_deadline(attempt(tool, arguments, context))
    except (ToolError, AppError) as exc:
        raise explained(tool.name, exc) from exc


async def answer(tool: Tool, arguments: dict[str, Any], context: Context[App, Any]) -> Any:
    """Run an internal tool, for a request that is not a tool call."""
    try:
        return await run(tool, arguments, context)
    except (ToolError, AppError) as exc:
        raise refusal(exc) from exc


def refusal(error: ToolError | AppError, data: Any = None) -> MCPError:
    """Return a protocol error with the same message."""
    is_callers = isinstance(error, NotFound | InvalidInput)
    return MCPError(INVALID_PARAMS if is_callers else INTERNAL_ERROR, str(error), data)


async def attempt(tool: Tool, arguments: dict[str, Any], context: Context[App, Any]) -> Any:
    """Run a tool, with retries after a serialization failure, a deadlock or a lost connection.

    After a lost connection only reads are retried: a write may have been committed.
    """
    again = list(PAUSES)
    while True:
        try:
            return await tool.run(arguments, context)
        except ToolError as exc:
            lost_race = isinstance(exc.__cause__, errors.SerializationFailure | errors.DeadlockDetected)
            if lost_race and again:
                await asyncio.sleep(again.pop(0) * (1 + random.random()))  # noqa: S311 (no secret)
            elif reads(tool) and is_lost(exc.__cause__) and len(again) == len(PAUSES):
                again.pop(0)
            else:
                raise


def is_lost(cause: BaseException | None) -> bool:
    """Whether the connection was lost. A pool without free connections is a different failure."""
    return (
        not isinstance(cause, PoolTimeout)
        and isinstance(cause, psycopg.OperationalError)
        and (isinstance(from_exception(cause), Unavailable))
    )


async def within_deadline(call: Coroutine[Any, Any, Result], seconds: float | None = None) -> Result:
    """Run *call* in a separate task. Cancel it at the deadline, or when the client disconnects.

    The task is separate because anyio's cancellation would keep psycopg from cancelling its statement.
    """
    seconds = DEADLINE if seconds is None else seconds
    task = asyncio.ensure_future(call)
    try:
        await asyncio.wait([task], timeout=seconds)
    finally:
        if not task.done():
            task.cancel()
            with anyio.CancelScope(shield=True):
                await asyncio.wait([task], timeout=GRACE)
    if not task.done():
        raise TimedOut(
            f"The call took longer than {seconds:g} seconds and may still end. "
            "If it writes, look at list_changes before you retry."
        )
    if task.cancelled():
        raise TimedOut(f"The call took longer than {seconds:g} seconds. Request less at once.")
    return task.result()


def explained(name: str, error: ToolError | AppError) -> ToolError | AppError:
    """Translate an error for the model. An unexpected one is logged once, and shown as its id in the log."""
    cause = error.__cause__ if isinstance(error, ToolError) else error
    if isinstance(cause, ValidationError) and not isinstance(error, UnexpectedToolError):
        return from_validation(cause)
    if cause is not None and (known := from_exception(cause)):
        return known
    if not isinstance(error, UnexpectedToolError):
        return ToolError(str(error).removeprefix(f"Error executing tool {name}: "))
    incident = current_call.get().id
    logger.error("Incident %s: %r failed", incident, name, exc_info=cause)
    return Internal(f"A bug in Gearshed (incident {incident} in its log). Nothing was changed.")
