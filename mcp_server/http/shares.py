"""Fair shares of the server for its users: requests and bytes a minute, and bodies at once."""

from dataclasses import dataclass
from time import monotonic

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_server import audit
from mcp_server.errors import Busy
from mcp_server.http.body import read_ahead
from mcp_server.http.gate import problem
from mcp_server.protocol.edge import Caller
from mcp_server.settings import Settings
from mcp_server.turns import Turns

# Bodies of a user that are received at once, and others that may wait.
BODIES, WAITING = 16, 256
MINUTE = 60.0


@dataclass
class Bucket:
    tokens: float
    filled: float


class Rate:
    """At most *most* a minute for each user, and as much at once after a minute of rest. 0 means no limit."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._buckets: dict[int, Bucket] = {}

    def seconds(self, user_id: int) -> int:
        """Return the seconds to wait until the user may go on, or 0."""
        if not self._most:
            return 0
        missing = -self._bucket(user_id).tokens
        return 0 if missing < 0 else int(missing * MINUTE / self._most) + 1

    def spend(self, user_id: int, amount: int) -> None:
        """Count what the user did. It may be more than was left."""
        if self._most:
            self._bucket(user_id).tokens -= amount

    def _bucket(self, user_id: int) -> Bucket:
        now = monotonic()
        bucket = self._buckets.setdefault(user_id, Bucket(self._most, now))
        bucket.tokens = min(self._most, bucket.tokens + (now - bucket.filled) * self._most / MINUTE)
        bucket.filled = now
        return bucket


class FairShares:
    """What each user may send, over all endpoints."""

    def __init__(self, settings: Settings, largest: int) -> None:
        self._largest = largest
        self._calls = Rate(settings.rate_calls)
        self._bytes = Rate(settings.rate_mb * 1_000_000)
        self._bodies = Turns(BODIES, settings.max_connections, "requests", waiting=WAITING)

    def share(self, app: ASGIApp) -> "Shared":
        """Return *app*, which is behind authentication, with these limits. It gets whole bodies only."""
        return Shared(app, self)

    def refusal(self, user_id: int) -> Response | None:
        """Count a request, or return the answer that refuses it."""
        for rate, setting in ((self._calls, "GEARSHED_RATE_CALLS"), (self._bytes, "GEARSHED_RATE_MB")):
            if seconds := rate.seconds(user_id):
                audit.seldom("refused", user=user_id, reason=setting)
                message = f"[busy] You sent too much within a minute. Retry in {seconds} seconds."
                return problem(429, message, {"Retry-After": str(seconds)})
        self._calls.spend(user_id, 1)
        return None

    async def receive(self, user_id: int, receive: Receive) -> Receive | None:
        """Return a function that receives the body again, or None if the client left before its end."""
        async with self._bodies.take(user_id):
            messages, again = await read_ahead(receive, self._largest)
        self._bytes.spend(user_id, sum(len(message.get("body", b"")) for message in messages))
        return None if messages[-1]["type"] == "http.disconnect" else again


class Shared:
    """An app behind fair shares: what is too much gets 429."""

    def __init__(self, app: ASGIApp, shares: FairShares) -> None:
        self._app = app
        self._shares = shares

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller: Caller = scope["user"]
        user_id = caller.principal.user_id
        if refusal := self._shares.refusal(user_id):
            return await refusal(scope, receive, send)
        if scope["method"] == "POST":
            try:
                again = await self._shares.receive(user_id, receive)
            except Busy as exc:
                return await problem(429, str(exc), {"Retry-After": "5"})(scope, receive, send)
            if again is None:
                return None
            receive = again
        return await self._app(scope, receive, send)
