"""Every read tool, update_item and undo for a user with many items, beside a user with few."""

import os
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from itertools import count, islice
from time import perf_counter
from typing import Any, NamedTuple

from mcp import Client

from db import migrations
from db.embedded import Embedded
from db.pool import Pool, create_pool
from mcp_server.protocol.edge import App
from mcp_server.server import build_server
from scripts.bench.figures import Figure
from scripts.bench.load import Server, compare
from scripts.bench.rig import Rig, answer, postmaster_of, structure_of
from scripts.bench.two_users import FEW, MANY, fill
from scripts.databases import empty_database

# Rounds, and the seconds and calls of one round at most.
ROUNDS, LONGEST, MOST_CALLS = 5, 0.1, 20
# The largest ratio of the CPU per call.
READS, WRITES = 3.0, 1.3
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


class Known(NamedTuple):
    """The client of a user, and ids of the user's rows by the names of the arguments that take them."""

    client: Client
    ids: Mapping[str, int]


class Case(NamedTuple):
    """A call: values that are None are replaced by the id of the user's own row."""

    what: str
    tool: str
    arguments: Mapping[str, Any]


CASES = [
    Case("list_items", "list_items", {}),
    Case("list_items, heaviest first", "list_items", {"sort": "-weight"}),
    Case("list_items, a category", "list_items", {"category": "Group 7"}),
    Case("list_items, a setup", "list_items", {"setup": "Trip 1"}),
    Case("list_items, unweighed", "list_items", {"unweighed": True}),
    Case("search, a word", "list_items", {"query": "tent"}),
    Case("search, %", "list_items", {"query": "%"}),
    Case("search, needs-repair", "list_items", {"query": "needs-repair"}),
    Case("search, one letter", "list_items", {"query": "t"}),
    Case("get_item", "get_item", {"item_id": None}),
    Case("list_categories", "list_categories", {}),
    Case("list_setups", "list_setups", {}),
    Case("get_setup", "get_setup", {"setup_id": None}),
    Case("compare_setups", "compare_setups", {"setup_id": None, "other_setup_id": None}),
    Case("list_threads", "list_threads", {}),
    Case("get_thread", "get_thread", {"thread_id": None}),
    Case("preview_candidate", "preview_candidate", {"candidate_id": None}),
    Case("get_totals", "get_totals", {}),
    Case("get_image", "get_image", {"image_id": None}),
    Case("export_csv, a setup", "export_csv", {"setup": "Trip 1"}),
    Case("list_changes", "list_changes", {}),
    Case("list_changes, a rare tool", "list_changes", {"tool": "create_thread"}),
    Case("get_change", "get_change", {"change_id": None}),
    Case("get_settings", "get_settings", {}),
]


async def measure(rig: Rig) -> list[Figure]:
    with Embedded(rig.folder) as server, empty_database(server.url) as url:
        migrations.upgrade(url)
        ids = fill(url)
        async with create_pool(url) as pool, AsyncExitStack() as stack:
            users = [await known(stack, pool, user_id, ids[user_id]) for user_id in sorted(ids)]
            postmaster = postmaster_of(server)
            return [
                *[await time_read(case, users, postmaster) for case in CASES],
                await time_updates(users, postmaster),
                await time_undos(users, postmaster),
            ]


async def known(stack: AsyncExitStack, pool: Pool, user_id: int, ids: Mapping[str, int]) -> Known:
    """Connect a user, who then researches a purchase, for the tools of threads and images."""
    client = await stack.enter_async_context(Client(build_server(App(pool, user_id))))

    async def made(tool: str, **arguments: Any) -> dict[str, Any]:
        return structure_of(await answer(client, tool, arguments))

    thread = await made("create_thread", name="A lighter tent", replaces_item_id=ids["item_id"])
    candidate = await made("add_candidate", thread_id=thread["id"], name="Dome", weight="900 g")
    image = await made("upload_image", data=PIXEL, item_id=ids["item_id"])
    return Known(
        client,
        {
            **ids,
            "thread_id": thread["id"],
            "change_id": thread["change_id"],
            "candidate_id": candidate["id"],
            "image_id": image["id"],
        },
    )


async def time_read(case: Case, users: Sequence[Known], postmaster: int) -> Figure:
    """Compare one read for the user with many items and the one with few."""

    async def call(user: Known) -> None:
        given = {name: user.ids[name] if value is None else value for name, value in case.arguments.items()}
        await answer(user.client, case.tool, given)

    begin = perf_counter()
    await call(users[-1])
    calls = max(1, min(MOST_CALLS, int(LONGEST / (perf_counter() - begin))))

    def server(user: Known) -> Server:
        async def run() -> None:
            for _ in range(calls):
                await call(user)

        return Server(os.getpid(), postmaster, run, calls)

    return await figure(case.what, [server(user) for user in users], READS)


async def time_updates(users: Sequence[Known], postmaster: int) -> Figure:
    def server(user: Known) -> Server:
        numbers = count(1)

        async def run() -> None:
            for number in islice(numbers, MOST_CALLS):
                changes = {"weight": number, "notes": f"weighed as {number} g"}
                await answer(user.client, "update_item", {"item_id": user.ids["item_id"], "changes": changes})

        return Server(os.getpid(), postmaster, run, MOST_CALLS)

    return await figure("update_item", [server(user) for user in users], WRITES)


async def time_undos(users: Sequence[Known], postmaster: int) -> Figure:
    """Compare undoing a change of an item's notes, undoing that, and so on."""

    async def server(user: Known) -> Server:
        changes = {"notes": "bought in a sale"}
        last = await answer(user.client, "update_item", {"item_id": user.ids["item_id"], "changes": changes})

        async def run() -> None:
            nonlocal last
            for _ in range(MOST_CALLS):
                change_id = structure_of(last)["change_id"]
                last = await answer(user.client, "undo_change", {"change_id": change_id})

        return Server(os.getpid(), postmaster, run, MOST_CALLS)

    return await figure("undo_change", [await server(user) for user in users], WRITES)


async def figure(what: str, servers: Sequence[Server], goal: float) -> Figure:
    """Compare CPU per call, PostgreSQL's included."""
    few, many = await compare(servers, ROUNDS)
    value, floor = many.server + many.postgres, few.server + few.postgres
    return Figure(f"{what}, {MANY:,} items", value, floor, f"{FEW} items", ROUNDS, ratio_goal=goal)
