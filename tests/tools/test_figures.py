"""Weights, prices and decisions the way an agent reads them."""

from mcp import Client

from tests.calls import call, refused, text_of


async def test_a_result_is_rounded_and_what_is_stored_and_exported_is_not(client: Client) -> None:
    made = await call(client, "create_item", name="Lanshan", weight="24.3 oz", quantity=3)
    assert made["weight_grams"] == 688.89
    created = await call(
        client, "create_setup", name="Weekend", lines=[{"item_id": made["id"], "quantity": 3}]
    )
    # Rounded last: three times 688.89 would be 2066.67.
    assert created["total_grams"] == 2066.68
    (line,) = (await call(client, "get_setup", setup_id=created["id"]))["lines"]
    assert (line["weight_grams"], line["line_grams"]) == (688.89, 2066.68)
    exported = await call(client, "export_csv")
    assert "688.8934119375" in exported["csv_text"]


async def test_the_smallest_weight_is_not_0(client: Client) -> None:
    made = await call(client, "create_item", name="Feather", weight="0.001 g")
    assert made["weight_grams"] == 0.001


async def test_a_table_has_one_column_for_the_persons_unit(client: Client) -> None:
    await call(client, "create_item", name="Tent", weight="1 lb 3 oz")
    await call(client, "create_item", name="Map")
    plain = text_of(await client.call_tool("list_items", {}))
    assert plain.splitlines()[1] == "id\tname\tweight_grams"
    await call(client, "update_settings", changes={"weight_unit": "lb"})
    shown = text_of(await client.call_tool("list_items", {}))
    assert shown.splitlines()[1:] == [
        "id\tname\tweight_grams\tweight",
        "2\tMap\t\t",
        "1\tTent\t538.64\t1 lb 3 oz",
    ]


async def test_a_yen_has_no_cents(client: Client) -> None:
    await call(client, "update_settings", changes={"currency": "JPY"})
    made = await call(client, "create_item", name="Tent", price_cents=4500000)
    assert made["display"] == "45,000 JPY"


async def test_a_decision_is_changed_by_undoing_it(client: Client) -> None:
    thread = await call(client, "create_thread", name="Tent")
    tarp, tent = [
        await call(client, "add_candidate", thread_id=thread["id"], name=name) for name in ("Tarp", "Tent")
    ]
    resolved = await call(client, "resolve_thread", thread_id=thread["id"], candidate_id=tarp["id"])
    order = {"thread_id": thread["id"], "candidate_ids": [tent["id"]]}
    refusal = await refused(client, "rank_candidates", **order)
    assert refusal.startswith("[conflict]")
    assert refusal.endswith(f"or undo the decision with undo_change(change_id={resolved['change_id']}).")
    await call(client, "undo_change", change_id=resolved["change_id"])
    assert (await call(client, "rank_candidates", **order))["candidates"][0]["name"] == "Tent"


async def test_a_dry_run_of_a_decision_keeps_the_thread_open(client: Client) -> None:
    old = await call(client, "create_item", name="Power bank", weight="150 g", quantity=3)
    setup = await call(client, "create_setup", name="Weekend", lines=[{"item_id": old["id"], "quantity": 3}])
    thread = await call(client, "create_thread", name="Power", replaces_item_id=old["id"])
    new = await call(client, "add_candidate", thread_id=thread["id"], name="Small", weight="89 g")
    decision = {"thread_id": thread["id"], "candidate_id": new["id"], "swap_in_setups": ["all"]}
    rehearsed = await call(client, "resolve_thread", **decision, dry_run=True)
    assert (rehearsed["quantity"], rehearsed["swapped_in_setups"][0]["total_grams"]) == (3, 267)
    assert (await call(client, "get_setup", setup_id=setup["id"]))["total_grams"] == 450
    resolved = await call(client, "resolve_thread", **decision, quantity="4")
    assert (resolved["quantity"], resolved["swapped_in_setups"][0]["total_grams"]) == (4, 267)
