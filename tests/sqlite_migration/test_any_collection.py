"""Any valid old collection, of any version, is migrated equal, by SQL and through the server's tools.

`EXAMPLES=1000 pytest tests/sqlite_migration/test_any_collection.py` tries more of them.
"""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from mcp import Client

from db.pool import create_pool
from mcp_server.accounts.auth import ensure_user
from mcp_server.models.fields import shown_grams
from mcp_server.protocol.edge import App
from mcp_server.server import build_server
from tests.calls import call
from tests.conftest import create_test_db
from tests.sqlite_migration.migration import migrate
from tests.sqlite_migration.new_collections import Rows, expected, found, has_right_words
from tests.sqlite_migration.old_collections import VERSIONS, old_collection

Row = dict[str, Any]

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40)
NAMES = TEXT.filter(lambda text: text.strip(" ") != "")
NOTES = st.none() | TEXT
GRAMS = st.none() | st.floats(0, 1e9, exclude_max=True)
CENTS = st.none() | st.integers(0, 10**15 - 1)
URLS = st.none() | TEXT.map(lambda text: f"https://a.test/{text}")
MOMENTS = st.integers(1, 4_000_000_000)
IDS = st.integers(1, 2**52)
FILES = st.sampled_from([None, "tent.jpg", "pot.png"])


class Collection(NamedTuple):
    """Rows of the last version by table, and a higher id that was once in each table."""

    version: int
    rows: dict[str, list[Row]]
    once: dict[str, int]


@st.composite
def rows_of(draw: st.DrawFn, **fields: st.SearchStrategy[Any]) -> list[Row]:
    """Up to four rows, each with a unique id and two times."""
    fields = {"created_at": MOMENTS, "updated_at": MOMENTS, **fields}
    ids = draw(st.lists(IDS, max_size=4, unique=True))
    return [{"id": key, **draw(st.fixed_dictionaries(fields))} for key in ids]


@st.composite
def collections(draw: st.DrawFn) -> Collection:
    categories = draw(rows_of(name=NAMES, icon=st.sampled_from(["tent", "cooking-pot"])))
    for number, row in enumerate(categories):
        # Unique, whatever the case folding of PostgreSQL's locale.
        row["name"] = f"{number} {row['name']}"
        row["emoji"] = draw(st.sampled_from(["⛺", "🏕\ufe0f", "🦄", ""]))
    product = {
        "name": NAMES,
        "weight_grams": GRAMS,
        "price_cents": CENTS,
        "notes": NOTES,
        "product_url": URLS,
        "image_filename": FILES,
        "image_source_url": URLS,
    }
    in_category = one_of(categories)
    items = draw(rows_of(**product, category_id=in_category, quantity=st.integers(0, 2**31 - 1)))
    threads = draw(
        rows_of(name=NAMES, category_id=in_category, status=st.sampled_from(["active", "resolved"]))
    )
    candidates = draw(
        rows_of(
            **product,
            category_id=in_category,
            thread_id=one_of(threads),
            status=st.sampled_from(["researching", "ordered", "arrived"]),
            pros=NOTES,
            cons=NOTES,
            sort_order=st.floats(allow_nan=False, allow_infinity=False),
        )
    )
    for thread in threads:
        own = [candidate["id"] for candidate in candidates if candidate["thread_id"] == thread["id"]]
        thread["resolved_candidate_id"] = draw(st.sampled_from([None, *own]))
    setups = draw(rows_of(name=NAMES))
    lines = draw(
        rows_of(
            setup_id=one_of(setups),
            item_id=one_of(items),
            classification=st.sampled_from(["base", "worn", "consumable"]),
        )
    )
    rows = {
        "categories": categories,
        "items": items if categories else [],
        "threads": threads if categories else [],
        "thread_candidates": candidates if categories and threads else [],
        "setups": setups,
        "setup_items": once_each(lines) if setups and items and categories else [],
    }
    once = draw(st.dictionaries(st.sampled_from(sorted(rows)), st.integers(2**52 + 1, 2**53 - 1)))
    return Collection(draw(st.sampled_from(VERSIONS)), rows, once)


def one_of(rows: Sequence[Row]) -> st.SearchStrategy[Any]:
    return st.sampled_from([row["id"] for row in rows] or [None])


def once_each(lines: Sequence[Row]) -> list[Row]:
    return list({(line["setup_id"], line["item_id"]): line for line in lines}.values())


