"""Two agents work at one collection, each with a key of its own; what one of them did is undone."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal, NamedTuple

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import Implementation

from db.pool import Pool
from mcp_server.accounts import auth, key
from mcp_server.models.auth import READ_WRITE
from scripts.served import served
from tests.calls import call, refused

LIST = """\
item name,category,qty,weight,unit,worn
Tent,Shelter,1,900,gram,
Quilt,Sleep,1,600,gram,
Jacket,Clothes,1,300,gram,Worn
"""


class Agent(NamedTuple):
    """A program, and the name of the key that it has."""

    client: str
    program: str
    key: str


@asynccontextmanager
async def connected(url: str, agent: Agent, era: Literal["legacy", "auto"]) -> AsyncGenerator[Client]:
    headers = {"Authorization": f"Bearer {agent.key}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as http,
        Client(
            streamable_http_client(f"{url}/mcp", http_client=http),
            mode=era,
            client_info=Implementation(name=agent.program, version="1.0"),
        ) as client,
    ):
        yield client


async def hired(pool: Pool, user_id: int, client: str, program: str) -> Agent:
    async with pool.connection() as conn:
        return Agent(client, program, await key.create(conn, user_id, client, READ_WRITE, None))


async def test_the_work_of_one_of_two_agents_is_undone(
    url: str, pool: Pool, tmp_path: Path, era: Literal["legacy", "auto"]
) -> None:
    async with pool.connection() as conn:
        user_id = await auth.add_user(conn, "ada", None)
    phone = await hired(pool, user_id, "phone", "claude-ai")
    laptop = await hired(pool, user_id, "laptop", "claude-ai")
    with served(url, tmp_path / "log") as server:
        async with (
            connected(server.url, phone, era) as at_phone,
            connected(server.url, laptop, era) as at_laptop,
        ):
            await play(at_phone, at_laptop)


async def play(phone: Client, laptop: Client) -> None:
    setup_id = (await call(laptop, "import_csv", csv_text=LIST, setup_name="Weekend"))["setup_id"]
    tent, quilt, _ = (await call(laptop, "get_setup", setup_id=setup_id))["lines"]

    # The phone's agent misreads a weight and packs the wrong things, while the laptop's works on others.
    await call(phone, "update_item", item_id=tent["item_id"], changes={"weight": "900 kg"})
    await call(laptop, "update_item", item_id=quilt["item_id"], changes={"weight": "590 g"})
    anvil = await call(phone, "create_item", name="Anvil", weight="50 kg")
    await call(phone, "set_setup_items", setup_id=setup_id, change=[{"item_id": anvil["id"]}])
    await call(laptop, "update_item", item_id=tent["item_id"], changes={"price_cents": 38_000})
    await call(phone, "delete_item", item_id=anvil["id"])
    stove = await call(laptop, "create_item", name="Stove", weight="80 g")
    await call(laptop, "set_setup_items", setup_id=setup_id, change=[{"item_id": stove["id"]}])

    # Both call themselves the same; the names of their keys tell them apart.
    by_phone = (await call(phone, "list_changes", client="phone", since="1h"))["changes"]
    assert [change["summary"] for change in by_phone] == [
        'Deleted item "Anvil", deleted a line of setup "Weekend"',
        'Created a line of setup "Weekend"',
        'Created item "Anvil"',
        'Changed item "Tent"',
    ]
    assert {change["client"] for change in by_phone} == {"phone"}
    # In a stateless session of the older protocol, a call does not say which program makes it.
    program = {"program": "claude-ai"} if phone.protocol_version >= "2026-07-28" else {}
    assert {change.get("program") for change in by_phone} == {program.get("program")}
    assert len((await call(phone, "list_changes", **program))["changes"]) == 9

    tried = await call(laptop, "undo_changes", client="phone", dry_run=True)
    assert [change["id"] for change in tried["undone"]] == [change["id"] for change in by_phone]
    done = await call(laptop, "undo_changes", client="phone")
    assert done["undone"] == tried["undone"]
    after = await call(phone, "get_setup", setup_id=setup_id)
    assert [(line["name"], line["weight_grams"]) for line in after["lines"]] == [
        ("Tent", 900),
        ("Quilt", 590),
        ("Jacket", 300),
        ("Stove", 80),
    ]
    assert after["lines"][0]["price_cents"] == 38_000
    assert (await refused(phone, "undo_changes", client="phone")).startswith("[conflict] Nothing to undo: ")

    # One call redoes everything. Then the laptop's agent weighs the tent again, which blocks another undo.
    redone = await call(phone, "undo_change", change_id=done["change_id"])
    again = await call(laptop, "update_item", item_id=tent["item_id"], changes={"weight": "910 g"})
    text = await refused(laptop, "undo_changes", client="phone")
    assert text.startswith(
        f'[conflict] Change {redone["change_id"]} cannot be undone: item {tent["item_id"]} "Tent" changed '
        f"later, in change {again['change_id']}."
    )
