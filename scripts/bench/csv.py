"""`gearshed import` of a long list beside a COPY of its lines into a table without keys."""

import sys
from functools import partial
from io import FileIO
from pathlib import Path
from time import perf_counter

import psycopg

from db.embedded import Embedded
from mcp_server.formats.opening import open_file
from scripts.bench.figures import Figure
from scripts.bench.process import run
from scripts.bench.rig import Rig
from scripts.kill_imports import write_list


async def measure(rig: Rig) -> list[Figure]:
    with Embedded(rig.folder / "csv") as database:
        file = rig.folder / "list.csv"
        write_list(file, rig.items)
        command = (sys.executable, "-m", "mcp_server", "import", str(file))
        idle = run((sys.executable, "-c", "import mcp_server.cli, mcp_server.commands.lists"))
        first = run(command, DATABASE_URL=database.url)
        again = run(command, DATABASE_URL=database.url)
        copied, read = time_copy(database.url, file), time_reading(file)
    beside = partial(Figure, n=1, unit="s")
    return [
        beside(f"import of {rig.items:,} lines", first.seconds, copied, "COPY, no keys", value_goal=60),
        beside("the same list again", again.seconds, copied, "COPY, no keys"),
        beside("reading it, without PostgreSQL", read, copied, "COPY, no keys"),
        Figure("import, peak memory", first.megabytes, idle.megabytes, "idle", unit="MB"),
        Figure(
            "import, above idle", first.megabytes - idle.megabytes, idle.megabytes, "idle", 1, "MB", None, 64
        ),
    ]


def time_copy(url: str, file: Path) -> float:
    """Return the seconds in which PostgreSQL itself stores the file, without keys, indexes or triggers."""
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
    begin = perf_counter()
    with open_file(FileIO(file)) as reader:
        for _ in reader:
            pass
    return perf_counter() - begin
