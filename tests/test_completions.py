"""Ids in addresses and names in prompts complete to what the person has."""

from typing import Any

import pytest
from mcp import Client, MCPError
from mcp.types import INVALID_PARAMS, Completion, PromptReference, ResourceTemplateReference

from tests.calls import call
from tests.pictures import in_base64, photo

SETUP_OF_PROMPT = (PromptReference(name="plan_trip"), "setup")
ITEM_OF_PROMPT = (PromptReference(name="research_purchase"), "item")


def id_of(noun: str) -> tuple[ResourceTemplateReference, str]:
    return ResourceTemplateReference(uri=f"gear://{noun}s/{{id}}"), "id"


async def completion(client: Client, what: tuple[Any, str], value: str) -> Completion:
    ref, argument = what
    return (await client.complete(ref, {"name": argument, "value": value})).completion


async def values(client: Client, what: tuple[Any, str], value: str) -> list[str]:
    found = await completion(client, what, value)
    assert (found.total, found.has_more) == (len(found.values), False)
    return found.values


@pytest.fixture
async def items(client: Client) -> list[int]:
    """The ids of twelve items named Tent, Tarp 10%, Tarp and then nine times Peg."""
    names = ["Tent", "Tarp 10%", "Tarp", *["Peg"] * 9]
    made = await call(client, "create_items", items=[{"name": name} for name in names])
    return [each["id"] for each in made["items"]]


async def test_digits_complete_to_the_ids_that_begin_with_them(client: Client, items: list[int]) -> None:
    for digits in {str(items[0])[0], str(items[-1]), "1", "9"}:
        expected = [str(item_id) for item_id in items if str(item_id).startswith(digits)]
        assert await values(client, id_of("item"), digits) == expected


async def test_text_completes_to_the_ids_of_rows_with_that_name(client: Client, items: list[int]) -> None:
    tent, ten_percent, tarp, *_ = map(str, items)
    assert await values(client, id_of("item"), "tARP") == [tarp, ten_percent]
    assert await values(client, id_of("item"), "0%") == [ten_percent]
    assert await values(client, id_of("item"), "en") == [tent]
    assert await values(client, id_of("item"), "_") == []


async def test_setups_and_threads_complete_too(client: Client) -> None:
    setup = await call(client, "create_setup", name="Weekend")
    thread = await call(client, "create_thread", name="A lighter tent")
    assert await values(client, id_of("setup"), "week") == [str(setup["id"])]
    assert await values(client, id_of("setup"), "") == [str(setup["id"])]
    assert await values(client, id_of("thread"), "light") == [str(thread["id"])]


async def test_an_image_completes_by_the_name_of_what_it_shows(client: Client, items: list[int]) -> None:
    thread = await call(client, "create_thread", name="Lighter")
    candidate = await call(client, "add_candidate", thread_id=thread["id"], name="Dome")
    red, blue = (in_base64(photo(colour=colour)) for colour in ("red", "blue"))
    of_tent = await call(client, "upload_image", data=red, item_id=items[0])
    of_dome = await call(client, "upload_image", data=blue, candidate_id=candidate["id"])
    assert await values(client, id_of("image"), "tent") == [str(of_tent["id"])]
    assert await values(client, id_of("image"), "dome") == [str(of_dome["id"])]
    assert await values(client, id_of("image"), "tarp") == []
    assert await values(client, id_of("image"), str(of_dome["id"])) == [str(of_dome["id"])]


async def test_arguments_of_prompts_complete_to_names_each_once(client: Client, items: list[int]) -> None:
    await call(client, "create_setup", name="Weekend")
    assert await values(client, SETUP_OF_PROMPT, "END") == ["Weekend"]
    assert await values(client, ITEM_OF_PROMPT, "") == ["Peg", "Tarp", "Tarp 10%", "Tent"]
    assert await values(client, ITEM_OF_PROMPT, "10") == ["Tarp 10%"]


async def test_more_than_a_hundred_are_not_sent_and_it_says_so(client: Client) -> None:
    await call(client, "create_items", items=[{"name": f"Peg {n:03}"} for n in range(101)])
    for what in (id_of("item"), ITEM_OF_PROMPT):
        found = await completion(client, what, "peg")
        assert (len(found.values), found.has_more) == (100, True)
        assert len(await values(client, what, "peg 0")) == 100
    assert (await completion(client, ITEM_OF_PROMPT, "peg")).values[-1] == "Peg 099"


@pytest.mark.parametrize(
    "what",
    [
        (PromptReference(name="plan_trip"), "trip"),
        (PromptReference(name="import_my_list"), "setup_name"),
        (PromptReference(name="import_my_list"), "setup"),
        (ResourceTemplateReference(uri="gear://items/{id}"), "name"),
    ],
)
async def test_free_text_completes_to_nothing(
    client: Client, items: list[int], what: tuple[Any, str]
) -> None:
    assert (await completion(client, what, "")).values == []


@pytest.mark.parametrize(
    ("what", "value", "text"),
    [
        ((PromptReference(name="plan"), "trip"), "", '[not_found] No prompt "plan". Available: plan_trip, '),
        (id_of("tent"), "", '[not_found] No template "gear://tents/{id}". Available: gear://items/{id}, '),
        (id_of("item"), "a\x00", "[invalid_input] value: contains NUL"),
        (id_of("item"), "x" * 5_000_000, "[invalid_input] The arguments exceed 4 MB."),
    ],
)
async def test_what_cannot_be_completed_is_refused(
    client: Client, what: tuple[Any, str], value: str, text: str
) -> None:
    with pytest.raises(MCPError) as caught:
        await completion(client, what, value)
    assert caught.value.error.code == INVALID_PARAMS
    assert caught.value.error.message.startswith(text)
