"""The CPU time of processes and their descendants, from the kernel's accounting."""

import os
from collections.abc import Iterator
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(*roots: int) -> float:
    """Return the CPU seconds of these processes and all their descendants, ended ones included."""
    stats = dict(read_stats())
    return sum(stats[pid][1] for pid in descendants(roots, stats) if pid in stats) / TICKS


def precise_cpu_seconds(*roots: int) -> float:
    """Return the same to the nanosecond, without processes and threads that have ended."""
    return sum(map(running_time, descendants(roots, dict(read_stats())))) / 1e9


def descendants(roots: tuple[int, ...], stats: dict[int, tuple[int, int]]) -> set[int]:
    wanted = set(roots)
    # A parent has a smaller number than its children, except after the numbers wrap around.
    for pid, (parent, _) in sorted(stats.items()):
        if parent in wanted:
            wanted.add(pid)
    return wanted


def read_stats() -> Iterator[tuple[int, tuple[int, int]]]:
    """Yield each process with its parent, and with its clock ticks and those of its ended children."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="utf-8").rpartition(") ")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        yield int(path.parent.name), (int(fields[1]), sum(map(int, fields[11:15])))


def running_time(pid: int) -> int:
    """Return the nanoseconds that the threads of a process have run."""
    taken = 0
    for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            taken += int(path.read_text(encoding="utf-8").split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return taken
