"""One user cannot see, change or even guess at another's collection, with a tool or otherwise."""

import json
import re
from typing import Any, cast

import psycopg
import pytest
from mcp import Client, MCPError
from mcp.types import PromptReference, ResourceTemplateReference

from db.pool import Pool, transaction
from mcp_server.attachments.resources import KINDS
from mcp_server.server import TOOLS
from tests.calls import call, refused, text_of
from tests.pictures import in_base64, photo

MARK = "ZmarkZ"
PICTURE = in_base64(photo())

# A call of every tool: where it takes ids, with those of eve's rows, which to ada must be as absent as any.
WITHOUT_IDS: dict[str, dict[str, Any]] = {
    "list_items": {},
    "list_categories": {},
    "list_setups": {},
    "list_threads": {},
    "list_changes": {},
    "get_totals": {},
    "show_chart": {},
    "export_csv": {},
    "get_settings": {},
    "list_shares": {},
    "plan_purchases": {"budget_cents": 100_000},
    "update_settings": {"changes": {"weight_unit": "oz"}},
    "create_items": {"items": [{"name": "Mine"}]},
    "create_thread": {"name": "Mine"},
    "create_item": {"name": "Mine"},
    "create_category": {"name": "Mine"},
    "create_setup": {"name": "Mine"},
    "import_csv": {"csv_text": "item name,weight,unit\nMine,1,gram\n", "setup_name": "Mine too"},
}
WITH_IDS: list[tuple[str, dict[str, Any], str]] = [
    ("list_items", {"category": "{category}"}, "category"),
    ("list_items", {"setup": "{setup}"}, "setup"),
    ("get_item", {"item_id": "{item}"}, "item"),
    ("create_item", {"name": "Mine", "category": "{category}"}, "category"),
    ("update_item", {"item_id": "{item}", "changes": {"name": "Stolen"}}, "item"),
    ("update_item", {"item_id": "{own_item}", "changes": {"category": "{category}"}}, "category"),
    ("create_items", {"items": [{"name": "Mine", "category": "{category}"}]}, "category"),
    ("update_items", {"item_ids": ["{own_item}", "{item}"], "changes": {"name": "Stolen"}}, "item"),
    ("update_items", {"item_ids": ["{own_item}"], "changes": {"category": "{category}"}}, "category"),
    ("update_items", {"updates": [{"item": "{item}", "changes": {"name": "Stolen"}}]}, "item"),
    (
        "update_items",
        {"updates": [{"item": "{own_item}", "changes": {"category": "{category}"}}]},
        "category",
    ),
    ("merge_items", {"keep": "{own_item}", "items": ["{item}"], "pieces": "sum"}, "item"),
    ("merge_items", {"keep": "{item}", "items": ["{own_item}"], "pieces": "sum"}, "item"),
    ("delete_item", {"item_id": "{item}"}, "item"),
    ("update_category", {"category_id": "{category}", "changes": {"name": "Stolen"}}, "category"),
    ("delete_category", {"category_id": "{category}"}, "category"),
    ("delete_category", {"category_id": "{own_category}", "move_to": "{category}"}, "category"),
    ("get_setup", {"setup_id": "{setup}"}, "setup"),
    ("create_setup", {"name": "Mine", "lines": [{"item_id": "{item}"}]}, "item"),
    ("set_setup_items", {"setup_id": "{setup}", "remove": [1]}, "setup"),
    ("set_setup_items", {"setup_id": "{own_setup}", "lines": [{"item_id": "{item}"}]}, "item"),
    ("set_setup_items", {"setup_id": "{own_setup}", "change": [{"item_id": "{item}"}]}, "item"),
    ("set_setup_items", {"setup_id": "{own_setup}", "remove": ["{item}"]}, "item"),
    ("update_setup", {"setup_id": "{setup}", "changes": {"name": "Stolen"}}, "setup"),
    ("delete_setup", {"setup_id": "{setup}"}, "setup"),
    ("copy_setup", {"setup_id": "{setup}", "name": "Stolen"}, "setup"),
    ("share_setup", {"setup": "{setup}"}, "setup"),
    ("end_share", {"share_id": "{share}"}, "share"),
    ("compare_setups", {"setup_id": "{setup}", "other_setup_id": "{own_setup}"}, "setup"),
    ("compare_setups", {"setup_id": "{own_setup}", "other_setup_id": "{setup}"}, "setup"),
    ("what_if", {"setup": "{setup}", "remove": [1]}, "setup"),
    ("what_if", {"setup": "{own_setup}", "change": [{"item_id": "{item}"}]}, "item"),
    ("what_if", {"setup": "{own_setup}", "remove": ["{item}"]}, "item"),
    ("what_if", {"setup": "{own_setup}", "add": [{"item_id": "{item}"}]}, "item"),
    ("what_if", {"setup": "{own_setup}", "add": [{"candidate_id": "{candidate}"}]}, "candidate"),
    (
        "what_if",
        {"setup": "{own_setup}", "swap": [{"old_item_id": "{own_item}", "item_id": "{item}"}]},
        "item",
    ),
    ("decide_thread", {"thread_id": "{thread}"}, "thread"),
    ("plan_purchases", {"budget_cents": 1, "threads": ["{thread}"]}, "thread"),
    ("plan_purchases", {"budget_cents": 1, "setup": "{setup}"}, "setup"),
    ("get_thread", {"thread_id": "{thread}"}, "thread"),
    ("show_chart", {"thread": "{thread}"}, "thread"),
    ("show_chart", {"setup": "{setup}"}, "setup"),
    ("show_chart", {"setup": "{setup}", "by": "price"}, "setup"),
    ("get_change", {"change_id": "{change}"}, "change"),
    ("undo_change", {"change_id": "{change}"}, "change"),
    ("undo_change", {"change_id": "{change}", "dry_run": True}, "change"),
    ("undo_changes", {"change_ids": ["{change}"]}, "change"),
    ("create_upload_link", {"item_id": "{item}"}, "item"),
    ("create_upload_link", {"candidate_id": "{candidate}"}, "candidate"),
    ("create_thread", {"name": "Mine", "category": "{category}"}, "category"),
    ("create_thread", {"name": "Mine", "replaces_item_id": "{item}"}, "item"),
    (
        "create_thread",
        {"name": "Mine", "candidates": [{"name": "Mine", "category": "{category}"}]},
        "category",
    ),
    ("update_thread", {"thread_id": "{thread}", "changes": {"name": "Stolen"}}, "thread"),
    ("update_thread", {"thread_id": "{own_thread}", "changes": {"category": "{category}"}}, "category"),
    ("update_thread", {"thread_id": "{own_thread}", "changes": {"replaces_item_id": "{item}"}}, "item"),
    ("delete_thread", {"thread_id": "{thread}"}, "thread"),
    ("resolve_thread", {"thread_id": "{thread}", "candidate_id": "{candidate}"}, "thread"),
    ("resolve_thread", {"thread_id": "{thread}", "candidate_id": "{own_candidate}"}, "thread"),
    ("resolve_thread", {"thread_id": "{own_thread}", "candidate_id": "{candidate}"}, "candidate"),
    (
        "resolve_thread",
        {"thread_id": "{own_thread}", "candidate_id": "{own_candidate}", "swap_in_setups": ["{setup}"]},
        "setup",
    ),
    ("add_candidate", {"thread_id": "{thread}", "name": "Mine"}, "thread"),
    ("add_candidate", {"thread_id": "{own_thread}", "name": "Mine", "category": "{category}"}, "category"),
    (
        "add_candidate",
        {"thread_id": "{own_thread}", "candidates": [{"name": "Mine", "category": "{category}"}]},
        "category",
    ),
    ("update_candidate", {"candidate_id": "{candidate}", "changes": {"name": "Stolen"}}, "candidate"),
    (
        "update_candidate",
        {"candidate_id": "{own_candidate}", "changes": {"category": "{category}"}},
        "category",
    ),
    ("remove_candidate", {"candidate_id": "{candidate}"}, "candidate"),
    ("rank_candidates", {"thread_id": "{thread}", "candidate_ids": []}, "thread"),
    ("rank_candidates", {"thread_id": "{own_thread}", "candidate_ids": ["{candidate}"]}, "candidate"),
    ("preview_candidate", {"candidate_id": "{candidate}"}, "candidate"),
    ("preview_candidate", {"candidate_id": "{own_candidate}", "setup": "{setup}"}, "setup"),
    ("get_image", {"image_id": "{image}"}, "image"),
    ("export_csv", {"setup": "{setup}"}, "setup"),
    ("upload_image_from_url", {"url": "http://127.0.0.1/", "item_id": "{item}"}, "item"),
    ("upload_image_from_url", {"url": "http://127.0.0.1/", "candidate_id": "{candidate}"}, "candidate"),
    ("upload_image", {"data": PICTURE, "item_id": "{item}"}, "item"),
    ("upload_image", {"data": PICTURE, "candidate_id": "{candidate}"}, "candidate"),
    ("remove_image", {"item_id": "{item}"}, "item"),
    ("remove_image", {"candidate_id": "{candidate}"}, "candidate"),
]
# Ids that no row of ada's has, besides those of eve's rows: "deleted" is an item, category and setup she had.
ABSENT = ["deleted", 0, -1, 999_999, 2**63, 10**25]


