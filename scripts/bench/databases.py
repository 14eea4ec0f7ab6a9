"""A test's own database beside an empty one, which is a copy of PostgreSQL's smallest template."""

from contextlib import AbstractContextManager
from time import perf_counter

from db import migrations
from db.embedded import Embedded
from scripts.bench.figures import Figure
from scripts.bench.rig import Rig, medians
from scripts.databases import create_test_db, empty_database

TEMPLATE = "bench_template"
ROUNDS = 20


async def measure(rig: Rig) -> list[Figure]:
    with Embedded(rig.folder) as server, empty_database(server.url, TEMPLATE) as url:
        migrations.upgrade(url)
        rounds = [
            (*lifetime(create_test_db(server.url, TEMPLATE)), *lifetime(empty_database(server.url)))
            for _ in range(1 + ROUNDS)
        ]
    made, dropped, empty_made, empty_dropped = medians(rounds)
    return [
        Figure("create_test_db()", made, empty_made, "empty database", ROUNDS, value_goal=60),
        Figure("create_test_db() and dropping it", dropped, empty_dropped, "empty database", ROUNDS),
    ]


def lifetime(database: AbstractContextManager[str]) -> tuple[float, float]:
    """Return the milliseconds until *database* exists, and until it is dropped."""
    begin = perf_counter()
    with database:
        made = perf_counter()
    return (made - begin) * 1000, (perf_counter() - begin) * 1000
