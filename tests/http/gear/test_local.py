"""`gearshed open`: a one-time address on this machine."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from mcp_server.http.gear.local import Activity


@contextmanager
def opened(url: str, log: Path) -> Generator[tuple[subprocess.Popen[bytes], str]]:
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "mcp_server", "open", "--no-browser"],
            env={"PATH": os.environ["PATH"], "DATABASE_URL": url},
            stdout=output,
            stderr=output,
        )
    try:
        yield process, address(process, log)
    finally:
        process.kill()
        process.wait()


def address(process: subprocess.Popen[bytes], log: Path) -> str:
    while process.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:\d+/gear/enter\S+\n", log.read_text()):
            return found[0].strip()
        time.sleep(0.1)
    raise RuntimeError(log.read_text())


def test_the_address_works_once_and_ctrl_c_ends_the_pages(url: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with opened(url, log) as (process, enter), httpx2.Client() as browser, httpx2.Client() as other:
        site = enter.partition("/gear")[0]
        assert browser.get(f"{site}/gear").status_code == 403
        assert browser.get(f"{site}/gear/enter?token=wrong").status_code == 403
        entered = browser.get(enter)
        assert (entered.status_code, entered.headers["location"]) == (303, "/gear")
        cookie = entered.headers["set-cookie"].lower()
        assert all(part in cookie for part in ("httponly", "samesite=strict", "path=/gear"))
        shown = browser.get(f"{site}/gear")
        assert (shown.status_code, "Upload a list" in shown.text, "gearshed connect" in shown.text) == (
            200,
            True,
            True,
        )
        assert "token=" not in shown.text
        # The address is spent: another browser does not get in, and this one need not.
        assert other.get(enter).status_code == 403
        assert browser.get(enter).status_code == 303
        # DNS rebinding: another name for this machine.
        rebound = browser.get(f"{site}/gear", headers={"Host": "evil.example"})
        assert rebound.status_code == 421
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert "Traceback" not in log.read_text()


async def test_pages_end_when_they_are_idle() -> None:
    async def nothing(*_: Any) -> Any:
        """Answer nothing."""

    activity = Activity()
    web = activity.watch(nothing)
    ending = asyncio.create_task(activity.ends(0.3))
    for _ in range(4):
        await asyncio.sleep(0.1)
        await web({"type": "http", "path": "/gear"}, nothing, nothing)
    assert not ending.done()
    # A page that is open in a forgotten window does not keep the process alive.
    await web({"type": "http", "path": "/gear/events"}, nothing, nothing)
    await asyncio.wait_for(ending, 10)
