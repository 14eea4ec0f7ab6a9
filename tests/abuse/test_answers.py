"""However large a collection is, an answer is at most 256 KB, and its cursors lead to every row once."""

import json
from collections.abc import AsyncGenerator
from typing import Any, NamedTuple

import pytest
from mcp import Client
from mcp.types import CallToolResult, TextContent
from psycopg.sql import SQL
from pydantic import BaseModel

from db.pool import Pool, transaction
from mcp_server.errors import InvalidInput
from mcp_server.models.answer import EXCERPT, LARGEST, WHOLE
from mcp_server.models.fields import Row
from mcp_server.protocol.edge import App
from mcp_server.protocol.reply import bounded, reply
from mcp_server.server import TOOLS, build_server
from mcp_server.services import page
from tests.calls import call, refused
from tests.pictures import in_base64, photo
from tests.tools.test_isolation import filled

# Each of these characters takes six bytes in JSON and in a table.
NAME = SQL("repeat(U&'\\0001', 194) || to_char(n, 'FM000000')")
TEXT = SQL("repeat(U&'\\0001', 65536)")
ROWS, CANDIDATES, NOTES = 300, 120, 60


class List(NamedTuple):
    """A list in an answer: the call, the field with the rows, and the field that identifies a row."""

    tool: str
    arguments: dict[str, Any]
    rows: str
    key: str
    total: int = ROWS


