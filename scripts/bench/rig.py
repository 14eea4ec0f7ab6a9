"""What all sections measure: a filled database, the server on it, and a bare server with its answers."""

import json
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple, TypeAlias

from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult
from psycopg import AsyncConnection
from pydantic import BaseModel

from db.embedded import Embedded
from db.pool import Pool, transaction
from mcp_server.accounts.auth import ensure_user

ROOT = Path(__file__).parents[2]
LIST = ROOT / "mcp_server" / "data" / "ultimate-hike-2025.csv"
USER = "local"
# The calls whose answers the bare server echoes.
ECHOED: dict[str, dict[str, Any]] = {"get_item": {"item_id": 1}, "list_items": {"limit": 50}}
# Seconds until a call is given up.
PATIENCE = 30
# What a tool does with its transaction's connection.
Service: TypeAlias = Callable[[AsyncConnection], Awaitable[object]]


class Rig(NamedTuple):
    """A collection in *folder*, its server, and a bare server that echoes the answers in a file.

    *items* is the size of the collections that are imported and migrated.
    """

    folder: Path
    items: int
    answers: Path
    product: StdioServerParameters
    echo: StdioServerParameters


async def make_rig(folder: Path, items: int) -> Rig:
    """Fill a database in *folder* with the demo's list, and record the answers for the bare server."""
    answers = folder / "answers.json"
    product = python("-m", "mcp_server", "--data-dir", str(folder), "--user", USER, "serve")
    async with Client(product, read_timeout_seconds=PATIENCE) as client:
        await answer(client, "import_csv", {"csv_text": LIST.read_text(encoding="utf-8")})
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        recorded = {
            tool: {
                "schema": tools[tool].output_schema,
                "result": wire(await answer(client, tool, arguments)),
            }
            for tool, arguments in ECHOED.items()
        }
    answers.write_text(json.dumps(recorded), encoding="utf-8")
    return Rig(folder, items, answers, product, python("-m", "scripts.bench.echo", str(answers)))


def python(*arguments: str) -> StdioServerParameters:
    return StdioServerParameters(command=sys.executable, args=list(arguments), cwd=ROOT)


async def answer(client: Client, tool: str, arguments: dict[str, Any]) -> CallToolResult:
    """Call a tool. An error stops the benchmark: it is quicker than the work, so its time would mislead."""
    result = await client.call_tool(tool, arguments)
    if result.is_error:
        raise RuntimeError(f"{tool}: {result.content}")
    return result


def structure_of(result: CallToolResult) -> dict[str, Any]:
    return result.structured_content or {}


def wire(message: BaseModel) -> dict[str, Any]:
    """Return *message* as the SDK sends it."""
    return message.model_dump(mode="json", by_alias=True, exclude_none=True)


async def serve(pool: Pool, user_id: int, service: Service) -> None:
    async with transaction(pool, user_id, read_only=True) as conn:
        await service(conn)


async def user_of(pool: Pool) -> int:
    async with pool.connection() as conn:
        return await ensure_user(conn, USER)


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Return how many milliseconds *work* took."""
    begin = perf_counter()
    await work()
    return (perf_counter() - begin) * 1000


def medians(rounds: Sequence[Sequence[float]]) -> list[float]:
    """Return the median of each variant, given the times of all variants in each round.

    The first round only warms up and is dropped.
    """
    return [median(column) for column in zip(*rounds[1:], strict=True)]


def stop_leftover(folder: Path) -> None:
    """Stop the PostgreSQL that a server leaves running when it is killed."""
    database = Embedded(folder)
    if (database.data / "postmaster.pid").exists():
        database.start()
        database.stop()


def postmaster_of(database: Embedded) -> int:
    """Return the process id of a running PostgreSQL, the parent of all its other processes."""
    return int((database.data / "postmaster.pid").read_text(encoding="utf-8").split()[0])


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
