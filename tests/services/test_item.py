"""Items: creating, changing, finding and losing them."""

import re
import string
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any, get_args

import pytest
from psycopg import AsyncConnection

from db.pool import Pool, transaction
from db.query import fetch_value
from mcp_server.errors import InvalidInput, NotFound
from mcp_server.models.item import ItemChanges, ItemPage, ItemWritten, NewItem, Sort
from mcp_server.models.weight import Weighing
from mcp_server.services import bulk, category, item, listing, setup, thread
from tests.factories import make_category, make_item, make_setup, make_thread

SORTS: tuple[Sort, ...] = get_args(Sort)
NO_CURSORS = (
    "x",
    "12",
    "not a cursor",
    "ö",
    "%%%",
    "=",
    *(
        urlsafe_b64encode(text).decode()
        for text in (
            b"name",
            b"\xff\xfe",
            b"12",
            b"null",
            b"[]",
            b'"abc"',
            b'{"name": 1}',
            b'["name", "tent"]',
            b'["name", null, 1]',
            b'["name", "tent", "one"]',
            b'["name", "tent", 1.5]',
            b'["name", "tent", 1, 2]',
            b'["no such sort", "tent", 1]',
            b'[["name"], "tent", 1]',
            b"[" * 1500,
        )
    ),
)
NO_ITEM_12 = re.escape("[not_found] No item 12. Call list_items to find its id.")


async def find(
    conn: AsyncConnection,
    query: str = "",
    *,
    limit: int = 500,
    **options: Any,
) -> ItemPage:
    return await listing.find(conn, query=query, limit=limit, **options)


async def names(conn: AsyncConnection, query: str = "", **options: Any) -> list[str]:
    return [found.name for found in (await find(conn, query, **options)).items]


async def found_by(conn: AsyncConnection, query: str) -> tuple[str, ...]:
    """A query and the names it finds, so that a failure shows which one it was."""
    return (query, *await names(conn, query))


async def set_times(conn: AsyncConnection, item_id: int, created: int, updated: int) -> None:
    await conn.execute(
        "UPDATE items SET created_at = %(created)s, updated_at = %(updated)s WHERE id = %(item_id)s",
        {
            "item_id": item_id,
            "created": datetime(created, 1, 1, tzinfo=UTC),
            "updated": datetime(updated, 1, 1, tzinfo=UTC),
        },
    )


async def walk(
    conn: AsyncConnection,
    sort: Sort,
    limit: int,
    between: Callable[[ItemPage], Any] | None = None,
    **options: Any,
) -> list[int]:
    """The ids of all pages, one after the other; *between* makes what is awaited before the next page."""
    ids: list[int] = []
    page = await find(conn, sort=sort, limit=limit, **options)
    while True:
        ids += [found.id for found in page.items]
        if page.next_cursor is None:
            return ids
        if between is not None:
            await between(page)
        page = await find(conn, sort=sort, limit=limit, cursor=page.next_cursor, **options)


async def make_ties(conn: AsyncConnection, count: int, random: Random) -> list[int]:
    """Items, many with equal names, weights, prices and times, some with unknown ones."""
    ids: list[int] = []
    for _ in range(count):
        item_id = await make_item(
            conn,
            random.choice(["Peg", "peg", "Tent", "Öl", "a b"]),
            weight=random.choice([None, 0.0, 0.1, 12.9, 1e8 + 0.1]),
            price_cents=random.choice([None, 0, 100, 10**15 - 1]),
        )
        await set_times(conn, item_id, random.choice([2020, 2021]), random.choice([2022, 2023, 2024]))
        ids.append(item_id)
    return ids


async def as_written(conn: AsyncConnection, item_id: int) -> ItemWritten:
    """An item without what other rows say of it."""
    return alone(await item.get(conn, item_id))


def alone(written: ItemWritten) -> ItemWritten:
    """An item without what the result of a call adds."""
    return ItemWritten(**{name: getattr(written, name) for name in ItemWritten.model_fields})


async def test_a_new_item_takes_the_defaults(conn: AsyncConnection) -> None:
    created = await item.create(conn, {"name": "Tent"})
    assert alone(created).model_dump(exclude={"id", "updated_at", "display", "weight", "cut"}) == {
        "name": "Tent",
        "category": None,
        "weight_grams": None,
        "weight_margin_grams": None,
        "weight_source": None,
        "price_cents": None,
        "quantity": 1,
        "notes": None,
        "product_url": None,
        "image_id": None,
    }


