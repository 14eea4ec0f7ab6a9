"""Rows are named by their id, their name, or words that only they have, wherever a tool takes a row."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcp import Client

from db.pool import Pool, transaction
from mcp_server.errors import Conflict, NotFound
from mcp_server.server import INSTRUCTIONS, TOOLS
from mcp_server.services import bulk, reference
from tests.calls import call, refused
from tests.factories import make_item
from tests.services.test_bulk import counted

# A call of each tool that takes a row, by its name.
BY_NAME: list[tuple[str, dict[str, Any]]] = [
    ("get_item", {"item_id": "x-mid"}),
    ("update_item", {"item_id": "XMID", "changes": {"weight": 1}}),
    ("update_items", {"item_ids": ["xmid", "Gas stöve"], "changes": {"category": "kitch"}}),
    ("delete_item", {"item_id": "mid"}),
    ("list_items", {"setup": "weekend", "category": "kitchen"}),
    ("list_setups", {"item_id": "stove"}),
    ("list_changes", {"item_id": "stove", "setup_id": "week", "thread_id": "lighter"}),
    ("update_category", {"category_id": "KITCHEN", "changes": {"icon": "flame"}}),
    ("delete_category", {"category_id": "kitchen", "move_to": "shelter"}),
    ("get_setup", {"setup_id": "Weekend"}),
    ("create_setup", {"name": "New", "lines": [{"item_id": "stove"}]}),
    ("update_setup", {"setup_id": "weekend", "changes": {"name": "Alps"}}),
    ("delete_setup", {"setup_id": "weekend"}),
    ("copy_setup", {"setup_id": "weekend", "name": "Alps"}),
    ("compare_setups", {"setup_id": "weekend", "other_setup_id": "winter"}),
    ("set_setup_items", {"setup_id": "Weekend", "remove": ["stove"]}),
    ("set_setup_items", {"setup_id": "Winter", "change": [{"item_id": "stove", "quantity": 2}]}),
    ("set_setup_items", {"setup_id": "Winter", "lines": [{"item_id": "Gas stove"}]}),
    ("get_thread", {"thread_id": "lighter tent", "candidate_id": "lanshan"}),
    ("create_thread", {"name": "New", "replaces_item_id": "stove", "category": "Kitchen"}),
    ("update_thread", {"thread_id": "lighter", "changes": {"replaces_item_id": "stove"}}),
    ("delete_thread", {"thread_id": "lighter"}),
    ("resolve_thread", {"thread_id": "lighter", "candidate_id": "lanshan", "swap_in_setups": ["weekend"]}),
    ("add_candidate", {"thread_id": "lighter", "name": "Tarp", "category": "shelter"}),
    ("update_candidate", {"candidate_id": "lanshan", "changes": {"price_cents": 1}}),
    ("remove_candidate", {"candidate_id": "lanshan"}),
    ("rank_candidates", {"thread_id": "lighter", "candidate_ids": ["lanshan"]}),
    ("preview_candidate", {"candidate_id": "lanshan", "setup": "weekend"}),
    ("export_csv", {"setup": "weekend"}),
    ("show_chart", {"setup": "weekend"}),
    ("show_chart", {"thread": "lighter"}),
]
ROWS = (
    "item_id",
    "setup_id",
    "other_setup_id",
    "thread_id",
    "candidate_id",
    "category_id",
    "replaces_item_id",
)


@pytest.fixture
async def gear(client: Client) -> dict[str, int]:
    ids: dict[str, int] = {}
    for name in ("Shelter", "Kitchen"):
        ids[name] = (await call(client, "create_category", name=name))["id"]
    for name, category in (
        ("Durston X-Mid 2", "Shelter"),
        ("Gas stove", "Kitchen"),
        ("Spirit stove", "Kitchen"),
    ):
        ids[name] = (await call(client, "create_item", name=name, category=category, weight=500))["id"]
    lines = [{"item_id": ids[name]} for name in ("Durston X-Mid 2", "Gas stove")]
    ids["Weekend"] = (await call(client, "create_setup", name="Weekend", lines=lines))["id"]
    ids["Winter"] = (await call(client, "create_setup", name="Winter"))["id"]
    thread = await call(
        client, "create_thread", name="A lighter tent", replaces_item_id=ids["Durston X-Mid 2"]
    )
    ids["thread"] = thread["id"]
    made = await call(client, "add_candidate", thread_id=thread["id"], name="LanShan 2", weight=300)
    return {**ids, "candidate": made["id"]}


@pytest.mark.parametrize(("tool", "arguments"), BY_NAME)
async def test_a_tool_takes_a_name_for_every_row(
    client: Client, gear: dict[str, int], tool: str, arguments: dict[str, Any]
) -> None:
    await call(client, "delete_item", item_id=gear["Spirit stove"])
    assert await call(client, tool, **arguments)


def test_every_argument_that_names_a_row_takes_its_name() -> None:
    for entry in TOOLS:
        for name, schema in entry.tool().parameters["properties"].items():
            if name.removesuffix("_id") in {each.removesuffix("_id") for each in ROWS}:
                assert schema["type"] == "string", (entry.name, name)
                # The instructions say it of all arguments called …_id.
                assert "description" in schema or name.endswith("_id"), (entry.name, name)
    assert "Ids can be names." in INSTRUCTIONS


async def test_an_exact_name_comes_before_a_search_and_a_name_before_an_id(
    client: Client, gear: dict[str, int]
) -> None:
    stove = (await call(client, "create_item", name="Stove"))["id"]
    numbered = (await call(client, "create_item", name=str(stove)))["id"]
    assert (await call(client, "get_item", item_id=" STOVE "))["id"] == stove
    assert (await call(client, "get_item", item_id=str(stove)))["id"] == numbered
    assert (await call(client, "get_item", item_id=stove))["id"] == stove
    assert (await call(client, "get_item", item_id=float(stove)))["id"] == stove


async def test_a_name_without_its_marks_and_its_only_word_of_notes_or_category_are_enough(
    client: Client, gear: dict[str, int]
) -> None:
    made = await call(client, "create_item", name="Öronproppar", notes="for the hut")
    await call(client, "create_item", name="Öronproppar XL")
    for name in ("oronproppar", "ÖRONPROPPAR", "hut"):
        assert (await call(client, "get_item", item_id=name))["id"] == made["id"]
    assert (await call(client, "get_item", item_id="shelter"))["id"] == gear["Durston X-Mid 2"]


async def test_several_matches_are_listed_with_their_categories(client: Client, gear: dict[str, int]) -> None:
    text = await refused(client, "delete_item", item_id="stove")
    assert text == (
        f'[conflict] Several items match "stove": {gear["Gas stove"]} "Gas stove" in "Kitchen", '
        f'{gear["Spirit stove"]} "Spirit stove" in "Kitchen". Use an id.'
    )
    await call(client, "create_items", items=[{"name": f"Peg {n:02}"} for n in range(12)])
    text = await refused(client, "get_item", item_id="peg")
    assert text.count('"Peg ') == 10
    assert text.endswith('"Peg 09", and more. Use an id.')


async def test_a_line_to_remove_is_one_of_the_setups_own(client: Client, gear: dict[str, int]) -> None:
    await call(client, "set_setup_items", setup_id="Weekend", remove=["stove"])
    lines = (await call(client, "get_setup", setup_id="Weekend"))["lines"]
    assert [line["item_id"] for line in lines] == [gear["Durston X-Mid 2"]]
    text = await refused(client, "set_setup_items", setup_id="Weekend", remove=["stove"])
    assert text.startswith('[not_found] No item "stove" in this setup.')


async def test_a_candidate_is_looked_for_in_its_thread(client: Client, gear: dict[str, int]) -> None:
    other = await call(client, "create_thread", name="Another tent")
    await call(client, "add_candidate", thread_id=other["id"], name="LanShan 1")
    text = await refused(client, "update_candidate", candidate_id="lanshan", changes={"price_cents": 1})
    assert text.startswith('[conflict] Several candidates match "lanshan": ')
    resolved = await call(client, "resolve_thread", thread_id="lighter", candidate_id="lanshan")
    assert resolved["candidate_id"] == gear["candidate"]


@pytest.mark.parametrize(
    ("tool", "arguments", "text"),
    [
        ("get_item", {"item_id": "Gas stoev"}, '[not_found] No item "Gas stoev". Did you mean "Gas stove"'),
        (
            "get_setup",
            {"setup_id": "Wekend"},
            '[not_found] No setup "Wekend". Did you mean "Weekend"? Call list_s',
        ),
        (
            "get_thread",
            {"thread_id": "lihgter tent"},
            '[not_found] No thread "lihgter tent". Did you mean "A li',
        ),
        (
            "remove_candidate",
            {"candidate_id": "LanShun 2"},
            '[not_found] No candidate "LanShun 2". Did you mean',
        ),
        (
            "delete_category",
            {"category_id": "Shleter"},
            '[not_found] No category "Shleter". Did you mean "Shelt',
        ),
        ("update_items", {"item_ids": ["Gas stove", "Tarp"], "changes": {}}, '[not_found] No item "Tarp". '),
    ],
)
async def test_an_unknown_name_is_answered_with_the_nearest(
    client: Client, gear: dict[str, int], tool: str, arguments: dict[str, Any], text: str
) -> None:
    assert (await refused(client, tool, **arguments)).startswith(text)


async def test_names_of_another_user_are_unknown(other_client: Client, gear: dict[str, int]) -> None:
    for tool, arguments in BY_NAME:
        if tool not in ("create_setup", "create_thread"):
            text = await refused(other_client, tool, **arguments)
            assert text.startswith("[not_found] No ")
            assert "Did you mean" not in text


NAMES = st.text(st.sampled_from("aåAoöO x-2%"), min_size=1, max_size=6).filter(str.strip)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(NAMES, min_size=1, max_size=6), wanted=NAMES)
async def test_a_reference_means_one_row_or_is_refused(
    pool: Pool, user_id: int, names: list[str], wanted: str
) -> None:
    async with transaction(pool, user_id) as conn:
        ids = {await make_item(conn, name.strip()): name.strip() for name in names}
        exact = [item_id for item_id, name in ids.items() if name.lower() == wanted.strip().lower()]
        try:
            found = await reference.resolve(conn, "item", wanted)
        except Conflict:
            assert len(exact) > 1 or (not exact and len(ids) > 1)
        except NotFound:
            assert not exact
        else:
            assert (not exact and found in ids) or [found] == exact or wanted.strip().isdigit()
        await conn.rollback()


async def test_many_references_are_looked_up_in_one_statement(pool: Pool, user_id: int) -> None:
    async with transaction(pool, user_id) as conn:
        ids = await bulk.insert(conn, [{"name": f"Peg {each}"} for each in range(100)])
    taken: list[int] = []
    for wanted in ([str(ids[0])], [*map(str, ids)], [f"peg {each}" for each in range(100)]):
        async with transaction(pool, user_id) as conn:
            with counted() as statements:
                assert await reference.resolve_all(conn, "item", wanted) == ids[: len(wanted)]
            taken.append(len(statements))
    assert taken == [1, 1, 1]
