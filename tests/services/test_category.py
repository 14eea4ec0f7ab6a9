"""Categories: finding them by name or id, and what becomes of what is in them."""

import re
from decimal import Decimal
from typing import Any

import pytest
from psycopg import AsyncConnection

from db.query import fetch_value
from mcp_server.errors import Conflict, InvalidInput, NotFound
from mcp_server.models.category import CategoryDeleted
from mcp_server.services import category, item
from tests.factories import make_category, make_item

NO_CATEGORY_12 = re.escape("[not_found] No category 12. Call list_categories to find its id.")


async def make_thread(conn: AsyncConnection, category_id: int | None) -> int:
    return await fetch_value(
        conn,
        "INSERT INTO threads (name, category_id) VALUES ('New tent', %(category_id)s) RETURNING id",
        {"category_id": category_id},
    )


async def make_candidate(conn: AsyncConnection, thread_id: int, category_id: int | None) -> int:
    return await fetch_value(
        conn,
        """
        INSERT INTO candidates (thread_id, name, category_id)
        VALUES (%(thread_id)s, 'X-mid', %(category_id)s)
        RETURNING id
        """,
        {"thread_id": thread_id, "category_id": category_id},
    )


async def fill(conn: AsyncConnection, category_id: int) -> tuple[int, int, int]:
    """Put an item, a thread and a candidate into a category."""
    thread_id = await make_thread(conn, category_id)
    return (
        await make_item(conn, "Tent", category=str(category_id)),
        thread_id,
        await make_candidate(conn, thread_id, category_id),
    )


async def homes(conn: AsyncConnection, item_id: int, thread_id: int, candidate_id: int) -> list[Any]:
    """The categories that an item, a thread and a candidate are in."""
    return [
        await fetch_value(conn, "SELECT category_id FROM items WHERE id = %(id)s", {"id": item_id}),
        await fetch_value(conn, "SELECT category_id FROM threads WHERE id = %(id)s", {"id": thread_id}),
        await fetch_value(conn, "SELECT category_id FROM candidates WHERE id = %(id)s", {"id": candidate_id}),
    ]


async def test_a_new_category_has_its_name_and_icon(conn: AsyncConnection) -> None:
    created = await category.create(conn, "Shelter", "tent")
    assert (created.name, created.icon) == ("Shelter", "tent")
    assert await category.resolve(conn, "Shelter") == created.id


async def test_a_name_is_taken_in_every_case(conn: AsyncConnection) -> None:
    await make_category(conn, "Other")
    for name in ("Other", "OTHER", "other"):
        with pytest.raises(Conflict, match=rf'\[conflict\] A category "{name}" exists already\.'):
            async with conn.transaction():
                await category.create(conn, name, "package")


async def test_a_change_keeps_what_it_leaves_out(conn: AsyncConnection) -> None:
    category_id = await make_category(conn, "Shelter")
    assert (await category.update(conn, category_id, {"name": "Sleep"})).icon == "tent"
    assert (await category.update(conn, category_id, {"icon": "moon"})).name == "Sleep"
    assert await category.resolve(conn, "Sleep") == category_id


async def test_empty_changes_return_the_category_as_it_is(conn: AsyncConnection) -> None:
    created = await category.create(conn, "Shelter", "tent")
    assert await category.update(conn, created.id, {}) == created


async def test_a_change_to_a_taken_name_is_refused_and_changes_nothing(conn: AsyncConnection) -> None:
    await make_category(conn, "Shelter")
    category_id = await make_category(conn, "Cook")
    with pytest.raises(Conflict, match='A category "SHELTER" exists already'):
        async with conn.transaction():
            await category.update(conn, category_id, {"name": "SHELTER"})
    assert await category.resolve(conn, "Cook") == category_id


async def test_a_category_may_take_its_own_name_in_another_case(conn: AsyncConnection) -> None:
    category_id = await make_category(conn, "shelter")
    assert (await category.update(conn, category_id, {"name": "Shelter"})).name == "Shelter"


async def test_an_absent_category_cannot_be_changed(conn: AsyncConnection) -> None:
    with pytest.raises(NotFound, match=NO_CATEGORY_12):
        await category.update(conn, 12, {"name": "Shelter"})


async def test_a_name_is_found_in_any_case_and_with_spaces_around_it(conn: AsyncConnection) -> None:
    await make_category(conn, "Shelter")
    category_id = await make_category(conn, "All Else")
    for reference in ("All Else", "all else", "ALL ELSE", "  All Else  "):
        assert (reference, await category.resolve(conn, reference)) == (reference, category_id)


@pytest.mark.usefixtures("any_alphabet")
async def test_letters_beyond_ascii_have_no_case_either(conn: AsyncConnection) -> None:
    category_id = await make_category(conn, "Övrigt")
    assert await category.resolve(conn, "övrigt") == await category.resolve(conn, "ÖVRIGT") == category_id
    with pytest.raises(Conflict):
        await category.create(conn, "övrigt", "package")


async def test_an_id_finds_its_category(conn: AsyncConnection) -> None:
    await make_category(conn, "Cook")
    category_id = await make_category(conn, "Shelter")
    assert await category.resolve(conn, str(category_id)) == category_id


async def test_a_name_that_looks_like_an_id_wins_over_the_id(conn: AsyncConnection) -> None:
    await conn.execute("INSERT INTO categories (id, name) VALUES (12, 'Shelter')")
    named_12 = await make_category(conn, "12")
    assert await category.resolve(conn, "12") == named_12
    assert await category.resolve(conn, str(named_12)) == named_12


