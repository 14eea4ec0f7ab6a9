"""The server as a process on standard input and output, with an embedded database of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from mcp import Client, StdioServerParameters

from tests.calls import call
from tests.conftest import empty_database
from tests.test_embedded import is_alive, postmaster

HELLO = {
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


@contextmanager
def served(folder: Path | None = None, /, **variables: str) -> Generator[subprocess.Popen[str]]:
    """Serve the embedded database in a folder, or as environment variables say."""
    options = ["--data-dir", str(folder)] if folder else []
    with subprocess.Popen(
        [sys.executable, "-m", "mcp_server", *options],
        env={"PATH": os.environ["PATH"], **variables},
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def say(process: subprocess.Popen[str], message: dict[str, Any]) -> None:
    assert process.stdin
    process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    process.stdin.flush()


def ask(process: subprocess.Popen[str], message: dict[str, Any]) -> dict[str, Any]:
    """Send a request and return the next line, which has to be its answer."""
    assert process.stdout
    say(process, {"id": 1, **message})
    answer = json.loads(process.stdout.readline())
    assert (answer["jsonrpc"], answer["id"]) == ("2.0", 1)
    return answer


def greet(process: subprocess.Popen[str]) -> None:
    assert ask(process, HELLO)["result"]["serverInfo"]["name"] == "gearshed"
    say(process, {"method": "notifications/initialized"})


def using(tool: str, **arguments: Any) -> dict[str, Any]:
    return {"method": "tools/call", "params": {"name": tool, "arguments": arguments}}


def test_standard_output_carries_nothing_but_json_rpc(folder: Path) -> None:
    with served(folder) as process:
        greet(process)
        assert len(ask(process, {"method": "tools/list"})["result"]["tools"]) > 10
        assert not ask(process, using("create_item", name="Tent"))["result"]["isError"]
        assert ask(process, using("get_item", item_id=99))["result"]["isError"]
        assert ask(process, using("no_such_tool"))["result"]["isError"]
        assert process.stdin
        process.stdin.write("this is not JSON\n")
        output, errors = process.communicate(timeout=10)
    for line in output.splitlines():
        assert json.loads(line)["jsonrpc"] == "2.0"
    assert "Traceback" not in errors


def test_when_its_input_ends_it_is_gone_in_two_seconds_and_its_database_too(folder: Path) -> None:
    with served(folder) as process:
        greet(process)
        database = postmaster(folder)
        assert database is not None
        assert is_alive(database)
        assert process.stdin
        process.stdin.close()
        assert process.wait(2) == 0
        assert not is_alive(database)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_on_a_signal_it_is_gone_in_two_seconds_and_its_database_too(
    folder: Path, number: signal.Signals
) -> None:
    with served(folder) as process:
        greet(process)
        database = postmaster(folder)
        assert database is not None
        process.send_signal(number)
        assert process.wait(2) == 128 + number
        assert not is_alive(database)


def test_a_call_under_way_does_not_keep_it_when_its_input_ends(folder: Path) -> None:
    csv_text = "item name,weight,unit\n" + "Tent,1,gram\n" * 20_000
    with served(folder) as process:
        greet(process)
        say(process, {"id": 2, **using("import_csv", csv_text=csv_text)})
        time.sleep(0.3)
        assert process.stdin
        process.stdin.close()
        assert process.wait(3) == 0
    assert postmaster(folder) is None


def test_what_was_stored_is_there_the_next_time(folder: Path) -> None:
    with served(folder) as process:
        greet(process)
        ask(process, using("create_item", name="Tent"))
        process.communicate(timeout=5)
    with served(folder) as process:
        greet(process)
        assert ask(process, using("list_items"))["result"]["structuredContent"]["total"] == 1


def parameters(*arguments: str, **environment: str) -> StdioServerParameters:
    return StdioServerParameters(
        command=sys.executable, args=["-m", "mcp_server", *arguments], env=environment
    )


async def test_two_clients_share_one_embedded_collection(folder: Path) -> None:
    server = parameters("--data-dir", str(folder))
    async with Client(server) as first, Client(server) as second:
        await call(first, "create_item", name="Tent")
        assert (await call(second, "list_items"))["total"] == 1


@pytest.mark.parametrize("era", ["legacy", "auto"])
async def test_two_servers_started_at_once_on_an_empty_database_both_serve(
    server: str, era: Literal["legacy", "auto"]
) -> None:
    with empty_database(server) as url:
        process = parameters("serve", DATABASE_URL=url)
        async with Client(process, mode=era) as first, Client(process, mode=era) as second:
            await call(first, "create_item", name="Tent")
            assert (await call(second, "list_items"))["total"] == 1


async def test_each_user_has_a_collection_of_their_own(url: str) -> None:
    async with (
        Client(parameters("--user", "ada", DATABASE_URL=url)) as ada,
        Client(parameters("--user", "eve", DATABASE_URL=url)) as eve,
    ):
        await call(ada, "create_item", name="Tent")
        assert (await call(eve, "list_items"))["total"] == 0


def test_before_the_first_request_too_nothing_stays_without_an_answer(folder: Path) -> None:
    with served(folder) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write("nonsense\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["error"]["code"] == -32700
        assert "result" in ask(process, HELLO)
        process.communicate(timeout=5)
