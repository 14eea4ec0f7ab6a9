"""Searches find what a person means: without marks, with or without hyphens, the best match first."""

import os
import re
import sys
import unicodedata
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from mcp import Client, StdioServerParameters
from psycopg import AsyncConnection
from psycopg.sql import SQL

from db.pool import Pool, transaction
from db.query import fetch_value
from mcp_server.services import category, listing, nearest, search
from tests.calls import call, refused
from tests.conftest import ROOT
from tests.factories import make_category, make_item

LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "þ": "th", "ı": "i", "‐": "-"}
)


async def names(client: Client, query: str, **filters: Any) -> list[str]:
    found = await call(client, "list_items", query=query, **filters)
    return [each["name"] for each in found["items"]]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(max_codepoint=0x24F, exclude_characters="\0"), max_size=20))
@example(text="ÖRONPROPPAR ẞßÆæŒœØøŁłĐđÞþİı ﬁ Ǆ")
async def test_folded_text_has_small_letters_without_marks(conn: AsyncConnection, text: str) -> None:
    plain = "".join(
        each for each in unicodedata.normalize("NFKD", text) if not unicodedata.category(each).startswith("M")
    )
    found = await fetch_value(conn, "SELECT folded(%(text)s)", {"text": text})
    # Letters that are not in a table of letters, such as Ħ, have the case that the locale gives them.
    expected = plain.lower().translate(LETTERS)
    if all(each.isascii() for each in expected):
        assert found == expected
    assert await fetch_value(conn, "SELECT folded(%(text)s)", {"text": found}) == found


async def test_folding_is_immutable_and_one_function_for_words_and_queries(url: str) -> None:
    with psycopg.connect(url) as conn:
        query = "SELECT provolatile FROM pg_proc WHERE proname = ANY ('{folded,words_of}')"
        assert conn.execute(query).fetchall() == [("i",), ("i",)]


@pytest.mark.parametrize(
    ("name", "queries"),
    [
        ("Öronproppar", ["oronproppar", "öronproppar", "ÖRON", "oron|tent"]),
        ("Fußsack", ["fusssack", "FUSS", "fußsack"]),
        ("Tromsø Æther Łódź", ["tromso", "aether lodz", "LODZ", "ŁÓDŹ"]),
        ("Durston X-Mid 2", ["xmid", "x mid", "x-mid", "X‐MID", "xmi", "x-m", "durston xmid", "mid 2"]),
        ("XMid", ["xmid", "x mid", "x-mid"]),
        ("X Mid", ["x mid", "x-mid"]),
        ("Self-inflating-mat", ["selfinflatingmat", "self inflating mat", "self-inflating mat", "mat"]),
        ("Tent", ["tents", "TENTS", "tarp|tents", "tent|"]),
        ("Box", ["boxes"]),
        ("Torch", ["torches"]),
    ],
)
async def test_an_item_is_found_as_a_person_writes_it(client: Client, name: str, queries: list[str]) -> None:
    await call(client, "create_items", items=[{"name": name}, {"name": "Gl4z"}])
    assert {query: await names(client, query) for query in queries} == {query: [name] for query in queries}


async def test_a_plural_of_fewer_letters_or_with_two_s_is_a_word_of_its_own(client: Client) -> None:
    await call(client, "create_items", items=[{"name": "Peg"}, {"name": "Compas"}, {"name": "Stovepipe"}])
    for query in ("pegs", "compass", "stoves"):
        assert await names(client, query) == []


async def test_a_category_counts_until_it_is_renamed(conn: AsyncConnection) -> None:
    shelter = await make_category(conn, "Shélter-wear")
    tent = await make_item(conn, "Lanshan", category="Shélter-wear")
    await make_item(conn, "Mug")

    async def found(query: str) -> list[int]:
        return [each.id for each in (await listing.find(conn, query=query)).items]

    for query in ("shelter", "SHELTERWEAR", "lanshan wear", "lan|mug shelter"):
        assert await found(query) == [tent]
    await category.update(conn, shelter, {"name": "Kitchen"})
    assert (await found("shelter"), await found("kitchen")) == ([], [tent])
    await category.delete(conn, shelter, None)
    assert await found("kitchen") == []
    assert await fetch_value(conn, "SELECT count(*) FROM category_words") == 0