@pytest.fixture
async def eve(other_client: Client) -> dict[str, int]:
    """Eve's rows, with a mark in every text."""
    return await collection(other_client, f"{MARK} ", "")


@pytest.fixture
async def ada(client: Client) -> dict[str, int]:
    await collection(client, "Old ", "")
    return await collection(client, "", "own_")


async def collection(client: Client, text: str, prefix: str) -> dict[str, int]:
    category = await call(client, "create_category", name=f"{text}Shelter")
    item = await call(
        client,
        "create_item",
        name=f"{text}Tent",
        category=str(category["id"]),
        weight=5,
        notes=f"{text}notes",
    )
    setup = await call(client, "create_setup", name=f"{text}Trip", lines=[{"item_id": item["id"]}])
    thread = await call(client, "create_thread", name=f"{text}Research", replaces_item_id=item["id"])
    candidate = await call(
        client, "add_candidate", thread_id=thread["id"], name=f"{text}Tarp", pros=f"{text}pros"
    )
    image = await call(client, "upload_image", data=PICTURE, item_id=item["id"])
    rows = {"category": category, "item": item, "setup": setup, "thread": thread, "candidate": candidate}
    rows["image"] = image
    rows["share"] = await call(client, "share_setup", setup=setup["id"], prices=True)
    ids = {f"{prefix}{noun}": row["id"] for noun, row in rows.items()}
    return {**ids, f"{prefix}change": item["change_id"]}


