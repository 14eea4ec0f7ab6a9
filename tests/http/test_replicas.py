"""Two replicas on one database behave as one server, and each user has a separate collection."""

import asyncio
import sys
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from mcp import Client, MCPError
from psycopg.sql import SQL, Identifier

from mcp_server.models.auth import READ
from mcp_server.server import TOOLS
from scripts.served import WAYS, Served, Way, connected
from tests.calls import call, refused, text_of
from tests.http.conftest import Admit, Person
from tests.tools.test_isolation import MARK, WITH_IDS, WITHOUT_IDS, collection, deleted, everything, filled

Replicas = tuple[Served, Served]


@pytest.mark.parametrize("way", WAYS)
async def test_a_write_at_one_replica_is_read_at_the_other(
    replicas: Replicas, admit: Admit, way: Way
) -> None:
    ada = await admit()
    first, second = replicas
    async with connected(first.url, ada.key, way) as one, connected(second.url, ada.key, way) as other:
        for number, (here, there) in enumerate([(one, other), (other, one)], start=1):
            made = await call(here, "create_item", name=f"Tent {number}")
            assert (await call(there, "get_item", item_id=made["id"]))["name"] == f"Tent {number}"
            assert (await call(there, "list_items"))["total"] == number
        summary = (await other.read_resource("gear://summary")).model_dump_json()
        assert "2" in summary
        change = (await call(one, "list_changes"))["changes"][0]
        assert change["tool"] == "create_item"


@pytest.mark.parametrize("way", ["auto", "sse"])
async def test_an_id_of_another_user_is_not_found(replicas: Replicas, admit: Admit, way: Way) -> None:
    ada, eve = await admit(), await admit()
    async with (
        connected(replicas[0].url, ada.key, way) as client,
        connected(replicas[0].url, eve.key, way) as other_client,
    ):
        foreign = await collection(other_client, f"{MARK} ", "")
        own = await collection(client, "", "own_")
        before = await everything(other_client)
        gone = {noun: await deleted(client, noun) for noun in {noun for _, _, noun in WITH_IDS}}
        for tool, arguments, noun in WITH_IDS:
            answers = {
                (await refused(client, tool, **filled(arguments, {**own, **foreign, noun: absent}))).replace(
                    f" {absent}", " ID"
                )
                for absent in (foreign[noun], gone[noun])
            }
            (answer,) = answers
            assert answer.startswith("[not_found] No "), (tool, answer)
            assert MARK not in answer
        for tool, arguments in WITHOUT_IDS.items():
            result = await client.call_tool(tool, arguments)
            assert not result.is_error, text_of(result)
            assert MARK not in result.model_dump_json()
        assert await everything(other_client) == before


@pytest.mark.parametrize("way", WAYS)
async def test_a_read_key_cannot_call_tools_that_write(replicas: Replicas, admit: Admit, way: Way) -> None:
    reader = await admit(READ)
    writes = [entry.name for entry in TOOLS if not entry.hints.read_only_hint]
    async with connected(replicas[0].url, reader.key, way) as client:
        listed = {tool.name for tool in (await client.list_tools()).tools}
        assert listed == {entry.name for entry in TOOLS} - set(writes)
        for tool in writes:
            assert (await refused(client, tool)).startswith("[insufficient_scope] ")
        assert await everything(client)


@pytest.mark.parametrize("way", WAYS)
async def test_a_revoked_key_is_rejected_within_a_second(
    replicas: Replicas, admit: Admit, shared_url: str, way: Way
) -> None:
    ada = await admit()
    with psycopg.connect(shared_url) as conn:
        async with connected(replicas[0].url, ada.key, way) as client:
            await call(client, "list_items")
            conn.execute("DELETE FROM api_keys WHERE user_id = %s", [ada.id])
            conn.commit()
            with pytest.raises((MCPError, TimeoutError)):
                await asyncio.wait_for(call_on(client), 1)


async def call_on(client: Client) -> None:
    while True:
        await client.call_tool("list_items", {})


async def test_a_session_over_sse_is_closed_to_other_users(replicas: Replicas, admit: Admit) -> None:
    ada, eve = await admit(), await admit()
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    async with httpx2.AsyncClient(base_url=replicas[0].url) as http:
        headers = {"Authorization": f"Bearer {ada.key}"}
        async with http.stream("GET", "/sse", headers=headers) as stream:
            lines = stream.aiter_lines()
            path = next(line for line in [await anext(lines), await anext(lines)] if "session_id" in line)
            path = path.removeprefix("data: ")
            stolen = await http.post(path, json=message, headers={"Authorization": f"Bearer {eve.key}"})
            assert (stolen.status_code, stolen.text) == (404, "Could not find session")
            own = await http.post(path, json=message, headers=headers)
            assert own.status_code == 202


async def test_many_clients_at_once_each_get_their_own(replicas: Replicas, admit: Admit) -> None:
    people = [await admit() for _ in range(12)]
    servers, ways = cycle(replicas), cycle(WAYS)
    await asyncio.gather(*(busy(next(servers).url, person, next(ways)) for person in people))


async def busy(url: str, person: Person, way: Way) -> None:
    async with connected(url, person.key, way) as client:
        await concerned_with(client, str(person.id), 4)


async def concerned_with(client: Client, mark: str, rounds: int) -> None:
    """Write and read, and see only one's own rows."""
    for number in range(1, rounds + 1):
        made = await call(client, "create_item", name=f"{mark} {number}")
        assert made["name"] == f"{mark} {number}"
        listed = await call(client, "list_items")
        names: list[Any] = [item["name"] for item in listed["items"]]
        assert sorted(names) == sorted(f"{mark} {made}" for made in range(1, number + 1))


def arguments_of(server: Served) -> str:
    """What other users of the machine can see of a process."""
    return Path(f"/proc/{server.process.pid}/cmdline").read_text() if sys.platform == "linux" else ""


async def test_no_key_is_in_logs_arguments_or_the_database(
    replicas: Replicas, admit: Admit, shared_url: str
) -> None:
    ada = await admit(name="two\nlines \x1b[31m")
    secret = ada.key[8:]
    server = replicas[0]
    async with connected(server.url, ada.key, "auto") as client:
        await call(client, "create_item", name="Tent")
    with psycopg.connect(shared_url) as conn:
        tables = conn.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            rows = conn.execute(SQL("SELECT row::text FROM {} AS row").format(Identifier(table))).fetchall()
            assert secret not in str(rows)
    logged = server.logged()
    assert secret not in arguments_of(server) + logged
    (line,) = [line for line in logged.splitlines() if f"user={ada.id} " in line]
    assert "write user=" in line
    assert r'client="two\nlines \u001b[31m" tool="create_item" call="' in line