async def test_a_new_item_keeps_all_it_is_given(conn: AsyncConnection) -> None:
    await make_category(conn, "Shelter")
    created = await item.create(
        conn,
        {
            "name": "Tent 🏕️",
            "category": "Shelter",
            "weight": Weighing(907.18474, 45.25),
            "weight_source": "maker",
            "price_cents": 24995,
            "quantity": 0,
            "notes": "Second\nline",
            "product_url": "https://example.com/tent",
        },
    )
    assert await as_written(conn, created.id) == alone(created)
    assert alone(created).model_dump(exclude={"id", "updated_at", "display", "weight", "cut"}) == {
        "name": "Tent 🏕️",
        "category": "Shelter",
        "weight_grams": 907.18474,
        "weight_margin_grams": 45.25,
        "weight_source": "maker",
        "price_cents": 24995,
        "quantity": 0,
        "notes": "Second\nline",
        "product_url": "https://example.com/tent",
        "image_id": None,
    }


async def test_none_for_a_new_item_is_as_good_as_left_out(conn: AsyncConnection) -> None:
    created = await item.create(conn, {"name": "Tent", "quantity": None, "weight": None, "category": None})
    assert (created.quantity, created.weight_grams, created.category) == (1, None, None)


async def test_a_weight_and_a_price_of_nothing_are_known(conn: AsyncConnection) -> None:
    created = await item.create(conn, {"name": "Gift", "weight": 0.0, "price_cents": 0})
    assert (created.weight_grams, created.price_cents) == (0, 0)


async def test_a_category_is_found_by_its_name_however_it_is_written(conn: AsyncConnection) -> None:
    await make_category(conn, "Sleep System")
    for reference in ("Sleep System", "sleep system", "SLEEP SYSTEM", "  Sleep System "):
        created = await item.create(conn, {"name": "Quilt", "category": reference})
        assert (reference, created.category) == (reference, "Sleep System")


async def test_a_category_is_found_by_its_id(conn: AsyncConnection) -> None:
    await make_category(conn, "Cook")
    category_id = await make_category(conn, "Shelter")
    created = await item.create(conn, {"name": "Tent", "category": str(category_id)})
    assert created.category == "Shelter"


async def test_an_unknown_category_names_the_nearest(conn: AsyncConnection) -> None:
    await make_category(conn, "Shelter")
    with pytest.raises(
        NotFound, match=r'No category "Sheltr"\. Did you mean "Shelter"\? Call list_categories'
    ):
        await item.create(conn, {"name": "Tent", "category": "Sheltr"})


async def test_changes_leave_out_what_they_keep(conn: AsyncConnection) -> None:
    await make_category(conn, "Shelter")
    item_id = await make_item(
        conn, "Tent", category="Shelter", weight=1000.0, price_cents=30000, quantity=2, notes="green"
    )
    before = await as_written(conn, item_id)
    updated = await item.update(conn, item_id, {"weight": 950.5})
    assert alone(updated) == before.model_copy(update={"weight_grams": 950.5})
    assert updated.before == {"weight_grams": 1000}


async def test_none_clears_a_field(conn: AsyncConnection) -> None:
    await make_category(conn, "Shelter")
    item_id = await make_item(
        conn,
        "Tent",
        category="Shelter",
        weight=1000.0,
        price_cents=30000,
        notes="green",
        product_url="https://example.com",
    )
    changes: ItemChanges = {
        "category": None,
        "weight": None,
        "price_cents": None,
        "notes": None,
        "product_url": None,
    }
    updated = alone(await item.update(conn, item_id, changes))
    assert updated.model_dump(
        exclude_none=True, exclude={"id", "updated_at", "display", "weight", "cut"}
    ) == {
        "name": "Tent",
        "quantity": 1,
    }


async def test_changes_of_everything_are_all_made(conn: AsyncConnection) -> None:
    await make_category(conn, "Shelter")
    item_id = await make_item(conn, "Tent")
    changes: ItemChanges = {
        "name": "Tarp",
        "category": "shelter",
        "weight": Weighing(300.0, 30.0, "estimate"),
        "weight_source": "shop",
        "price_cents": 9900,
        "quantity": 3,
        "notes": "blue",
        "product_url": "http://example.com/tarp",
    }
    updated = await item.update(conn, item_id, changes)
    assert await as_written(conn, item_id) == alone(updated)
    assert updated.before == {
        "name": "Tent",
        "category": None,
        "weight_grams": None,
        "weight_margin_grams": None,
        "weight_source": None,
        "price_cents": None,
        "quantity": 1,
        "notes": None,
        "product_url": None,
    }
    assert alone(updated).model_dump(exclude={"id", "updated_at", "display", "weight", "cut"}) == {
        "name": "Tarp",
        "category": "Shelter",
        "weight_grams": 300,
        "weight_margin_grams": 30,
        "weight_source": "shop",
        "price_cents": 9900,
        "quantity": 3,
        "notes": "blue",
        "product_url": "http://example.com/tarp",
        "image_id": None,
    }


async def test_empty_changes_return_the_item_as_it_is(conn: AsyncConnection) -> None:
    item_id = await make_item(conn, "Tent", weight=1000.0)
    before = await as_written(conn, item_id)
    updated = await item.update(conn, item_id, {})
    assert (alone(updated), updated.before) == (before, None)


