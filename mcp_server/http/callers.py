"""A cache of authenticated callers, so that most requests need no look-up of their key or token.

PostgreSQL notifies every server when a key or token changes or is deleted. The cache is only used while the
connection that receives these notifications is open. Entries are only used for a few seconds, in case that
connection is lost without notice.
"""

from dataclasses import dataclass
from time import monotonic

from mcp_server.accounts.key import digest
from mcp_server.models.auth import Principal
from mcp_server.protocol.live import Live

# Seconds for which an entry is used, and the number of entries.
FRESH, MOST = 5.0, 10_000


@dataclass(frozen=True)
class Entry:
    principal: Principal
    until: float
    # When the key or token expires.
    expires: float


class Callers:
    """The callers by the hash of their key or token, and the resource. Unknown keys are not cached."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._entries: dict[tuple[str, str], Entry] = {}
        self._generation = 0

    @property
    def generation(self) -> int:
        """A number that changes when entries are forgotten. A look-up has to start with it."""
        return self._generation

    def find(self, token: str, resource: str) -> Principal | None:
        entry = self._entries.get((digest(token), resource)) if self._live.is_connected else None
        now = monotonic()
        if entry is None or now >= entry.until:
            return None
        if entry.principal.seconds_left is None:
            return entry.principal
        return entry.principal.model_copy(update={"seconds_left": entry.expires - now})

    def keep(self, token: str, resource: str, found: Principal, generation: int) -> None:
        """Cache the result of a look-up, unless access may have ended since *generation*."""
        if not self._live.is_connected or generation != self._generation:
            return
        now = monotonic()
        expires = float("inf") if found.seconds_left is None else now + found.seconds_left
        key = digest(token), resource
        self._entries.pop(key, None)
        self._entries[key] = Entry(found, min(now + FRESH, expires), expires)
        if len(self._entries) > MOST:
            del self._entries[next(iter(self._entries))]

    def forget(self, user_id: int | None) -> None:
        """Forget a user, or all users. A look-up that has started may have read the earlier state."""
        self._generation += 1
        self._entries = {
            key: entry
            for key, entry in self._entries.items()
            if user_id not in (None, entry.principal.user_id)
        }
