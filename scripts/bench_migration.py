"""The migration from SQLite beside its floors, all of them loading the same rows in turns.

Run `.venv/bin/python scripts/bench_migration.py [--items N] [--rounds N]`, or `scripts/bench.py migrate` for
a million items, which takes ten minutes and 4 GB of disk meanwhile. The floors: what PostgreSQL takes to load
prepared files of the very same tables, the words of items included, with foreign keys and indexes dropped and
rebuilt; pgloader (Debian has it), which gets only the filling of bare tables to do; and a process that does
no more than read the SQLite file.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import LiteralString, NamedTuple

import psycopg
from figures import HEAD, Figure, as_row
from make_old_collection import ITEMS, make
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier, Literal

from db import migrations
from db.embedded import Embedded

ROOT = Path(__file__).parents[1]
MIGRATION = ROOT / "scripts" / "migrate_sqlite_to_postgres.py"
ROUNDS = 3
TEMPLATE = "bench_migration_template"
TABLES = ("users", "categories", "items", "item_words", "threads", "candidates", "setups", "setup_items")
READ = """
import sqlite3, sys
db = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
    for row in db.execute(f'SELECT * FROM "{table}"'):
        pass
"""
# Where pgloader may write the old tables as they are, but for their types.
FOR_PGLOADER: tuple[LiteralString, ...] = (
    "ALTER TABLE items ADD COLUMN image_filename text, ADD COLUMN image_source_url text",
    "ALTER TABLE candidates ADD COLUMN image_filename text, ADD COLUMN image_source_url text",
    "ALTER TABLE candidates RENAME TO thread_candidates",
    "INSERT INTO users (id, username) VALUES (1, 'ada')",
    "ALTER TABLE categories ALTER user_id SET DEFAULT 1",
    "ALTER TABLE items ALTER user_id SET DEFAULT 1",
    "ALTER TABLE threads ALTER user_id SET DEFAULT 1",
    "ALTER TABLE thread_candidates ALTER user_id SET DEFAULT 1",
    "ALTER TABLE setups ALTER user_id SET DEFAULT 1",
    "ALTER TABLE setup_items ALTER user_id SET DEFAULT 1",
)
LOAD = """
LOAD DATABASE FROM sqlite://{file} INTO postgresql://postgres@unix:{socket}:5432/{database}
WITH data only, workers = 2, concurrency = 1, batch rows = 25000, prefetch rows = 25000
SET work_mem TO '64MB'
CAST column items.created_at to timestamptz using unix-timestamp-to-timestamptz,
     column items.updated_at to timestamptz using unix-timestamp-to-timestamptz,
     column threads.created_at to timestamptz using unix-timestamp-to-timestamptz,
     column threads.updated_at to timestamptz using unix-timestamp-to-timestamptz,
     column thread_candidates.created_at to timestamptz using unix-timestamp-to-timestamptz,
     column thread_candidates.updated_at to timestamptz using unix-timestamp-to-timestamptz,
     column setups.created_at to timestamptz using unix-timestamp-to-timestamptz,
     column setups.updated_at to timestamptz using unix-timestamp-to-timestamptz,
     column categories.created_at to timestamptz using unix-timestamp-to-timestamptz,
     type real to float8 using float-to-string
INCLUDING ONLY TABLE NAMES LIKE
    'categories', 'items', 'threads', 'thread_candidates', 'setups', 'setup_items';
"""

COUNTS = """
    SELECT
        (SELECT count(*) FROM items), (SELECT count(*) FROM thread_candidates),
        (SELECT count(*) FROM setup_items)
"""
WORDS = """
    INSERT INTO item_words (user_id, item_id, word)
    SELECT user_id, id, words_of(concat_ws(' ', name, notes))
    FROM items
