"""Termination signals: they interrupt the migration, except its commit."""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def interruptible() -> Generator[None]:
    """Make signals raise KeyboardInterrupt, as Ctrl-C does. psycopg then cancels the query."""
    with handled_by(signal.default_int_handler):
        yield


@contextmanager
def uninterrupted() -> Generator[None]:
    """Ignore signals, so that the outcome of the commit is known."""
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
