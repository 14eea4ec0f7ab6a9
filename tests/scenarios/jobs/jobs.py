"""The jobs, in an order in which each finds the collection that the earlier ones left."""

from importlib.resources import files

from tests.scenarios.jobs.agent import Agent, Job

LIST = files("mcp_server").joinpath("data", "ultimate-hike-2025.csv").read_text(encoding="utf-8")
PASTED = """\
Kitchen:
- Titanium mug, 98 g, 39.90 EUR
- Long spoon 0.6 oz
- Windscreen 15 g
- Gas canister 8 oz
Light:
- Lantern, 2.4 oz
- Spare batteries 23 g
Comfort:
- Inflatable chair (1 lb 2 oz, 129 EUR)
- Sit pad 18 g
Clothes:
- Sun hat 78 g
- Rain mitts 1.1 oz
- Gaiters 62 g, 45 EUR
Repair:
- Repair tape 12 g
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
    assert imported["setup_totals"]["base_grams"] == 4376.1


async def ten_heaviest_in_my_pack(agent: Agent) -> None:
    hike = await agent.call(
        "get_setup", setup_id="Ultimate hike", parts=["totals", "lines"], sort="-weight", limit=10
    )
    assert [line["name"] for line in hike["lines"]][:2] == ["Food for 6 days", "Vivabarefoot Hydra ESC"]
    assert len(hike["lines"]) == 10
    assert hike["worn_grams"] > 0


async def i_weighed_the_tent(agent: Agent) -> None:
    found = (await agent.call("list_items", query="tent"))["items"]
    (tent,) = [row["id"] for row in found if "X-mid" in row["name"]]
    weighed = await agent.call("update_item", item_id=tent, changes={"weight": "612 g"})
    assert (weighed["before"], weighed["weight_grams"]) == ({"weight_grams": 482}, 612)


async def what_if_i_leave_three_and_take_one(agent: Agent) -> None:
    seen = await agent.call(
        "set_setup_items",
        setup_id="Ultimate hike",
        remove=["Insta 360 X4", "selfie stick", "Bic Mini"],
        change=[{"item_id": "Inflatable chair"}],
        dry_run=True,
    )
    assert seen["difference"]["total_grams"] == round(510.29 - 205 - 128 - 11, 2)


async def a_winter_variant(agent: Agent) -> None:
    winter = await agent.call("copy_setup", setup_id="Ultimate hike", name="Winter hike")
    changed = await agent.call(
        "set_setup_items",
        setup_id=winter["id"],
        remove=["Head Net", "Visor"],
        change=[{"item_id": "Gaiters", "classification": "worn"}, {"item_id": "Rain mitts"}],
    )
    assert changed["difference"]["worn_grams"] == 62 - 30


async def what_is_in_no_setup(agent: Agent) -> None:
    unused = await agent.call("list_items", unused=True)
    assert "Long spoon" in [row["name"] for row in unused["items"]]


async def add_twelve_pasted_things(agent: Agent) -> None:
    done = await agent.call("import_csv", csv_text=PASTED)
    assert (done["items"], done["new_categories"]) == (
        12,
        ["Kitchen", "Light", "Comfort", "Clothes", "Repair"],
    )


async def replace_the_tent(agent: Agent) -> None:
    candidates = [
        {"name": "Lanshan 1 Pro", "weight": "24.3 oz", "price_cents": 17500, "pros": "cheap"},
        {"name": "Plexamid", "weight": "435 g", "price_cents": 72500, "pros": "one pole"},
        {"name": "Pocket Tarp", "weight": "179 g", "price_cents": 31500, "cons": "no mesh"},
    ]
    thread = await agent.call(
        "create_thread", name="A lighter tent", replaces_item_id="x-mid", candidates=candidates
    )
    compared = await agent.call("get_thread", thread_id=thread["id"])
    (tarp,) = [row["id"] for row in compared["candidates"] if row["over_lightest_grams"] == 0]
    previewed = await agent.call("preview_candidate", candidate_id=tarp)
    resolved = await agent.call(
        "resolve_thread", thread_id=thread["id"], candidate_id=tarp, swap_in_setups=["all"]
    )
    assert [row["base_grams_after"] for row in previewed["setups"]] == [
        row["base_grams"] for row in resolved["swapped_in_setups"]
    ]


async def what_does_it_cost(agent: Agent) -> None:
    (hike,) = [row for row in (await agent.call("list_setups"))["setups"] if row["name"] == "Ultimate hike"]
    assert hike["price_cents"] == 31500
    totals = await agent.call("get_totals")
    priced = {
        row.get("category"): row["price_cents"] for row in totals["by_category"] if "price_cents" in row
    }
    assert priced["Comfort"] == 12900


async def fill_in_five_weights(agent: Agent) -> None:
    unknown = (await agent.call("list_items", unweighed=True))["items"]
    names = {row["name"] for row in UNWEIGHED}
    updates = [{"item": row["id"], "changes": {"weight": "20 g"}} for row in unknown if row["name"] in names]
    done = await agent.call("update_items", updates=updates)
    assert [row["before"] for row in done["items"]] == [{"weight_grams": None}] * 5


async def merge_two_duplicates(agent: Agent) -> None:
    found = (await agent.call("list_items", query="headlamp"))["items"]
    kept, other = [row["id"] for row in found]
    merged = await agent.call("merge_items", keep=kept, items=[other], pieces="keep")
    assert len(merged["setups"]) == 1
    assert {*merged["setups"]} < {"Day hike", "Night hike"}
    assert (merged["weight_grams"], merged["price_cents"]) == (57, 4200)


async def rename_a_category_and_move_eight_things(agent: Agent) -> None:
    await agent.call("update_category", category_id="Cloth", changes={"name": "Worn and rain"})
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
    moved = await agent.call("update_items", item_ids=names, changes={"category": "Worn and rain"})
    assert len(moved["items"]) == 8


async def undo_the_last_three(agent: Agent) -> None:
    undone = await agent.call("undo_changes", last=3)
    assert len(undone["undone"]) == 3


async def undo_all_of_yesterday(agent: Agent) -> None:
    undone = await agent.call("undo_changes", since="yesterday", until="yesterday")
    assert [row["summary"] for row in undone["undone"]] == ['Created item "A mistake"']


async def import_my_own_spreadsheet(agent: Agent) -> None:
    done = await agent.call("import_csv", csv_text=SPREADSHEET, weight_unit="g")
    assert done["items"] == 2


async def import_corrected_weights_again(agent: Agent) -> None:
    done = await agent.call("import_csv", csv_text=WEIGHED, update_existing=True)
    assert (done["items"], done["changed"]) == (0, 2)


JOBS = (
    Job(1, "Import my list. What is the base weight?", import_my_list, 1),
    Job(2, "The ten heaviest things in my pack, and how much I wear", ten_heaviest_in_my_pack, 1, 1000),
    Job(3, "I weighed the tent: 612 g", i_weighed_the_tent, 2),
    Job(4, "Add these twelve things (pasted, mixed units, some prices)", add_twelve_pasted_things, 2),
    Job(6, "What if I leave three things out and take one?", what_if_i_leave_three_and_take_one, 1, 600),
    Job(7, "A winter variant, and its difference", a_winter_variant, 3),
    Job(9, "What do I own that is in no setup?", what_is_in_no_setup, 1, 1500),
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
        before=(("create_item", {"name": "A mistake"}),),
        sql="""
            UPDATE changes SET at = at - interval '1 day' WHERE id = (SELECT max(id) FROM changes)
        """,
    ),
    Job(24, "Import my own spreadsheet (German, no unit)", import_my_own_spreadsheet, 2),
    Job(25, "My weights changed: import the list again", import_corrected_weights_again, 1),
)