LISTS = (
    List("list_items", {"limit": 500}, "items", "id", 2 * ROWS),
    List("list_items", {"limit": 500, "setup": "{first}", "sort": "-weight"}, "items", "id", 2 * ROWS),
    List("list_categories", {}, "categories", "id"),
    List("list_setups", {}, "setups", "id", ROWS + 2),
    List("list_setups", {"item_id": "{item}"}, "setups", "id", ROWS + 1),
    List("list_threads", {}, "threads", "id", ROWS + 1),
    List("get_setup", {"setup_id": "{first}"}, "lines", "item_id", 2 * ROWS),
    List("get_setup", {"setup_id": "{first}", "sort": "-weight"}, "lines", "item_id", 2 * ROWS),
    List(
        "compare_setups", {"setup_id": "{first}", "other_setup_id": "{second}"}, "lines", "item_id", 2 * ROWS
    ),
    List("get_thread", {"thread_id": "{thread}"}, "candidates", "id", CANDIDATES),
    List("preview_candidate", {"candidate_id": "{candidate}"}, "setups", "setup_id", ROWS + 1),
    List("get_change", {"change_id": "{change}"}, "rows", "id", NOTES),
    List("list_changes", {"limit": 500}, "changes", "id"),
)
# Reads of one thing. With what their lists leave out, they say how many there are.
SINGLE: dict[str, dict[str, Any]] = {
    "get_item": {"item_id": "{item}"},
    "get_totals": {},
    "show_chart": {"setup": "{first}", "by": "price"},
    "get_settings": {},
    "list_shares": {},
    "what_if": {"setup": "{first}", "remove": "{items}"},
    "decide_thread": {"thread_id": "{thread}"},
    "plan_purchases": {"budget_cents": 10**15 - 1, "threads": ["{thread}"]},
    "get_image": {"image_id": "{image}"},
    "get_thread": {"thread_id": "{thread}", "candidate_id": "{candidate}"},
    "get_change": {"change_id": "{change}", "limit": 1},
}
LONG = "\x01" * 200
TEXTS = dict.fromkeys(("pros", "cons", "notes"), "\x01" * 65536)
# The largest answers of writes: most are those of dry runs, which list rows. Each case runs after the others.
WRITES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("undo_change", {"change_id": "{change}", "dry_run": True}),
    ("undo_changes", {"change_ids": "{changes}", "dry_run": True}),
    ("create_item", {"name": LONG, "notes": TEXTS["notes"]}),
    ("create_items", {"items": [{"name": LONG}] * 500, "idempotency_key": "k"}),
    ("create_items", {"items": [{"name": LONG}] * 500, "idempotency_key": "k"}),
    ("update_item", {"item_id": "{item}", "changes": {"notes": TEXTS["notes"]}}),
    ("update_items", {"item_ids": "{items}", "changes": {"notes": "short"}, "dry_run": True}),
    ("update_items", {"updates": "{updates}"}),
    ("merge_items", {"keep": "{item}", "items": "{hundred}", "pieces": "sum", "dry_run": True}),
    ("delete_item", {"item_id": "{item}", "dry_run": True}),
    ("create_category", {"name": LONG}),
    ("update_category", {"category_id": "{category}", "changes": {"icon": "tent"}}),
    ("delete_category", {"category_id": "{category}", "dry_run": True}),
    ("create_setup", {"name": LONG, "lines": "{lines}", "dry_run": True}),
    ("update_setup", {"setup_id": "{first}", "changes": {"name": LONG}}),
    ("set_setup_items", {"setup_id": "{second}", "remove": "{items}", "dry_run": True}),
    ("copy_setup", {"setup_id": "{first}", "name": LONG}),
    ("delete_setup", {"setup_id": "{first}", "dry_run": True}),
    ("create_thread", {"name": LONG, "replaces_item_id": "{item}"}),
    ("create_thread", {"name": LONG, "candidates": [{"name": LONG}] * 50}),
    ("update_thread", {"thread_id": "{thread}", "changes": {"name": LONG}}),
    ("delete_thread", {"thread_id": "{thread}", "dry_run": True}),
    ("add_candidate", {"thread_id": "{thread}", "candidates": [{"name": LONG}] * 50}),
    ("add_candidate", {"thread_id": "{thread}", "name": LONG, **TEXTS}),
    ("update_candidate", {"candidate_id": "{candidate}", "changes": {"status": "ordered"}}),
    ("rank_candidates", {"thread_id": "{thread}", "candidate_ids": ["{candidate}"]}),
    ("remove_candidate", {"candidate_id": "{candidate}", "dry_run": True}),
    (
        "resolve_thread",
        {
            "thread_id": "{thread}",
            "candidate_id": "{candidate}",
            "swap_in_setups": ["all"],
            "dry_run": True,
        },
    ),
    ("upload_image", {"data": in_base64(photo()), "item_id": "{item}"}),
    ("remove_image", {"item_id": "{item}"}),
    ("end_share", {"share_id": "{share}"}),
    ("update_settings", {"changes": {"weight_unit": "lb", "currency": "EUR"}}),
    (
        "import_csv",
        {
            "csv_text": "name,category,weight_grams,wear\n"
            + "".join(f"Thing {number},{number:x<190},{number},y\n" for number in range(2000)),
            "setup_name": "A list",
            "dry_run": True,
        },
    ),
)
# Their answers are small or refused, whatever the collection holds.
ELSEWHERE = {"export_csv", "upload_image_from_url", "create_upload_link", "share_setup"}


@pytest.fixture
async def user(pool: Pool, user_id: int) -> AsyncGenerator[Client]:
    async with Client(build_server(App(pool, user_id)), mode="auto") as client:
        yield client


@pytest.fixture
async def ids(pool: Pool, user_id: int, user: Client) -> dict[str, Any]:
    """Fill the collection with rows whose names and texts are as long as they can be. Return ids of some."""
    async with transaction(pool, user_id) as conn:
        for statement in FILL:
            await conn.execute(
                statement.format(name=NAME, text=TEXT, rows=ROWS, candidates=CANDIDATES, notes=NOTES)
            )
    async with transaction(pool, user_id, logged=True) as conn:
        cursor = await conn.execute("SELECT current_setting('gearshed.change_id')::bigint")
        ((change_id,),) = await cursor.fetchall()
        await conn.execute(UPDATE)
        await conn.execute(RECORD)
        cursor = await conn.execute(IDS)
        ((found,),) = await cursor.fetchall()
        cursor = await conn.execute("SELECT array_agg(id) FROM changes")
        ((changes,),) = await cursor.fetchall()
    image = await call(user, "upload_image", data=in_base64(photo()), candidate_id=found["candidate"])
    lines = [{"item_id": item_id} for item_id in found["items"]]
    updates = [
        {"item": item_id, "changes": {"notes": "\x01" * 2000, "notes_append": "\x01" * 2000}}
        for item_id in found["items"]
    ]
    found |= {"updates": updates, "hundred": found["items"][:100]}
    return {**found, "change": change_id, "changes": changes, "lines": lines, "image": image["id"]}