async def test_changes_touch_no_other_item(conn: AsyncConnection) -> None:
    item_id, other_id = await make_item(conn, "Tent"), await make_item(conn, "Tarp")
    before = await item.get(conn, other_id)
    await item.update(conn, item_id, {"name": "Bivy", "weight": 100.0})
    assert await item.get(conn, other_id) == before


async def test_a_change_to_an_unknown_category_is_refused_and_changes_nothing(conn: AsyncConnection) -> None:
    item_id = await make_item(conn, "Tent")
    with pytest.raises(NotFound, match='No category "Nowhere"'):
        await item.update(conn, item_id, {"name": "Tarp", "category": "Nowhere"})
    assert (await item.get(conn, item_id)).name == "Tent"


async def test_a_change_moves_updated_at(pool: Pool, user_id: int) -> None:
    async with transaction(pool, user_id) as conn:
        item_id = await make_item(conn, "Tent")
        before = await item.get(conn, item_id)
    async with transaction(pool, user_id) as conn:
        updated = await item.update(conn, item_id, {"notes": "green"})
    assert updated.updated_at > before.updated_at


async def test_an_absent_item_cannot_be_shown(conn: AsyncConnection) -> None:
    with pytest.raises(NotFound, match=NO_ITEM_12):
        await item.get(conn, 12)


async def test_an_absent_item_cannot_be_changed(conn: AsyncConnection) -> None:
    with pytest.raises(NotFound, match=NO_ITEM_12):
        await item.update(conn, 12, {"name": "Tarp"})


async def test_an_absent_item_cannot_be_deleted(conn: AsyncConnection) -> None:
    with pytest.raises(NotFound, match=NO_ITEM_12):
        await item.delete(conn, 12)


async def test_the_last_id_there_can_be_is_just_absent(conn: AsyncConnection) -> None:
    with pytest.raises(NotFound, match=f"No item {2**63 - 1}"):
        await item.get(conn, 2**63 - 1)


async def test_a_deleted_item_is_gone(conn: AsyncConnection) -> None:
    item_id, other_id = await make_item(conn, "Tent"), await make_item(conn, "Tarp")
    deleted = await item.delete(conn, item_id)
    assert (deleted.deleted, deleted.removed_from_setups) == ("Tent", ())
    assert [found.id for found in (await find(conn)).items] == [other_id]
    with pytest.raises(NotFound):
        await item.get(conn, item_id)


async def test_a_deleted_item_leaves_every_setup_and_names_them(conn: AsyncConnection) -> None:
    tent, tarp = await make_item(conn, "Tent"), await make_item(conn, "Tarp")
    weekend = await make_setup(conn, "Weekend", tent, tarp)
    await make_setup(conn, "alps", tent)
    await make_setup(conn, "Home", tarp)
    deleted = await item.delete(conn, tent)
    assert deleted.removed_from_setups == ("alps", "Weekend")
    assert [line.name for line in (await setup.get(conn, weekend)).lines] == ["Tarp"]


async def test_every_word_is_the_beginning_of_a_word_of_the_name_or_the_notes(conn: AsyncConnection) -> None:
    await make_item(conn, "Merino Socks", notes="Wool, for hiking")
    await make_item(conn, "Titanium Cup", notes="Dented")
    for query in ("merino", "MER", "m", "wool", "hik", "soc merino", "m m s"):
        assert await found_by(conn, query) == (query, "Merino Socks")


async def test_a_word_that_begins_no_word_finds_nothing(conn: AsyncConnection) -> None:
    await make_item(conn, "Merino Socks", notes="Wool, for hiking")
    await make_item(conn, "Titanium Cup", notes="Dented")
    for query in ("rino", "ocks", "merino cup", "wool dented", "socksy", "merinosocks"):
        assert await found_by(conn, query) == (query,)


async def test_no_words_find_everything(conn: AsyncConnection) -> None:
    await make_item(conn, "Tent")
    await make_item(conn, "Cup")
    for query in ("", "  ", "\t\n"):
        assert await found_by(conn, query) == (query, "Cup", "Tent")


async def test_small_words_count_like_any_other(conn: AsyncConnection) -> None:
    await make_item(conn, "The and a is")
    await make_item(conn, "Cup")
    for query in ("the", "and", "a", "is"):
        assert await found_by(conn, query) == (query, "The and a is")


async def test_a_percent_sign_matches_only_itself(conn: AsyncConnection) -> None:
    await make_item(conn, "100% wool")
    await make_item(conn, "100 wool pads")
    for query in ("100%", "%", "100% wool"):
        assert await found_by(conn, query) == (query, "100% wool")
    assert await names(conn, "wool%") == []


async def test_an_underscore_matches_only_itself(conn: AsyncConnection) -> None:
    await make_item(conn, "Pot mk_2")
    await make_item(conn, "Pot mkx2")
    for query in ("mk_2", "_", "pot mk_2"):
        assert await found_by(conn, query) == (query, "Pot mk_2")
    assert await names(conn, "p_t") == []


