"""`gearshed serve`: start the database and serve until the clients disconnect."""

import faulthandler
import gc
import logging
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from types import FrameType

from db.embedded import Database, Embedded
from mcp_server import telemetry, terminal
from mcp_server.commands import daily
from mcp_server.commands.database import bring_up_to_date, chosen_database, run, translated_errors
from mcp_server.commands.instructions import how_to_connect
from mcp_server.settings import Settings, SettingsError

# Seconds for the exit after the last client has left: for the end of the embedded database and of threads.
FOR_EXIT = 15
SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)]


def serve_or_explain(settings: Settings) -> None:
    """Serve a client; at a terminal, show how to connect one."""
    if sys.stdin.isatty() and not settings.http:
        print(how_to_connect())
    else:
        serve(settings)


def serve(settings: Settings) -> None:
    """Serve until standard input ends or a signal arrives."""
    if settings.http and "user" in settings.model_fields_set:
        raise SettingsError("GEARSHED_USER: over HTTP, the key or sign-in selects the user. Unset it.")
    if settings.workers > 1 and not settings.http:
        raise SettingsError("GEARSHED_WORKERS: a client on standard input has one process. Add --http.")
    handler = logging.StreamHandler()
    handler.setFormatter(
        terminal.JsonFormatter()
        if settings.log_format == "json"
        else terminal.LogFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    logging.basicConfig(level=settings.log_level, handlers=[handler])
    # Nearly everything that a start creates is kept, and collecting would take a fifth of its time.
    # `collect_garbage` in process.py ends this.
    gc.disable()
    database = chosen_database(settings)

    def start() -> None:
        database.start()
        bring_up_to_date(database, read_only=settings.read_only)

    with ExitStack() as stack:
        # Registered first: a signal may arrive while the database starts.
        stack.callback(database.stop)
        stop_on_signals(stack, settings.http)
        starter = ThreadPoolExecutor(1)
        ready = starter.submit(start)
        # Slow to import, so it overlaps with the start of PostgreSQL.
        if settings.http:
            from mcp_server.http.serve import serve_http as serve_clients
        else:
            from mcp_server.process import serve_stdio as serve_clients

        ready.result()
        if isinstance(database, Embedded):
            daily.start(settings, database)
        # No thread may run in a process that forks.
        starter.shutdown()
        if settings.workers > 1:
            serve_together(database, settings)
        else:
            # After the database started: it starts threads, and is to end when a signal arrives.
            stack.enter_context(telemetry.exporting())
            with translated_errors():
                run(serve_clients(database, settings), fast=settings.http)


def serve_together(database: Database, settings: Settings) -> None:
    """Serve in several processes. The database belongs to this one."""
    from mcp_server.commands.workers import Workers, reserved
    from mcp_server.http.serve import serve_http

    with reserved(settings) as shared:

        def work(is_first: bool) -> None:
            with telemetry.exporting(), translated_errors():
                run(serve_http(database, shared, is_first=is_first), fast=True)

        if code := Workers(settings.workers, work).run():
            raise SystemExit(code)


def stop_on_signals(stack: ExitStack, http: bool) -> None:
    """Close *stack* and exit immediately on a termination signal.

    A graceful exit is impossible: a thread is blocked reading standard input and cannot be interrupted.
    """

    def leave(number: int, _: FrameType | None) -> None:
        stack.close()
        os._exit(128 + number)

    def ignore() -> None:
        if not http:
            # Over HTTP, the time began with the signal.
            faulthandler.dump_traceback_later(FOR_EXIT, exit=True)
        # A client that closes the pipe also sends a signal if the exit takes long. It must not interrupt it.
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    for number in SIGNALS:
        signal.signal(number, leave)
    stack.callback(ignore)
