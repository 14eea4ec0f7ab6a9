"""The project's own figures, each beside its floor: what the same work costs without Gearshed.

Run `make bench`, or `.venv/bin/python scripts/bench.py SECTION ...` for some of the sections: calls, pages,
log, start, databases, bytes, http, migrate, csv. A figure and its floor are measured in turns: noise meets
both; p50 is the median of n turns, and the ratio is that of the medians. A goal is for the ratio, or in the
figure's own unit. Nothing fails here, whatever the figures are: this only prints.

Everything happens in a throwaway embedded PostgreSQL, filled with the packing list that the demo shows. Only
`pages`, `migrate` and `csv` make databases of a million items: minutes, and some GB of disk meanwhile.
"""

import json
import socket
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from io import FileIO
from itertools import cycle
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any, LiteralString, NamedTuple, TypeAlias

import anyio
import httpx2
from figures import HEAD, Figure, as_row
from mcp import Client, StdioServerParameters
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult
from pydantic import BaseModel, create_model

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from psycopg.sql import Composed

    from db.pool import Pool
    from mcp_server.models.item import Sort
    from mcp_server.models.setup import NewLine

# Gearshed's own modules, psycopg and pytest are imported by the functions that use them: this script is the
# bare server too, and what that imports counts as its start-up.

ROOT = Path(__file__).parents[1]
LIST = ROOT / "mcp_server" / "data" / "ultimate-hike-2025.csv"
TEMPLATE = "bench_template"
USER = "local"
# Rounds that count; one more comes first and warms up.
ROUNDS = {
    "get_item": 400,
    "list_items": 200,
    "pages": 100,
    "totals": 10,
    "start": 7,
    "databases": 20,
    "http": 5,
}
# The items of users whose pages are compared, all in a table with those of others.
SIZES = (100, 10_000, 100_000)
IN_TABLE = 1_000_000
# A user's items. There are twenty of each model, however many items there are.
ITEMS = """
    INSERT INTO items (user_id, name, notes, weight_grams, price_cents, created_at, updated_at)
    SELECT
        %(user_id)s,
        concat_ws(
            ' ',
            (array['Alpine', 'Carbon', 'Down', 'Light', 'Merino', 'Storm', 'Trail'])[1 + mod(n, 7)],
            (array['Filter', 'Jacket', 'Lamp', 'Mat', 'Pot', 'Quilt', 'Sack', 'Tarp', 'Tent'])[1 + mod(n, 9)],
            'mk' || lpad(mod(n, %(size)s / 20)::text, 5, '0')
        ),
        (array['bought used', 'a gift', 'needs repair', NULL])[1 + mod(n, 4)],
        nullif(mod(n * 7919::bigint, 30000), 0) / 10.0,
        nullif(mod(n * 104729::bigint, 50000), 0),
        now() - n * interval '1 minute',
        now() - mod(n * 7919::bigint, 100000) * interval '1 minute'
    FROM generate_series(1, %(size)s) AS n
"""
# Clients that call over HTTP at once, and how often each.
CLIENTS, CALLS_EACH = 50, 20
# Seconds until an answer is given up.
PATIENCE = 30


class Rig(NamedTuple):
    """What is measured: a collection in *folder*, its server, and a bare server that echoes its answers."""

    folder: Path
    product: StdioServerParameters
    echo: StdioServerParameters


class HttpClient(NamedTuple):
    """A person's key, and the one item that the person has."""

    key: str
    item_id: int
    name: str


# What a tool does with a transaction's connection.
Service: TypeAlias = Callable[["AsyncConnection"], Awaitable[object]]


class Case(NamedTuple):
    """The same work for the users whose items SIZES counts."""

    what: str
    services: Sequence[Service]
    n: int = ROUNDS["pages"]
    ratio_goal: float | None = 2


class Call(NamedTuple):
    """One call of a tool, and the same work further down: by the service, and by the SELECT for its rows."""

    tool: str
    arguments: dict[str, Any]
    service: Service
    statement: "Composed"
    params: Mapping[str, Any]
    ratio_goal: float | None = None