FILL = (
    SQL("INSERT INTO categories (name) SELECT {name} FROM generate_series(1, {rows}) AS n"),
    SQL("""
    INSERT INTO items (name, weight_grams, category_id, notes)
    SELECT {name}, n, (SELECT min(id) FROM categories) + n % {rows}, CASE WHEN n <= {notes} THEN {text} END
    FROM generate_series(1, 2 * {rows}) AS n
    """),
    SQL("INSERT INTO setups (name) SELECT {name} FROM generate_series(1, {rows} + 2) AS n"),
    # All items are in the first two setups, and the first item is in all but the second.
    SQL("""
    INSERT INTO setup_items (setup_id, item_id, classification, worn_quantity)
    SELECT (SELECT min(id) FROM setups), id, 'worn', 1 FROM items ORDER BY id
    """),
    SQL("""
    INSERT INTO setup_items (setup_id, item_id, quantity)
    SELECT (SELECT min(id) + 1 FROM setups), id, 2
    FROM items
    WHERE id > (SELECT min(id) FROM items)
    ORDER BY id
    """),
    SQL("""
    INSERT INTO setup_items (setup_id, item_id)
    SELECT id, (SELECT min(id) FROM items) FROM setups WHERE id > (SELECT min(id) + 1 FROM setups)
    """),
    SQL("""
    INSERT INTO shares (setup_id, token_hash, expires_at)
    SELECT (SELECT min(id) FROM setups), sha256(int8send(n)), now() + interval '1 day'
    FROM generate_series(1, 100) AS n
    """),
    SQL("""
    INSERT INTO threads (name, replaces_item_id)
    SELECT {name}, (SELECT min(id) FROM items) FROM generate_series(1, {rows} + 1) AS n
    """),
    SQL("""
    INSERT INTO candidates (thread_id, name, weight_grams, price_cents, pros, cons, notes, sort_order)
    SELECT (SELECT min(id) FROM threads), {name}, n, n, {text}, {text}, {text}, n / 7.0
    FROM generate_series(1, {candidates}) AS n
    """),
    SQL("""
    INSERT INTO changes (tool, summary, program, undoes)
    SELECT 'update_items', repeat(U&'\\0001', 5000), repeat(U&'\\0001', 200), NULL
    FROM generate_series(2, {rows}) AS n
    """),
)
UPDATE = "UPDATE items SET notes = 'short' WHERE notes IS NOT NULL"
RECORD = """
    INSERT INTO changes (id, tool, summary)
    SELECT current_setting('gearshed.change_id')::bigint, 'update_items', 'Changed items'
"""
IDS = """
    SELECT jsonb_build_object(
        'first', (SELECT min(id) FROM setups), 'second', (SELECT min(id) + 1 FROM setups),
        'item', (SELECT min(id) FROM items), 'thread', (SELECT min(id) FROM threads),
        'category', (SELECT min(id) FROM categories), 'candidate', (SELECT min(id) FROM candidates),
        'share', (SELECT min(id) FROM shares),
        'items', (SELECT jsonb_agg(id) FROM (SELECT id FROM items ORDER BY id DESC LIMIT 500) AS last)
    )
"""