async def test_an_emoji_finds_itself(conn: AsyncConnection) -> None:
    await make_item(conn, "Visor", notes="🧢")
    await make_item(conn, "Tent 🏕️")
    assert await names(conn, "🧢") == ["Visor"]
    assert await names(conn, "🏕️ tent") == ["Tent 🏕️"]


async def test_a_hyphenated_word_is_found_whole_and_by_its_parts(conn: AsyncConnection) -> None:
    await make_item(conn, "Durston X-mid 1p")
    await make_item(conn, "Tent")
    for query in ("x-mid", "X-MID", "x-mi", "mid", "x", "durston x-mid 1p"):
        assert await found_by(conn, query) == (query, "Durston X-mid 1p")


async def test_a_word_begins_behind_any_punctuation(conn: AsyncConnection) -> None:
    wanted = {
        "squeeze": "Sawyer (squeeze)",
        "thin": "Rope,thin",
        "two": "mk_two",
        "mittens": "Gloves/mittens",
        "25": "Nitecore NU-25",
        "125": "Poles 105-125cm",
        "5A": "12V/5A charger",
        "aid": "Tear.Aid",
    }
    for name in wanted.values():
        await make_item(conn, name)
    assert {query: await names(conn, query) for query in wanted} == {
        query: [name] for query, name in wanted.items()
    }


async def test_a_word_with_punctuation_is_found_only_where_all_of_it_is(conn: AsyncConnection) -> None:
    await make_item(conn, "Durston x-mid 1p")
    await make_item(conn, "Mid x 1.5l")
    await make_item(conn, "1 + 5 = x")
    assert await found_by(conn, "x-mid") == ("x-mid", "Durston x-mid 1p")
    assert await found_by(conn, "1.5L") == ("1.5L", "Mid x 1.5l")
    for query in ("-mid", "x-", "n x-m", "x-mid-", "x--mid", "-x-mid"):
        expected = ["Durston x-mid 1p"] if query in ("-mid", "x-") else []
        assert await found_by(conn, query) == (query, *expected)


async def test_any_sign_of_ascii_parts_words(conn: AsyncConnection) -> None:
    for sign in string.punctuation.replace("|", ""):
        await make_item(conn, f"left{sign}right")
        assert await found_by(conn, f"left{sign}rig") == (f"left{sign}rig", f"left{sign}right")
    await make_item(conn, "left|right")
    assert len(await names(conn, "right")) == len(string.punctuation)
    assert len(await names(conn, "right|nothing", limit=100)) == len(string.punctuation)


async def test_scripts_that_do_not_part_words_are_found_anywhere(conn: AsyncConnection) -> None:
    await make_item(conn, "軽量テント2人用")
    for query in ("テント", "軽量", "2人", "テント 軽量"):
        assert await found_by(conn, query) == (query, "軽量テント2人用")
    assert await names(conn, "寝袋") == []


async def test_a_word_without_end_is_stored_and_found(conn: AsyncConnection) -> None:
    await make_item(conn, "Rope", notes=f"{'x' * 65000} tail")
    for query in ("x" * 200, "tail", "xx tail"):
        assert await found_by(conn, query) == (query, "Rope")
    assert await names(conn, "y") == []


@pytest.mark.usefixtures("any_alphabet")
async def test_letters_beyond_ascii_have_no_case_either(conn: AsyncConnection) -> None:
    await make_item(conn, "Öronproppar")
    for query in ("öron", "ÖRONPROPPAR", "Öro"):
        assert await found_by(conn, query) == (query, "Öronproppar")


async def test_no_character_of_a_query_means_anything(conn: AsyncConnection) -> None:
    await make_item(conn, "Tent")
    for query in (
        "!",
        "&",
        "t & e",
        "t | e",
        "tent:*",
        "'",
        '"',
        "(",
        "<->",
        "\\",
        "t\\:e",
        ";--",
        "%(x)s",
    ):
        assert await found_by(conn, query) == (query,)


async def test_punctuation_around_a_word_is_that_of_a_sentence(conn: AsyncConnection) -> None:
    await make_item(conn, "Rain jacket")
    for query in ('"rain jacket"', "rain, jacket.", "(rain)", "jacket?", "“rain”", "jacket'"):
        assert await names(conn, query) == ["Rain jacket"]


async def test_a_category_narrows_the_list(conn: AsyncConnection) -> None:
    category_id = await make_category(conn, "Shelter")
    await make_item(conn, "Tent green", category="Shelter")
    await make_item(conn, "Tarp", category="Shelter")
    await make_item(conn, "Cup green")
    assert await names(conn, in_category="shelter") == ["Tarp", "Tent green"]
    assert await names(conn, in_category=str(category_id)) == ["Tarp", "Tent green"]
    assert await names(conn, "green", in_category="shelter") == ["Tent green"]


async def test_a_list_of_an_unknown_category_is_refused(conn: AsyncConnection) -> None:
    await make_category(conn, "Shelter")
    with pytest.raises(NotFound, match=r'No category "shelf"\.'):
        await find(conn, in_category="shelf")


