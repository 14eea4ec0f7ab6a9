"""The project's own figures, each beside its floor: what the same work costs without Gearshed.

Run `make bench`, or `.venv/bin/python scripts/bench.py SECTION ...` for some of the sections: calls, start,
databases, bytes. A figure and its floor are measured in turns, so that noise meets both alike; p50 is the
median of n turns, and the ratio is that of the medians. A goal is for the ratio, or in the figure's own unit.
Nothing fails here, whatever the figures are: this only prints.

Everything happens in a throwaway embedded PostgreSQL, filled with the packing list that the demo shows.
"""

import json
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import anyio
from mcp import Client, StdioServerParameters
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult
from pydantic import BaseModel, create_model

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from psycopg.sql import Composed

    from db.pool import Pool

# Gearshed's own modules, psycopg and pytest are imported by the functions that use them: this script is the
# bare server too, and what that imports counts as its start-up.

ROOT = Path(__file__).parents[1]
LIST = ROOT / "mcp_server" / "data" / "ultimate-hike-2025.csv"
TEMPLATE = "bench_template"
USER = "local"
# Rounds that count; one more comes first and warms up.
ROUNDS = {"get_item": 400, "list_items": 200, "start": 7, "databases": 20}
# Seconds until an answer is given up.
PATIENCE = 30
ROW = "{:<38} {:>11} {:>11}  {:<19} {:>5}  {:<12} {:>4}"


class Rig(NamedTuple):
    """What is measured: a collection in *folder*, its server, and a bare server that echoes its answers."""

    folder: Path
    product: StdioServerParameters
    echo: StdioServerParameters


class Figure(NamedTuple):
    """A median and its floor, both in *unit*. The goal is a limit of the ratio, or of the value itself."""

    what: str
    value: float
    floor: float
    floor_is: str
    n: int = 1
    unit: Literal["ms", "B"] = "ms"
    ratio_goal: float | None = None
    value_goal: float | None = None


class Call(NamedTuple):
    """One call of a tool, and the same work further down: by the service, and by the SELECT for its rows."""

    tool: str
    arguments: dict[str, Any]
    service: Callable[["AsyncConnection"], Awaitable[object]]
    statement: "Composed"
    params: Mapping[str, Any]
    ratio_goal: float | None = None


def main() -> None:
    if sys.argv[1:2] == ["echo-server"]:
        echo_server(Path(sys.argv[2])).run()
        return
    parser = ArgumentParser(description="Measure Gearshed beside its floors, in a throwaway database.")
    parser.add_argument("section", nargs="*", help=f"what to measure: {', '.join(SECTIONS)} (default: all)")
    names: list[str] = parser.parse_args().section or list(SECTIONS)
    if unknown := set(names) - SECTIONS.keys():
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory(prefix="gearshed-bench-") as folder:
        try:
            anyio.run(bench, Path(folder), names)
        finally:
            stop_leftover(Path(folder))


async def bench(folder: Path, names: Sequence[str]) -> None:
    """Print the figures of the sections called *names*, each section as soon as it is done."""
    rig = await make_rig(folder)
    print(ROW.format("what", "p50", "floor's p50", "floor", "ratio", "goal", "n"))
    for name in names:
        for figure in await SECTIONS[name](rig):
            print(as_row(figure), flush=True)


def as_row(figure: Figure) -> str:
    ratio = figure.value / figure.floor
    goal = ""
    if figure.ratio_goal is not None:
        goal = f"{figure.ratio_goal:.2f}: {'met' if ratio <= figure.ratio_goal else 'missed'}"
    elif figure.value_goal is not None:
        goal = f"{figure.value_goal:,.0f}: {'met' if figure.value <= figure.value_goal else 'missed'}"
    value, floor = as_text(figure.value, figure.unit), as_text(figure.floor, figure.unit)
    return ROW.format(figure.what, value, floor, figure.floor_is, f"{ratio:.2f}", goal, figure.n).rstrip()


def as_text(value: float, unit: Literal["ms", "B"]) -> str:
    return f"{value:.2f} ms" if unit == "ms" else f"{value:,.0f} B"


async def make_rig(folder: Path) -> Rig:
    """Fill a database in *folder* with the list, and record the answers that the bare server will echo."""
    answers = folder / "answers.json"
    product = python("-m", "mcp_server", "--data-dir", str(folder), "--user", USER, "serve")
    async with Client(product, read_timeout_seconds=PATIENCE) as client:
        await answer(client, "import_csv", {"csv_text": LIST.read_text(encoding="utf-8")})
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        recorded = {
            call.tool: {
                "schema": tools[call.tool].output_schema,
                "result": wire(await answer(client, call.tool, call.arguments)),
            }
            for call in calls()
        }
    answers.write_text(json.dumps(recorded), encoding="utf-8")
    return Rig(folder, product, python(__file__, "echo-server", str(answers)))


def python(*arguments: str) -> StdioServerParameters:
    return StdioServerParameters(command=sys.executable, args=list(arguments), cwd=ROOT)


