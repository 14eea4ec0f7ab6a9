"""The CPU time of processes and their descendants, from the kernel's accounting."""

import os
from collections.abc import Iterator
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(*roots: int) -> float:
    """Return the CPU seconds of these processes and all their descendants, ended ones included."""
    stats = dict(read_stats())
    wanted = set(roots)
    # A parent has a smaller number than its children, except after the numbers wrap around.
    for pid, (parent, _) in sorted(stats.items()):
        if parent in wanted:
            wanted.add(pid)
    return sum(ticks for pid, (_, ticks) in stats.items() if pid in wanted) / TICKS


def read_stats() -> Iterator[tuple[int, tuple[int, int]]]:
    """Yield each process with its parent, and with its clock ticks and those of its ended children."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="utf-8").rpartition(") ")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        yield int(path.parent.name), (int(fields[1]), sum(map(int, fields[11:15])))
