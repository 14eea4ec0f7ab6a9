"""Attack a served process, and print what it costs the server and a neighbour.

    python -m scripts.abuse [WORDS ...]

For each case whose name contains one of the *words* (default: all), in a throwaway embedded PostgreSQL:

- cost: CPU seconds of the server, its decoders and PostgreSQL, for the attack and for an ordinary input of
  the same size;
- the neighbour's p99 of get_item (another user) while the server is idle and while the attack is repeated;
- the seconds in which SIGTERM ends the server during the attack.

A missed goal is printed and does not fail the run.
"""

import asyncio
import json
import signal
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from db.embedded import Embedded
from db.pool import Pool, create_pool, transaction
from mcp_server.accounts import auth, key
from mcp_server.http.stop import FOR_ANSWERS, FOR_CALLS, FOR_CONNECTIONS
from mcp_server.models.auth import READ_WRITE
from mcp_server.services import item
from scripts.abuse.cases import Attack, Case, Target, cases
from scripts.cpu import cpu_seconds
from scripts.served import Served, served

# Seconds that the neighbour calls, and that an attack is repeated.
FOR_NEIGHBOUR = 4.0
# The limit of the neighbour's p99 during an attack, as a multiple of that beside an idle server.
NEIGHBOUR_GOAL = 3.0
LONGEST_STOP = FOR_CALLS + FOR_ANSWERS + FOR_CONNECTIONS + 1
ROW = "{:<42} {:>8} {:>8} {:>6} {:<8} {:>8} {:>8} {:>6} {:<8} {:>6} {:<7} {}"
HEAD = ROW.format(
    "attack",
    "good CPU",
    "bad CPU",
    "ratio",
    "goal",
    "idle p99",
    "p99",
    "ratio",
    "goal",
    "stop",
    "goal",
    "answer",
)


class Stage(NamedTuple):
    """A running server on its own database, the attacker, and the neighbour with an item."""

    server: Served
    postmaster: int
    attacker: Target
    neighbour: Target
    item_id: int


class Outcome(NamedTuple):
    """CPU seconds, p99 in milliseconds, seconds until the server ended, and what the attack was answered."""

    good: float
    bad: float
    idle: float
    during: float
    stop: float
    answer: str


async def main(words: Sequence[str]) -> None:
    print(HEAD, flush=True)
    for case in cases():
        if not words or any(word in case.name for word in words):
            with tempfile.TemporaryDirectory(prefix="gearshed-abuse-") as name:
                async with staged(case, Path(name)) as stage:
                    print(as_row(case, await measure(case, stage)), flush=True)


@asynccontextmanager
async def staged(case: Case, folder: Path) -> AsyncGenerator[Stage]:
    """Start a server, with a user who attacks and one who does not."""
    with Embedded(folder) as database, served(database.url, folder / "log") as server:
        async with create_pool(database.url) as pool:
            attacker_id, attacker = await admit(pool, "attacker", server.url)
            if case.prepare:
                async with transaction(pool, attacker_id) as conn:
                    await case.prepare(conn)
            neighbour_id, neighbour = await admit(pool, "neighbour", server.url)
            async with transaction(pool, neighbour_id) as conn:
                made = await item.create(conn, {"name": "stove"})
        postmaster = int((database.data / "postmaster.pid").read_text(encoding="utf-8").split()[0])
        yield Stage(server, postmaster, attacker, neighbour, made.id)


async def admit(pool: Pool, name: str, url: str) -> tuple[int, Target]:
    async with pool.connection() as conn:
        user_id = await auth.add_user(conn, name, None)
        return user_id, Target(url, await key.create(conn, user_id, "abuse", READ_WRITE, None))


async def measure(case: Case, stage: Stage) -> Outcome:
    await case.good(stage.attacker)
    good, _ = await cost(case.good, stage)
    bad, answer = await cost(case.bad, stage)
    idle = await p99_beside(None, stage)
    during = await p99_beside(case, stage)
    return Outcome(good, bad, idle, during, await stop_during(case.bad, stage), answer)


async def cost(attack: Attack, stage: Stage) -> tuple[float, str]:
    """Return the CPU seconds that an attack takes the server and PostgreSQL, and the answer."""
    processes = (stage.server.process.pid, stage.postmaster)
    before = cpu_seconds(*processes)
    answer = await attack(stage.attacker)
    # Work must end with the call. What goes on after it is counted too.
    await asyncio.sleep(0.5)
    return cpu_seconds(*processes) - before, answer


async def p99_beside(case: Case | None, stage: Stage) -> float:
    """Return the 99th percentile of the neighbour's calls in milliseconds, while an attack is repeated."""
    async with AsyncExitStack() as running:
        if case:
            attacker = await running.enter_async_context(
                child("scripts.abuse.attacker", case.name, *stage.attacker)
            )
            await reader(attacker).readline()
        neighbour = await running.enter_async_context(
            child("scripts.abuse.neighbour", *stage.neighbour, str(stage.item_id))
        )
        # It needs a while to start.
        await asyncio.sleep(1 + FOR_NEIGHBOUR)
        output, _ = await neighbour.communicate(b"")
    taken: list[float] = sorted(json.loads(output))
    return taken[int(len(taken) * 0.99)]


@asynccontextmanager
async def child(module: str, *arguments: str) -> AsyncGenerator[Process]:
    """Run a module in a process of its own. Closing its standard input ends it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def reader(process: Process) -> asyncio.StreamReader:
    assert process.stdout
    return process.stdout


async def stop_during(attack: Attack, stage: Stage) -> float:
    """Return how many seconds SIGTERM takes to end the server during an attack."""
    running = asyncio.ensure_future(attack(stage.attacker))
    await asyncio.sleep(0.3)
    begin = perf_counter()
    stage.server.process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(stage.server.process.wait, 60)
    taken = perf_counter() - begin
    # The server is gone, so the attack ends with whatever error its connection gives.
    await asyncio.wait([running])
    running.exception()
    return taken


def as_row(case: Case, found: Outcome) -> str:
    # The clock of the accounting ticks every 10 ms.
    ratio, slower = found.bad / max(found.good, 0.01), found.during / found.idle
    return ROW.format(
        case.name,
        f"{found.good:.2f} s",
        f"{found.bad:.2f} s",
        f"{ratio:.2f}",
        verdict(ratio, case.goal),
        f"{found.idle:.0f} ms",
        f"{found.during:.0f} ms",
        f"{slower:.2f}",
        verdict(slower, NEIGHBOUR_GOAL),
        f"{found.stop:.1f} s",
        verdict(found.stop, LONGEST_STOP),
        found.answer[:60].replace("\n", " "),
    ).rstrip()


def verdict(value: float, goal: float) -> str:
    return f"{goal:g}: {'met' if value <= goal else 'MISSED'}"


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
