"""Completions for the id in a resource template and for the arguments of prompts."""

from typing import Annotated, Any, TypeAlias

from mcp.server.mcpserver import Context
from mcp.types import CompleteRequestParams, Completion, ResourceTemplateReference
from pydantic import Field

from mcp_server.attachments.resources import KINDS, READS
from mcp_server.errors import NotFound, quoted
from mcp_server.protocol.edge import App, read
from mcp_server.protocol.schema import to_tool
from mcp_server.protocol.strict import answer, refusal
from mcp_server.services import completion
from mcp_server.services.completion import Noun

# The protocol's limit.
MOST = 100
# No name is longer.
Value: TypeAlias = Annotated[str, Field(max_length=200)]
# The prompt arguments that name a row.
NOUNS: dict[str, Noun] = {"setup": "setup", "item": "item", "thread": "thread"}


async def complete_id(ctx: Context[App], noun: Noun, value: Value) -> list[str]:
    """Complete an id. Return one value more than fits if there are more."""
    return await read(ctx).do(completion.ids, noun, value, MOST + 1)


async def complete_name(ctx: Context[App], noun: Noun, value: Value) -> list[str]:
    """Complete a name. Return one value more than fits if there are more."""
    return await read(ctx).do(completion.names, noun, value, MOST + 1)


IDS, NAMES = to_tool(complete_id, "", READS), to_tool(complete_name, "", READS)


async def complete(params: CompleteRequestParams, context: Context[App, Any]) -> Completion:
    """Return the completions of an argument. There are none for free text."""
    if isinstance(params.ref, ResourceTemplateReference):
        tool, noun = IDS, await noun_of_template(context, params.ref.uri, params.argument.name)
    else:
        tool, noun = NAMES, await noun_of_prompt(context, params.ref.name, params.argument.name)
    if noun is None:
        return Completion(values=[])
    found: list[str] = await answer(tool, {"noun": noun, "value": params.argument.value}, context)
    if len(found) > MOST:
        # Counting all of them would take longer with each row.
        return Completion(values=found[:MOST], has_more=True)
    return Completion(values=found, total=len(found), has_more=False)


async def noun_of_template(context: Context[App, Any], template: str, argument: str) -> Noun | None:
    known = [each.uri_template for each in await context.mcp_server.list_resource_templates()]
    if template not in known:
        raise refusal(NotFound(f"No template {quoted(template)}. Available: {', '.join(known)}."))
    nouns: dict[str, Noun] = {kind.template.uri_template: kind.noun for kind in KINDS}
    return nouns.get(template) if argument == "id" else None


async def noun_of_prompt(context: Context[App, Any], name: str, argument: str) -> Noun | None:
    prompts = {each.name: each.arguments or [] for each in await context.mcp_server.list_prompts()}
    if name not in prompts:
        raise refusal(NotFound(f"No prompt {quoted(name)}. Available: {', '.join(prompts)}."))
    return NOUNS.get(argument) if argument in [each.name for each in prompts[name]] else None
