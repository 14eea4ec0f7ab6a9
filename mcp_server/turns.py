"""Turns at expensive work: a few at a time for each user, and a few in all."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from mcp_server.errors import Busy

# Seconds that a call waits for its turn, and the calls of one user that may wait.
PATIENCE, MOST_WAITING = 4.0, 16


class Turn:
    """Permission to work. It ends when it is closed and the work that it was extended by is done."""

    def __init__(self, end: Callable[[], None]) -> None:
        self._end = end
        self._reasons = 1

    def extend(self, work: asyncio.Future[Any]) -> None:
        """Keep the turn until *work* is done, even if the call that needed it ends earlier."""
        self._reasons += 1
        work.add_done_callback(lambda _: self.close())

    def close(self) -> None:
        self._reasons -= 1
        if not self._reasons:
            self._end()


class Turns:
    """At most *each* turns at a time for a user, and *total* in all. Waiting users take turns.

    A call that waits too long, or behind too many others of its user, is refused as busy. User None is the
    server itself: only *total* limits it, and it waits without a time limit. Use it from one event loop.
    """

    def __init__(
        self, each: int, total: int, noun: str, patience: float = PATIENCE, waiting: int = MOST_WAITING
    ) -> None:
        self._each = each
        self._total = total
        self._noun = noun
        self._patience = patience
        self._most_waiting = waiting
        self._running: Counter[int | None] = Counter()
        # The user at the front is next. Users without waiting calls are not in it.
        self._waiting: dict[int | None, deque[asyncio.Event]] = {}

    @asynccontextmanager
    async def take(self, user_id: int | None) -> AsyncGenerator[Turn]:
        """Wait for a turn of the user, or raise Busy."""
        await self._admit(user_id)
        turn = Turn(lambda: self._end(user_id))
        try:
            yield turn
        finally:
            turn.close()

    async def _admit(self, user_id: int | None) -> None:
        if self._may_start(user_id):
            self._running[user_id] += 1
            return
        queue = self._waiting.setdefault(user_id, deque())
        if user_id is not None and len(queue) >= self._most_waiting:
            raise self._busy()
        admitted = asyncio.Event()
        queue.append(admitted)
        try:
            async with asyncio.timeout(None if user_id is None else self._patience):
                await admitted.wait()
        except BaseException as exc:
            self._withdraw(user_id, admitted)
            if isinstance(exc, TimeoutError):
                raise self._busy() from None
            raise

    def _may_start(self, user_id: int | None) -> bool:
        is_below_share = user_id is None or self._running[user_id] < self._each
        return is_below_share and self._running.total() < self._total

    def _withdraw(self, user_id: int | None, admitted: asyncio.Event) -> None:
        """Give up a place in the queue, or the turn that arrived at the same moment."""
        if admitted.is_set():
            self._end(user_id)
            return
        queue = self._waiting[user_id]
        queue.remove(admitted)
        if not queue:
            del self._waiting[user_id]

    def _end(self, user_id: int | None) -> None:
        self._running[user_id] -= 1
        if not self._running[user_id]:
            del self._running[user_id]
        self._admit_next()

    def _admit_next(self) -> None:
        """Admit the first waiting user who may start, and move that user to the end."""
        for user_id, queue in self._waiting.items():
            if self._may_start(user_id):
                del self._waiting[user_id]
                self._running[user_id] += 1
                queue.popleft().set()
                if queue:
                    self._waiting[user_id] = queue
                return

    def _busy(self) -> Busy:
        return Busy(f"Too many {self._noun} are in progress. Retry in a few seconds, one after the other.")
