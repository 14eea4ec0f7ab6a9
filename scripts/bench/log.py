"""Writes with the log of changes beside the same with its triggers off, and the undo of a big one."""

from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any, LiteralString

import psycopg
from mcp import Client

from db import migrations
from db.embedded import Embedded
from db.pool import create_pool
from mcp_server.protocol.edge import App
from mcp_server.server import build_server
from scripts.bench.figures import Figure
from scripts.bench.rig import Rig, answer, structure_of, timed, user_of
from scripts.databases import empty_database

TRIGGER: dict[str, LiteralString] = {
    "ENABLE": "ALTER TABLE items ENABLE TRIGGER log_row_change",
    "DISABLE": "ALTER TABLE items DISABLE TRIGGER log_row_change",
}


async def measure(rig: Rig) -> list[Figure]:
    with Embedded(rig.folder) as server, empty_database(server.url) as url:
        migrations.upgrade(url)
        async with (
            create_pool(url) as pool,
            Client(build_server(App(pool, await user_of(pool)))) as client,
        ):
            await answer(client, "create_item", {"name": "Tent"})
            return [
                await with_and_without_log(url, client, "update_item", one, 200),
                await with_and_without_log(url, client, "create_items", many, 10),
                await undo_a_category(client),
            ]


def one(number: int) -> dict[str, Any]:
    return {"item_id": 1, "changes": {"weight": number}}


def many(_: int) -> dict[str, Any]:
    return {"items": [{"name": f"Peg {number}", "weight": "9 g"} for number in range(500)]}


async def with_and_without_log(
    url: str, client: Client, tool: str, arguments: Callable[[int], dict[str, Any]], n: int
) -> Figure:
    """Time calls of a tool in turns with and without triggers."""
    times: dict[str, list[float]] = {"ENABLE": [], "DISABLE": []}
    with psycopg.connect(url, autocommit=True) as conn:
        for number in range(n):
            for mode, taken in times.items():
                conn.execute(TRIGGER[mode])
                given = arguments(2 * number + (mode == "ENABLE"))
                taken.append(await timed(partial(answer, client, tool, given)))
        conn.execute(TRIGGER["ENABLE"])
    logged, not_logged = median(times["ENABLE"]), median(times["DISABLE"])
    return Figure(f"{tool}, logged", logged, not_logged, "not logged", n, ratio_goal=1.6)


async def undo_a_category(client: Client) -> Figure:
    """Time undoing the deletion of a category of 1,000 items in 20 setups beside the deletion."""
    category: dict[str, Any] = structure_of(await answer(client, "create_category", {"name": "Pegs"}))
    ids: list[int] = []
    for _ in range(2):
        rows = [{"name": "Peg", "category": "Pegs", "weight": 9}] * 500
        made = await answer(client, "create_items", {"items": rows})
        ids += [row["id"] for row in structure_of(made)["items"]]
    for number in range(20):
        lines = [{"item_id": item_id} for item_id in ids[number * 50 : number * 50 + 50]]
        await answer(client, "create_setup", {"name": "Trip", "lines": lines})
    floor = await timed(partial(answer, client, "delete_category", {"category_id": category["id"]}))
    last = structure_of(await answer(client, "list_changes", {"limit": 1}))
    undo = {"change_id": last["changes"][0]["id"]}
    taken = await timed(partial(answer, client, "undo_change", undo))
    return Figure("undo, category of 1,000 items", taken, floor, "its deletion", value_goal=2000)
