"""The jobs, in an order in which each finds the collection that the earlier ones left."""

from importlib.resources import files

from tests.scenarios.jobs.agent import Agent, Job

LIST = files("mcp_server").joinpath("data", "ultimate-hike-2025.csv").read_text(encoding="utf-8")
PASTED = """\
Titanium mug, 98 g, Kitchen, 39.90 EUR
Long spoon, 0.6 oz, Kitchen
Windscreen, 15 g, Kitchen
Gas canister, 8 oz, Kitchen
Headlamp, 2.4 oz, Light
Spare batteries, 23 g, Light
Inflatable chair, 1 lb 2 oz, Comfort, 129 EUR
Sit pad, 18 g, Comfort
Sun hat, 78 g, Clothes
Rain mitts, 1.1 oz, Clothes
Gaiters, 62 g, Clothes, 45 EUR
Repair tape, 12 g, Repair
"""
SPREADSHEET = """\
Gegenstand;Gruppe;Gewicht;Stück;Preis (EUR)
Biwaksack;Notfall;110;1;69,00
Signalpfeife;Notfall;8;2;4,50
"""
WEIGHED = (
    "Item Name,Category,desc,qty,weight,unit\nRain mitts,Clothes,,1,33,gram\nGaiters,Clothes,,1,64,gram\n"
)
DUPLICATES = [
    {"name": "Headlamp NU25", "weight": "57 g"},
    {"name": "NU 25 headlamp", "price_cents": 4200, "notes": "the old battery"},
]
UNWEIGHED = [{"name": name} for name in ("Bear bell", "Bug spray", "Camp towel", "Ferro rod", "Gloves")]


async def import_my_list(agent: Agent) -> None:
    imported = await agent.call("import_csv", csv_text=LIST, setup_name="Ultimate hike")
    assert imported["setup_totals"]["base_grams"] == 3919.4


async def add_twelve_pasted_things(agent: Agent) -> None:
    done = await agent.call("import_csv", csv_text=PASTED)
    assert (done["items"], done["new_categories"]) == (
        12,
        ["Kitchen", "Light", "Comfort", "Clothes", "Repair"],
    )


async def replace_the_tent(agent: Agent) -> None:
    (tent,) = (await agent.call("list_items", query="x-mid"))["items"]
    candidates = [
        {"name": "Lanshan 1 Pro", "weight": "24.3 oz", "price_cents": 17500, "pros": "cheap"},
        {"name": "Plexamid", "weight": "435 g", "price_cents": 72500, "pros": "one pole"},
        {"name": "Pocket Tarp", "weight": "179 g", "price_cents": 31500, "cons": "no mesh"},
    ]
    thread = await agent.call(
        "create_thread", name="A lighter tent", replaces_item_id=tent["id"], candidates=candidates
    )
    compared = await agent.call("get_thread", thread_id=thread["id"])
    (tarp,) = [row["id"] for row in compared["candidates"] if row["over_lightest_grams"] == 0]
    (preview,) = (await agent.call("preview_candidate", candidate_id=tarp))["setups"]
    resolved = await agent.call(
        "resolve_thread", thread_id=thread["id"], candidate_id=tarp, swap_in_setups=["all"]
    )
    assert resolved["swapped_in_setups"][0]["base_grams"] == preview["base_grams_after"]


async def what_does_it_cost(agent: Agent) -> None:
    (hike,) = [row for row in (await agent.call("list_setups"))["setups"] if row["name"] == "Ultimate hike"]
    assert hike["price_cents"] == 31500
    totals = await agent.call("get_totals")
    priced = {row["category"]: row["price_cents"] for row in totals["by_category"] if "price_cents" in row}
    assert priced["Comfort"] == 12900


async def fill_in_five_weights(agent: Agent) -> None:
    unknown = (await agent.call("list_items", unweighed=True))["items"]
    names = {row["name"] for row in UNWEIGHED}
    updates = [{"item": row["id"], "changes": {"weight": "20 g"}} for row in unknown if row["name"] in names]
    done = await agent.call("update_items", updates=updates)
    assert [row["before"] for row in done["items"]] == [{"weight_grams": None}] * 5


async def merge_two_duplicates(agent: Agent) -> None:
    found = (await agent.call("list_items", query="headlamp 25"))["items"]
    kept, other = [row["id"] for row in found]
    merged = await agent.call("merge_items", keep=kept, items=[other], pieces="keep")
    assert merged["setups"] == ["Night hike"]
    assert (merged["weight_grams"], merged["price_cents"]) == (57, 4200)


async def rename_a_category_and_move_eight_things(agent: Agent) -> None:
    listed = (await agent.call("list_categories"))["categories"]
    (cloth,) = [row["id"] for row in listed if row["name"] == "Cloth"]
    await agent.call("update_category", category_id=cloth, changes={"name": "Worn and rain"})
    names = [
        "Sun hat",
        "Rain mitts",
        "Gaiters",
        "Sit pad",
        "Gloves",
        "Camp towel",
        "Bug spray",
        "Repair tape",
    ]
    moved = await agent.call(
        "update_items",
        updates=[{"item": name, "changes": {"category": "Worn and rain"}} for name in names],
    )
    assert len(moved["items"]) == 8


async def undo_the_last_three(agent: Agent) -> None:
    undone = await agent.call("undo_changes", last=3)
    assert len(undone["undone"]) == 3


async def undo_all_of_yesterday(agent: Agent) -> None:
    undone = await agent.call("undo_changes", since="yesterday", until="today")
    assert [row["summary"] for row in undone["undone"]] == ['Created item "Yesterday\'s mistake"']


async def import_my_own_spreadsheet(agent: Agent) -> None:
    done = await agent.call("import_csv", csv_text=SPREADSHEET, weight_unit="g")
    assert done["items"] == 2


async def import_corrected_weights_again(agent: Agent) -> None:
    done = await agent.call("import_csv", csv_text=WEIGHED, update_existing=True)
    assert (done["items"], done["changed"]) == (0, 2)


JOBS = (
    Job(1, "Import my list. What is the base weight?", import_my_list, 1),
    Job(4, "Add these twelve things (pasted text, mixed units)", add_twelve_pasted_things, 2),
    Job(5, "Replace the tent: compare three, preview, decide, swap", replace_the_tent, 5),
    Job(8, "What does this cost? What have I spent per category?", what_does_it_cost, 2),
    Job(
        10,
        "What has no weight? Fill in five",
        fill_in_five_weights,
        2,
        before=(("create_items", {"items": UNWEIGHED}),),
    ),
    Job(
        11,
        "Merge two duplicates that are in different setups",
        merge_two_duplicates,
        2,
        before=(
            ("create_items", {"items": DUPLICATES}),
            (
                "import_csv",
                {"csv_text": "NU 25 headlamp, 57 g", "setup_name": "Night hike", "format": "text"},
            ),
        ),
    ),
    Job(12, "Rename a category and move eight things there", rename_a_category_and_move_eight_things, 3),
    Job(13, "Undo the last three changes", undo_the_last_three, 1),
    Job(
        13,
        "Undo all of yesterday",
        undo_all_of_yesterday,
        1,
        before=(("create_item", {"name": "Yesterday's mistake"}),),
        sql="""
            UPDATE changes SET at = at - interval '1 day' WHERE id = (SELECT max(id) FROM changes)
        """,
    ),
    Job(24, "Import my own spreadsheet (German, no unit)", import_my_own_spreadsheet, 2),
    Job(25, "My weights changed: import the list again", import_corrected_weights_again, 1),
)
