"""Many items in one call: found by name, changed each in its own way, all or none."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from mcp import Client
from psycopg import AsyncConnection, AsyncCursor

from mcp_server.errors import AppError, Conflict, InvalidInput, NotFound
from mcp_server.models.fields import MOST_NOTES
from mcp_server.models.item import ItemUpdate
from mcp_server.services import bulk, candidate, item
from tests.calls import call, refused, text_of
from tests.factories import make_category, make_item, make_thread


@contextmanager
def counted() -> Generator[list[str]]:
    """The statements that are run meanwhile."""
    run: list[str] = []
    execute, many = AsyncCursor.execute, AsyncCursor.executemany

    async def note(self: Any, query: Any, *args: Any, **options: Any) -> Any:
        run.append(str(query))
        return await execute(self, query, *args, **options)

    async def note_many(self: Any, query: Any, params: Any, **options: Any) -> Any:
        run.extend(str(query) for _ in params)
        return await many(self, query, params, **options)

    with patch.object(AsyncCursor, "execute", note), patch.object(AsyncCursor, "executemany", note_many):
        yield run


def updates(count: int, **changes: Any) -> list[ItemUpdate]:
    rows: list[Any] = [
        {"item": f"Peg {at}", "changes": {"weight": float(at), **changes}} for at in range(count)
    ]
    return rows


async def test_each_item_is_changed_in_its_own_way_and_shows_before_and_after(conn: AsyncConnection) -> None:
    await make_category(conn, "Shelter")
    tent = await make_item(conn, "Tent", weight=640.0, notes="green")
    pot = await make_item(conn, "Pot", price_cents=4500)
    lid = await make_item(conn, "Lid", weight=20.0)
    done = await item.update_many(
        conn,
        [],
        None,
        [
            {
                "item": " TENT ",
                "changes": {"weight": 612.0, "category": "shelter", "notes_append": "weighed"},
            },
            {"item": pot, "changes": {"name": "Big pot", "price_cents": None, "quantity": 2}},
            {"item": str(lid), "changes": {"weight": 20.0}},
        ],
    )
    assert done.updated == 3
    assert [each.model_dump(exclude={"cut", "weight"}) for each in done.items] == [
        {
            "item": tent,
            "name": "Tent",
            "before": {"weight_grams": 640, "notes": "green", "category": None},
            "after": {"weight_grams": 612, "notes": "green\nweighed", "category": "Shelter"},
        },
        {
            "item": pot,
            "name": "Big pot",
            "before": {"name": "Pot", "price_cents": 4500, "quantity": 1},
            "after": {"name": "Big pot", "price_cents": None, "quantity": 2},
        },
    ]
    found = await item.get(conn, tent)
    assert (found.weight_grams, found.category, found.notes) == (612, "Shelter", "green\nweighed")


async def test_a_line_is_added_to_notes_or_is_the_first(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Tent")
    for line in ("bought used", "one pole bent"):
        updated = await item.update(conn, tent, {"notes_append": line})
    assert updated.notes == "bought used\none pole bent"
    assert updated.before == {"notes": "bought used"}
    both = await item.update(conn, tent, {"notes": "new", "notes_append": "and more"})
    assert both.notes == "new\nand more"


async def test_every_invalid_row_is_named_and_nothing_is_changed(conn: AsyncConnection) -> None:
    tent, pot = await make_item(conn, "Tent", notes="x" * 65000), await make_item(conn, "Pot")
    cases: list[tuple[Any, type[AppError], str]] = [
        ([("Tnt", {}), ("Tent", {}), (99, {})], NotFound, '"Tnt" (updates.0.item), 99 (updates.2.item)'),
        (
            [("Tent", {"category": "Nowhere"}), ("Pot", {"category": "Nowhere"})],
            NotFound,
            "(updates.0.changes.category, updates.1.changes.category)",
        ),
        (
            [("Pot", {"quantity": None}), ("Tent", {"notes_append": "y" * 1000})],
            InvalidInput,
            "updates.0.changes.quantity: must not be empty; updates.1.changes.notes_append: the notes would",
        ),
        ([("Tent", {"quantity": 2}), (tent, {"quantity": 3})], InvalidInput, f"Item {tent} occurs more"),
    ]
    for bad, error, words in cases:
        rows: Any = [{"item": ref, "changes": {"weight": 1.0, **changes}} for ref, changes in bad]
        with pytest.raises(error) as caught:
            await item.update_many(conn, [], None, rows)
        assert words in str(caught.value)
    for item_id in (tent, pot):
        assert (await item.get(conn, item_id)).weight_grams is None


async def test_a_name_of_several_items_is_refused_with_their_ids_and_categories(
    conn: AsyncConnection,
) -> None:
    await make_category(conn, "Kitchen")
    first, second = await make_item(conn, "Pot", category="Kitchen"), await make_item(conn, "pot")
    with pytest.raises(Conflict) as caught:
        await bulk.find_items(conn, ["Pot"], "updates.{}.item")
    assert str(caught.value) == (
        f'[conflict] Several items match "Pot": {first} "Pot" in "Kitchen", {second} "pot". Use an id. '
        "(updates.0.item) Nothing was changed."
    )


async def test_an_exact_name_wins_over_an_id(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Tent")
    numbered = await make_item(conn, str(tent))
    assert await bulk.find_items(conn, [str(tent), tent], "{}") == [numbered, tent]


async def test_the_number_of_statements_does_not_depend_on_that_of_rows(conn: AsyncConnection) -> None:
    await make_category(conn, "Pegs")
    thread_id = await make_thread(conn)
    counts: list[tuple[int, int, int]] = []
    for number in (2, 60):
        with counted() as created:
            await item.create_many(
                conn, [{"name": f"Peg {at}", "category": "Pegs"} for at in range(len(counts) * 2, number)]
            )
        with counted() as updated:
            await item.update_many(conn, [], None, updates(number, category="Pegs", notes_append="seen"))
        with counted() as added:
            await candidate.add_any(conn, thread_id, {}, [{"name": f"{at}"} for at in range(number)])
        counts.append((len(created), len(updated), len(added)))
    assert counts[0] == counts[1]
    assert max(counts[0]) < 8


async def test_a_retry_with_the_same_key_adds_no_second_line(client: Client) -> None:
    made = await call(client, "create_item", name="Tent")
    arguments = {"item_id": made["id"], "changes": {"notes_append": "seen"}, "idempotency_key": "one"}
    first = await call(client, "update_item", **arguments)
    assert (await call(client, "update_item", **arguments))["change_id"] == first["change_id"]
    many = {"updates": [{"item": "Tent", "changes": {"notes_append": "again"}}], "idempotency_key": "two"}
    await call(client, "update_items", **many)
    assert (await call(client, "update_items", **many))["repeated"]
    assert (await call(client, "get_item", item_id=made["id"]))["notes"] == "seen\nagain"


async def test_different_changes_are_one_change_that_can_be_undone(client: Client) -> None:
    await call(client, "create_items", items=[{"name": "Tent", "weight": 640}, {"name": "Pot"}])
    before = await call(client, "list_items")
    rows = [{"item": "Tent", "changes": {"weight": "612 g"}}, {"item": "pot", "changes": {"weight": "4 oz"}}]
    result = await client.call_tool("update_items", {"updates": rows})
    assert 'Tent\t{"weight_grams":640}\t{"weight_grams":612}' in text_of(result)
    assert result.structured_content
    await call(client, "undo_change", change_id=result.structured_content["change_id"])
    assert await call(client, "list_items") == before


async def test_the_rows_repeat_weights_in_the_persons_unit(client: Client) -> None:
    await call(client, "update_settings", changes={"weight_unit": "oz"})
    await call(client, "create_item", name="Tent")
    for weight, words in (("20 oz", "unknown → 20 oz"), ("21 oz", "20 oz → 21 oz")):
        done = await call(client, "update_items", updates=[{"item": "Tent", "changes": {"weight": weight}}])
        assert done["items"][0]["weight"] == words


ONE: dict[str, Any] = {"item": 1, "changes": {}}
MIXED: list[dict[str, Any]] = [
    {},
    {"item_ids": [1]},
    {"changes": {"weight": 1}},
    {"item_ids": [1], "changes": {}, "updates": [ONE]},
    {"changes": {}, "updates": [ONE]},
]


@pytest.mark.parametrize("arguments", MIXED)
async def test_the_same_changes_and_different_ones_are_not_mixed(
    client: Client, arguments: dict[str, Any]
) -> None:
    text = await refused(client, "update_items", **arguments)
    assert text.startswith("[invalid_input] Give item_ids and changes (the same for all), or updates")


async def test_several_candidates_are_added_in_their_order_all_or_none(client: Client) -> None:
    await call(client, "create_category", name="Shelter")
    rows = [
        {"name": "Lanshan", "weight": "24.3 oz", "price_cents": 17500},
        {"name": "Plexamid", "weight": "435 g", "category": "shelter", "status": "ordered"},
    ]
    thread = await call(client, "create_thread", name="Tent", candidates=rows)
    assert [(row["rank"], row["name"], row["weight_grams"]) for row in thread["added"]] == [
        (1, "Lanshan", 688.89),
        (2, "Plexamid", 435),
    ]
    assert thread["candidates"] == 2
    more = await call(client, "add_candidate", thread_id=thread["id"], candidates=[{"name": "Tarp"}, *rows])
    assert [(row["rank"], row["name"]) for row in more["candidates"]] == [
        (3, "Tarp"),
        (4, "Lanshan"),
        (5, "Plexamid"),
    ]
    shown = await call(client, "get_thread", thread_id=thread["id"])
    assert [row["id"] for row in shown["candidates"]] == [
        row["id"] for row in (*thread["added"], *more["candidates"])
    ]
    assert [row.get("status") for row in shown["candidates"]] == [None, "ordered", None, None, "ordered"]
    bad = [*rows, {"name": "Bivy", "category": "Nowhere"}]
    text = await refused(client, "add_candidate", thread_id=thread["id"], candidates=bad)
    assert 'No category "Nowhere".' in text
    assert "candidates.2.category" in text
    assert (await call(client, "get_thread", thread_id=thread["id"]))["candidates"] == shown["candidates"]
    await call(client, "undo_change", change_id=thread["change_id"] + 1)
    assert len((await call(client, "get_thread", thread_id=thread["id"]))["candidates"]) == 2


async def test_one_candidate_and_several_are_not_mixed(client: Client) -> None:
    thread = await call(client, "create_thread", name="Tent")
    both = {"thread_id": thread["id"], "name": "Tarp", "candidates": [{"name": "Tarp"}]}
    assert (await refused(client, "add_candidate", **both)).startswith("[invalid_input] name: give either")
    text = await refused(client, "add_candidate", thread_id=thread["id"], weight="1 kg")
    assert text.startswith("[invalid_input] name: is required.")


async def test_the_limit_of_notes_that_grow_counts_bytes(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Tent", notes="ö" * (MOST_NOTES // 2 - 1))
    with pytest.raises(InvalidInput, match=r"updates\.0\.changes\.notes_append: the notes would exceed"):
        await item.update_many(conn, [], None, [{"item": tent, "changes": {"notes_append": "öö"}}])
    await item.update_many(conn, [], None, [{"item": tent, "changes": {"notes_append": "x"}}])


async def test_an_item_is_changed_once_in_a_call(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Tent")
    twice: list[ItemUpdate] = [{"item": each, "changes": {"quantity": 2}} for each in (tent, "Tent")]
    with pytest.raises(InvalidInput, match=f"Item {tent} occurs more than once"):
        await item.update_many(conn, [], None, twice)