def filled(arguments: Any, ids: dict[str, Any]) -> Any:
    """Put ids in the place of their names."""
    if isinstance(arguments, dict):
        return {name: filled(value, ids) for name, value in cast(dict[str, Any], arguments).items()}
    if isinstance(arguments, list):
        return [filled(value, ids) for value in cast(list[Any], arguments)]
    if isinstance(arguments, str) and arguments.startswith("{"):
        return ids[arguments.strip("{}")]
    return arguments


def test_every_tool_has_a_case() -> None:
    assert {tool for tool, _, _ in WITH_IDS} | WITHOUT_IDS.keys() == {
        entry.function.__name__ for entry in TOOLS
    }


@pytest.mark.parametrize("tool", WITHOUT_IDS)
async def test_a_result_holds_nothing_of_another_user(
    client: Client, ada: dict[str, int], eve: dict[str, int], tool: str
) -> None:
    result = await client.call_tool(tool, WITHOUT_IDS[tool])
    assert not result.is_error, text_of(result)
    assert MARK not in result.model_dump_json()


@pytest.mark.parametrize(("tool", "arguments", "noun"), WITH_IDS)
async def test_another_users_id_is_answered_like_one_that_never_was(
    client: Client,
    other_client: Client,
    ada: dict[str, int],
    eve: dict[str, int],
    tool: str,
    arguments: dict[str, Any],
    noun: str,
) -> None:
    before = await everything(other_client)
    answers: set[str] = set()
    gone = await deleted(client, noun)
    for absent in [eve[noun], gone, *ABSENT[1:]]:
        text = await refused(client, tool, **filled(arguments, {**ada, **eve, noun: absent}))
        number = max(-(2**63), min(int(absent), 2**63 - 1))
        answers.add(re.sub(rf" {number}(?!\d)", " ID", text))
        assert MARK not in text
    (answer,) = answers
    assert answer.startswith("[not_found] No ")
    assert await everything(other_client) == before


async def deleted(client: Client, noun: str) -> int:
    """The id of a row that ada had."""
    if noun == "candidate":
        thread = await call(client, "create_thread", name="Short-lived")
        made = await call(client, "add_candidate", thread_id=thread["id"], name="Short-lived")
        await call(client, "delete_thread", thread_id=thread["id"])
        return made["id"]
    if noun == "image":
        item = await call(client, "create_item", name="Short-lived")
        made = await call(client, "upload_image", data=in_base64(photo(colour="blue")), item_id=item["id"])
        await call(client, "delete_item", item_id=item["id"])
        return made["id"]
    if noun == "change":
        return 999_998
    if noun == "share":
        setup = await call(client, "create_setup", name="Short-lived")
        made = await call(client, "share_setup", setup=setup["id"])
        await call(client, "delete_setup", setup_id=setup["id"])
        return made["id"]
    made = await call(client, f"create_{noun}", name="Short-lived")
    await call(client, f"delete_{noun}", **{f"{noun}_id": made["id"]})
    return made["id"]