async def answer(client: Client, tool: str, arguments: dict[str, Any]) -> CallToolResult:
    """Call a tool. An error would be quick, and no figure at all."""
    result = await client.call_tool(tool, arguments)
    if result.is_error:
        raise RuntimeError(f"{tool}: {result.content}")
    return result


def wire(message: BaseModel) -> dict[str, Any]:
    """Return *message* as the SDK sends it."""
    return message.model_dump(mode="json", by_alias=True, exclude_none=True)


def size(value: Any) -> int:
    """Return the bytes of *value* as compact JSON."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def echo_server(answers: Path) -> MCPServer:
    """Return a server of nothing but the SDK, whose tools have recorded results."""
    recorded: dict[str, dict[str, Any]] = json.loads(answers.read_text(encoding="utf-8"))
    tools = [echo_tool(name, said["result"], said["schema"]) for name, said in recorded.items()]
    return MCPServer("echo", tools=tools, log_level="WARNING")


def echo_tool(name: str, recorded: dict[str, Any], schema: dict[str, Any]) -> Tool:
    """Return a tool with one result, and with a schema of it, which the client checks results against."""
    result = CallToolResult.model_validate(recorded)

    async def echo(item_id: int = 0, limit: int = 0) -> CallToolResult:
        return result

    tool = Tool.from_function(echo, name=name)
    return tool.model_copy(
        update={"fn_metadata": tool.fn_metadata.model_copy(update={"output_schema": schema})}
    )


def calls() -> list[Call]:
    from psycopg.sql import SQL

    from mcp_server.services import item

    order = item.ORDERS["name"]
    filters = {"prefixes": "", "parts": list[str](), "category_id": None, **item.read_cursor("", "name")}
    return [
        Call(
            tool="get_item",
            arguments={"item_id": 1},
            service=partial(item.get, item_id=1),
            statement=SQL("SELECT {shown} FROM items WHERE id = %(item_id)s").format(shown=item.SHOWN),
            params={"item_id": 1},
            ratio_goal=1.4,
        ),
        Call(
            tool="list_items",
            arguments={"limit": 50},
            service=partial(item.find, query="", in_category=None, sort="name", limit=50, cursor=""),
            statement=item.PAGE.format(
                matches=item.MATCHES, key=order.key, type=order.type, beyond=SQL(">"), direction=SQL("ASC")
            ),
            params={**filters, "limit": 51},
        ),
    ]


async def time_calls(rig: Rig) -> list[Figure]:
    """Time calls over stdio, beside the echo, beside the service without MCP, and beside the SELECT alone."""
    from psycopg import AsyncConnection

    from db.embedded import Embedded
    from db.pool import create_pool

    with Embedded(rig.folder) as database:
        async with (
            Client(rig.product, read_timeout_seconds=PATIENCE) as product,
            Client(rig.echo, read_timeout_seconds=PATIENCE) as echo,
            create_pool(database.url) as pool,
            await AsyncConnection.connect(database.url, autocommit=True, prepare_threshold=None) as plain,
        ):
            user_id = await user_of(pool)
            return [
                figure
                for call in calls()
                for figure in await time_call(
                    call,
                    lambda call=call: answer(product, call.tool, call.arguments),
                    lambda call=call: answer(echo, call.tool, call.arguments),
                    lambda call=call: serve(pool, user_id, call),
                    lambda call=call: select(plain, call),
                )
            ]


async def time_call(call: Call, *variants: Callable[[], Awaitable[object]]) -> list[Figure]:
    """Time *variants* in turns, and put the first beside each of the others."""
    n = ROUNDS[call.tool]
    rounds = [[await timed(variant) for variant in variants] for _ in range(1 + n)]
    whole, echo, service, statement = medians(rounds)
    return [
        Figure(f"{call.tool} over stdio", whole, echo, "echo on bare SDK", n, ratio_goal=call.ratio_goal),
        Figure(f"{call.tool} over stdio", whole, service, "service, no MCP", n),
        Figure(f"{call.tool} over stdio", whole, statement, "the SELECT alone", n),
    ]


async def serve(pool: "Pool", user_id: int, call: Call) -> None:
    from db.pool import transaction

    async with transaction(pool, user_id, read_only=True) as conn:
        await call.service(conn)


async def select(plain: "AsyncConnection", call: Call) -> None:
    cursor = await plain.execute(call.statement, call.params)
    await cursor.fetchall()


async def user_of(pool: "Pool") -> int:
    from mcp_server.services.auth import ensure_user

    async with pool.connection() as conn:
        return await ensure_user(conn, USER)


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Return how many milliseconds *work* took."""
    begin = perf_counter()
    await work()
    return (perf_counter() - begin) * 1000


def medians(rounds: Sequence[Sequence[float]]) -> list[float]:
    """Return the median of each variant, given what all took in each round; the first only warmed up."""
    return [median(column) for column in zip(*rounds[1:], strict=True)]


