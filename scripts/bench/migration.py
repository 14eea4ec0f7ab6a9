"""The migration from SQLite beside its floors, all of them loading the same rows in turns.

With a million items it takes ten minutes and 4 GB of disk while it runs. The floors are: PostgreSQL loading
prepared files of the same tables, including the words of items, with foreign keys and indexes dropped and
rebuilt; pgloader (from Debian), which only has to fill bare tables; and a process that only reads the
SQLite file.
"""

import shutil
import sqlite3
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import LiteralString, NamedTuple

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier, Literal

from db import migrations
from db.embedded import Embedded
from scripts.bench.figures import Figure
from scripts.bench.process import Cost, run
from scripts.bench.rig import ROOT, Rig
from scripts.databases import empty_database
from scripts.make_old_collection import make

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
# Lets pgloader write the old tables unchanged, except for their types.
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


class Load(NamedTuple):
    """A running server, whose own files are in *folder*, and the collection that is loaded into it."""

    url: str
    folder: Path
    old: Path


async def measure(rig: Rig) -> list[Figure]:
    """Load the collection in every way, in turns, after one migration that warms up."""
    ways = {"read": read, "limit": load_files, "migrate": migrate}
    if shutil.which("pgloader"):
        ways["pgloader"] = pgloader
    costs: dict[str, list[Cost]] = {way: [] for way in ways}
    folder = rig.folder / "migration"
    with Embedded(folder) as server:
        load = Load(server.url, folder, folder / "old.db")
        make(load.old, rig.items)
        with empty_database(load.url, TEMPLATE) as url:
            migrations.upgrade(url)
            in_new_database(load, prepare)
            for _ in range(ROUNDS):
                for way, work in ways.items():
                    costs[way].append(in_new_database(load, work))
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
        print("pgloader is not installed: apt-get install pgloader", file=sys.stderr)
        return rows
    return [
        *rows,
        beside(seconds["pgloader"], "pgloader", ratio_goal=0.6),
        Figure("migrate, peak memory", peaks["migrate"], peaks["pgloader"], "pgloader", unit="MB"),
    ]


def in_new_database(load: Load, work: Callable[[Load, str], Cost]) -> Cost:
    with empty_database(load.url, template=TEMPLATE) as url:
        return work(load, url)


def prepare(load: Load, url: str) -> Cost:
    """Migrate once, and write each resulting table to a file."""
    cost = migrate(load, url)
    with psycopg.connect(url) as conn:
        for table in TABLES:
            copy(conn, SQL("COPY {table} ({columns}) TO {file}"), table, load.folder)
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


def read(load: Load, _: str) -> Cost:
    return run([sys.executable, "-c", READ, str(load.old)])


def migrate(load: Load, url: str) -> Cost:
    return run([sys.executable, str(MIGRATION), str(load.old)], DATABASE_URL=url)


def load_files(load: Load, url: str) -> Cost:
    """Load the prepared files with the server's own COPY."""
    begin = perf_counter()
    with psycopg.connect(url) as conn:
        to_rebuild = drop_keys_and_indexes(conn)
        for table in TABLES:
            copy(conn, SQL("COPY {table} ({columns}) FROM {file}"), table, load.folder)
        rebuild(conn, to_rebuild)
    return Cost(perf_counter() - begin)


def pgloader(load: Load, url: str) -> Cost:
    """Have pgloader fill bare tables; words, keys and indexes follow, as with the files."""
    with psycopg.connect(url) as conn:
        for statement in FOR_PGLOADER:
            conn.execute(statement)
        to_rebuild = drop_keys_and_indexes(conn)
    target = conninfo_to_dict(url)
    command = load.folder / "pgloader.load"
    command.write_text(LOAD.format(file=load.old, socket=target["host"], database=target["dbname"]))
    begin = perf_counter()
    cost = run(["pgloader", "--quiet", str(command)])
    with psycopg.connect(url) as conn:
        conn.execute(WORDS)
        rebuild(conn, to_rebuild)
    check_nothing_is_missing(load, url)
    return Cost(perf_counter() - begin, cost.megabytes)


def check_nothing_is_missing(load: Load, url: str) -> None:
    """Raise an error if pgloader has lost rows: its exit code is 0 even then."""
    with psycopg.connect(url) as conn, closing(sqlite3.connect(load.old)) as old:
        loaded, there = conn.execute(COUNTS).fetchone(), old.execute(COUNTS).fetchone()
    if loaded != there:
        raise RuntimeError(f"pgloader loaded {loaded} items, candidates and lines of {there}")


def drop_keys_and_indexes(conn: psycopg.Connection) -> list[bytes]:
    """Drop foreign keys and indexes, turn triggers off, and return the statements that restore them."""
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
    # Reversed, because foreign keys need the indexes of the tables they refer to.
    return [make_again.encode() for _, make_again in reversed(found)]


def rebuild(conn: psycopg.Connection, statements: Sequence[bytes]) -> None:
    for statement in statements:
        conn.execute(statement)