async def test_a_setup_narrows_the_list(conn: AsyncConnection) -> None:
    tent, cup = await make_item(conn, "Tent green"), await make_item(conn, "Cup")
    await make_item(conn, "Tarp green")
    setup_id = await make_setup(conn, "Weekend", tent, cup)
    assert await names(conn, in_setup="weekend") == ["Cup", "Tent green"]
    assert await names(conn, in_setup=setup_id) == ["Cup", "Tent green"]
    assert await names(conn, "green", in_setup="weekend") == ["Tent green"]
    assert await names(conn, in_setup=str(await make_setup(conn, "Empty"))) == []


async def test_only_what_has_no_weight_can_be_listed(conn: AsyncConnection) -> None:
    await make_category(conn, "Shelter")
    await make_item(conn, "Tent", category="Shelter", weight=1000.0)
    await make_item(conn, "Gift", weight=0.0)
    await make_item(conn, "Tarp green", category="Shelter")
    await make_item(conn, "Cup green")
    assert await names(conn, unweighed=True) == ["Cup green", "Tarp green"]
    assert await names(conn, "green", in_category="Shelter", unweighed=True) == ["Tarp green"]
    page = await find(conn, unweighed=True, sort="-weight", limit=1)
    assert (page.total, [found.name for found in page.items]) == (2, ["Cup green"])


async def test_a_listed_item_shows_its_category(conn: AsyncConnection) -> None:
    await make_category(conn, "Shelter")
    item_id = await make_item(conn, "Tent", category="Shelter", weight=12.5, price_cents=5, quantity=2)
    (found,) = (await find(conn)).items
    assert found.model_dump(exclude_defaults=True, exclude={"weight"}) == {
        "id": item_id,
        "name": "Tent",
        "category": "Shelter",
        "weight_grams": 12.5,
        "price_cents": 5,
        "quantity": 2,
    }


async def test_the_total_counts_what_matches_and_not_the_page(conn: AsyncConnection) -> None:
    for number in range(5):
        await make_item(conn, f"Peg {number}")
    await make_item(conn, "Tent")
    page = await find(conn, "peg", limit=2)
    assert (page.total, len(page.items)) == (5, 2)


async def test_very_many_items_are_not_all_counted(conn: AsyncConnection) -> None:
    await make_pegs(conn, listing.ENOUGH - 1)
    assert (await find(conn, "peg")).total == listing.ENOUGH - 1
    await make_item(conn, "Peg")
    for query in ("", "peg", "p", "peg p", "peg-"):
        page = await find(conn, query, limit=3)
        counted = (page.total, page.total_at_least, len(page.items))
        assert (query, *counted) == (query, *((None, listing.ENOUGH, 3) if query != "peg-" else (0, None, 0)))


@pytest.mark.parametrize("sort", SORTS)
async def test_many_are_found_another_way_but_the_same(
    conn: AsyncConnection, monkeypatch: pytest.MonkeyPatch, sort: Sort
) -> None:
    await make_category(conn, "Shelter")
    ids = await make_ties(conn, 40, Random(5))
    await conn.execute("UPDATE items SET category_id = (SELECT id FROM categories) WHERE mod(id, 3) = 0")
    await make_setup(conn, "Weekend", *ids[::2])
    narrowings: list[dict[str, Any]] = [
        {},
        {"in_category": "Shelter"},
        {"in_setup": "Weekend"},
        {"unweighed": True},
        {"in_category": "Shelter", "unweighed": True},
        {"in_category": "Shelter", "in_setup": "Weekend", "unweighed": True},
    ]
    lists: list[tuple[str, dict[str, Any]]] = [
        (query, {"sort": sort, **options}) for query in ("peg", "pe p", "p-", "") for options in narrowings
    ]
    few = [(await find(conn, query, **options)).items for query, options in lists]
    monkeypatch.setattr(listing, "ENOUGH", 1)
    many = [await find(conn, query, **options) for query, options in lists]
    assert [page.items for page in many] == few
    assert len([page for page in many if page.total_at_least]) >= 12


async def make_pegs(conn: AsyncConnection, count: int) -> None:
    await conn.execute(
        """
        INSERT INTO items (name, weight_grams, price_cents, created_at, updated_at)
        SELECT
            'Peg ' || n, nullif(mod(n * 7, 50), 0), nullif(mod(n * 11, 60), 0),
            now() - n * interval '1 hour', now() - mod(n * 13, 70) * interval '1 hour'
        FROM generate_series(1, %(count)s) AS n
        """,
        {"count": count},
    )


