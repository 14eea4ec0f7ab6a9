"""Calls over standard input and output, by CPU and by time, beside the echo and the usual stack."""

import json
import os
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from typing import IO, Any, cast

from scripts.bench.contest import CALLS, Contest, contest
from scripts.bench.figures import Figure
from scripts.bench.load import Server, compare
from scripts.bench.rig import ROOT, USER, Rig

ROUNDS, CALLS_EACH = 9, {"get_item": 120, "list_items": 60, "create_item": 100}
# The limits of Gearshed's own CPU per call, as a multiple of the echo's, and of the usual stack's.
OF_ECHO = {"get_item": 1.35, "list_items": 1.3, "create_item": 1.8}
OF_USUAL = 0.6
PRODUCT = [sys.executable, "-m", "mcp_server", "--user", USER, "serve"]
INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "bench", "version": "1"},
}


class Pipes:
    """A client of a server that is a child process. It does as little as possible."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.requests, self.answers = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
        self.ask("initialize", INITIALIZE)
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def send(self, message: dict[str, Any]) -> None:
        self.requests.write(json.dumps(message).encode() + b"\n")
        self.requests.flush()

    def ask(self, method: str, params: dict[str, Any]) -> bytes:
        """Send a request and return its answer, which has to be a success."""
        self.send({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        while b'"id":1' not in (line := self.answers.readline()):
            if not line:
                raise RuntimeError(f"{self.process.args} ended")
        if b'"result"' not in line or b'"isError":true' in line:
            raise RuntimeError(line.decode())
        return line

    async def repeat(self, tool: str, times: int) -> None:
        for _ in range(times):
            self.ask("tools/call", {"name": tool, "arguments": CALLS[tool]})


@contextmanager
def piped(command: Sequence[str], **environment: str) -> Generator[Pipes]:
    """Start a server and connect to it."""
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environment}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            yield Pipes(process)
        finally:
            process.kill()


async def measure(rig: Rig) -> list[Figure]:
    async with contest(rig) as held:
        with ExitStack() as stack:
            whole = stack.enter_context(piped(PRODUCT, DATABASE_URL=held.url))
            usual = stack.enter_context(piped(held.usual))
            echo = stack.enter_context(piped([sys.executable, "-m", "scripts.bench.echo", str(held.answers)]))
            return [figure for tool in CALLS for figure in await time_tool(tool, held, (whole, usual, echo))]


async def time_tool(tool: str, held: Contest, clients: Sequence[Pipes]) -> list[Figure]:
    """Compare one tool of Gearshed, the usual stack and the echo."""
    times = CALLS_EACH[tool]

    def server(client: Pipes) -> Server:
        return Server(client.process.pid, held.postmaster, lambda: client.repeat(tool, times), times)

    whole, usual, echo = await compare([server(client) for client in clients], ROUNDS)
    return [
        figure(tool, "server's CPU", whole.server, echo.server, "echo of its bytes", OF_ECHO[tool]),
        figure(tool, "server's CPU", whole.server, usual.server, "usual stack", OF_USUAL),
        figure(tool, "PostgreSQL's CPU", whole.postgres, usual.postgres, "usual stack"),
        figure(tool, "time", whole.time, echo.time, "echo of its bytes"),
        figure(tool, "time", whole.time, usual.time, "usual stack"),
    ]


def figure(
    tool: str, measured: str, value: float, floor: float, floor_is: str, goal: float | None = None
) -> Figure:
    return Figure(f"stdio {tool}, {measured}", value, floor, floor_is, ROUNDS, ratio_goal=goal)