async def answer(client: Client, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Call a tool, check the size of its answer, and return its structured content."""
    result: CallToolResult = await client.call_tool(tool, arguments)
    text = result.content[0]
    assert isinstance(text, TextContent)
    assert not result.is_error, text.text[:1000]
    assert result.structured_content is not None
    assert len(text.text.encode()) <= LARGEST, tool
    assert len(json.dumps(result.structured_content, ensure_ascii=False).encode()) <= LARGEST * 1.1, tool
    return result.structured_content


def test_every_tool_has_a_case() -> None:
    cases = {each.tool for each in LISTS} | SINGLE.keys() | {tool for tool, _ in WRITES} | ELSEWHERE
    assert cases == {entry.name for entry in TOOLS}


async def test_pages_are_within_the_bound_and_have_every_row_once(user: Client, ids: dict[str, Any]) -> None:
    await call(user, "update_settings", changes={"weight_unit": "lb", "currency": "EUR"})
    for each in LISTS:
        seen: list[int] = []
        pages, cursor = 0, ""
        while pages == 0 or cursor:
            arguments = {**filled(each.arguments, ids), "cursor": cursor}
            found = await answer(user, each.tool, arguments)
            rows = found[each.rows]
            seen += [row[each.key] for row in rows]
            pages, cursor = pages + 1, found.get("next_cursor", "")
            left = each.total - len(seen)
            assert found.get(f"{each.rows}_left_out", left) == left, each
        expected = each.total + (2 if each.tool == "list_changes" else 0)
        assert (len(seen), len(set(seen))) == (expected, expected), each
        assert pages > 1, f"{each}: the test needs more rows"


async def test_one_thing_is_within_the_bound(user: Client, ids: dict[str, Any]) -> None:
    await call(user, "update_settings", changes={"weight_unit": "lb", "currency": "EUR"})
    found = {tool: await answer(user, tool, filled(case, ids)) for tool, case in SINGLE.items()}
    item, totals = found["get_item"], found["get_totals"]
    assert len(item["setups"]) + item["setups_left_out"] == ROWS + 1
    assert len(totals["by_category"]) + totals["categories_left_out"] == ROWS
    assert (totals["items"], totals["weight_grams"]) == (2 * ROWS, sum(range(2 * ROWS + 1)))
    text = await refused(user, "export_csv")
    assert text.startswith("[invalid_input] The list does not fit into an answer of 256 KB. Export one setup")


async def test_answers_of_writes_are_within_the_bound(user: Client, ids: dict[str, Any]) -> None:
    found = [(tool, await answer(user, tool, filled(case, ids))) for tool, case in WRITES]
    by_tool = dict(found)
    created = by_tool["create_items"]
    assert (created["created"], len(created["items"]) + created["items_left_out"]) == (500, 500)
    deleted = by_tool["delete_item"]
    assert len(deleted["removed_from_setups"]) + deleted["setups_left_out"] == ROWS + 1
    threads = deleted["no_longer_replaced_in_threads"]
    assert len(threads) + deleted["threads_left_out"] == ROWS + 1
    ranked = by_tool["rank_candidates"]
    assert len(ranked["candidates"]) + ranked["candidates_left_out"] == CANDIDATES + 51
    swapped = by_tool["resolve_thread"]
    assert len(swapped["swapped_in_setups"]) + swapped["setups_left_out"] == ROWS + 2
    imported = by_tool["import_csv"]
    assert len(imported["new_categories"]) + imported["new_categories_left_out"] == 2000
    for _, each in found:
        if each.get("dry_run"):
            assert len(each.get("changes", ())) + each.get("changes_left_out", 0) > 0


async def test_long_texts_are_cut_in_lists_and_whole_for_one_candidate(user: Client) -> None:
    thread = await call(user, "create_thread", name="Research")
    texts = {"pros": "p" * EXCERPT, "cons": "ö" * (EXCERPT + 1), "notes": "n" * WHOLE}
    new = await call(user, "add_candidate", thread_id=thread["id"], name="Tarp", **texts)
    assert {name: new[name] for name in texts} == texts
    assert "cut" not in new
    shown = await call(user, "get_thread", thread_id=thread["id"])
    (candidate,) = shown["candidates"]
    assert candidate["cut"] == ["cons", "notes"]
    assert {name: candidate[name] for name in texts} == {
        "pros": texts["pros"],
        "cons": f"{'ö' * EXCERPT}…",
        "notes": f"{'n' * EXCERPT}…",
    }
    alone = await call(user, "get_thread", thread_id=thread["id"], candidate_id=new["id"])
    (candidate,) = alone["candidates"]
    assert {name: candidate[name] for name in texts} == texts
    assert "cut" not in candidate


async def test_a_candidate_alone_is_compared_with_all_others(user: Client) -> None:
    thread = await call(user, "create_thread", name="Research")
    await call(user, "add_candidate", thread_id=thread["id"], name="Light", weight=100, price_cents=900)
    heavy = await call(
        user, "add_candidate", thread_id=thread["id"], name="Heavy", weight=300, price_cents=1000
    )
    shown = await call(user, "get_thread", thread_id=thread["id"], candidate_id=heavy["id"])
    (alone,) = shown["candidates"]
    assert (alone["rank"], alone["over_lightest_grams"], alone["over_cheapest_cents"]) == (2, 200, 100)
    text = await refused(user, "get_thread", thread_id=thread["id"], candidate_id=0)
    assert text.startswith(f"[not_found] No candidate 0 in thread {thread['id']}.")


async def test_rows_of_a_change_are_compared_before_they_are_cut(user: Client) -> None:
    """Two notes that differ only behind the cut are both shown."""
    notes = "n" * 2000
    item = await call(user, "create_item", name="Tent", notes=notes)
    changed = await call(user, "update_item", item_id=item["id"], changes={"notes": f"{notes}!"})
    (row,) = (await call(user, "get_change", change_id=changed["change_id"]))["rows"]
    cut = {"notes": f"{'n' * EXCERPT}…"}
    assert (row["before"], row["after"], row["cut"]) == (cut, cut, ["notes"])
    (row,) = (await call(user, "get_change", change_id=changed["change_id"], limit=1))["rows"]
    assert (row["before"], row["after"]) == ({"notes": notes}, {"notes": f"{notes}!"})
    assert "cut" not in row


async def test_a_cursor_of_another_list_is_refused(user: Client) -> None:
    for name in ("A", "B"):
        await call(user, "create_setup", name=name)
    cursor = (await call(user, "list_setups", limit=1))["next_cursor"]
    for wrong in (cursor[:-4], "nonsense", "W10"):
        text = await refused(user, "list_setups", limit=1, cursor=wrong)
        assert text.startswith("[invalid_input] cursor: not the next_cursor of a page")
    text = await refused(user, "list_categories", cursor=cursor)
    assert text.startswith("[invalid_input] cursor: not the next_cursor of a page")


class Long(Row):
    notes: str


def test_an_answer_above_the_bound_is_refused_and_not_cut() -> None:
    fits = Long(notes="n" * (LARGEST - len('{"notes":""}')))
    assert reply(fits).structured_content == {"notes": fits.notes}
    with pytest.raises(InvalidInput, match="The answer would exceed 256 KB"):
        reply(Long(notes=f"{fits.notes}n"))
    with pytest.raises(InvalidInput, match="256 KB"):
        bounded("short", {"notes": "n" * LARGEST})


class Numbers(Row):
    numbers: tuple[str, ...]
    left_out: int = 0


@pytest.mark.parametrize("most", [0, 40, 95, 100, 10_000])
def test_as_many_rows_as_possible_fit(most: int) -> None:
    rows = tuple(str(number) for number in range(50))

    def fitted(least: int) -> Numbers:
        return page.fit(
            Numbers(numbers=rows), "numbers", lambda shown: {"left_out": 50 - shown}, least=least, most=most
        )

    shown = fitted(0)
    assert len(shown.numbers) + shown.left_out == 50
    assert shown.numbers == rows[: len(shown.numbers)]
    assert size_of(shown) <= max(most, size_of(Numbers(numbers=(), left_out=50)))
    if shown.left_out:
        one_more = Numbers(numbers=rows[: len(shown.numbers) + 1], left_out=shown.left_out - 1)
        assert size_of(one_more) > most
    assert len(fitted(1).numbers) == max(1, len(shown.numbers))


def size_of(result: BaseModel) -> int:
    return len(result.model_dump_json(exclude_defaults=True))