async def test_an_empty_collection_is_an_empty_page(conn: AsyncConnection) -> None:
    found = (await find(conn)).model_dump(exclude_defaults=True, exclude_none=True)
    assert found == {"total": 0, "items": []}


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("name", ["Axe", "bowl", "Cup"]),
        ("-name", ["Cup", "bowl", "Axe"]),
        ("weight", ["bowl", "Axe", "Cup"]),
        ("-weight", ["Axe", "bowl", "Cup"]),
        ("price", ["Cup", "Axe", "bowl"]),
        ("-price", ["Axe", "Cup", "bowl"]),
        ("newest", ["bowl", "Cup", "Axe"]),
        ("-newest", ["Axe", "Cup", "bowl"]),
        ("updated", ["Cup", "Axe", "bowl"]),
        ("-updated", ["bowl", "Axe", "Cup"]),
    ],
)
async def test_every_sort_has_its_order_and_the_unknown_last(
    conn: AsyncConnection, sort: Sort, expected: list[str]
) -> None:
    await set_times(conn, await make_item(conn, "Axe", weight=900.0, price_cents=5000), 2020, 2023)
    await set_times(conn, await make_item(conn, "bowl", weight=50.0), 2022, 2022)
    await set_times(conn, await make_item(conn, "Cup", price_cents=0), 2021, 2024)
    assert await names(conn, sort=sort) == expected


async def make_lines(conn: AsyncConnection, random: Random, count: int = 30) -> dict[int, tuple[Any, ...]]:
    """A setup "Weekend" with many ties, and by item the weight, the price and the quantity of its line."""
    lines: dict[int, tuple[Any, ...]] = {}
    for number in range(count):
        weight, price = random.choice([None, 0.1, 50.0, 150.0]), random.choice([None, 0, 100])
        item_id = await make_item(conn, f"Peg {number}", weight=weight, price_cents=price)
        lines[item_id] = (weight, price, random.choice([Decimal(n) for n in ("0", "0.5", "1", "3")]))
    setup_id = await make_setup(conn, "Weekend")
    await setup.set_items(
        conn,
        setup_id,
        [{"item_id": item_id, "quantity": quantity} for item_id, (_, _, quantity) in lines.items()],
    )
    await make_item(conn, "Elsewhere", weight=9999.0, price_cents=9999)
    return lines


@pytest.mark.parametrize(("sort", "column"), [("weight", 0), ("-weight", 0), ("price", 1), ("-price", 1)])
async def test_a_setups_list_is_sorted_by_whole_lines_on_all_its_pages(
    conn: AsyncConnection, sort: Sort, column: int
) -> None:
    lines = await make_lines(conn, Random(3))
    sign = -1 if sort.startswith("-") else 1

    def place(item_id: int) -> tuple[Any, ...]:
        each, quantity = lines[item_id][column], lines[item_id][2]
        return (each is None, sign * Decimal(str(each or 0)) * quantity, sign * item_id)

    whole = [found.id for found in (await find(conn, sort=sort, in_setup="Weekend")).items]
    assert whole == sorted(lines, key=place)
    for limit in (1, 7):
        assert await walk(conn, sort, limit, in_setup="Weekend") == whole


async def test_three_power_banks_weigh_more_than_a_jacket(conn: AsyncConnection) -> None:
    bank = await make_item(conn, "Power bank", weight=150.0, quantity=5)
    jacket = await make_item(conn, "Jacket", weight=400.0)
    rumour = await make_item(conn, "Rumour")
    await setup.create(
        conn,
        "Weekend",
        [
            {"item_id": jacket, "classification": "worn"},
            {"item_id": rumour},
            {"item_id": bank, "quantity": Decimal(3)},
        ],
    )
    page = await find(conn, sort="-weight", in_setup="Weekend")
    assert [(row.name, row.quantity, row.classification, row.line_grams) for row in page.items] == [
        ("Power bank", 3, "base", 450),
        ("Jacket", 1, "worn", 400),
        ("Rumour", 1, "base", None),
    ]
    everything = (await find(conn, sort="-weight")).items
    assert [(row.name, row.quantity, row.line_grams) for row in everything] == [
        ("Jacket", 1, None),
        ("Power bank", 5, None),
        ("Rumour", 1, None),
    ]


