"""Imports that take long, and threads that do not end."""

import asyncio
import itertools
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from mcp import Client

from db.pool import Pool
from mcp_server.errors import TimedOut
from mcp_server.formats.text import Interrupted, interruptible, until_interrupted
from mcp_server.protocol.edge import App
from mcp_server.protocol.shares import Shares
from mcp_server.protocol.strict import within_deadline
from mcp_server.server import build_server
from mcp_server.services import listfile
from scripts.served import served
from tests.abuse.sockets import program
from tests.calls import call

ENDLESS_THREAD = "import threading, time; threading.Thread(target=time.sleep, args=(600,)).start()"


class Lines:
    """Lines without end, and the number of those that were read."""

    def __init__(self) -> None:
        self.read = 0
        self.ended = threading.Event()

    def __iter__(self) -> Iterator[str]:
        for self.read in itertools.count(1):
            time.sleep(0.001)
            yield "Peg,1,gram\n"

    def consume(self, most: int) -> None:
        try:
            for _ in itertools.islice(until_interrupted(self), most):
                pass
        except Interrupted:
            pass
        self.ended.set()


async def read_in_thread(lines: Lines, is_interruptible: bool) -> None:
    if is_interruptible:
        with interruptible():
            await anyio.to_thread.run_sync(lines.consume, 500)
    else:
        await anyio.to_thread.run_sync(lines.consume, 500)


@pytest.mark.parametrize("is_interruptible", [False, True])
async def test_a_thread_stops_reading_at_the_deadline_of_its_call(is_interruptible: bool) -> None:
    lines = Lines()
    with pytest.raises(TimedOut):
        await within_deadline(read_in_thread(lines, is_interruptible), 0.1)
    await asyncio.to_thread(lines.ended.wait)
    assert (lines.read < 400) == is_interruptible


@pytest.mark.parametrize("shares", [None, Shares()])
async def test_a_user_has_one_import_at_a_time(
    pool: Pool, user_id: int, monkeypatch: pytest.MonkeyPatch, shares: Shares | None
) -> None:
    running, most, lock = 0, 0, threading.Lock()
    read: Callable[..., Any] = listfile.reader_of

    def counted(*args: Any) -> Any:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.2)
        with lock:
            running -= 1
        return read(*args)

    monkeypatch.setattr(listfile, "reader_of", counted)
    async with Client(build_server(App(pool, user_id, shares=shares))) as client:
        texts = [f"item name,weight,unit\nPeg {number},1,gram\n" for number in range(3)]
        results = await asyncio.gather(*(call(client, "import_csv", csv_text=text) for text in texts))
    assert [result["items"] for result in results] == [1, 1, 1]
    # Over standard input and output, nothing is limited.
    assert (most == 1) == (shares is not None)


@pytest.mark.parametrize(("at_latest", "ends"), [(1, True), (600, False)])
def test_a_signal_ends_the_server_whatever_its_threads_do(
    shared_url: str, tmp_path: Path, at_latest: int, ends: bool
) -> None:
    limit = f"from mcp_server.http import stop; stop.AT_LATEST = {at_latest}"
    with served(shared_url, tmp_path / "log", program=program(ENDLESS_THREAD, limit)) as server:
        server.process.send_signal(signal.SIGTERM)
        if ends:
            assert server.process.wait(60) == 1
        else:
            with pytest.raises(subprocess.TimeoutExpired):
                server.process.wait(4)


@pytest.mark.parametrize(("for_exit", "ends"), [(1, True), (600, False)])
def test_the_end_of_input_ends_the_process_whatever_its_threads_do(
    shared_url: str, for_exit: int, ends: bool
) -> None:
    limit = f"from mcp_server.commands import serve; serve.FOR_EXIT = {for_exit}"
    with subprocess.Popen(
        [sys.executable, *program(ENDLESS_THREAD, limit)],
        env={"DATABASE_URL": shared_url},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            if ends:
                assert process.wait(60) == 1
            else:
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(6)
        finally:
            process.kill()
