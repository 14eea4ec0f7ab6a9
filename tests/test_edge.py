"""A call and its key: what is the same call, and who may write."""

from typing import Any

from db.pool import Pool
from tests.calls import call, refused
from tests.test_undo import new_collection


async def test_a_key_is_for_one_tool(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        client = collection.client
        await call(client, "create_setup", name="Trip", idempotency_key="k")
        text = await refused(client, "create_thread", name="Trip", idempotency_key="k")
        assert text.startswith("[conflict] idempotency_key: was used for another call.")


async def test_a_retry_may_give_its_arguments_in_another_order(pool: Pool) -> None:
    async with new_collection(pool) as collection:
        fields: dict[str, Any] = {"name": "Tent", "weight": "900 g", "idempotency_key": "k"}
        first = await collection.client.call_tool("create_item", fields)
        again = await collection.client.call_tool("create_item", dict(reversed(fields.items())))
        assert (again.structured_content or {}) == {**(first.structured_content or {}), "repeated": True}