async def test_a_name_with_spaces_around_it_can_be_found(conn: AsyncConnection) -> None:
    category_id = await make_category(conn, " Shelter ")
    assert await category.resolve(conn, " Shelter ") == category_id


async def test_an_unknown_category_names_the_nearest(conn: AsyncConnection) -> None:
    await make_category(conn, "Shelter")
    await make_category(conn, "Cook")
    with pytest.raises(
        NotFound,
        match=r'^\[not_found\] No category "SHELTR"\. Did you mean "Shelter"\? '
        r"Call list_categories to see all of them, or create_category to add one\.$",
    ):
        await category.resolve(conn, "SHELTR")


async def test_a_category_like_no_other_names_none(conn: AsyncConnection) -> None:
    await make_category(conn, "Shelter")
    for reference in ("Photography", "99", "-1", "9" * 40, "%", "", "'; DROP TABLE items"):
        with pytest.raises(NotFound, match=r"No category .*\. Call list_categories"):
            await category.resolve(conn, reference)


async def test_a_deleted_category_leaves_its_things_uncategorized(conn: AsyncConnection) -> None:
    category_id = await make_category(conn, "Shelter")
    things = await fill(conn, category_id)
    assert await category.delete(conn, category_id, None) == CategoryDeleted(deleted="Shelter", moved=3)
    assert await homes(conn, *things) == [None, None, None]
    assert (await category.list_all(conn)).total == 0


async def test_a_deleted_category_moves_its_things_to_another(conn: AsyncConnection) -> None:
    category_id, target_id = await make_category(conn, "Shelter"), await make_category(conn, "Sleep")
    things = await fill(conn, category_id)
    deleted = await category.delete(conn, category_id, "SLEEP")
    assert deleted == CategoryDeleted(deleted="Shelter", moved=3, moved_to="Sleep")
    assert await homes(conn, *things) == [target_id] * 3


async def test_a_deleted_category_leaves_other_categories_alone(conn: AsyncConnection) -> None:
    category_id, other_id = await make_category(conn, "Shelter"), await make_category(conn, "Sleep")
    things = await fill(conn, other_id)
    assert (await category.delete(conn, category_id, None)).moved == 0
    assert await homes(conn, *things) == [other_id] * 3


async def test_a_category_cannot_be_moved_into_itself(conn: AsyncConnection) -> None:
    category_id = await make_category(conn, "Shelter")
    item_id = await make_item(conn, "Tent", category="Shelter")
    with pytest.raises(InvalidInput, match="move_to: is the category to delete"):
        await category.delete(conn, category_id, "shelter")
    assert (await item.get(conn, item_id)).category == "Shelter"


async def test_an_unknown_category_to_move_to_keeps_the_other(conn: AsyncConnection) -> None:
    category_id = await make_category(conn, "Shelter")
    with pytest.raises(NotFound, match='No category "Sleep"'):
        await category.delete(conn, category_id, "Sleep")
    assert await category.resolve(conn, "Shelter") == category_id


@pytest.mark.parametrize("move_to", [None, "Shelter"])
async def test_an_absent_category_cannot_be_deleted(conn: AsyncConnection, move_to: str | None) -> None:
    await make_category(conn, "Shelter")
    with pytest.raises(NotFound, match=NO_CATEGORY_12):
        await category.delete(conn, 12, move_to)


async def test_a_list_counts_and_weighs_what_is_in_each_category(conn: AsyncConnection) -> None:
    await make_category(conn, "Shelter")
    await make_category(conn, "cook")
    await make_category(conn, "Food")
    await make_item(conn, "Tent", category="Shelter", weight=1000.1)
    await make_item(conn, "Peg", category="Shelter", weight=12.9, quantity=8)
    await make_item(conn, "Guy line", category="Shelter")
    await make_item(conn, "Bar", category="Food")
    await make_item(conn, "Map", weight=50.0)
    listed = await category.list_all(conn)
    assert listed.total == 3
    assert [
        (found.name, found.items, found.weight_grams, found.unweighed) for found in listed.categories
    ] == [
        ("cook", 0, None, 0),
        ("Food", 1, None, 1),
        ("Shelter", 3, Decimal("1103.3"), 1),
    ]


async def test_no_categories_are_an_empty_list(conn: AsyncConnection) -> None:
    assert (await category.list_all(conn)).categories == []


async def test_names_that_differ_only_in_case_become_one_category(conn: AsyncConnection) -> None:
    wanted = [("Tents", "tent"), ("TENTS", None), ("Food", None), ("tents", None)]
    assert await category.create_missing(conn, wanted) == ["Tents", "Food"]
    assert [found.name for found in (await category.list_all(conn)).categories] == ["Food", "Tents"]


async def test_a_category_that_is_there_is_used_and_not_created(conn: AsyncConnection) -> None:
    await make_category(conn, "Food")
    assert await category.create_missing(conn, [("FOOD", "apple"), ("Cook", None)]) == ["Cook"]


async def test_no_names_create_nothing(conn: AsyncConnection) -> None:
    assert await category.create_missing(conn, []) == []


async def test_a_number_is_only_ever_an_id(conn: AsyncConnection) -> None:
    category_id = await make_category(conn, "Alpha")
    namesake = await make_category(conn, str(category_id))
    assert await category.resolve(conn, category_id) == category_id
    assert await category.resolve(conn, str(category_id)) == namesake
