"""Our own server, with the fixtures that the official conformance suite asks for by name.

scripts/conformance runs it. Names, texts and wire keys are the suite's, whose scenarios compare them.
Everything else, such as how arguments are validated, errors reported and calls ended, is our own.
"""

import asyncio
import base64
import json
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, cast

import anyio
import uvicorn
from mcp.server.mcpserver import (
    Audio,
    Context,
    Elicit,
    ElicitationResult,
    Image,
    Resolve,
    Sample,
    UserMessage,
)
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import (
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitRequest,
    ElicitRequestFormParams,
    EmbeddedResource,
    EmptyResult,
    InputRequests,
    InputRequiredResult,
    ListRootsRequest,
    SamplingMessage,
    SetLevelRequestParams,
    SubscribeRequestParams,
    TextContent,
    TextResourceContents,
    UnsubscribeRequestParams,
)
from pydantic import BaseModel, Field

from db import migrations
from db.embedded import Embedded
from db.pool import create_pool
from mcp_server.accounts.auth import ensure_user
from mcp_server.protocol.edge import App
from mcp_server.protocol.strict import StrictServer
from mcp_server.server import build_server

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
WAV = base64.b64decode("UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=")
SCHEMA_2020_12: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


def text(content: str) -> TextContent:
    return TextContent(text=content)


def embedded(uri: str, content: str) -> EmbeddedResource:
    return EmbeddedResource(resource=TextResourceContents(uri=uri, mime_type="text/plain", text=content))


# Tools


def test_simple_text() -> str:
    return "This is a simple text response for testing."


def test_image_content() -> Image:
    return Image(data=PNG, format="png")


def test_audio_content() -> Audio:
    return Audio(data=WAV, format="wav")


def test_embedded_resource() -> list[Any]:
    return [embedded("test://embedded-resource", "This is an embedded resource content.")]


def test_multiple_content_types() -> list[Any]:
    mixed = embedded("test://mixed-content-resource", '{"test":"data","value":123}')
    return [text("Multiple content types test:"), Image(data=PNG, format="png"), mixed]


def test_error_handling() -> str:
    raise ToolError("This tool intentionally returns an error for testing")


async def log(ctx: Context, message: str) -> None:
    await ctx.session.send_log_message(level="info", data=message, related_request_id=ctx.request_id)  # pyright: ignore[reportDeprecated]


async def test_tool_with_logging(ctx: Context) -> str:
    for message in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await log(ctx, message)
        await asyncio.sleep(0.05)
    return "Logged"


async def test_logging_tool(ctx: Context) -> str:
    await log(ctx, "Logged")
    return "Logged"


async def test_tool_with_progress(ctx: Context) -> str:
    for progress in (0, 50, 100):
        await ctx.report_progress(progress, 100, f"{progress}%")
        await asyncio.sleep(0.05)
    return "Done"


async def test_sampling(prompt: str, ctx: Context) -> str:
    result = await ctx.session.create_message(  # pyright: ignore[reportDeprecated]
        messages=[SamplingMessage(role="user", content=text(prompt))], max_tokens=100
    )
    return f"LLM response: {result.content}"


class User(BaseModel):
    username: str = Field(description="User's response")
    email: str = Field(description="User's email address")


class Defaults(BaseModel):
    name: str = "John Doe"
    age: int = 30
    score: float = 95.5
    verified: bool = True
    status: str = Field("active", json_schema_extra={"enum": ["active", "inactive", "pending"]})


def titled(value: str, title: str) -> Any:
    return {"const": value, "title": title}


class Enums(BaseModel):
    untitledSingle: str = Field(json_schema_extra={"enum": ["option1", "option2", "option3"]})
    titledSingle: str = Field(
        json_schema_extra={
            "oneOf": [
                titled("value1", "First Option"),
                titled("value2", "Second Option"),
                titled("value3", "Third Option"),
            ]
        }
    )
    legacyEnum: str = Field(
        json_schema_extra={
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        }
    )
    untitledMulti: list[str] = Field(
        json_schema_extra={"items": {"type": "string", "enum": ["option1", "option2", "option3"]}}
    )
    titledMulti: list[str] = Field(
        json_schema_extra={
            "items": {
                "anyOf": [
                    titled("value1", "First Choice"),
                    titled("value2", "Second Choice"),
                    titled("value3", "Third Choice"),
                ]
            }
        }
    )