def main() -> None:
    if sys.argv[1:2] == ["echo-server"]:
        echo_server(Path(sys.argv[2])).run()
        return
    if sys.argv[1:2] == ["echo-over-http"]:
        echo_server(Path(sys.argv[2])).run("streamable-http", port=int(sys.argv[3]), stateless_http=True)
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
    print(HEAD)
    for name in names:
        for figure in await SECTIONS[name](rig):
            print(as_row(figure), flush=True)


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

    from mcp_server.services import item, listing

    first: dict[str, Any] = {**dict.fromkeys(listing.FILTERS), "limit": 51}
    first |= listing.read_cursor("", "name", first)
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
            service=listing.find,
            statement=listing.select("name", [], first, many=False),
            params=first,
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
                    lambda call=call: serve(pool, user_id, call.service),
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


async def serve(pool: "Pool", user_id: int, service: Service) -> None:
    from db.pool import transaction

    async with transaction(pool, user_id, read_only=True) as conn:
        await service(conn)


async def select(plain: "AsyncConnection", call: Call) -> None:
    cursor = await plain.execute(call.statement, call.params)
    await cursor.fetchall()


async def user_of(pool: "Pool") -> int:
    from mcp_server.accounts.auth import ensure_user

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


async def time_pages(rig: Rig) -> list[Figure]:
    """Time what users with many items wait for beside one with few, all in a table with a million items."""
    from db import migrations
    from db.embedded import Embedded
    from db.pool import create_pool
    from tests.conftest import empty_database

    with Embedded(rig.folder) as server, empty_database(server.url) as url:
        migrations.upgrade(url)
        fill(url)
        async with create_pool(url) as pool:
            figures = [await compare_setups(pool)]
            for case in await cases(pool):
                figures += await compare(pool, case)
            return figures


def fill(url: str) -> None:
    """Give users 1, 2 and 3 as many items as SIZES says, and others the rest of a million, 1,000 to each."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as conn:
        for user_id, size in enumerate([*SIZES, *[1000] * ((IN_TABLE - sum(SIZES)) // 1000)], 1):
            conn.execute("INSERT INTO users (username) VALUES (%(user_id)s::text)", {"user_id": user_id})
            conn.execute(ITEMS, {"user_id": user_id, "size": size})
        conn.execute("VACUUM ANALYZE")


async def cases(pool: "Pool") -> list[Case]:
    """Return pages of searches, first and deep pages in each order, and totals."""
    from mcp_server.services import listing, totals

    page = partial(listing.find, limit=20)
    result = [
        Case("search, 20 found", [partial(page, query="mk00003")] * 3),
        Case("search, every ninth found", [partial(page, query="tent")] * 3),
    ]
    for sort in listing.ORDERS:
        cursors = [await deep_cursor(pool, user_id, sort) for user_id in range(1, 4)]
        result += [
            Case(f"by {sort}, first page", [partial(page, sort=sort)] * 3),
            Case(f"by {sort}, deep page", [partial(page, sort=sort, cursor=cursor) for cursor in cursors]),
        ]
    return [*result, Case("get_totals", [totals.summarize] * 3, n=ROUNDS["totals"], ratio_goal=None)]


async def deep_cursor(pool: "Pool", user_id: int, sort: "Sort") -> str:
    """Return the cursor of the page behind seven tenths of a user's items."""
    from db.pool import transaction
    from mcp_server.services import listing

    cursor = ""
    async with transaction(pool, user_id, read_only=True) as conn:
        ahead = SIZES[user_id - 1] * 7 // 10
        while ahead > 0:
            page = await listing.find(conn, sort=sort, limit=min(ahead, 500), cursor=cursor)
            ahead, cursor = ahead - len(page.items), page.next_cursor or ""
    return cursor


async def compare(pool: "Pool", case: Case) -> list[Figure]:
    """Time *case* for all users in turns, and put the others beside the one with the fewest items."""
    rounds = [
        [
            await timed(partial(serve, pool, user_id, service))
            for user_id, service in enumerate(case.services, 1)
        ]
        for _ in range(1 + case.n)
    ]
    few, *more = medians(rounds)
    return [
        Figure(
            f"{case.what}, {size:,}", value, few, f"of {SIZES[0]} items", case.n, ratio_goal=case.ratio_goal
        )
        for size, value in zip(SIZES[1:], more, strict=True)
    ]


