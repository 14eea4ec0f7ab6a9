"""`gearshed serve --http --workers N`: processes that listen on the same port, and their supervisor."""

import errno
import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import monotonic, sleep

from mcp_server import terminal
from mcp_server.settings import Settings, SettingsError

logger = logging.getLogger(__name__)

SIGNALS = (signal.SIGTERM, signal.SIGINT)
# Seconds within which a worker that ends has failed to start, and seconds before another one replaces it.
FOR_START, PAUSE = 10.0, 1.0


@contextmanager
def reserved(settings: Settings) -> Generator[Settings]:
    """Yield the settings with a port that no other program listens on, until the workers have ended."""
    if not hasattr(socket, "SO_REUSEPORT"):
        raise SettingsError("GEARSHED_WORKERS: this operating system does not support it. Use 1.")
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        # With SO_REUSEPORT, it would succeed beside another server.
        with socket.create_server((settings.host, settings.port), family=family) as probe:
            port = probe.getsockname()[1]
        holder = socket.socket(family)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind((settings.host, port))
    except OSError as exc:
        raise SettingsError(
            f"GEARSHED_HOST, GEARSHED_PORT: cannot listen on {settings.host}:{settings.port}: "
            f"{os.strerror(exc.errno or errno.EINVAL)}. Choose another address or port."
        ) from exc
    with holder:
        yield settings.model_copy(update={"port": port})


class Workers:
    """Starts *number* processes that each call *serve*, and replaces those that end unexpectedly.

    *serve* is called with True in one of them, which does the work that only one has to do.
    """

    def __init__(self, number: int, serve: Callable[[bool], None]) -> None:
        self._serve = serve
        self._number = number
        self._started: dict[int, tuple[int, float]] = {}
        self._stopping = False
        # Nothing is written. Workers read its end when the supervisor has been killed.
        self._alive, self._held = os.pipe()

    def run(self) -> int:
        """Return the exit code once all have ended: after a signal, or when one cannot start."""
        for number in SIGNALS:
            signal.signal(number, self._stop)
        gc.freeze()
        for place in range(self._number):
            self._start(place)
        code = 0
        while self._started:
            pid, status = os.wait()
            place, since = self._started.pop(pid)
            if self._stopping:
                continue
            ended = os.waitstatus_to_exitcode(status)
            if ended > 0 and monotonic() - since < FOR_START:
                code = ended
                self._stop()
                continue
            logger.error("A worker ended with %d. Starting another one.", ended)
            sleep(PAUSE)
            self._start(place)
        return code

    def _stop(self, *_: object) -> None:
        self._stopping = True
        for pid in self._started:
            os.kill(pid, signal.SIGTERM)

    def _start(self, place: int) -> None:
        # A signal between the check and the end of the fork would miss the new process.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            if self._stopping:
                return
            pid = os.fork()
            if pid == 0:
                self._work(place)
            self._started[pid] = place, monotonic()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    def _work(self, place: int) -> None:
        """Serve in a new process, and exit."""
        code = 1
        try:
            for number in (*SIGNALS, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            os.close(self._held)
            threading.Thread(target=end_with, args=[self._alive], daemon=True).start()
            self._serve(place == 0)
            code = 0
        except Exception as exc:
            terminal.warn(f"gearshed: {exc}")
        finally:
            sys.stderr.flush()
            os._exit(code)


def end_with(alive: int) -> None:
    """End this process gracefully once the supervisor has ended."""
    os.read(alive, 1)
    os.kill(os.getpid(), signal.SIGTERM)