async def test_an_undo_restores_the_words_of_a_category(client: Client) -> None:
    made = await call(client, "create_category", name="Shelter")
    await call(client, "create_item", name="Lanshan", category="Shelter")
    gone = await call(client, "delete_category", category_id=made["id"])
    assert await names(client, "shelter") == []
    await call(client, "undo_change", change_id=gone["change_id"])
    assert await names(client, "shelter") == ["Lanshan"]


async def test_an_imported_category_counts_too(client: Client) -> None:
    await call(client, "import_csv", csv_text="item name,weight,unit,category\nLanshan,700,gram,Shelter\n")
    assert await names(client, "shelt") == ["Lanshan"]


async def test_the_category_of_another_user_finds_nothing(client: Client, other_client: Client) -> None:
    await call(other_client, "create_category", name="Shelter")
    await call(other_client, "create_item", name="Lanshan", category="Shelter")
    found = await call(client, "list_items", query="shelter")
    assert found == {"total": 0, "items": []}
    assert "did_you_mean" not in await call(client, "list_items", query="sheltr")


async def test_the_best_match_comes_first(client: Client) -> None:
    rows = [
        {"name": "A bag", "notes": "for the tent"},
        {"name": "A cord", "notes": "tentative"},
        {"name": "B tents"},
        {"name": "Big tent"},
        {"name": "Tent"},
    ]
    await call(client, "create_items", items=rows)
    order = ["Big tent", "Tent", "B tents", "A bag", "A cord"]
    assert await names(client, "tent") == order
    assert await names(client, "tent", sort="name") == sorted(order)
    first = await call(client, "list_items", query="tent", limit=2)
    rest = await call(client, "list_items", query="tent", limit=9, cursor=first["next_cursor"])
    assert [each["name"] for each in [*first["items"], *rest["items"]]] == order


@pytest.mark.parametrize(
    ("query", "suggested"),
    [
        ("tnet", ["tent"]),
        ("tant", ["tent"]),
        ("oronpropar", ["oronproppar"]),
        ("orunprupper", []),
        ("green tetn", ["green tent"]),
        ("red tetn", []),
        ("x", []),
        ("sheltr", ["shelter"]),
    ],
)
async def test_a_search_without_a_match_names_the_nearest(
    client: Client, query: str, suggested: list[str]
) -> None:
    await call(client, "create_category", name="Shelter")
    made = await call(client, "create_item", name="Green tent", category="Shelter")
    await call(client, "create_item", name="Öronproppar")
    found = await call(client, "list_items", query=query)
    assert found["total"] == 0
    assert [each["query"] for each in found.get("did_you_mean", [])] == suggested
    if "tent" in "".join(suggested):
        assert found["did_you_mean"][0]["ids"] == [made["id"]]


WORDS = st.text("abct", min_size=1, max_size=7)


@given(first=WORDS, second=WORDS)
def test_the_edit_distance_is_symmetric_and_bounded(first: str, second: str) -> None:
    distance = nearest.edits(first, second, 7)
    assert distance == nearest.edits(second, first, 7)
    assert (distance == 0) == (first == second)
    assert abs(len(first) - len(second)) <= distance <= max(len(first), len(second))
    assert min(nearest.edits(first, second, 1), 2) == min(distance, 2)


