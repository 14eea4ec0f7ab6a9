"""Termination signals: they interrupt the migration, except its commit."""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@dataclass
class Interruption:
    """Whether a signal was received. An error after it may be its consequence."""

    received: bool = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.received = True
        raise KeyboardInterrupt


@contextmanager
def interruptible() -> Generator[Interruption]:
    """Make signals raise KeyboardInterrupt, as Ctrl-C does. psycopg then cancels the query.

    In a function that SQLite calls, SQLite replaces it with an error of its own.
    """
    interruption = Interruption()
    with handled_by(interruption):
        yield interruption


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
