"""Live updates: each change is published to the subscribed clients of its owner."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from mcp import MCPError
from mcp.server.context import ServerRequestContext
from mcp.server.subscriptions import ListenHandler, ResourcesListChanged, ResourceUpdated, ServerEvent
from mcp.types import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
)
from pydantic import BaseModel, ValidationError

from mcp_server.errors import Busy
from mcp_server.protocol.sdk import connection_of

SCHEME = "gear://"
SUMMARY = "gear://summary"
# Limits: streams and sessions per user, resources per stream or session, and resources per user.
MOST_SUBSCRIBERS, MOST_URIS, MOST_URIS_IN_ALL = 64, 500, 1000
# A change that names no resource is announced for each resource of a stream that has no more than this, and
# otherwise only as a change of the list.
MOST_NAMED = 50
# Changes of one user that wait to be delivered. More become one that names no resource.
MOST_CHANGES = 20
# Events buffered for a client that does not read them. Beyond that, the stream is closed.
MOST_EVENTS = 8 * MOST_URIS


class Notification(BaseModel):
    """A change: its user and what it touched, such as `items/3`. None means any user, or anything."""

    user_id: int | None = None
    touched: frozenset[str] | None = None
    listed: bool | None = True
    # Whether access of the user changed or ended, such as when a key is revoked.
    access: bool = False

    def events(self, uris: set[str], *, folded: bool = False) -> Iterator[ServerEvent]:
        """Yield the events for a subscriber of *uris*. With *folded*, many are named by the list alone."""
        for uri in () if folded and self.touched is None and len(uris) > MOST_NAMED else uris:
            if self.touched is None or uri == SUMMARY or uri.removeprefix(SCHEME) in self.touched:
                yield ResourceUpdated(uri)
        if self.listed:
            yield ResourcesListChanged()


@dataclass(eq=False)
class Subscriber:
    """A stream or session: its user, its resources, and how to deliver an event without blocking."""

    user_id: int
    uris: set[str]
    deliver: Callable[[ServerEvent], None]
    # Whether it gets changes of the list of resources.
    hears_list: bool = True


def ignore(user_id: int | None) -> None:
    """Do nothing: for a server that does not check keys."""


@dataclass
class Live:
    """All subscribers in this process. They only get events of changes by their own user.

    *when_access_ends* is called with the user whose key or token was revoked; None means any user. It hears
    of that as long as the server *is_connected*.
    """

    when_access_ends: Callable[[int | None], None] = ignore
    is_connected: bool = False
    _subscribers: set[Subscriber] = field(default_factory=set[Subscriber])
    _connections: Counter[int] = field(default_factory=Counter[int])
    _changes: dict[int | None, deque[Notification]] = field(
        default_factory=dict[int | None, deque[Notification]]
    )
    _delivery: asyncio.Task[None] | None = None

    def connect(self, is_connected: bool) -> None:
        """Note whether notifications are being received."""
        self.is_connected = is_connected

    def deliver(self, notification: str) -> None:
        """Deliver the events of a notification to its subscribers, soon."""
        try:
            change = Notification.model_validate_json(notification)
        except ValidationError:
            # It may come from a newer release.
            change = Notification()
        if change.access or change.user_id is None:
            self.when_access_ends(change.user_id)
        waiting = self._changes.setdefault(change.user_id, deque())
        waiting.append(change)
        if len(waiting) > MOST_CHANGES:
            self._changes[change.user_id] = deque([Notification(user_id=change.user_id)])
        if self._delivery is None or self._delivery.done():
            self._delivery = asyncio.create_task(self._deliver())

    async def _deliver(self) -> None:
        """Deliver one event at a time, so that other tasks run in between."""
        while self._changes:
            user_id = next(iter(self._changes))
            changes = self._changes.pop(user_id)
            for subscriber in list(self._subscribers):
                if user_id not in (None, subscriber.user_id):
                    continue
                events = dict.fromkeys(
                    event
                    for change in changes
                    for event in change.events(subscriber.uris, folded=subscriber.hears_list)
                )
                for event in events:
                    if subscriber in self._subscribers:
                        subscriber.deliver(event)
                    await asyncio.sleep(0)

    def users(self) -> set[int]:
        """Return the ids of all users with subscribers."""
        return {subscriber.user_id for subscriber in self._subscribers}

    def add(self, subscriber: Subscriber) -> None:
        self._subscribers.add(subscriber)

    def remove(self, subscriber: Subscriber) -> None:
        self._subscribers.discard(subscriber)

    def check_room(self, user_id: int) -> None:
        """Refuse a subscriber if its user has too many."""
        if sum(subscriber.user_id == user_id for subscriber in self._subscribers) >= MOST_SUBSCRIBERS:
            raise MCPError(
                INVALID_REQUEST, f"[busy] {MOST_SUBSCRIBERS} clients are subscribed. Close one of them."
            )

    def check_number(self, user_id: int, uris: set[str], more: int) -> None:
        """Refuse a stream of *uris*, including *more* new ones, if it or its user has too many."""
        if len(uris) > MOST_URIS:
            raise MCPError(INVALID_PARAMS, f"[invalid_input] At most {MOST_URIS} resources at once.")
        all_uris = sum(len(each.uris) for each in self._subscribers if each.user_id == user_id)
        if all_uris + more > MOST_URIS_IN_ALL:
            raise MCPError(
                INVALID_REQUEST,
                f"[busy] All clients together can subscribe to {MOST_URIS_IN_ALL} resources. "
                "Subscribe to fewer, or only to the list and gear://summary.",
            )

    @contextmanager
    def connection(self, user_id: int) -> Generator[None]:
        """Count a connection over SSE. Raise Busy if its user has too many."""
        if self._connections[user_id] >= MOST_SUBSCRIBERS:
            raise Busy(f"{MOST_SUBSCRIBERS} streams are open. Close one of them.")
        self._connections[user_id] += 1
        try:
            yield
        finally:
            self._connections[user_id] -= 1

    async def listen(
        self, user_id: int, ctx: ServerRequestContext[Any, Any], params: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        """Handle `subscriptions/listen` (2026-07-28): a stream that lasts until its client disconnects."""
        uris = set(params.notifications.resource_subscriptions or ())
        self.check_number(user_id, uris, len(uris))
        self.check_room(user_id)
        bus = UserBus(self, user_id, uris, bool(params.notifications.resources_list_changed))
        return await ListenHandler(bus, max_buffered_events=MOST_EVENTS)(ctx, params)

    def session(self, user_id: int, ctx: ServerRequestContext[Any, Any]) -> "Session | None":
        """Return the subscriptions of a session (2025-11-25), or None if nothing can be sent to it."""
        connection = connection_of(ctx.session)
        if not connection.has_standalone_channel:
            return None
        found: Session | None = connection.state.get("live")
        if found is None:
            self.check_room(user_id)
            found = Session(self, user_id, ctx)
            self.add(found.subscriber)
            connection.state["live"] = found
            connection.exit_stack.callback(self.remove, found.subscriber)
            connection.exit_stack.callback(found.task.cancel)
        return found


@dataclass
class UserBus:
    """The SDK's event bus for a single stream. It carries the events of one user."""

    live: Live
    user_id: int
    uris: set[str]
    hears_list: bool

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        subscriber = Subscriber(self.user_id, self.uris, listener, self.hears_list)
        self.live.add(subscriber)
        return lambda: self.live.remove(subscriber)

    async def publish(self, event: ServerEvent) -> None:
        """Do nothing: all events come from the database."""


class Session:
    """The events to send to a session. Equal events are sent once."""

    def __init__(self, live: Live, user_id: int, ctx: ServerRequestContext[Any, Any]) -> None:
        self._live = live
        self.subscriber = Subscriber(user_id, set(), self._deliver)
        self._client = ctx.session
        self._pending: dict[ServerEvent, None] = {}
        self._wake = asyncio.Event()
        self.task = asyncio.create_task(self._send())

    def subscribe(self, uri: str) -> None:
        uris = self.subscriber.uris | {uri}
        self._live.check_number(self.subscriber.user_id, uris, len(uris) - len(self.subscriber.uris))
        self.subscriber.uris.add(uri)

    def unsubscribe(self, uri: str) -> None:
        self.subscriber.uris.discard(uri)

    def _deliver(self, event: ServerEvent) -> None:
        self._pending[event] = None
        self._wake.set()

    async def _send(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._pending:
                event = next(iter(self._pending))
                del self._pending[event]
                if isinstance(event, ResourceUpdated):
                    await self._client.send_resource_updated(event.uri)
                else:
                    await self._client.send_resource_list_changed()
