"""Standard input and output without threads, and the files for which threads are needed."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from mcp_server.protocol.message import KEPT
from mcp_server.protocol.pipes import Lines
from mcp_server.protocol.stdio import CUT
from tests.test_stdio import HELLO, ask, greet, using

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
INITIALIZE = json.dumps({"jsonrpc": "2.0", "id": 0, **HELLO}) + "\n"
SERVE = [sys.executable, "-m", "mcp_server", "serve"]


def lines_of(*pieces: bytes, longest: int = 1000) -> tuple[Lines, asyncio.StreamReader]:
    reader = asyncio.StreamReader()
    for piece in pieces:
        reader.feed_data(piece)
    reader.feed_eof()
    return Lines(reader, longest, CUT), reader


async def test_lines_arrive_in_any_pieces() -> None:
    lines, _ = lines_of(b"a", b"b\nc", b"\n\n", "Zürich\n".encode(), b"\xff\nend")
    assert [line async for line in lines] == ["ab\n", "c\n", "\n", "Zürich\n", "\udcff\n", "end"]


async def test_of_a_longer_line_no_more_than_its_ends_is_held() -> None:
    longest = 5 * KEPT
    reader = asyncio.StreamReader()
    lines = Lines(reader, longest, CUT)
    first = asyncio.create_task(anext(lines))
    tracemalloc.start()
    for piece in (b"a" * longest, *[b"b" * 50_000] * 200, b"c" * KEPT + b"\nnext\n"):
        reader.feed_data(piece)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    cut = await first
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert cut == "a" * KEPT + CUT + "c" * (KEPT - 1) + "\n"
    assert peak < 1_000_000
    assert await anext(lines) == "next\n"


def environment(url: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "DATABASE_URL": url}


def number_of_threads(pid: int) -> int:
    """Return 0 where the system does not tell."""
    folder = Path(f"/proc/{pid}/task")
    return len(list(folder.iterdir())) if folder.exists() else 0


def test_a_client_behind_pipes_needs_no_thread(url: str) -> None:
    with subprocess.Popen(
        SERVE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(url)
    ) as process:
        greet(process)
        for _ in range(5):
            ask(process, using("list_items"))
        assert number_of_threads(process.pid) <= 1
        assert process.stdin
        process.stdin.close()
        assert process.wait(5) == 0


@pytest.mark.parametrize("output", ["a file", "standard error"])
def test_other_files_are_served_too(url: str, tmp_path: Path, output: str) -> None:
    requests, answers = tmp_path / "requests", tmp_path / "answers"
    requests.write_text(INITIALIZE)
    with requests.open() as stdin, answers.open("w") as stdout:
        stderr = stdout if output == "standard error" else subprocess.DEVNULL
        ended = subprocess.run(
            SERVE, stdin=stdin, stdout=stdout, stderr=stderr, env=environment(url), timeout=30, check=False
        )
    assert ended.returncode == 0
    # Behind a pooler, a warning on standard error is between them.
    lines = [line for line in answers.read_text().splitlines() if line.startswith("{")]
    answered: list[Any] = [json.loads(line) for line in lines]
    assert [each["id"] for each in answered] == [0]


def test_a_client_that_reads_slowly_gets_every_answer(url: str) -> None:
    with subprocess.Popen(
        SERVE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(url)
    ) as process:
        greet(process)
        assert process.stdin
        assert process.stdout
        for number in range(1, 30):
            listing = {"jsonrpc": "2.0", "id": number, "method": "tools/list"}
            process.stdin.write(json.dumps(listing) + "\n")
        process.stdin.flush()
        # Much more than a pipe holds.
        threading.Event().wait(1)
        answered: list[Any] = [json.loads(process.stdout.readline()) for _ in range(1, 30)]
        assert sorted(each["id"] for each in answered) == list(range(1, 30))
        process.stdin.close()
        process.stdout.close()
        assert process.wait(5) == 0


def test_what_else_is_printed_is_not_an_answer(url: str) -> None:
    program = (
        "import mcp_server.protocol.strict as strict; find = strict.StrictServer._find\n"
        "def shout(*args): print('stray', flush=True); return find(*args)\n"
        "strict.StrictServer._find = shout\n"
        "import sys; sys.argv = ['gearshed', 'serve']\n"
        "from mcp_server.cli import main; main()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(url),
    ) as process:
        greet(process)
        assert not ask(process, using("list_items"))["result"]["isError"]
        output, errors = process.communicate(timeout=10)
    assert output == ""
    assert "stray" in errors