class Name(BaseModel):
    name: str


async def ask_user(message: str) -> Elicit[User]:
    return Elicit(message, User)


async def ask_defaults() -> Elicit[Defaults]:
    return Elicit("Review these", Defaults)


async def ask_enums() -> Elicit[Enums]:
    return Elicit("Choose", Enums)


async def ask_name() -> Elicit[Name]:
    return Elicit("Your name?", Name)


async def ask_model() -> Sample:
    return Sample([SamplingMessage(role="user", content=text("Hello"))], max_tokens=10)


async def test_elicitation(
    message: str, answer: Annotated[ElicitationResult[User], Resolve(ask_user)]
) -> str:
    return f"User response: {answer.action}"


async def test_elicitation_sep1034_defaults(
    answer: Annotated[ElicitationResult[Defaults], Resolve(ask_defaults)],
) -> str:
    return f"Elicitation completed: action={answer.action}"


async def test_elicitation_sep1330_enums(
    answer: Annotated[ElicitationResult[Enums], Resolve(ask_enums)],
) -> str:
    return f"Elicitation completed: action={answer.action}"


async def test_streaming_elicitation(
    answer: Annotated[ElicitationResult[Name], Resolve(ask_name)],
) -> str:
    return answer.action


async def test_missing_capability(answer: Annotated[CreateMessageResult, Resolve(ask_model)]) -> str:
    return str(answer.content)


async def test_reconnection(ctx: Context) -> str:
    await ctx.close_sse_stream()
    await asyncio.sleep(0.2)
    return "Reconnected"


async def test_trigger_tool_change(ctx: Context) -> str:
    await ctx.notify_tools_changed()
    return "Changed"


async def test_trigger_prompt_change(ctx: Context) -> str:
    await ctx.notify_prompts_changed()
    return "Changed"


# What a tool of 2026-07-28 may request in place of a result


def form(message: str, **properties: str) -> ElicitRequest:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: {"type": kind} for name, kind in properties.items()},
        "required": list(properties),
    }
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


def sampling(message: str) -> CreateMessageRequest:
    messages = [SamplingMessage(role="user", content=text(message))]
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=messages, max_tokens=100))


def asking(name: str, *rounds: InputRequests) -> Callable[..., Any]:
    """Return a tool that asks in several rounds, and returns a text once each is answered."""

    async def tool(ctx: Context) -> Any:
        step = int(ctx.request_state or 0)
        answers = ctx.input_responses or {}
        if step < len(rounds) and not rounds[step].keys() <= answers.keys():
            return InputRequiredResult(input_requests=rounds[step], request_state=str(step))
        if step + 1 < len(rounds):
            return InputRequiredResult(input_requests=rounds[step + 1], request_state=str(step + 1))
        return f"Answered: {', '.join(map(str, answers.values()))}, state-ok"

    tool.__name__ = f"test_input_required_result_{name}"
    return tool


async def test_input_required_result_capabilities(ctx: Context) -> Any:
    """Ask only for what the client has declared."""
    can = ctx.client_capabilities
    requests: InputRequests = {}
    if can and can.sampling is not None:
        requests["sample"] = sampling("Hello")
    if can and can.elicitation is not None:
        requests["form"] = form("Hello", name="string")
    if requests and not ctx.input_responses:
        return InputRequiredResult(input_requests=requests, request_state="0")
    return "Answered"


