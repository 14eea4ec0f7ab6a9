"""The memory of a server after many calls."""

from scripts.bench.contest import contest
from scripts.bench.figures import Figure
from scripts.bench.process import memory
from scripts.bench.rig import Rig
from scripts.bench.stdio import PRODUCT, piped

WARM_UP, CALLS = 1_000, 20_000


async def measure(rig: Rig) -> list[Figure]:
    """Call the server over stdio: nine reads, then a write, and again."""
    async with contest(rig) as held:
        with piped(PRODUCT, DATABASE_URL=held.url) as client:
            found: list[float] = []
            for calls in (WARM_UP, CALLS):
                for _ in range(calls // 10):
                    await client.repeat("get_item", 9)
                    await client.repeat("create_item", 1)
                found.append(memory(client.process.pid, "VmRSS") / 1024)
    before, after = found
    return [
        Figure(f"memory, growth in {CALLS:,} calls", after - before, before, "before", 1, "MB", value_goal=5)
    ]
