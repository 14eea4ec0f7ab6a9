"""Charts the way an agent sees them: a picture, and what it shows."""

import base64
from typing import Any

from mcp import Client
from mcp.types import ImageContent, TextContent

from mcp_server.web import picture
from tests.calls import call, refused, validator
from tests.pictures import opened


async def show(client: Client, **arguments: Any) -> tuple[dict[str, Any], str]:
    """The structure and the text of show_chart, whose picture has to be a PNG."""
    result = await client.call_tool("show_chart", arguments)
    text, content = result.content
    assert isinstance(text, TextContent)
    assert isinstance(content, ImageContent)
    assert content.mime_type == "image/png"
    shown = opened(base64.b64decode(content.data))
    assert (shown.format, shown.width) == ("PNG", picture.WIDTH)
    assert result.structured_content is not None
    validator("show_chart").validate(result.structured_content)  # pyright: ignore[reportUnknownMemberType]
    return result.structured_content, text.text


async def pack(client: Client) -> None:
    """A setup with a tent of 1 kg for 400, a sleeping bag of 600 g, and pegs of unknown weight."""
    tent = await call(
        client,
        "create_item",
        name="Tent",
        weight="1 kg",
        price_cents=40000,
        category=(await call(client, "create_category", name="Shelter"))["id"],
    )
    await call(client, "create_category", name="寝袋")
    bag = await call(client, "create_item", name="Quilt", weight="600 g", category="寝袋")
    pegs = await call(client, "create_item", name="Pegs", category="Shelter")
    lines = [{"item_id": each["id"]} for each in (tent, bag, pegs)]
    await call(client, "create_setup", name="Weekend", lines=lines)


async def test_a_setup_is_shown_by_category(client: Client) -> None:
    await pack(client)
    structure, text = await show(client, setup="weekend")
    assert structure == {
        "title": "Weekend",
        "total": "1,600 g",
        "note": "at least 1,600 g: 1 line of unknown weight",
        "parts": [
            {"name": "Shelter", "weight_grams": 1000, "percent": 62.5},
            {"name": "寝袋", "number": 2, "weight_grams": 600, "percent": 37.5},
        ],
    }
    assert text.endswith("\nnumber\tname\tweight_grams\tpercent\n\tShelter\t1000\t62.5\n2\t寝袋\t600\t37.5")


async def test_prices_and_units_are_those_of_the_user(client: Client) -> None:
    await pack(client)
    await call(client, "update_settings", changes={"currency": "EUR", "weight_unit": "oz"})
    structure, _ = await show(client, setup="Weekend", by="price")
    assert structure["total"] == "400.00 EUR"
    assert structure["note"] == "at least 400.00 EUR: 2 lines of unknown price"
    assert structure["parts"] == [
        {"name": "Shelter", "price_cents": 40000, "percent": 100},
        {"name": "寝袋"},
    ]
    structure, _ = await show(client, setup="Weekend")
    assert structure["parts"][0]["weight"] == "35.3 oz"


async def test_without_setup_and_thread_it_is_the_collection(client: Client) -> None:
    await pack(client)
    structure, _ = await show(client)
    assert (structure["title"], structure["total"]) == ("Collection", "1,600 g")
    assert structure["note"] == "at least 1,600 g: 1 item of unknown weight"


async def test_a_thread_is_shown_by_candidate_with_the_replaced_item_first(client: Client) -> None:
    await pack(client)
    thread = await call(client, "create_thread", name="Shelter", replaces_item_id="Tent")
    await call(client, "add_candidate", thread_id=thread["id"], name="Tarp", weight="400 g")
    await call(client, "add_candidate", thread_id=thread["id"], name="Dome", price_cents=20000)
    structure, _ = await show(client, thread="Shelter")
    assert structure["parts"] == [
        {"name": "Tent (owned)", "weight_grams": 1000},
        {"name": "Tarp", "weight_grams": 400},
        {"name": "Dome"},
    ]
    assert structure["note"] == "per piece"


async def test_a_setup_without_any_price_does_not_cost_nothing(client: Client) -> None:
    made = await call(client, "create_item", name="Tent", weight="1 kg")
    await call(client, "create_setup", name="Trip", lines=[{"item_id": made["id"]}])
    structure, _ = await show(client, setup="Trip", by="price")
    assert (structure["total"], structure["note"]) == ("unknown", "1 line of unknown price")


async def test_candidates_beyond_the_picture_are_counted(client: Client) -> None:
    thread = await call(client, "create_thread", name="Shelter")
    candidates = [{"name": f"Tarp {number}", "weight": number} for number in range(25)]
    await call(client, "add_candidate", thread_id=thread["id"], candidates=candidates)
    structure, _ = await show(client, thread="Shelter")
    assert len(structure["parts"]) == picture.MOST_ROWS - 1
    assert structure["parts_left_out"] == 25 - len(structure["parts"])
    assert structure["note"] == f"per piece; not shown: {structure['parts_left_out']} more candidates"


async def test_an_empty_collection_is_a_chart_of_nothing(client: Client) -> None:
    structure, _ = await show(client)
    assert structure == {"title": "Collection", "total": "0 g", "parts": []}


async def test_setup_and_thread_together_are_refused(client: Client) -> None:
    text = await refused(client, "show_chart", setup=1, thread=1)
    assert text.startswith("[invalid_input] Give setup or thread, not both.")
    assert await refused(client, "show_chart", setup="X") == await refused(client, "get_setup", setup_id="X")
