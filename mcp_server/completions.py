"""Completions: what the id in an address, or an argument of a prompt, can become."""

import inspect
from typing import Any

from mcp.server.mcpserver import Context
from mcp.types import CompleteRequestParams, Completion, PromptReference, ResourceTemplateReference

from mcp_server.edge import App, read
from mcp_server.errors import NotFound
from mcp_server.prompts import PROMPTS
from mcp_server.resources import KINDS, READS
from mcp_server.services import completion
from mcp_server.services.completion import Noun
from mcp_server.strict import answer, printable, refusal, to_tool

# The protocol allows no more at once.
MOST = 100
# The arguments of prompts that name something there is.
NOUNS: dict[str, Noun] = {"setup": "setup", "item": "item"}


async def complete_id(ctx: Context[App], noun: Noun, value: str) -> list[str]:
    """Complete an id; one value more than fits means that there are more."""
    async with read(ctx) as conn:
        return await completion.ids(conn, noun, value, MOST + 1)


async def complete_name(ctx: Context[App], noun: Noun, value: str) -> list[str]:
    """Complete a name; one value more than fits means that there are more."""
    async with read(ctx) as conn:
        return await completion.names(conn, noun, value, MOST + 1)


IDS, NAMES = to_tool(complete_id, "", READS), to_tool(complete_name, "", READS)


async def complete(params: CompleteRequestParams, context: Context[App, Any]) -> Completion:
    """Return what an argument can become: nothing for one that is free text."""
    if isinstance(params.ref, ResourceTemplateReference):
        tool, noun = IDS, noun_of_template(params.ref, params.argument.name)
    else:
        tool, noun = NAMES, noun_of_prompt(params.ref, params.argument.name)
    if noun is None:
        return Completion(values=[])
    found: list[str] = await answer(tool, {"noun": noun, "value": params.argument.value}, context)
    if len(found) > MOST:
        # Counting all of them would take longer with every row.
        return Completion(values=found[:MOST], has_more=True)
    return Completion(values=found, total=len(found), has_more=False)


def noun_of_template(ref: ResourceTemplateReference, argument: str) -> Noun | None:
    nouns: dict[str, Noun] = {kind.template.uri_template: kind.noun for kind in KINDS}
    if ref.uri not in nouns:
        raise refusal(NotFound(f"No template {printable(ref.uri)!r}. There are: {', '.join(nouns)}."))
    return nouns[ref.uri] if argument == "id" else None


def noun_of_prompt(ref: PromptReference, argument: str) -> Noun | None:
    arguments = {entry.name: inspect.signature(entry.function).parameters for entry in PROMPTS}
    if ref.name not in arguments:
        raise refusal(NotFound(f"No prompt {printable(ref.name)!r}. There are: {', '.join(arguments)}."))
    return NOUNS.get(argument) if argument in arguments[ref.name] else None