async def compare_setups(pool: "Pool") -> Figure:
    """Time a setup of 200 lines beside one of 20."""
    from db.pool import transaction
    from mcp_server.services import listing, setup

    async with transaction(pool, 3) as conn:
        lines: list[NewLine] = [{"item_id": row.id} for row in (await listing.find(conn, limit=200)).items]
        made = [await setup.create(conn, f"{n} lines", lines[:n]) for n in (20, 200)]
    n = ROUNDS["pages"]
    rounds = [
        [await timed(partial(serve, pool, 3, partial(setup.get, setup_id=one.id))) for one in made]
        for _ in range(1 + n)
    ]
    few, many = medians(rounds)
    return Figure("get_setup, 200 lines", many, few, "20 lines", n)


async def time_log(rig: Rig) -> list[Figure]:
    """Time writes with the log of changes beside the same with triggers off, and the undo of a big one."""
    from db import migrations
    from db.embedded import Embedded
    from db.pool import create_pool
    from mcp_server.protocol.edge import App
    from mcp_server.server import build_server
    from tests.conftest import empty_database

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
    import psycopg

    times: dict[str, list[float]] = {"ENABLE": [], "DISABLE": []}
    with psycopg.connect(url, autocommit=True) as conn:
        for number in range(n):
            for mode, taken in times.items():
                conn.execute(LOG_TRIGGER[mode])
                given = arguments(2 * number + (mode == "ENABLE"))
                taken.append(await timed(partial(answer, client, tool, given)))
        conn.execute(LOG_TRIGGER["ENABLE"])
    logged, not_logged = median(times["ENABLE"]), median(times["DISABLE"])
    return Figure(f"{tool}, logged", logged, not_logged, "not logged", n, ratio_goal=1.6)


async def undo_a_category(client: Client) -> Figure:
    """Time the undoing of the deletion of a category of 1,000 items in 20 setups beside the deletion."""
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


def structure_of(result: CallToolResult) -> dict[str, Any]:
    return result.structured_content or {}


LOG_TRIGGER: dict[str, LiteralString] = {
    "ENABLE": "ALTER TABLE items ENABLE TRIGGER log_row_change",
    "DISABLE": "ALTER TABLE items DISABLE TRIGGER log_row_change",
}


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
    from mcp_server.protocol.edge import App
    from mcp_server.server import build_server
    from mcp_server.services import item, listing

    with Embedded(rig.folder) as database:
        async with create_pool(database.url) as pool:
            user_id = await user_of(pool)
            async with transaction(pool, user_id, read_only=True) as conn:
                page = await listing.find(conn, limit=20)
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


async def time_migration(rig: Rig) -> list[Figure]:
    """Time the migration of a million items from SQLite, on a server of its own."""
    from bench_migration import measure

    return measure()


async def time_csv(rig: Rig) -> list[Figure]:
    """Time `gearshed import` of a million lines beside a COPY of them into a table without keys."""
    from bench_migration import run
    from kill_imports import write_list

    from db.embedded import Embedded

    with Embedded(rig.folder / "csv") as database:
        file = rig.folder / "list.csv"
        write_list(file, IN_TABLE)
        command = (sys.executable, "-m", "mcp_server", "import", str(file))
        idle = run((sys.executable, "-c", "import mcp_server.cli, mcp_server.lists"))
        first = run(command, DATABASE_URL=database.url)
        again = run(command, DATABASE_URL=database.url)
        copied, read = time_copy(database.url, file), time_reading(file)
    beside = partial(Figure, n=1, unit="s")
    return [
        beside("import of 1,000,000 lines", first.seconds, copied, "COPY, no keys", value_goal=60),
        beside("the same list again", again.seconds, copied, "COPY, no keys"),
        beside("reading it, without PostgreSQL", read, copied, "COPY, no keys"),
        Figure("import, peak memory", first.megabytes, idle.megabytes, "idle", unit="MB"),
        Figure(
            "import, above idle", first.megabytes - idle.megabytes, idle.megabytes, "idle", 1, "MB", None, 64
        ),
    ]


def time_copy(url: str, file: Path) -> float:
    """Return the seconds in which PostgreSQL itself stores the file, with nothing to keep in step with it."""
    import psycopg

    begin = perf_counter()
    with psycopg.connect(url) as conn, file.open("rb") as source:
        conn.execute("""
            CREATE TABLE copied (
                name text, category text, weight_grams float8, price_cents bigint, quantity integer,
                notes text
            )
        """)
        with conn.cursor().copy("COPY copied FROM STDIN (FORMAT csv, HEADER)") as copy:
            while block := source.read(1 << 20):
                copy.write(block)
    return perf_counter() - begin


