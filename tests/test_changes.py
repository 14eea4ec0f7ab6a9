"""What the log says: who made a change, when, of what, and which changes altered what a setup weighs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from mcp import Client

from db.pool import Pool, transaction
from mcp_server.models.period import to_period
from tests.calls import call, refused
from tests.test_undo import new_collection
from tests.test_undo_many import two_agents


async def listed(client: Client, /, **arguments: Any) -> list[int]:
    return [change["id"] for change in (await call(client, "list_changes", **arguments))["changes"]]


async def last_summary(client: Client) -> str:
    return (await call(client, "list_changes", limit=1))["changes"][0]["summary"]


async def test_changes_are_listed_by_program_and_by_period(pool: Pool) -> None:
    async with two_agents(pool) as (ant, bee):
        first = await call(ant.client, "create_item", name="Tent")
        second = await call(bee.client, "create_item", name="Tarp")
        async with transaction(pool, ant.user_id) as conn:
            await conn.execute(
                "UPDATE changes SET at = now() - interval '2 days' WHERE id = %(id)s",
                {"id": first["change_id"]},
            )
        old, new = first["change_id"], second["change_id"]
        assert await listed(ant.client, program="ant") == [old]
        assert await listed(ant.client, program="bee") == [new]
        assert await listed(ant.client, client="ant") == []
        assert await listed(ant.client, since="1d") == [new]
        assert await listed(ant.client, until="1d") == [old]
        assert await listed(ant.client, since="3d", until="1d") == [old]
        shown = await call(ant.client, "get_change", change_id=new)
        assert await listed(ant.client, since=shown["at"], until=shown["at"]) == [new]
        text = await refused(ant.client, "list_changes", since="last week")
        assert text == (
            "[invalid_input] since: write a date or time like 2026-07-01 or 2026-07-01T18:30Z, today, "
            "yesterday, 2h or 3d (ago)."
        )


@pytest.mark.parametrize(
    ("text", "start", "seconds"),
    [
        ("2026-07-01", "2026-07-01T00:00:00+00:00", 86400),
        (" 2026-07-01 ", "2026-07-01T00:00:00+00:00", 86400),
        ("2026-07-01T18:30", "2026-07-01T18:30:00+00:00", 1),
        ("2026-07-01 18:30:05Z", "2026-07-01T18:30:05+00:00", 1),
        ("2026-07-01t18:30+02:00", "2026-07-01T16:30:00+00:00", 1),
    ],
)
def test_a_date_is_its_whole_day_and_a_time_its_second(text: str, start: str, seconds: int) -> None:
    first = datetime.fromisoformat(start)
    assert to_period(text) == (first, first + timedelta(seconds=seconds))


def test_days_have_names_and_periods_an_age() -> None:
    before = datetime.now(UTC)
    today, yesterday, ago = to_period("today"), to_period("Yesterday"), to_period("36h")
    assert today
    assert yesterday
    assert ago
    assert yesterday[1] == today[0]
    assert today[1] - today[0] == yesterday[1] - yesterday[0] == timedelta(days=1)
    assert today[0] <= before < today[1] or datetime.now(UTC) >= today[1]
    assert ago[0] == ago[1]
    assert timedelta(0) <= ago[0] - (before - timedelta(hours=36)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "text",
    [
        "tomorrow",
        "2026",
        "20260701",
        "2026-07",
        "2026-13-01",
        "2026-07-01T25:00",
        "9999-12-31",
        "3",
        "-1d",
        "5m",
        "0001-01-01T00:00+23:59",
        "999999d",
        "2026-W27-1",
    ],
)
def test_other_times_are_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="write a date or time like"):
        to_period(text)


async def test_summaries_name_the_setup_or_thread_whose_parts_changed(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        client = collection.client
        items = [await call(client, "create_item", name=name) for name in ("Tent", "Quilt", "Map")]
        lines = [{"item_id": item["id"]} for item in items]
        setup = await call(client, "create_setup", name="Weekend", lines=lines)
        assert await last_summary(client) == 'Created setup "Weekend" with 3 lines'
        await call(client, "set_setup_items", setup_id=setup["id"], change=[{**lines[0], "quantity": 2}])
        assert await last_summary(client) == 'Changed a line of setup "Weekend"'
        doubled = [{**line, "quantity": 4} for line in lines]
        await call(client, "set_setup_items", setup_id=setup["id"], change=doubled)
        assert await last_summary(client) == 'Changed 3 lines of setup "Weekend"'
        await call(client, "copy_setup", setup_id=setup["id"], name="Week")
        await call(client, "delete_item", item_id=items[0]["id"])
        assert await last_summary(client) == 'Deleted item "Tent", deleted 2 lines of 2 setups'
        await call(client, "delete_setup", setup_id=setup["id"])
        assert await last_summary(client) == 'Deleted setup "Weekend" with 2 lines'
        thread = await call(client, "create_thread", name="A lighter tent")
        candidate = await call(client, "add_candidate", thread_id=thread["id"], name="Tarp")
        assert await last_summary(client) == 'Created candidate "Tarp" of thread "A lighter tent"'
        await call(client, "add_candidate", thread_id=thread["id"], name="Dome")
        ranked = [candidate["id"] + 1, candidate["id"]]
        await call(client, "rank_candidates", thread_id=thread["id"], candidate_ids=ranked)
        assert await last_summary(client) == 'Changed 2 candidates of thread "A lighter tent"'


async def test_a_setups_changes_are_all_after_which_it_weighed_or_cost_something_else(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        client = collection.client
        made: dict[str, int] = {}

        async def change(name: str, tool: str, /, **arguments: Any) -> int:
            done = await call(client, tool, **arguments)
            made[name] = done["change_id"]
            return done.get("id", 0)

        async def weigh(name: str, item_id: int, weight: str) -> None:
            await change(name, "update_item", item_id=item_id, changes={"weight": weight})

        tent = await change("tent", "create_item", name="Tent", weight="900 g")
        map_ = await change("map", "create_item", name="Map", weight="50 g")
        await weigh("before it was in", tent, "800 g")
        trip = await change("setup", "create_setup", name="Trip", lines=[{"item_id": tent}])
        await change("other setup", "create_setup", name="Other", lines=[{"item_id": map_}])
        await weigh("while it is in", tent, "700 g")
        await weigh("never in", map_, "60 g")
        await change("notes only", "update_item", item_id=tent, changes={"notes": "green"})
        await change("price", "update_item", item_id=tent, changes={"price_cents": 5})
        await change("taken out", "set_setup_items", setup_id=trip, remove=[tent])
        await weigh("while it is out", tent, "600 g")
        await change("put in again", "set_setup_items", setup_id=trip, change=[{"item_id": tent}])
        await weigh("while it is in again", tent, "500 g")
        await change("deleted", "delete_item", item_id=tent)
        found = await listed(client, setup_id=trip)
        names = {change_id: name for name, change_id in made.items()}
        assert [names[change_id] for change_id in found[::-1]] == [
            "setup",
            "while it is in",
            "price",
            "taken out",
            "put in again",
            "while it is in again",
            "deleted",
        ]


async def test_a_line_from_before_the_log_counts_until_it_goes(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        client = collection.client
        items = [await call(client, "create_item", name=name, weight=9) for name in ("Tent", "Map")]
        lines = [{"item_id": item["id"]} for item in items]
        setup = await call(client, "create_setup", name="Trip", lines=lines)
        async with transaction(pool, collection.user_id) as conn:
            await conn.execute("DELETE FROM changes")
        weighed = [
            (await call(client, "update_item", item_id=item["id"], changes={"weight": 8}))["change_id"]
            for item in items
        ]
        out = await call(client, "set_setup_items", setup_id=setup["id"], remove=[items[0]["id"]])
        await call(client, "update_item", item_id=items[0]["id"], changes={"weight": 7})
        assert await listed(client, setup_id=setup["id"]) == [out["change_id"], *weighed[::-1]]


async def test_an_undo_says_what_it_undid_and_the_second_one_by_which_change(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        client = collection.client
        made = (await call(client, "create_item", name="Tent"))["change_id"]
        undone = await call(client, "undo_change", change_id=made)
        assert undone["summary"] == 'Created item "Tent"'
        undo_id = undone["change_id"]
        assert await refused(client, "undo_change", change_id=made) == (
            f"[conflict] Change {made} was already undone by change {undo_id}. "
            f"To redo it, call undo_change(change_id={undo_id})."
        )
        redone = await call(client, "undo_change", change_id=undo_id)
        assert redone["summary"] == 'Deleted item "Tent"'
        assert "undone_by" not in await call(client, "get_change", change_id=made)
        assert (await call(client, "undo_change", change_id=made))["undone"] == made


async def test_a_later_change_of_other_fields_does_not_block_an_undo(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        client = collection.client
        tent = await call(client, "create_item", name="Tent", weight=900, price_cents=100)
        lighter = await call(client, "update_item", item_id=tent["id"], changes={"weight": 800})
        dearer = await call(client, "update_item", item_id=tent["id"], changes={"price_cents": 200})
        before = await collection.hash()
        undone = await call(client, "undo_change", change_id=lighter["change_id"])
        shown = await call(client, "get_item", item_id=tent["id"])
        assert (shown["weight_grams"], shown["price_cents"]) == (900, 200)
        # The last change that is still in effect set the time.
        assert shown["updated_at"] == dearer["updated_at"]
        await call(client, "undo_change", change_id=undone["change_id"])
        assert await collection.hash() == before
        await call(client, "update_item", item_id=tent["id"], changes={"weight": 700})
        assert 'item 1 "Tent" changed later'.replace("1", str(tent["id"])) in await refused(
            client, "undo_change", change_id=lighter["change_id"]
        )


async def test_values_that_no_longer_fit_together_are_a_conflict(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        client = collection.client
        item_id = (await call(client, "create_item", name="Sock"))["id"]
        setup_id = (await call(client, "create_setup", name="Trip", lines=[{"item_id": item_id}]))["id"]

        async def line(**fields: Any) -> int:
            change = [{"item_id": item_id, **fields}]
            return (await call(client, "set_setup_items", setup_id=setup_id, change=change))["change_id"]

        more = await line(quantity=5)
        await line(quantity=5, classification="worn", worn_quantity=4)
        before = await collection.hash()
        text = await refused(client, "undo_change", change_id=more)
        assert text.startswith(f"[conflict] Change {more} cannot be undone: the restored values do not fit")
        assert await collection.hash() == before


async def test_a_key_whose_change_was_undone_is_a_conflict_until_it_is_redone(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        client = collection.client
        made = await call(client, "create_item", name="Tent", idempotency_key="k")
        undone = (await call(client, "undo_change", change_id=made["change_id"]))["change_id"]
        assert await refused(client, "create_item", name="Tent", idempotency_key="k") == (
            f"[conflict] idempotency_key: change {made['change_id']}, made with this key, was undone by "
            f"change {undone}. Use another key, or call undo_change(change_id={undone}) to redo it."
        )
        await call(client, "undo_change", change_id=undone)
        assert (await call(client, "create_item", name="Tent", idempotency_key="k"))["id"] == made["id"]


async def test_a_dry_run_names_what_does_not_exist_yet_and_shows_no_ids(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        client = collection.client
        tent = await call(client, "create_item", name="Tent")
        lines = [{"item_id": tent["id"]}]
        tried = await call(client, "create_setup", name="Trip", lines=lines, dry_run=True)
        assert "id" not in tried
        assert tried["name"] == "Trip"
        setup, line = tried["changes"]
        assert setup == {"kind": "setup", "name": "Trip", "action": "created", "after": {"name": "Trip"}}
        assert "id" not in line
        assert line["after"]["setup"] == "Trip"
        assert "setup_id" not in line["after"]
        assert line["after"]["item_id"] == tent["id"]
        listed = "item name,weight,unit,category\nHat,50,gram,Clothes\n"
        tried = await call(client, "import_csv", csv_text=listed, setup_name="Trip", dry_run=True)
        assert "setup_id" not in tried
        assert tried["setup_name"] == "Trip"
        assert [row.get("id") for row in tried["changes"]] == [None] * 4
        hat = next(row for row in tried["changes"] if row["kind"] == "item")
        assert (hat["name"], hat["after"]["category"]) == ("Hat", "Clothes")
        made = await call(client, "create_setup", name="Trip", lines=lines)
        tried = await call(client, "import_csv", csv_text=listed, setup_name="Trip", dry_run=True)
        assert tried["setup_id"] == made["id"]
        thread = await call(client, "create_thread", name="Shelter", replaces_item_id=tent["id"])
        tarp = await call(client, "add_candidate", thread_id=thread["id"], name="Tarp")
        tried = await call(
            client,
            "resolve_thread",
            thread_id=thread["id"],
            candidate_id=tarp["id"],
            swap_in_setups=["Trip"],
            dry_run=True,
        )
        assert tried["id"] == thread["id"]
        assert "item_id" not in tried
        after = {row["kind"]: row["after"] for row in tried["changes"]}
        assert after["thread"]["resolved_item"] == "Tarp"
        assert after["setup line"] == {"item": "Tarp"}


async def test_what_a_delete_would_do_is_shown_before_it_is_done(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        client = collection.client
        tent = await call(client, "create_item", name="Tent")
        setup = await call(client, "create_setup", name="Trip", lines=[{"item_id": tent["id"]}])
        thread = await call(client, "create_thread", name="Shelter", replaces_item_id=tent["id"])
        tarp = await call(client, "add_candidate", thread_id=thread["id"], name="Tarp")
        before = await collection.hash()
        for tool, arguments in (
            ("delete_item", {"item_id": tent["id"]}),
            ("delete_setup", {"setup_id": setup["id"]}),
            ("delete_thread", {"thread_id": thread["id"]}),
            ("remove_candidate", {"candidate_id": tarp["id"]}),
        ):
            tried = await call(client, tool, **arguments, dry_run=True)
            assert tried["dry_run"]
            assert "deleted" in [row["action"] for row in tried["changes"]]
            assert "change_id" not in tried
            assert await collection.hash() == before