"""


class Cost(NamedTuple):
    """What a load took; the megabytes are the peak of a process, where there is one."""

    seconds: float
    megabytes: float = 0


class Rig(NamedTuple):
    """A running server, whose own files are in *folder*, and the collection that is loaded into it."""

    url: str
    folder: Path
    old: Path


def main() -> None:
    parser = ArgumentParser(description="Measure the migration from SQLite beside its floors.")
    parser.add_argument("--items", type=int, default=ITEMS, help="how many items (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds that count (default: %(default)s)")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    print(HEAD)
    for figure in measure(options.items, options.rounds):
        print(as_row(figure))


def measure(items: int = ITEMS, rounds: int = ROUNDS) -> list[Figure]:
    """Load a collection of *items* items in every way, in turns, after one migration that warms up."""
    from tests.conftest import empty_database

    ways = {"read": read, "limit": load_files, "migrate": migrate}
    if shutil.which("pgloader"):
        ways["pgloader"] = pgloader
    costs: dict[str, list[Cost]] = {way: [] for way in ways}
    with tempfile.TemporaryDirectory(prefix="gearshed-bench-") as name, Embedded(Path(name)) as server:
        rig = Rig(server.url, Path(name), Path(name) / "old.db")
        make(rig.old, items)
        with empty_database(rig.url, TEMPLATE) as url:
            migrations.upgrade(url)
            in_new_database(rig, prepare)
            for _ in range(rounds):
                for way, load in ways.items():
                    costs[way].append(in_new_database(rig, load))
    return figures(costs)


def figures(costs: Mapping[str, Sequence[Cost]]) -> list[Figure]:
    seconds = {way: median(cost.seconds for cost in all_of_it) for way, all_of_it in costs.items()}
    peaks = {way: max(cost.megabytes for cost in all_of_it) for way, all_of_it in costs.items()}
    beside = partial(
        Figure, "migrate, audit and verification", seconds["migrate"], unit="s", n=len(costs["migrate"])
    )
    rows = [
        beside(seconds["limit"], "COPY of files", ratio_goal=1.9),
        beside(seconds["read"], "reading SQLite"),
        Figure(
            "migrate, peak memory",
            peaks["migrate"],
            peaks["read"],
            "reading SQLite",
            unit="MB",
            value_goal=100,
        ),
    ]
    if "pgloader" not in costs:
        print("No pgloader here: apt-get install pgloader", file=sys.stderr)
        return rows
    return [
        *rows,
        beside(seconds["pgloader"], "pgloader", ratio_goal=0.6),
        Figure("migrate, peak memory", peaks["migrate"], peaks["pgloader"], "pgloader", unit="MB"),
    ]


def in_new_database(rig: Rig, load: Callable[[Rig, str], Cost]) -> Cost:
    from tests.conftest import empty_database

    with empty_database(rig.url, template=TEMPLATE) as url:
        return load(rig, url)


def prepare(rig: Rig, url: str) -> Cost:
    """Migrate once, and write each table that came of it to a file."""
    cost = migrate(rig, url)
    with psycopg.connect(url) as conn:
        for table in TABLES:
            copy(conn, SQL("COPY {table} ({columns}) TO {file}"), table, rig.folder)
    return cost


def copy(conn: psycopg.Connection, statement: SQL, table: str, folder: Path) -> None:
    found = conn.execute(
        """
        SELECT attname
        FROM pg_attribute
        WHERE attrelid = %(table)s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
        ORDER BY attnum
        """,
        {"table": table},
    )
    columns = SQL(", ").join(Identifier(name) for (name,) in found)
    file = Literal(str(folder / f"{table}.copy"))
    conn.execute(statement.format(table=Identifier(table), columns=columns, file=file))


def read(rig: Rig, _: str) -> Cost:
    return run([sys.executable, "-c", READ, str(rig.old)])


def migrate(rig: Rig, url: str) -> Cost:
    return run([sys.executable, str(MIGRATION), str(rig.old)], DATABASE_URL=url)


def load_files(rig: Rig, url: str) -> Cost:
    """Load the files that were prepared, as the server does it by itself."""
    begin = perf_counter()
    with psycopg.connect(url) as conn:
        to_rebuild = drop_keys_and_indexes(conn)
        for table in TABLES:
            copy(conn, SQL("COPY {table} ({columns}) FROM {file}"), table, rig.folder)
        rebuild(conn, to_rebuild)
    return Cost(perf_counter() - begin)


def pgloader(rig: Rig, url: str) -> Cost:
    """Have pgloader fill bare tables; what belongs to them is made after it as for the files."""
    with psycopg.connect(url) as conn:
        for statement in FOR_PGLOADER:
            conn.execute(statement)
        to_rebuild = drop_keys_and_indexes(conn)
    target = conninfo_to_dict(url)
    command = rig.folder / "pgloader.load"
    command.write_text(LOAD.format(file=rig.old, socket=target["host"], database=target["dbname"]))
    begin = perf_counter()
    cost = run(["pgloader", "--quiet", str(command)])
    with psycopg.connect(url) as conn:
        conn.execute(WORDS)
        rebuild(conn, to_rebuild)
    check_all_is_there(rig, url)
    return Cost(perf_counter() - begin, cost.megabytes)


def check_all_is_there(rig: Rig, url: str) -> None:
    """Raise an error where pgloader, whose exit code is 0 all the same, has lost rows."""
    with psycopg.connect(url) as conn, closing(sqlite3.connect(rig.old)) as old:
        loaded, there = conn.execute(COUNTS).fetchone(), old.execute(COUNTS).fetchone()
    if loaded != there:
        raise RuntimeError(f"pgloader loaded {loaded} items, candidates and lines of {there}")


def drop_keys_and_indexes(conn: psycopg.Connection) -> list[bytes]:
    """Drop foreign keys and indexes, turn triggers off, and return the statements that undo it."""
    found = conn.execute(
        """
        SELECT
            format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
            format(
                'ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)
            )
        FROM pg_constraint
        WHERE contype = 'f' AND connamespace = 'public'::regnamespace
        """
    ).fetchall()
    found += conn.execute(
        """
        SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
        FROM pg_index
        JOIN pg_class ON pg_class.oid = indrelid
        WHERE relnamespace = 'public'::regnamespace
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))
        ORDER BY relname, indexrelid
        """
    ).fetchall()
    found += conn.execute(
        """
        SELECT DISTINCT
            format('ALTER TABLE %s DISABLE TRIGGER USER', tgrelid::regclass),
            format('ALTER TABLE %s ENABLE TRIGGER USER', tgrelid::regclass)
        FROM pg_trigger
        WHERE NOT tgisinternal
        """
    ).fetchall()
    for drop, _ in found:
        conn.execute(drop.encode())
    # Keys check what their tables' indexes find.
    return [make_again.encode() for _, make_again in reversed(found)]


def rebuild(conn: psycopg.Connection, statements: Sequence[bytes]) -> None:
    for statement in statements:
        conn.execute(statement)


def run(command: Sequence[str], **environment: str) -> Cost:
    """Run a process to its end, and return its time and its peak of memory."""
    begin, peak = perf_counter(), 0
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=output, stderr=output)
        while process.poll() is None:
            # Not from wait4, which counts what this process had when it forked.
            peak = max(peak, high_water_mark(process.pid))
            sleep(0.01)
        if process.returncode:
            output.seek(0)
            raise RuntimeError(
                f"{command[0]} ended with {process.returncode}: {output.read().decode()[-2000:]}"
            )
    return Cost(perf_counter() - begin, peak / 1024)


def high_water_mark(pid: int) -> int:
    """Return the most memory that a process has had, in KiB; nothing when it has just ended."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)


if __name__ == "__main__":
    main()