async def test_all_lines_of_a_setup_are_counted(
    conn: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_lines(conn, Random(3), count=5)
    monkeypatch.setattr(listing, "ENOUGH", 5)
    page = await find(conn, in_setup="Weekend", limit=2)
    assert (page.total, page.total_at_least, len(page.items)) == (5, None, 2)


async def test_a_cursor_of_another_setup_is_refused(conn: AsyncConnection) -> None:
    tent, tarp = await make_item(conn, "Tent"), await make_item(conn, "Tarp")
    await make_setup(conn, "Weekend", tent, tarp)
    await make_setup(conn, "Alps", tent, tarp)
    cursor = (await find(conn, in_setup="Weekend", limit=1)).next_cursor
    assert cursor is not None
    for in_setup in ("Alps", None):
        with pytest.raises(InvalidInput, match="not the next_cursor of a page"):
            await find(conn, cursor=cursor, in_setup=in_setup)


def test_every_sort_is_built() -> None:
    assert set(listing.ORDERS) == set(SORTS)


@pytest.mark.parametrize("sort", SORTS)
async def test_the_pages_together_are_the_list(conn: AsyncConnection, sort: Sort) -> None:
    ids = await make_ties(conn, 23, Random(7))
    whole = [found.id for found in (await find(conn, sort=sort)).items]
    assert sorted(whole) == sorted(ids)
    assert await walk(conn, sort, 4) == whole
    assert await walk(conn, sort, 1) == whole


@pytest.mark.parametrize("sort", SORTS)
async def test_rows_that_come_and_go_between_pages_disturb_no_other(
    conn: AsyncConnection, sort: Sort
) -> None:
    random = Random(11)
    there_throughout = set(await make_ties(conn, 30, random))

    async def disturb(page: ItemPage) -> None:
        await make_ties(conn, 2, random)
        # The row that the cursor stands on, and one from anywhere.
        for gone in {page.items[-1].id, random.choice(sorted(there_throughout))}:
            there_throughout.discard(gone)
            await conn.execute("DELETE FROM items WHERE id = %(id)s", {"id": gone})

    seen = Counter(await walk(conn, sort, 5, disturb))
    assert len(there_throughout) > 5
    assert {item_id: seen[item_id] for item_id in there_throughout} == dict.fromkeys(there_throughout, 1)
    assert set(seen.values()) == {1}


async def test_the_last_page_has_no_cursor_even_when_it_is_full(conn: AsyncConnection) -> None:
    for number in range(4):
        await make_item(conn, f"Peg {number}")
    first = await find(conn, limit=2)
    assert first.next_cursor is not None
    last = await find(conn, limit=2, cursor=first.next_cursor)
    assert (len(last.items), last.next_cursor) == (2, None)


async def test_a_cursor_goes_on_with_the_same_query(conn: AsyncConnection) -> None:
    for name in ("Peg 1", "Pan", "Peg 2", "Pot", "Peg 3"):
        await make_item(conn, name)
    first = await find(conn, "peg", limit=1)
    assert first.next_cursor is not None
    assert await names(conn, "peg", cursor=first.next_cursor) == ["Peg 2", "Peg 3"]


async def test_an_invalid_cursor_is_refused(conn: AsyncConnection) -> None:
    await make_item(conn, "Tent")
    for cursor in NO_CURSORS:
        with pytest.raises(InvalidInput, match="cursor: not the next_cursor of a page with this sort"):
            await find(conn, cursor=cursor)


async def test_a_cursor_of_another_sort_is_refused(conn: AsyncConnection) -> None:
    await make_item(conn, "Tent")
    await make_item(conn, "Tarp")
    cursor = (await find(conn, sort="name", limit=1)).next_cursor
    assert cursor is not None
    for sort in SORTS:
        if sort != "name":
            with pytest.raises(InvalidInput, match="Omit it to start again"):
                await find(conn, sort=sort, cursor=cursor)


async def test_many_items_are_created_in_their_order(conn: AsyncConnection) -> None:
    ids = await bulk.insert(conn, [{"name": f"Peg {number}"} for number in range(12)])
    assert [(await item.get(conn, item_id)).name for item_id in ids] == [f"Peg {n}" for n in range(12)]


async def test_another_user_has_none_of_it(pool: Pool, user_id: int, other_user_id: int) -> None:
    async with transaction(pool, user_id) as conn:
        item_id = await make_item(conn, "Tent", category=str(await make_category(conn, "Shelter")))
    async with transaction(pool, other_user_id) as conn:
        assert await names(conn) == []
        with pytest.raises(NotFound, match=f"No item {item_id}"):
            await item.update(conn, item_id, {"name": "Mine"})
        with pytest.raises(NotFound, match='No category "Shelter"'):
            await category.resolve(conn, "Shelter")
        assert await fetch_value(conn, "SELECT count(*) FROM items") == 0


async def test_an_item_names_the_setups_that_use_it(conn: AsyncConnection) -> None:
    socks = await make_item(conn, "Socks")
    alps = await make_setup(conn, "Alps", socks)
    weekend = await make_setup(conn, "weekend")
    await setup.set_items(
        conn, weekend, [{"item_id": socks, "quantity": Decimal("2.5"), "classification": "worn"}]
    )
    found = await item.get(conn, socks)
    assert [used.model_dump(exclude_none=True) for used in found.setups] == [
        {"setup_id": alps, "name": "Alps", "quantity": 1, "classification": "base"},
        {"setup_id": weekend, "name": "weekend", "quantity": Decimal("2.5"), "classification": "worn"},
    ]


async def test_many_items_are_created_in_their_order_with_their_categories(conn: AsyncConnection) -> None:
    await make_category(conn, "Shelter")
    created = await item.create_many(
        conn,
        [
            {"name": "Tent", "category": "shelter", "weight": 900.0, "quantity": 0},
            {"name": "Stove"},
            {"name": "Tent", "notes": "the other one", "price_cents": 5},
        ],
    )
    assert [each.name for each in created.items] == ["Tent", "Stove", "Tent"]
    found = [await item.get(conn, each.id) for each in created.items]
    assert [(each.category, each.weight_grams, each.quantity) for each in found] == [
        ("Shelter", 900, 0),
        (None, None, 1),
        (None, None, 1),
    ]
    assert (found[2].notes, found[2].price_cents) == ("the other one", 5)


async def test_every_new_item_with_an_absent_category_is_named(conn: AsyncConnection) -> None:
    await make_category(conn, "Shelter")
    with pytest.raises(NotFound) as caught:
        await item.create_many(
            conn,
            [
                {"name": "A", "category": "Sheltr"},
                {"name": "B", "category": "Shelter"},
                {"name": "C", "category": "Sheltr"},
                {"name": "D", "category": 99},
            ],
        )
    assert str(caught.value) == (
        '[not_found] No category "Sheltr". Did you mean "Shelter"? Call list_categories to see all of them, '
        "or create_category to add one. (items.0, items.2) No category 99. Call list_categories to see all "
        "of them, or create_category to add one. (items.3) Nothing was created."
    )


async def test_many_items_take_the_same_changes(conn: AsyncConnection) -> None:
    await make_category(conn, "Shelter")
    tent, tarp, stove = [await make_item(conn, name, weight=1.0) for name in ("Tent", "Tarp", "Stove")]
    assert (
        await item.update_many(conn, [tent, tarp, tent], {"category": "Shelter", "weight": None})
    ).updated == 2
    found = [await item.get(conn, item_id) for item_id in (tent, tarp, stove)]
    assert [(each.category, each.weight_grams) for each in found] == [
        ("Shelter", None),
        ("Shelter", None),
        (None, 1),
    ]


async def test_absent_items_are_named_before_any_is_changed(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Tent")
    with pytest.raises(NotFound, match=r"No item 98, 99\. Nothing was changed"):
        await item.update_many(conn, [98, tent, 99], {"quantity": 5})


async def test_an_item_of_many_is_stored_like_one_alone(conn: AsyncConnection) -> None:
    await make_category(conn, "Shelter")
    new: NewItem = {
        "name": "Tent",
        "category": "Shelter",
        "weight": Weighing(900.5, 20.5),
        "weight_source": "shop",
        "price_cents": 5,
        "quantity": 0,
        "notes": "green",
        "product_url": "https://example.com",
    }
    assert new.keys() == NewItem.__annotations__.keys()
    one = await item.create(conn, new)
    (many,) = (await item.create_many(conn, [new])).items
    assert await as_written(conn, many.id) == alone(one).model_copy(update={"id": many.id})
    assert (many.name, many.weight_grams) == (one.name, one.weight_grams)
    assert many.weight_margin_grams == one.weight_margin_grams == 20.5


async def test_a_cursor_is_for_the_list_that_it_came_from(conn: AsyncConnection) -> None:
    for name in ("Tent", "Tarp", "Torch"):
        await make_item(conn, name)
    page = await find(conn, query="t", limit=1)
    assert page.next_cursor
    others: tuple[dict[str, Any], ...] = ({"query": "to"}, {"unweighed": True}, {})
    for other in others:
        with pytest.raises(InvalidInput, match="with this sort and these filters"):
            await find(conn, cursor=page.next_cursor, **other)


async def test_a_deleted_item_names_the_threads_that_would_have_replaced_it(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Tent")
    await make_thread(conn, "Lighter", replaces_item_id=tent)
    assert (await item.delete(conn, tent)).no_longer_replaced_in_threads == ("Lighter",)


async def test_a_deleted_item_names_only_active_threads(conn: AsyncConnection) -> None:
    tent = await make_item(conn, "Tent")
    await make_thread(conn, "Lighter", replaces_item_id=tent)
    archived = await make_thread(conn, "Roomier", replaces_item_id=tent)
    await thread.update(conn, archived, {"status": "archived"})
    deleted = await item.delete(conn, tent)
    assert (deleted.no_longer_replaced_in_threads, deleted.threads_left_out) == (("Lighter",), 0)


async def test_a_weight_of_0_is_a_condition_of_a_list(conn: AsyncConnection) -> None:
    for name, weight in (("Nothing", 0.0), ("Tent", 900.0), ("Unknown", None)):
        await make_item(conn, name, weight=weight)
    assert [row.name for row in (await listing.find(conn, max_weight=0)).items] == ["Nothing"]
    assert [row.name for row in (await listing.find(conn, min_weight=0)).items] == ["Nothing", "Tent"]


async def test_of_many_new_items_one_may_have_no_pieces(conn: AsyncConnection) -> None:
    created = await item.create_many(conn, [{"name": "Lent", "quantity": 0}, {"name": "Tent"}])
    assert [(await item.get(conn, each.id or 0)).quantity for each in created.items] == [0, 1]
