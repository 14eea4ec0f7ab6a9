"""Servers compared by CPU and by time per call, in turns within one run."""

from collections.abc import Awaitable, Callable, Sequence
from statistics import median
from time import perf_counter
from typing import NamedTuple

from scripts.cpu import precise_cpu_seconds


class Cost(NamedTuple):
    """Milliseconds per call: CPU of the server, CPU of PostgreSQL, and time."""

    server: float
    postgres: float
    time: float


class Server(NamedTuple):
    """A running server: its process, its PostgreSQL, and calls of it, which *run* makes in one go."""

    process: int
    postmaster: int
    run: Callable[[], Awaitable[None]]
    calls: int


async def compare(servers: Sequence[Server], rounds: int) -> list[Cost]:
    """Return the medians of each server. The first round only warms up."""
    found = [[await once(server) for server in servers] for _ in range(1 + rounds)]
    return [Cost(*map(median, zip(*costs, strict=True))) for costs in zip(*found[1:], strict=True)]


async def once(server: Server) -> Cost:
    def now() -> tuple[float, float, float]:
        return precise_cpu_seconds(server.process), precise_cpu_seconds(server.postmaster), perf_counter()

    before = now()
    await server.run()
    return Cost(*((end - begin) * 1000 / server.calls for begin, end in zip(before, now(), strict=True)))