async def time_start(rig: Rig) -> list[Figure]:
    """Time what passes from spawning a server, with PostgreSQL stopped, to its first list of tools."""
    n = ROUNDS["start"]
    rounds: list[tuple[float, float]] = []
    for _ in range(1 + n):
        stop_leftover(rig.folder)
        rounds.append((await start(rig.product), await start(rig.echo)))
    whole, floor = medians(rounds)
    return [Figure("start to tools/list, PostgreSQL too", whole, floor, "bare SDK server", n, ratio_goal=1.5)]


async def start(server: StdioServerParameters) -> float:
    """Return the milliseconds to the first list of tools; stopping the server does not count."""
    begin = perf_counter()
    async with Client(server, read_timeout_seconds=PATIENCE) as client:
        await client.list_tools()
        return (perf_counter() - begin) * 1000


async def time_databases(rig: Rig) -> list[Figure]:
    """Time a test's own database beside one that is copied from PostgreSQL's smallest template."""
    from db import migrations
    from db.embedded import Embedded
    from tests.conftest import create_test_db, empty_database

    n = ROUNDS["databases"]
    with Embedded(rig.folder) as server, empty_database(server.url, TEMPLATE) as url:
        migrations.upgrade(url)
        rounds = [
            (*lifetime(create_test_db(server.url, TEMPLATE)), *lifetime(empty_database(server.url)))
            for _ in range(1 + n)
        ]
    made, dropped, empty_made, empty_dropped = medians(rounds)
    return [
        Figure("create_test_db()", made, empty_made, "empty database", n, value_goal=60),
        Figure("create_test_db() and dropping it", dropped, empty_dropped, "empty database", n),
    ]


def lifetime(database: AbstractContextManager[str]) -> tuple[float, float]:
    """Return the milliseconds until *database* was there, and until it was gone again."""
    begin = perf_counter()
    with database:
        made = perf_counter()
    return (made - begin) * 1000, (perf_counter() - begin) * 1000


async def count_bytes(rig: Rig) -> list[Figure]:
    """Count what a client gets to read, beside what the bare SDK makes of the same functions and rows."""
    from db.embedded import Embedded
    from db.pool import create_pool, transaction
    from mcp_server.edge import App
    from mcp_server.server import build_server
    from mcp_server.services import item

    with Embedded(rig.folder) as database:
        async with create_pool(database.url) as pool:
            user_id = await user_of(pool)
            async with transaction(pool, user_id, read_only=True) as conn:
                page = await item.find(conn, query="", in_category=None, sort="name", limit=20, cursor="")
                whole = [await item.get(conn, row.id) for row in page.items]
            async with Client(build_server(App(pool, user_id))) as client:
                tools = wire(await client.list_tools())
                rows = halves(await answer(client, "list_items", {"limit": 20}))
    bare_tools, bare_rows = await bare_list(), await bare_answer(page.items)
    bare_items = await bare_answer(whole)
    parts, bare_parts = budgeted(tools), budgeted(bare_tools)
    counted = partial(Figure, floor_is="SDK's default", unit="B")
    return [
        counted(f"tools/list, {len(parts)} tools", size(tools), size(bare_tools)),
        counted("names, descriptions, input schemas", size(parts), size(bare_parts), value_goal=22_000),
        counted("list_items, 20 rows", size(rows), size(bare_rows), ratio_goal=1 / 3),
        counted("list_items, 20 rows, of whole items", size(rows), size(bare_items)),
    ]


def budgeted(tools: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what of a list of tools counts against the budget."""
    return [{key: tool[key] for key in ("name", "description", "inputSchema")} for tool in tools["tools"]]


def halves(result: CallToolResult) -> dict[str, Any]:
    """Return what of a result is about the rows: its text and its structure."""
    return {key: wire(result)[key] for key in ("content", "structuredContent")}


async def bare_list() -> dict[str, Any]:
    """Return the list of the same tools, as a bare server gives it."""
    from mcp_server.server import TOOLS

    server = MCPServer("same tools", log_level="WARNING")
    for entry in TOOLS:
        server.add_tool(entry.function, title=entry.title, annotations=entry.hints)
    async with Client(server) as client:
        return wire(await client.list_tools())


async def bare_answer(rows: Sequence[BaseModel]) -> dict[str, Any]:
    """Return a page of *rows* as a bare server renders it by default, nulls and all."""
    page = create_model("Page", total=(int, ...), next_cursor=(str | None, None), items=(list[Any], ...))

    async def list_items():
        return page(total=63, next_cursor="WyJuYW1lIiwiYW5rZWxzb2NrcyIsNDBd", items=rows)

    list_items.__annotations__["return"] = page
    server = MCPServer("same rows", log_level="WARNING")
    server.add_tool(list_items)
    async with Client(server) as client:
        return halves(await answer(client, "list_items", {}))


def stop_leftover(folder: Path) -> None:
    """Stop the PostgreSQL that a server left running when it had to be killed."""
    from db.embedded import Embedded

    database = Embedded(folder)
    if (database.data / "postmaster.pid").exists():
        database.start()
        database.stop()


SECTIONS: dict[str, Callable[[Rig], Awaitable[list[Figure]]]] = {
    "calls": time_calls,
    "start": time_start,
    "databases": time_databases,
    "bytes": count_bytes,
}

if __name__ == "__main__":
    main()