async def everything(client: Client) -> str:
    tools = (
        "list_items",
        "list_categories",
        "list_setups",
        "list_shares",
        "list_threads",
        "list_changes",
        "get_totals",
        "get_settings",
    )
    return json.dumps([await call(client, tool) for tool in tools])


@pytest.mark.parametrize("noun", [kind.noun for kind in KINDS])
async def test_another_users_address_is_answered_like_one_that_never_was(
    client: Client, ada: dict[str, int], eve: dict[str, int], noun: str
) -> None:
    answers: set[str] = set()
    gone = await deleted(client, noun)
    for absent in [eve[noun], gone, *ABSENT[1:]]:
        with pytest.raises(MCPError) as caught:
            await client.read_resource(f"gear://{noun}s/{absent}")
        number = max(-(2**63), min(int(absent), 2**63 - 1))
        answers.add(re.sub(rf" {number}(?!\d)", " ID", caught.value.error.message))
    (answer,) = answers
    assert answer.startswith(f"[not_found] No {noun} ID. Call ")


async def test_what_can_be_attached_holds_nothing_of_another_user(
    client: Client, ada: dict[str, int], eve: dict[str, int]
) -> None:
    listed = await client.list_resources()
    assert len(listed.resources) == 1 + 4  # "Old" ones too
    assert MARK not in listed.model_dump_json()
    for resource in listed.resources:
        assert MARK not in (await client.read_resource(resource.uri)).model_dump_json()


@pytest.mark.parametrize("noun", [kind.noun for kind in KINDS])
async def test_no_id_or_name_of_another_user_completes_anything(
    client: Client, ada: dict[str, int], eve: dict[str, int], noun: str
) -> None:
    template = ResourceTemplateReference(uri=f"gear://{noun}s/{{id}}")
    for value in ("", MARK, str(eve[noun])):
        ids = (await client.complete(template, {"name": "id", "value": value})).completion.values
        assert str(eve[noun]) not in ids
        assert (str(ada[f"own_{noun}"]) in ids) == (value == "")


@pytest.mark.parametrize(("prompt", "argument"), [("plan_trip", "setup"), ("research_purchase", "item")])
async def test_a_prompts_arguments_complete_to_ones_own_names(
    client: Client, ada: dict[str, int], eve: dict[str, int], prompt: str, argument: str
) -> None:
    for value, count in (("", 2), (MARK, 0)):
        answer = await client.complete(PromptReference(name=prompt), {"name": argument, "value": value})
        assert len(answer.completion.values) == count
        assert MARK not in answer.model_dump_json()


async def test_the_database_itself_keeps_users_apart(pool: Pool, user_id: int, eve: dict[str, int]) -> None:
    async with transaction(pool, user_id) as conn:
        for query in (
            "SELECT count(*) FROM items",
            "SELECT count(*) FROM setup_items",
            "SELECT count(*) FROM categories",
        ):
            cursor = await conn.execute(query)
            assert await cursor.fetchone() == (0,)
        stolen = await conn.execute("UPDATE items SET name = 'Stolen'")
        assert stolen.rowcount == 0


async def test_a_row_cannot_be_given_to_another_user(
    pool: Pool, user_id: int, other_user_id: int, eve: dict[str, int]
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with transaction(pool, user_id) as conn:
            await conn.execute(
                "INSERT INTO items (user_id, name) VALUES (%(user_id)s, 'Planted')",
                {"user_id": other_user_id},
            )
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        async with transaction(pool, user_id) as conn:
            await conn.execute(
                "INSERT INTO items (name, category_id) VALUES ('Mine', %(category_id)s)",
                {"category_id": eve["category"]},
            )


async def test_without_a_user_nothing_is_seen(pool: Pool, eve: dict[str, int]) -> None:
    async with pool.connection() as conn:
        await conn.execute("SET ROLE gearshed_app")
        with pytest.raises(psycopg.Error):
            await conn.execute("SELECT count(*) FROM items")
        await conn.rollback()


async def test_the_servers_role_cannot_read_credentials_or_files(pool: Pool, user_id: int) -> None:
    for query in (
        "SELECT username FROM users",
        "SELECT key_hash FROM api_keys",
        "SELECT access_token_hash FROM oauth_tokens",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "CREATE TABLE mine (id int)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with transaction(pool, user_id) as conn:
                await conn.execute(query)