async def test_conditions_must_all_hold_and_totals_are_of_all_matches(client: Client) -> None:
    await call(client, "create_category", name="Shelter")
    rows = [
        {"name": "Tent", "category": "Shelter", "weight": "900 g", "price_cents": 20000},
        {"name": "Tarp", "category": "Shelter", "weight": "300 g", "quantity": 2},
        {"name": "Groundsheet", "category": "Shelter"},
        {"name": "Mug", "weight": "100 g", "price_cents": 500},
    ]
    made = [each["id"] for each in (await call(client, "create_items", items=rows))["items"]]
    lines = [{"item_id": made[0]}, {"item_id": made[3], "classification": "worn"}]
    await call(client, "create_setup", name="Weekend", lines=lines)

    async def found(**conditions: Any) -> list[str]:
        page = await call(client, "list_items", **conditions)
        return [each["name"] for each in page["items"]]

    assert await found(unused=True) == ["Groundsheet", "Tarp"]
    assert await found(unpriced=True) == ["Groundsheet", "Tarp"]
    assert await found(unpriced=True, unweighed=True) == ["Groundsheet"]
    assert await found(classification="worn") == ["Mug"]
    assert await found(classification="base", setup="Weekend") == ["Tent"]
    assert await found(min_weight="0.3 kg") == ["Tarp", "Tent"]
    assert await found(max_weight="300 g") == ["Mug", "Tarp"]
    assert await found(min_weight=0, max_weight=0) == []
    assert await found(min_weight=200, max_weight=500, unused=True, category="shelter") == ["Tarp"]
    assert await found(ids=["mug", made[1], 999_999]) == ["Mug", "Tarp"]
    assert await found(ids=["mug", made[1]], unused=True, query="t") == ["Tarp"]
    page = await call(client, "list_items", category="Shelter", limit=1)
    figures = {name: page[name] for name in ("total", "total_grams", "total_cents", "unweighed", "unpriced")}
    assert figures == {"total": 3, "total_grams": 1500, "total_cents": 20000, "unweighed": 1, "unpriced": 2}
    unknown = await call(client, "list_items", unweighed=True)
    assert (unknown["unweighed"], unknown["unpriced"]) == (1, 1)
    assert not {"total_grams", "total_cents"} & unknown.keys()


async def test_the_totals_of_a_setup_are_those_of_its_lines(client: Client) -> None:
    made = await call(client, "create_item", name="Peg", weight=10, price_cents=100, quantity=9)
    line = {"item_id": made["id"], "quantity": 2.5}
    await call(client, "create_setup", name="Weekend", lines=[line])
    page = await call(client, "list_items", setup="Weekend")
    assert (page["total_grams"], page["total_cents"]) == (25, 250)


async def test_a_list_has_only_the_fields_that_are_wanted(client: Client) -> None:
    url = "https://example.com/tent"
    await call(client, "create_item", name="Tent", weight=900, notes="n" * 5000, product_url=url, quantity=2)
    page = await call(client, "list_items", fields=["notes", "product_url"])
    (row,) = page["items"]
    assert row.keys() == {"id", "name", "notes", "product_url", "cut"}
    assert (row["notes"], row["product_url"], row["cut"]) == ("n" * 4000 + "…", url, ["notes"])
    (row,) = (await call(client, "list_items", fields=["weight_grams", "updated_at"]))["items"]
    assert row.keys() == {"id", "name", "weight_grams", "updated_at"}


async def test_setups_and_threads_are_searched_by_name(client: Client) -> None:
    for name in ("Älps 2025", "Alps 2026", "Coast"):
        await call(client, "create_setup", name=name)
        await call(client, "create_thread", name=f"{name}: tent")
    for noun in ("setups", "threads"):
        first = await call(client, f"list_{noun}", query="alps", limit=1)
        assert first["total"] == 2
        rest = await call(client, f"list_{noun}", query="alps", cursor=first["next_cursor"])
        assert len([*first[noun], *rest[noun]]) == 2
        assert (await call(client, f"list_{noun}", query="alps coast"))["total"] == 0
        assert (await call(client, f"list_{noun}", query="2025|coast"))["total"] == 2
        assert (await call(client, f"list_{noun}"))["total"] == 3


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(found for part in plan.get("Plans", []) for found in nodes(part))]


@pytest.mark.parametrize("query", ["tent", "tent 12", "x-mid tents|boxes"])
async def test_words_are_found_through_an_index_under_row_security(
    url: str, pool: Pool, user_id: int, query: str
) -> None:
    with psycopg.connect(url) as conn:
        conn.execute("SET session_replication_role = replica")
        conn.execute("""
            INSERT INTO item_words (user_id, word, item_id)
            SELECT number % 50 + 1000, 'word' || number % 700, number FROM generate_series(1, 50000) AS number
        """)
        conn.execute("""
            INSERT INTO category_words (user_id, word, category_id)
            SELECT number % 50 + 1000, 'word' || number % 70, number FROM generate_series(1, 5000) AS number
        """)
    for analysed in (False, True):
        if analysed:
            with psycopg.connect(url, autocommit=True) as conn:
                conn.execute("ANALYZE")
        async with transaction(pool, user_id) as conn:
            await make_item(conn, "Tent")
            wanted = search.read_query(query)
            explain = SQL("EXPLAIN (FORMAT JSON) {}").format(search.with_words(wanted))
            plan = await fetch_value(conn, explain, wanted.params())
            found = nodes(plan[0]["Plan"])
            tables = [each for each in found if str(each.get("Relation Name")).endswith("_words")]
            assert {each["Relation Name"] for each in tables} == {"item_words", "category_words"}
            assert [each["Node Type"] for each in tables if each["Node Type"] == "Seq Scan"] == []
            assert [each["Filter"] for each in tables if "Filter" in each] == []
            conditions = [each["Index Cond"] for each in found if "_words" in str(each.get("Index Name"))]
            assert len(conditions) == 2
            assert all("user_id" in each and "word >=" in each and "word <" in each for each in conditions)
            await conn.rollback()


