"""The time from starting a server process, with PostgreSQL stopped, to its first list of tools."""

from time import perf_counter

from mcp import Client, StdioServerParameters

from scripts.bench.figures import Figure
from scripts.bench.rig import PATIENCE, Rig, medians, stop_leftover

ROUNDS = 7


async def measure(rig: Rig) -> list[Figure]:
    rounds: list[tuple[float, float]] = []
    for _ in range(1 + ROUNDS):
        stop_leftover(rig.folder)
        rounds.append((await start(rig.product), await start(rig.echo)))
    whole, floor = medians(rounds)
    return [
        Figure("start to tools/list, PostgreSQL too", whole, floor, "bare SDK server", ROUNDS, ratio_goal=1.5)
    ]


async def start(server: StdioServerParameters) -> float:
    """Return the milliseconds to the first list of tools; stopping the server does not count."""
    begin = perf_counter()
    async with Client(server, read_timeout_seconds=PATIENCE) as client:
        await client.list_tools()
        return (perf_counter() - begin) * 1000
