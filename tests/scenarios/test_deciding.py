"""An agent decides a thread, and spends 400 EUR over four threads; docs/decisions.md has the same figures."""

import sys
from itertools import product
from pathlib import Path
from typing import Any, Literal

import pytest
from mcp import Client, StdioServerParameters

from tests.calls import call

PAGE = (Path(__file__).parents[2] / "docs" / "decisions.md").read_text(encoding="utf-8")
# What is packed: its weight, its line, and the products that may replace it, with their weights and prices.
PACKED: dict[str, tuple[int, dict[str, Any], dict[str, tuple[int, int]]]] = {
    "Power bank": (150, {"quantity": 3}, {"Small bank": (89, 5900), "Cheap bank": (120, 2900)}),
    "Shoes": (700, {"classification": "worn"}, {"Trail shoes": (520, 8500)}),
    "Tent": (1240, {}, {"Tarp tent": (795, 25000)}),
    "Quilt": (900, {}, {"Light quilt": (560, 31000), "Mid quilt": (700, 16100)}),
}
BUDGET = 40_000


async def test_a_budget_over_four_threads_is_spent_best_in_two_calls(
    url: str, era: Literal["legacy", "auto"]
) -> None:
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "mcp_server", "serve"], env={"DATABASE_URL": url}
    )
    async with Client(server, mode=era) as client:
        await research(client)
        threads = (await call(client, "list_threads", status="active"))["threads"]
        shown = await call(
            client, "plan_purchases", budget_cents=BUDGET, threads=[each["id"] for each in threads]
        )
        assert [each.get("pieces", 1) for each in threads if each["name"] == "New Power bank"] == [3]
        assert {each["name"] for each in shown["buy"]} == {"Tarp tent", "Trail shoes"}
        assert (shown["saves_grams"], -shown["outlay_cents"]) == best(base_only=False) == (625, -33500)
        base = await call(client, "plan_purchases", budget_cents=BUDGET, base_only=True)
        assert {each["name"] for each in base["buy"]} == {"Tarp tent", "Cheap bank"}
        assert (base["saves_grams"], -base["outlay_cents"]) == best(base_only=True) == (535, -33700)
        for plan in (shown, base):
            assert f"{plan['outlay_cents'] / 100:.2f} for" in PAGE
        await every_purchase_is_in_the_page(client)


async def research(client: Client) -> None:
    lines: list[dict[str, Any]] = []
    for name, (grams, line, products) in PACKED.items():
        item = await call(client, "create_item", name=name, weight=f"{grams} g")
        lines.append({"item_id": item["id"], **line})
        thread = await call(client, "create_thread", name=f"New {name}", replaces_item_id=item["id"])
        for product_name, (weight, cents) in products.items():
            new = {"name": product_name, "weight": f"{weight} g", "price_cents": cents}
            await call(client, "add_candidate", thread_id=thread["id"], **new)
    await call(client, "create_setup", name="Lapland", lines=lines)


def best(*, base_only: bool) -> tuple[int, int]:
    """The most grams and, of equal plans, the least outlay: by trying all plans."""
    choices = [
        [(0, 0)]
        + [
            (
                0 if base_only and line.get("classification") else (grams - new) * line.get("quantity", 1),
                -cents * line.get("quantity", 1),
            )
            for new, cents in products.values()
        ]
        for grams, line, products in PACKED.values()
    ]
    plans = [tuple(map(sum, zip(*plan, strict=True))) for plan in product(*choices)]
    return max((grams, outlay) for grams, outlay in plans if -outlay <= BUDGET)


async def every_purchase_is_in_the_page(client: Client) -> None:
    for name, (_, line, products) in PACKED.items():
        (thread,) = (
            each for each in (await call(client, "list_threads"))["threads"] if each["name"] == f"New {name}"
        )
        shown = (await call(client, "get_thread", thread_id=thread["id"]))["candidates"]
        assert [each["name"] for each in shown] == list(products)
        for each in shown:
            assert (
                f"| {each['name']}, {each['weight_grams']} g | {each['price_cents'] / 100:.2f} "
                f"| {line.get('quantity', 1)} | {each['outlay_cents'] / 100:.2f} | {each['saves_grams']} g"
            ) in PAGE


@pytest.fixture
async def judged(client: Client) -> dict[str, Any]:
    """The example of the page."""
    tent = await call(client, "create_item", name="Tent", weight="1000 g", price_cents=40000)
    thread = await call(client, "create_thread", name="Tent", replaces_item_id=tent["id"])
    comfort = {"name": "comfort", "importance": 2, "worst": 0, "best": 10, "at_least": 3}
    await call(client, "update_thread", thread_id=thread["id"], changes={"criteria": [comfort]})
    for name, grams, cents, value in (
        ("Tarp", 300, 10000, 4),
        ("Dome", 900, 20000, 8),
        ("Rumour", 500, 15000, None),
    ):
        values = [] if value is None else [{"name": "comfort", "value": value}]
        new = {"name": name, "weight": f"{grams} g", "price_cents": cents, "values": values}
        await call(client, "add_candidate", thread_id=thread["id"], **new)
    return await call(client, "decide_thread", thread_id=thread["id"])


async def test_the_example_of_the_page_is_what_the_server_computes(judged: dict[str, Any]) -> None:
    rows = {each["name"]: each for each in judged["candidates"]}
    assert list(rows) == ["Tarp", "Dome", "Rumour"]
    for name in ("Tarp", "Dome"):
        (line,) = (line for line in PAGE.splitlines() if line.startswith(f"| {name}: comfort"))
        parts = [rows[name]["parts"][criterion] for criterion in ("comfort", "weight", "price")]
        cells = [cell.strip().rpartition("= ")[2] for cell in line.split("|")[2:-1]]
        assert [float(cell) for cell in cells] == [*parts, rows[name]["score"]]
        assert sum(parts) == pytest.approx(rows[name]["score"])
    rumour = rows["Rumour"]
    assert f"| {rumour['score']} to {rumour['score_to']} |" in PAGE
    assert judged["find_out"] == {"candidate_id": rumour["id"], "criterion": "comfort"}
    assert "certain" not in judged
    comfort, weight, price = judged["criteria"]
    assert f"comfort is at most {comfort['stays_to']}; beyond, the Dome wins" in PAGE
    assert comfort["beyond"] == weight["below"] == price["below"] == rows["Dome"]["id"]
    assert f"at least {weight['stays_from']}, and price at least {price['stays_from']}." in PAGE


async def test_the_example_does_not_hold_within_the_margins_of_the_page(
    client: Client, judged: dict[str, Any]
) -> None:
    for name, weight in (("Tarp", "300 g ± 60 g"), ("Dome", "900 g ± 20 g")):
        assert f"{name} {'weighs ' if name == 'Tarp' else ''}{weight}" in PAGE
        await call(client, "update_candidate", candidate_id=name, changes={"weight": weight})
    shown = await call(client, "decide_thread", thread_id=judged["thread_id"])
    assert [each["score"] for each in shown["candidates"]][:2] == [0.5625, 0.55]
    assert shown["holds_at_worst"] is False
    for name, weight, score in (("Tarp", "360 g", 0.5475), ("Dome", "880 g", 0.555)):
        await call(client, "update_candidate", candidate_id=name, changes={"weight": weight})
        assert f"{name}\nscores {score}" in PAGE or f"{name} scores {score}" in PAGE
    worst = await call(client, "decide_thread", thread_id=judged["thread_id"])
    assert [each["score"] for each in worst["candidates"]][:2] == [0.555, 0.5475]
    assert "holds_at_worst" not in worst
