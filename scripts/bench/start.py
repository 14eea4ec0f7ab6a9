"""The start of a server process until its first list of tools, beside a bare SDK server."""

import sys
from collections.abc import Sequence
from statistics import median
from time import perf_counter
from typing import NamedTuple

from db import migrations
from db.embedded import Embedded
from scripts.bench.figures import Figure
from scripts.bench.rig import Rig, postmaster_of, stop_leftover
from scripts.bench.stdio import PRODUCT, piped
from scripts.cpu import cpu_seconds
from scripts.databases import empty_database

ROUNDS = 7
WARM, COLD = 1.4, 2


class Start(NamedTuple):
    """Milliseconds of CPU, those of a PostgreSQL that it starts included, and of time."""

    cpu: float
    time: float


async def measure(rig: Rig) -> list[Figure]:
    """Start while PostgreSQL runs (warm), and with PostgreSQL stopped (cold)."""
    echo = [sys.executable, "-m", "scripts.bench.echo", str(rig.answers)]
    own = rig.folder / "started"
    with Embedded(rig.folder) as server, empty_database(server.url) as url:
        migrations.upgrade(url)
        with Embedded(own) as database:
            migrations.upgrade(database.url)
        rounds: list[tuple[Start, Start, Start]] = []
        for _ in range(1 + ROUNDS):
            rounds.append(
                (
                    start(PRODUCT, DATABASE_URL=url),
                    start([*PRODUCT, "--data-dir", str(own)], Embedded(own)),
                    start(echo),
                )
            )
            stop_leftover(own)
    warm, cold, bare = (
        Start(median(each.cpu for each in column), median(each.time for each in column))
        for column in zip(*rounds[1:], strict=True)
    )
    return [
        figure("warm start to tools/list, CPU", warm.cpu, bare.cpu, WARM),
        figure("cold start to tools/list, CPU", cold.cpu, bare.cpu, COLD),
        figure("warm start to tools/list, time", warm.time, bare.time),
        figure("cold start to tools/list, time", cold.time, bare.time),
    ]


def start(command: Sequence[str], database: Embedded | None = None, **environment: str) -> Start:
    """Start a server, ask it for its tools, and kill it. It is to start the *database*, if given."""
    begin = perf_counter()
    with piped(command, **environment) as client:
        client.ask("tools/list", {})
        taken = perf_counter() - begin
        processes = [client.process.pid, *([postmaster_of(database)] if database else ())]
        return Start(cpu_seconds(*processes) * 1000, taken * 1000)


def figure(what: str, value: float, floor: float, goal: float | None = None) -> Figure:
    return Figure(what, value, floor, "bare SDK server", ROUNDS, ratio_goal=goal)
