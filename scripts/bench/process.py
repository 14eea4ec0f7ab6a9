"""A process run to its end, with its time and its peak memory."""

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter, sleep
from typing import Literal, NamedTuple


class Cost(NamedTuple):
    """Seconds, and the peak memory of the process, if there was one."""

    seconds: float
    megabytes: float = 0


def run(command: Sequence[str], **environment: str) -> Cost:
    begin, peak = perf_counter(), 0
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=output, stderr=output)
        while process.poll() is None:
            # wait4 would also count the memory of this process at the time of the fork.
            peak = max(peak, memory(process.pid, "VmHWM"))
            sleep(0.01)
        if process.returncode:
            output.seek(0)
            raise RuntimeError(
                f"{command[0]} ended with {process.returncode}: {output.read().decode()[-2000:]}"
            )
    return Cost(perf_counter() - begin, peak / 1024)


def memory(pid: int, field: Literal["VmHWM", "VmRSS"]) -> int:
    """Return the peak or present memory of a process in KiB, or 0 if it has just ended."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith(field)), 0)
