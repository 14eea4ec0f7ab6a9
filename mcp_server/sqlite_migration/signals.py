"""Signals that ask to stop: they interrupt whatever runs, but not a commit."""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def interruptible() -> Generator[None]:
    """Have each of them raise KeyboardInterrupt, as Ctrl-C does: psycopg then cancels the query."""
    with handled_by(signal.default_int_handler):
        yield


@contextmanager
def uninterrupted() -> Generator[None]:
    """Ignore them: a commit that was begun has to be known to have ended."""
    with handled_by(signal.SIG_IGN):
        yield


@contextmanager
def handled_by(handler: Any) -> Generator[None]:
    before = {number: signal.signal(number, handler) for number in SIGNALS}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