PAGE = (ROOT / "docs" / "searching.md").read_text(encoding="utf-8")


def documented() -> list[tuple[str, list[str]]]:
    """Each item of the table in the documentation, and the queries that find it."""
    table = PAGE.partition("| item | queries that find it |")[2].partition("\n\n")[0]
    rows = [re.findall(r"`([^`]+)`", row.replace("\\|", "|")) for row in table.splitlines() if "`" in row]
    return [(name, queries) for name, *queries in rows]


async def test_the_documented_queries_find_their_items_and_nothing_else(client: Client) -> None:
    await call(client, "create_items", items=[{"name": name} for name, _ in documented()])
    assert len(documented()) > 5
    for name, queries in documented():
        assert {query: await names(client, query) for query in queries} == {
            query: [name] for query in queries
        }


async def test_the_documented_conditions_are_the_arguments_of_the_list(client: Client) -> None:
    (tool,) = [each for each in (await client.list_tools()).tools if each.name == "list_items"]
    table = PAGE.partition("| argument | items |\n")[2].partition("\n\n")[0]
    conditions = {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    others = {"query", "fields", "sort", "limit", "cursor"}
    assert conditions | others == set(tool.input_schema["properties"])


async def test_a_process_finds_and_changes_items_by_name(url: str) -> None:
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": url, "GEARSHED_USER": "grace"}
    server = StdioServerParameters(command=sys.executable, args=["-m", "mcp_server"], env=environment)
    async with Client(server) as client:
        await call(client, "create_category", name="Kitchen")
        stove = await call(client, "create_item", name="Gas stöve", weight=90, category="kitchen")
        await call(client, "create_setup", name="Weekend", lines=[{"item_id": "gas stove", "quantity": 2}])
        found = await call(client, "list_items", query="kitchens", setup="weekend")
        assert (found["total_grams"], found["items"][0]["id"]) == (180, stove["id"])
        near = await call(client, "list_items", query="stvoe")
        assert near["did_you_mean"] == [{"query": "stove", "ids": [stove["id"]]}]
        assert (await call(client, "set_setup_items", setup="Weekend", remove=["stove"]))["items"] == 0
        assert "No item" in await refused(client, "get_item", item="Tarp")


def test_swapped_letters_are_one_mistake() -> None:
    assert nearest.edits("tarp", "trap", 2) == 1
    assert nearest.edits("tent", "tnet", 2) == 1
    assert nearest.edits("tent", "etnt", 2) == 1


def test_two_replaced_letters_are_tolerated_in_a_long_word() -> None:
    assert nearest.closest("sleeping", ["slaaping", "slxxpzng"], 2) == ["slaaping"]
    assert nearest.closest("bivouac", ["bivyuak"], 2) == ["bivyuak"]


def test_of_words_that_are_equally_near_the_same_first_letter_comes_first() -> None:
    assert nearest.closest("tarp", ["harp", "tart", "carp"], 1) == ["tart", "carp", "harp"]


@pytest.mark.usefixtures("any_alphabet")
async def test_a_prefix_is_found_whatever_alphabet_continues_it(client: Client) -> None:
    for name in ("Палатка", "Zelt", "Gaμma"):
        await call(client, "create_item", name=name)
    for query, name in (("пал", "Палатка"), ("ga", "Gaμma"), ("ze", "Zelt")):
        found = await call(client, "list_items", query=query)
        assert [row["name"] for row in found["items"]] == [name]