TOOLS = (
    test_simple_text,
    test_image_content,
    test_audio_content,
    test_embedded_resource,
    test_multiple_content_types,
    test_error_handling,
    test_tool_with_logging,
    test_logging_tool,
    test_tool_with_progress,
    test_sampling,
    test_elicitation,
    test_elicitation_sep1034_defaults,
    test_elicitation_sep1330_enums,
    test_streaming_elicitation,
    test_missing_capability,
    test_reconnection,
    test_trigger_tool_change,
    test_trigger_prompt_change,
    test_input_required_result_capabilities,
    asking("elicitation", {"user_name": form("What is your name?", name="string")}),
    asking("sampling", {"capital_question": sampling("What is the capital of France?")}),
    asking("list_roots", {"client_roots": ListRootsRequest()}),
    asking("request_state", {"confirm": form("Please confirm", ok="boolean")}),
    asking("tampered_state", {"confirm": form("Please confirm", ok="boolean")}),
    asking(
        "multiple_inputs",
        {
            "user_name": form("What is your name?", name="string"),
            "greeting": sampling("Generate a greeting"),
            "client_roots": ListRootsRequest(),
        },
    ),
    asking(
        "multi_round",
        {"step1": form("Step 1: What is your name?", name="string")},
        {"step2": form("Step 2: What is your favorite color?", color="string")},
    ),
)


# Resources and prompts


def static_text() -> str:
    return "This is the content of the static text resource."


def static_binary() -> bytes:
    return PNG


def watched() -> str:
    return "This is the content of the watched resource."


def template(id: str) -> str:
    return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})


def test_simple_prompt() -> str:
    return "This is a simple prompt for testing."


def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
    return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"


def test_prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:
    resource = embedded(resourceUri, "Embedded resource content for testing.")
    return [UserMessage(resource), UserMessage("Please process the embedded resource above.")]


def test_prompt_with_image() -> list[UserMessage]:
    return [UserMessage(Image(data=PNG, format="png")), UserMessage("Please analyze the image above.")]


def test_input_required_result_prompt(ctx: Context) -> Any:
    if not ctx.input_responses:
        question = form("What context should the prompt use?", context="string")
        return InputRequiredResult(input_requests={"user_context": question})
    return "Prompt with context"


PROMPTS = (
    test_simple_prompt,
    test_prompt_with_arguments,
    test_prompt_with_embedded_resource,
    test_prompt_with_image,
    test_input_required_result_prompt,
)


def install(server: StrictServer) -> None:
    """Add the suite's fixtures to *server*."""
    for function in TOOLS:
        server.add_tool(function, description=f"For {function.__name__}.", structured_output=False)
    for uri, mime_type, function in (
        ("test://static-text", "text/plain", static_text),
        ("test://static-binary", "image/png", static_binary),
        ("test://watched-resource", "text/plain", watched),
        ("test://template/{id}/data", "application/json", template),
    ):
        server.resource(uri, name=uri, description=f"For {uri}.", mime_type=mime_type)(function)
    for function in PROMPTS:
        server.prompt(description=f"For {function.__name__}.")(cast(Callable[..., Any], function))
    server.add_tool(test_simple_text, name="json_schema_2020_12_tool", description="For its schema.")
    tool = server._tool_manager.get_tool("json_schema_2020_12_tool")  # pyright: ignore[reportPrivateUsage]
    assert tool is not None
    tool.parameters = SCHEMA_2020_12
    add_legacy_methods(server)


def add_legacy_methods(server: StrictServer) -> None:
    """Answer methods of 2025-11-25 for which the SDK offers no public way to add a handler."""

    async def answer(_: object, __: object) -> EmptyResult:
        return EmptyResult()

    low_level = server._lowlevel_server  # pyright: ignore[reportPrivateUsage]
    low_level.add_request_handler("logging/setLevel", SetLevelRequestParams, answer)
    low_level.add_request_handler("resources/subscribe", SubscribeRequestParams, answer)
    low_level.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, answer)


async def serve(database_url: str) -> None:
    """Serve on a free local port, and print the address once it answers."""
    async with create_pool(database_url) as pool:
        async with pool.connection() as conn:
            user_id = await ensure_user(conn, "conformance")
        server = build_server(App(pool, user_id))
        install(server)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            print(f"http://127.0.0.1:{listener.getsockname()[1]}/mcp", flush=True)
            config = uvicorn.Config(server.streamable_http_app(), log_level="error")
            await uvicorn.Server(config).serve(sockets=[listener])


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="gearshed-conformance-") as folder,
        Embedded(Path(folder)) as database,
    ):
        migrations.upgrade(database.url)
        anyio.run(serve, database.url)


if __name__ == "__main__":
    main()
