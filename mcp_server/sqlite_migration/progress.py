"""Progress output: a bar for each table on a terminal, a line for each elsewhere."""

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from mcp_server import terminal

WIDTH = 24


class Progress:
    """Prints progress. *seconds* collects the duration of each phase."""

    def __init__(self) -> None:
        self.out = sys.stderr
        self.lively = self.out.isatty()
        self.seconds: dict[str, float] = {}

    def say(self, line: str) -> None:
        terminal.show(line, self.out)

    @contextmanager
    def phase(self, name: str) -> Generator[None]:
        started = time.monotonic()
        if self.lively:
            self.out.write(f"\r\033[K{name} …")
            self.out.flush()
        try:
            yield
        finally:
            if self.lively:
                self.out.write("\r\033[K")
            self.seconds[name] = round(self.seconds.get(name, 0) + time.monotonic() - started, 3)
        self.say(f"{name:<12} {self.seconds[name]:7.1f} s")

    def table(self, name: str, rows: int) -> Callable[[int], None]:
        """Return a function to call with the number of *rows* done so far."""
        started = shown = time.monotonic()

        def update(done: int) -> None:
            nonlocal shown
            now = time.monotonic()
            if self.lively and (now - shown > 0.1 or done == rows):
                shown = now
                bar = "█" * (WIDTH * done // max(rows, 1))
                speed = done / max(now - started, 0.001)
                self.out.write(
                    f"\r\033[K{name:<14} {bar:<{WIDTH}} {done:>9,} of {rows:,}  {speed:,.0f} rows/s"
                )
                self.out.flush()
            if done == rows:
                if self.lively:
                    self.out.write("\r\033[K")
                self.say(f"  {name:<14} {rows:>9,} rows  {done / max(now - started, 0.001):>9,.0f} rows/s")

        return update
