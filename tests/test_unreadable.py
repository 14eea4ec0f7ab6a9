"""BoundedLines on standard input that the SDK cannot read: each is answered, and the session goes on."""

import json
import subprocess
import tracemalloc
from collections.abc import Generator
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any, Literal, cast

import pytest

from mcp_server.protocol.message import KEPT, MOST_VALUES
from mcp_server.protocol.stdio import CUT, LARGEST_LINE, BoundedLines
from tests.test_stdio import ask, greet, served, using

MODERN = {
    "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
}
EMPTY: dict[str, Any] = {"total": 0, "items": []}
DEEP = "[" * 5000 + "]" * 5000
CROWD = ",".join(["[]"] * MOST_VALUES)
# BoundedLines, and the id and the code of the answer. LONG is longer than a line may be.
UNREADABLE = (
    ("this is not JSON", None, -32700),
    ('{"jsonrpc": "2.0", "id": 7, "method": "ping", "params"', 7, -32700),
    ('{"jsonrpc": "2.0", "id": "seven", "method": "ping", "params": {"x": DEEP}}', "seven", -32700),
    ('{"method": "ping", "params": {"x": DEEP, "id": 5}, "jsonrpc": "2.0", "id": 7}', 7, -32700),
    ('{"method": "ping", "params": {"x": DEEP, "id": 5}}', None, -32700),
    (r'{"jsonrpc": "2.0", "id": "\ud800", "method": "ping", "params": DEEP}', None, -32700),
    ('{"jsonrpc": "2.0", "id": 7, "method": "ping", "params": {"x": "LONG"}}', 7, -32600),
    ('{"method": "ping", "params": {"x": "LONG", "id": 5}, "id": 7, "jsonrpc": "2.0"}', 7, -32600),
    ('{"jsonrpc": "2.0", "id": 7, "method": "ping", "params": {"x": [CROWD]}}', 7, -32600),
    ("5", None, -32600),
    ('[{"jsonrpc": "2.0", "id": 7, "method": "ping"}]', None, -32600),
    ('{"id": 7, "method": "ping"}', 7, -32600),
    ('{"jsonrpc": "2.0", "id": 7, "method": "ping", "params": [1]}', 7, -32600),
    ('{"jsonrpc": "2.0", "id": 7, "result": 1}', None, -32600),
)
# Arguments that Python can read, and what the tool says to them.
MENDED = (
    ("create_item", r'{"name": "Te\ud800nt"}', "name: contains NUL or half of a surrogate pair."),
    ("create_item", r'{"name\udfff": "Tent"}', 'create_item has no argument "name\ufffd".'),
    ("update_item", r'{"item_id": 1, "changes": {"x\ud800": 1}}', "changes.x\ufffd: contains NUL"),
    # Bytes that are not UTF-8.
    ("create_item", '{"name": "Te\udcffnt"}', "name: contains NUL or half of a surrogate pair."),
    (
        "get_item",
        f'{{"item_id": {"9" * 5000}}}',
        "item_id: must be an id, or a name of at most 200 characters.",
    ),
    (
        "get_item",
        f'{{"item_id": -{"9" * 5000}}}',
        "item_id: must be an id, or a name of at most 200 characters.",
    ),
)


@pytest.fixture
def process(folder: Path, era: Literal["legacy", "auto"]) -> Generator[subprocess.Popen[str]]:
    """A server to which a client of either era has begun to talk."""
    with served(folder) as process:
        if era == "legacy":
            greet(process)
        yield process
        process.communicate(timeout=5)


@pytest.fixture
def listing(era: Literal["legacy", "auto"]) -> dict[str, Any]:
    """A good call, as a client of this era sends it."""
    call = using("list_items")
    return call if era == "legacy" else {**call, "params": call["params"] | MODERN}


def send_line(process: subprocess.Popen[str], line: str) -> None:
    stdin = cast(TextIOWrapper, process.stdin).buffer
    stdin.write(line.encode("utf-8", "surrogateescape") + b"\n")
    stdin.flush()


def answer_of(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout
    return json.loads(process.stdout.readline())


def test_an_invalid_line_is_answered_and_so_is_the_next_call(
    process: subprocess.Popen[str], listing: dict[str, Any]
) -> None:
    for line, request_id, code in UNREADABLE:
        send_line(
            process, line.replace("DEEP", DEEP).replace("LONG", "x" * LARGEST_LINE).replace("CROWD", CROWD)
        )
        answer = answer_of(process)
        assert (answer["id"], answer["error"]["code"]) == (request_id, code), line[:100]
        assert answer["error"]["message"].startswith("Invalid message: ")
        assert ask(process, listing)["result"]["structuredContent"] == EMPTY


def test_a_tool_says_which_argument_the_sdk_could_not_read(
    process: subprocess.Popen[str], listing: dict[str, Any]
) -> None:
    for tool, arguments, text in MENDED:
        call = {"jsonrpc": "2.0", "id": 7, **listing}
        call["params"] = {**listing["params"], "name": tool, "arguments": "HERE"}
        send_line(process, json.dumps(call).replace('"HERE"', arguments))
        answer = answer_of(process)
        assert answer["id"] == 7
        assert answer["result"]["isError"]
        assert answer["result"]["content"][0]["text"].startswith(f"[invalid_input] {text}"), tool
        assert ask(process, listing)["result"]["structuredContent"] == EMPTY


def test_an_empty_line_is_nothing_to_answer(process: subprocess.Popen[str], listing: dict[str, Any]) -> None:
    for line in ("", " ", "\r"):
        send_line(process, line)
        assert ask(process, listing)["result"]["structuredContent"] == EMPTY


def test_a_line_of_the_largest_size_is_read(process: subprocess.Popen[str], listing: dict[str, Any]) -> None:
    line = json.dumps({"jsonrpc": "2.0", "id": 1, **listing})
    send_line(process, line + " " * (LARGEST_LINE - 1 - len(line)))
    assert answer_of(process)["result"]["structuredContent"] == EMPTY


def test_of_a_longer_line_no_more_than_its_ends_is_held() -> None:
    longest = 5 * KEPT
    text = b"a" * longest + b"b" * 50_000_000 + b"c" * KEPT + b"\n"
    lines = BoundedLines(BytesIO(text + b"next\n"))
    tracemalloc.start()
    cut = lines.readline(longest)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert cut == "a" * KEPT + CUT + "c" * (KEPT - 1) + "\n"
    assert peak < 1_000_000
    assert lines.readline(longest) == "next\n"