def time_reading(file: Path) -> float:
    """Return the seconds in which the reader alone goes through the file."""
    from mcp_server.formats.reader import open_file

    begin = perf_counter()
    with open_file(FileIO(file)) as reader:
        for _ in reader:
            pass
    return perf_counter() - begin


async def time_http(rig: Rig) -> list[Figure]:
    """Count calls per second of many clients at once, each of whom has to get what is its own."""
    from db.embedded import Embedded
    from db.pool import create_pool
    from tests.http.served import served

    with Embedded(rig.folder) as database, ExitStack() as stack:
        async with create_pool(database.url) as pool:
            clients = await admit_clients(pool)
        product = [
            stack.enter_context(served(database.url, rig.folder / f"log {number}")).url for number in range(2)
        ]
        echo = [stack.enter_context(echoing(rig)) for _ in range(2)]
        rounds: dict[tuple[int, bool], list[float]] = {}
        for _ in range(1 + ROUNDS["http"]):
            for processes in (1, 2):
                for urls, own in ((product, True), (echo, False)):
                    rate = await storm(urls[:processes], clients, own=own)
                    rounds.setdefault((processes, own), []).append(rate)
        return [
            Figure(
                f"get_item over HTTP, processes: {processes}",
                median(rounds[processes, True][1:]),
                median(rounds[processes, False][1:]),
                "echo on bare SDK",
                ROUNDS["http"],
                "/s",
            )
            for processes in (1, 2)
        ]


async def admit_clients(pool: "Pool") -> list[HttpClient]:
    """Make people, each with a key and an item whose name is that of the person."""
    from db.pool import transaction
    from mcp_server.accounts import auth, key
    from mcp_server.models.auth import READ
    from mcp_server.services import item

    clients: list[HttpClient] = []
    for number in range(CLIENTS):
        async with pool.connection() as conn:
            user_id = await auth.add_user(conn, f"person {number}", None)
            opens = await key.create(conn, user_id, "bench", READ, None)
        async with transaction(pool, user_id) as conn:
            made = await item.create(conn, {"name": f"of person {number}"})
        clients.append(HttpClient(opens, made.id, f'"name":"{made.name}"'))
    return clients


@contextmanager
def echoing(rig: Rig) -> Generator[str]:
    """Serve recorded answers with nothing but the SDK."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    answers = str(rig.folder / "answers.json")
    with subprocess.Popen([sys.executable, __file__, "echo-over-http", answers, str(port)]) as process:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


async def storm(urls: Sequence[str], clients: Sequence[HttpClient], *, own: bool) -> float:
    """Let all clients call at once, each all servers in turns, and return the calls answered per second."""
    begin = perf_counter()
    async with anyio.create_task_group() as tasks:
        for client in clients:
            tasks.start_soon(call_in_turns, urls, client, own)
    return len(clients) * CALLS_EACH / (perf_counter() - begin)


async def call_in_turns(urls: Sequence[str], client: HttpClient, own: bool) -> None:
    headers = {
        "Authorization": f"Bearer {client.key}",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2025-11-25",
    }
    params = {"name": "get_item", "arguments": {"item_id": client.item_id}}
    async with httpx2.AsyncClient(headers=headers, timeout=PATIENCE) as http:
        for number, url in zip(range(CALLS_EACH), cycle(urls), strict=False):
            message = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
            response = await http.post(f"{url}/mcp", json=message)
            if response.status_code != 200 or (own and client.name not in response.text):
                raise RuntimeError(f"{client.name}: {response.status_code} {response.text}")


def stop_leftover(folder: Path) -> None:
    """Stop the PostgreSQL that a server left running when it had to be killed."""
    from db.embedded import Embedded

    database = Embedded(folder)
    if (database.data / "postmaster.pid").exists():
        database.start()
        database.stop()


SECTIONS: dict[str, Callable[[Rig], Awaitable[list[Figure]]]] = {
    "calls": time_calls,
    "pages": time_pages,
    "log": time_log,
    "start": time_start,
    "databases": time_databases,
    "bytes": count_bytes,
    "migrate": time_migration,
    "http": time_http,
    "csv": time_csv,
}

if __name__ == "__main__":
    main()
