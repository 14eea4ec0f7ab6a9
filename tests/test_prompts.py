"""The common jobs, each as a prompt that names tools there are."""

import re
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp.types import INVALID_PARAMS, TextContent

from mcp_server.attachments.prompts import PROMPTS
from mcp_server.server import TOOLS

TOOL_NAMES = {entry.name for entry in TOOLS}
ARGUMENTS = {
    "plan_trip": {"trip": "Sarek, a week in September", "setup": "Weekend"},
    "find_what_to_leave": {"setup": "Weekend"},
    "research_purchase": {"what": "A lighter tent", "item": "Old tent"},
    "decide_purchase": {"thread": "A lighter tent"},
    "lighten_setup": {"setup": "Weekend", "budget": "400 EUR"},
    "import_my_list": {"setup_name": "Weekend"},
}


async def text_of(client: Client, name: str, arguments: dict[str, Any]) -> str:
    result = await client.get_prompt(name, arguments)
    (message,) = result.messages
    assert message.role == "user"
    assert isinstance(message.content, TextContent)
    return message.content.text


async def refused(client: Client, name: str, arguments: dict[str, Any]) -> str:
    with pytest.raises(MCPError) as caught:
        await client.get_prompt(name, arguments)
    assert caught.value.error.code == INVALID_PARAMS
    return caught.value.error.message


async def test_every_prompt_and_every_argument_says_what_it_is(client: Client) -> None:
    prompts = (await client.list_prompts()).prompts
    assert [prompt.name for prompt in prompts] == [entry.name for entry in PROMPTS] == list(ARGUMENTS)
    for prompt in prompts:
        assert prompt.title
        assert prompt.description
        assert [argument.name for argument in prompt.arguments or ()] == list(ARGUMENTS[prompt.name])
        assert all(argument.description for argument in prompt.arguments or ())


@pytest.mark.parametrize("name", ARGUMENTS)
async def test_a_prompt_is_short_and_names_tools_there_are(client: Client, name: str) -> None:
    text = await text_of(client, name, ARGUMENTS[name])
    assert all(value in text for value in ARGUMENTS[name].values())
    assert len(text) < 700
    named = set(re.findall(r"[a-z]+(?:_[a-z]+)+", text)) - {"setup_name"}
    assert named <= TOOL_NAMES
    (entry,) = (entry for entry in PROMPTS if entry.name == name)
    assert {tool for tool in TOOL_NAMES if entry.needs(tool)} >= named


async def test_an_argument_may_be_left_out_or_empty(client: Client) -> None:
    text = await text_of(client, "plan_trip", {"trip": "Sarek"})
    assert await text_of(client, "plan_trip", {"trip": "Sarek", "setup": " "}) == text
    assert "None" not in text
    assert "None" not in await text_of(client, "research_purchase", {"what": "A tent"})
    assert "None" not in await text_of(client, "import_my_list", {})
    assert "None" not in await text_of(client, "lighten_setup", {"setup": "Weekend"})


async def test_an_unknown_prompt_names_the_nearest(client: Client) -> None:
    assert await refused(client, "plan_a_trip", {}) == (
        '[not_found] No prompt "plan_a_trip". Did you mean "plan_trip"?'
    )
    assert "Available: plan_trip, " in await refused(client, "zzz", {})


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "setup: is required."),
        ({"setup": ""}, "setup: must have at least 1 character."),
        ({"setup": "x" * 201}, "setup: must have at most 200 characters."),
        ({"setup": "Weekend", "setpu": "x"}, "setpu: no such argument."),
    ],
)
async def test_an_error_names_the_argument_and_the_problem(
    client: Client, arguments: dict[str, str], text: str
) -> None:
    assert await refused(client, "find_what_to_leave", arguments) == f"[invalid_input] {text}"
