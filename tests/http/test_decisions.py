"""Keys that may only read can ask for variants, decisions and plans."""

from db.pool import Pool
from mcp_server.accounts import key
from mcp_server.models.auth import READ
from scripts.served import Served, connected
from tests.calls import call, refused
from tests.http.conftest import Admit


async def test_a_read_only_key_is_enough_to_decide(
    replicas: tuple[Served, Served], admit: Admit, shared_pool: Pool
) -> None:
    ada, (server, _) = await admit(), replicas
    async with connected(server.url, ada.key, "auto") as client:
        tent = await call(client, "create_item", name="Tent", weight="1 kg", price_cents=40000)
        await call(client, "create_setup", name="Trip", lines=[{"item_id": tent["id"]}])
        tarp = {"name": "Tarp", "weight": "~300 g", "price_cents": 9000}
        await call(client, "create_thread", name="Shelter", replaces_item_id=tent["id"], candidates=[tarp])
        before = await call(client, "list_changes")
    async with shared_pool.connection() as conn:
        reading = await key.create(conn, ada.id, "reader", READ, None)
    async with connected(server.url, reading, "auto") as client:
        variant = await call(
            client, "what_if", setup="Trip", swap=[{"old_item_id": "Tent", "candidate_id": "Tarp"}]
        )
        assert variant["totals"][1] == {
            "state": "after",
            "items": 1,
            "total_grams": 300,
            "base_grams": 300,
            "worn_grams": 0,
            "consumable_grams": 0,
            "pack_grams": 300,
            "at_least_grams": 270,
            "at_most_grams": 330,
            "base_at_least_grams": 270,
            "base_at_most_grams": 330,
            "price_cents": 9000,
        }
        decided = await call(client, "decide_thread", thread_id="Shelter")
        assert (decided["candidates"][0]["name"], decided["holds_at_worst"]) == ("Tarp", True)
        plan = await call(client, "plan_purchases", budget_cents=10000)
        assert (plan["saves_grams"], plan["saves_at_least_grams"], plan["holds_at_worst"]) == (700, 670, True)
        assert (await refused(client, "create_item", name="Cup")).startswith("[insufficient_scope]")
        assert await call(client, "list_changes") == before
