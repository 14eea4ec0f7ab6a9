"""Fair shares of the database for the users of one server."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from mcp_server.turns import Turns

# Calls in the database: of each user, and in all. One connection of the pool (db/pool.py) is left for the
# look-up of keys, so that busy users do not keep others out.
EACH, TOTAL = 3, 7
# Calls of a user that may wait for the others to end.
MOST_WAITING = 128


@dataclass(frozen=True)
class Shares:
    """The turns of calls. A call waits some seconds for its turn and is then refused as busy."""

    calls: Turns = field(default_factory=lambda: Turns(EACH, TOTAL, "calls", waiting=MOST_WAITING))
    imports: Turns = field(default_factory=lambda: Turns(1, 2, "imports"))

    @asynccontextmanager
    async def take(self, user_id: int, *, imports: bool = False) -> AsyncGenerator[None]:
        """Wait for the turn of one call. One that *imports* also waits for other imports."""
        if imports:
            async with self.imports.take(user_id), self.calls.take(user_id):
                yield
        else:
            async with self.calls.take(user_id):
                yield
