"""`gearshed serve`: from settings to a process that serves until its clients are gone."""

import logging
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from types import FrameType

from mcp_server.commands.connect import how_to_connect
from mcp_server.commands.database import bring_up_to_date, chosen_database, run, translated_errors
from mcp_server.settings import Settings, SettingsError

SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)]


def serve_or_explain(settings: Settings) -> None:
    """Serve a client; at a terminal there is none, and a person needs to know what to do."""
    if sys.stdin.isatty() and not settings.http:
        print(how_to_connect())
    else:
        serve(settings)


def serve(settings: Settings) -> None:
    """Serve until standard input ends or a signal comes. An embedded database stops with its last user."""
    if settings.http and "user" in settings.model_fields_set:
        raise SettingsError("GEARSHED_USER: over HTTP, keys say whose collection is served. Leave it out.")
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    database = chosen_database(settings)

    def start() -> None:
        database.start()
        bring_up_to_date(database, read_only=settings.read_only)

    with ExitStack() as stack:
        # Before it starts, because a signal may come meanwhile.
        stack.callback(database.stop)
        stop_on_signals(stack)
        ready = ThreadPoolExecutor(1).submit(start)
        # Slow to import: PostgreSQL starts in the meantime.
        if settings.http:
            from mcp_server.http.serve import serve_http as serve_clients
        else:
            from mcp_server.process import serve_stdio as serve_clients

        ready.result()
        with translated_errors():
            run(serve_clients(database, settings))


def stop_on_signals(stack: ExitStack) -> None:
    """Make every signal that asks to leave do so at once, through *stack*.

    Nothing gentler would: a thread is waiting for standard input and cannot be interrupted.
    """

    def leave(number: int, _: FrameType | None) -> None:
        stack.close()
        os._exit(128 + number)

    def ignore() -> None:
        # A client that closed the pipe sends a signal too if that takes long: the stop must not be stopped.
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    for number in SIGNALS:
        signal.signal(number, leave)
    stack.callback(ignore)
