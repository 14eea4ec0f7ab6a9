"""A change at one replica is announced to its owner's clients at the other."""

import pytest
from mcp import Client, MCPError
from mcp.client.sse import sse_client

from scripts.served import Served, connected
from tests.calls import call
from tests.http.conftest import Admit
from tests.test_live import Ear, attentive, subscribe

SUMMARY = "gear://summary"


async def test_a_change_at_one_replica_is_announced_at_the_other(
    direct: None, replicas: tuple[Served, Served], admit: Admit
) -> None:
    ada, eve = await admit(), await admit()
    first, second = replicas
    ears = Ear()
    async with (
        connected(first.url, ada.key, "auto") as writer,
        connected(first.url, eve.key, "auto") as stranger,
        connected(second.url, ada.key, "auto") as listener,
        attentive(listener, ears, SUMMARY),
    ):
        await call(stranger, "create_setup", name="Not hers")
        await call(writer, "create_item", name="Tent")
        assert await ears.hears(SUMMARY) == {SUMMARY}


async def test_a_change_at_one_replica_is_announced_at_the_other_over_sse(
    direct: None, replicas: tuple[Served, Served], admit: Admit
) -> None:
    ada, eve = await admit(), await admit()
    first, second = replicas
    ears = Ear()
    transport = sse_client(f"{second.url}/sse", {"Authorization": f"Bearer {ada.key}"})
    async with (
        connected(first.url, ada.key, "legacy") as writer,
        connected(first.url, eve.key, "legacy") as stranger,
        Client(transport, mode="legacy", message_handler=ears.note) as listener,
        attentive(listener, ears, SUMMARY),
    ):
        await call(stranger, "create_setup", name="Not hers")
        await call(writer, "create_item", name="Tent")
        assert await ears.hears(SUMMARY) == {SUMMARY}


async def test_a_subscription_without_a_stream_is_refused(
    replicas: tuple[Served, Served], admit: Admit
) -> None:
    ada = await admit()
    async with connected(replicas[0].url, ada.key, "legacy") as client:
        with pytest.raises(MCPError, match="Connect over SSE, or use subscriptions/listen of the protocol"):
            await subscribe(client, SUMMARY)