def write(collection: Collection, file: Path) -> None:
    with old_collection(file, collection.version) as old:
        for table, rows in collection.rows.items():
            for row in rows:
                old.add_known(table, **row)
        for table, key in collection.once.items():
            if old.columns(table):
                old.add_known(table, id=key)
                old.db.execute(f"DELETE FROM {table} WHERE id = ?", (key,))  # noqa: S608


@settings(
    max_examples=int(os.environ.get("EXAMPLES", "12")),
    deadline=None,
    # An example takes a quarter of a second, so shrinking would take minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(collection=collections())
async def test_any_collection_is_migrated_equal(
    server: str, template: str, folder: Path, collection: Collection
) -> None:
    file = folder / "old.db"
    file.unlink(missing_ok=True)
    write(collection, file)
    with create_test_db(server, template) as url:
        run = migrate(url, file, "--owner", "ada")
        assert run.exit_code == 0, run.output
        rows = expected(file)
        assert found(url) == rows
        assert has_right_words(url)
        async with create_pool(url) as pool:
            async with pool.connection() as conn:
                user_id = await ensure_user(conn, "ada")
            async with Client(build_server(App(pool, user_id))) as client:
                await read_back(client, rows)


async def read_back(client: Client, rows: Rows) -> None:
    """Read every row with the tool that returns it."""
    categories = {key: name for key, name, *_ in without_next_id(rows["categories"])}
    shown = (await call(client, "list_categories"))["categories"]
    assert {row["id"]: row["name"] for row in shown} == categories
    items = without_next_id(rows["items"])
    assert {row["id"] for row in (await call(client, "list_items"))["items"]} == {row[0] for row in items}
    for row in items:
        await read_item(client, row, categories)
    for row in without_next_id(rows["threads"]):
        candidates = [each for each in without_next_id(rows["candidates"]) if each[1] == row[0]]
        await read_thread(client, row, candidates, categories)
    for row in without_next_id(rows["setups"]):
        lines = [each for each in without_next_id(rows["setup_items"]) if each[1] == row[0]]
        await read_setup(client, row, lines)


def rounded(grams: float | None) -> float | None:
    """Weights as results show them. The migration itself has compared what is stored with all digits."""
    return None if grams is None else shown_grams(grams)


def without_next_id(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [row for row in rows if row[0] != "next id"]


async def read_item(client: Client, row: tuple[Any, ...], categories: dict[int, str]) -> None:
    key, name, grams, cents, quantity, category, notes, url, file, _, _, updated = row
    shown = await call(client, "get_item", item_id=key)
    assert shown["name"] == name
    assert shown.get("weight_grams") == rounded(grams)
    assert shown.get("price_cents") == cents
    assert shown.get("quantity", 1) == quantity
    assert shown.get("category") == categories[category]
    assert (shown.get("notes"), shown.get("product_url")) == (notes, url)
    assert ("image_id" in shown) == (file is not None)
    assert shown["updated_at"] == f"{datetime.fromtimestamp(updated, UTC):%Y-%m-%dT%H:%M:%SZ}"


async def read_thread(
    client: Client, row: tuple[Any, ...], candidates: Sequence[tuple[Any, ...]], categories: dict[int, str]
) -> None:
    key, name, status, category, resolved, *_ = row
    shown = await call(client, "get_thread", thread_id=key)
    assert (shown["name"], shown["status"]) == (name, status)
    assert (shown.get("category"), shown.get("resolved_candidate_id")) == (categories[category], resolved)
    there = {each["id"]: each for each in shown["candidates"]}
    assert there.keys() == {candidate[0] for candidate in candidates}
    for key, _, name, grams, cents, category, notes, url, file, _, status, pros, cons, *_ in candidates:
        one = there[key]
        assert (one["name"], one.get("weight_grams"), one.get("price_cents")) == (name, rounded(grams), cents)
        assert one.get("category") == categories[category]
        assert (one.get("notes"), one.get("product_url"), one.get("pros"), one.get("cons")) == (
            notes,
            url,
            pros,
            cons,
        )
        assert ("image_id" in one) == (file is not None)
        assert one.get("status", "researching") == status


async def read_setup(client: Client, row: tuple[Any, ...], lines: Sequence[tuple[Any, ...]]) -> None:
    key, name, *_ = row
    shown = await call(client, "get_setup", setup_id=key)
    assert shown["name"] == name
    assert {
        (line["item_id"], line.get("quantity", 1), line.get("classification", "base"))
        for line in shown["lines"]
    } == {(item, quantity, classification) for _, _, item, quantity, classification, _ in lines}
