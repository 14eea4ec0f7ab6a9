"""The storage quota of each user."""

from time import monotonic

from psycopg import AsyncConnection

from mcp_server.errors import StorageFull
from mcp_server.services.usage import MEGABYTE, Usage, measure

# Seconds for which a measurement counts, and how many times longer than it took: it reads every row.
FRESH, TIMES = 5.0, 50
# Tools that need no room.
REMOVING = ("delete_", "remove_", "end_")


class Quota:
    """At most *megabytes* for each user. What is written within the next seconds may exceed it."""

    def __init__(self, megabytes: int) -> None:
        self._megabytes = megabytes
        self._measured: dict[int, tuple[Usage, float]] = {}

    async def check(self, conn: AsyncConnection, user_id: int, tool: str) -> None:
        """Raise StorageFull if the user has no room for a call of *tool*."""
        if tool.startswith(REMOVING):
            # The next call should see the room that this one makes.
            self._measured.pop(user_id, None)
            return
        usage = await self._usage(conn, user_id)
        if usage.total > self._megabytes * MEGABYTE:
            raise StorageFull(
                f"{in_mb(usage.total)} of {self._megabytes} MB are used: {in_mb(usage.images)} by images, "
                f"{in_mb(usage.collection)} by items, threads and setups, {in_mb(usage.log)} by the log that "
                "undo needs. Delete what is not needed, images first, or ask the administrator to raise "
                "GEARSHED_QUOTA_MB. The log shrinks as changes become too old to undo."
            )

    async def _usage(self, conn: AsyncConnection, user_id: int) -> Usage:
        usage, until = self._measured.get(user_id, (None, 0.0))
        started = monotonic()
        if usage is None or started >= until:
            usage = await measure(conn)
            now = monotonic()
            self._measured[user_id] = usage, now + max(FRESH, TIMES * (now - started))
        return usage


def in_mb(size: int) -> str:
    return f"{size / MEGABYTE:.1f}"
