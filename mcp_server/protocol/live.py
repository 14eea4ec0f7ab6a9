"""Live updates: each change is published to the subscribed clients of its owner."""

import asyncio
from collections.abc import Callable, Iterator
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

from mcp_server.protocol.sdk import connection_of

SCHEME = "gear://"
SUMMARY = "gear://summary"
# Limits: streams and sessions per user, and resources per stream or session.
MOST_SUBSCRIBERS, MOST_URIS = 100, 500
# Events buffered for a client that does not read them. Beyond that, the stream is closed.
MOST_EVENTS = 8 * MOST_URIS


class Notification(BaseModel):
    """A change: its user and what it touched, such as `items/3`. None means any user, or anything."""

    user_id: int | None = None
    touched: frozenset[str] | None = None
    listed: bool | None = True

    def events(self, uris: set[str]) -> Iterator[ServerEvent]:
        """Yield the events for a subscriber of *uris*."""
        for uri in uris:
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


@dataclass
class Live:
    """All subscribers in this process. They only get events of changes by their own user."""

    _subscribers: set[Subscriber] = field(default_factory=set[Subscriber])

    def deliver(self, notification: str) -> None:
        """Deliver the events of a notification to its subscribers."""
        try:
            change = Notification.model_validate_json(notification)
        except ValidationError:
            # It may come from a newer release.
            change = Notification()
        for subscriber in list(self._subscribers):
            if change.user_id in (None, subscriber.user_id):
                for event in change.events(subscriber.uris):
                    subscriber.deliver(event)

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

    async def listen(
        self, user_id: int, ctx: ServerRequestContext[Any, Any], params: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        """Handle `subscriptions/listen` (2026-07-28): a stream that lasts until its client disconnects."""
        uris = set(params.notifications.resource_subscriptions or ())
        check_number(uris)
        self.check_room(user_id)
        return await ListenHandler(UserBus(self, user_id, uris), max_buffered_events=MOST_EVENTS)(ctx, params)

    def session(self, user_id: int, ctx: ServerRequestContext[Any, Any]) -> "Session | None":
        """Return the subscriptions of a session (2025-11-25), or None if nothing can be sent to it."""
        connection = connection_of(ctx.session)
        if not connection.has_standalone_channel:
            return None
        found: Session | None = connection.state.get("live")
        if found is None:
            self.check_room(user_id)
            found = Session(user_id, ctx)
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

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        subscriber = Subscriber(self.user_id, self.uris, listener)
        self.live.add(subscriber)
        return lambda: self.live.remove(subscriber)

    async def publish(self, event: ServerEvent) -> None:
        """Do nothing: all events come from the database."""


class Session:
    """The events to send to a session. Equal events are sent once."""

    def __init__(self, user_id: int, ctx: ServerRequestContext[Any, Any]) -> None:
        self.subscriber = Subscriber(user_id, set(), self._deliver)
        self._client = ctx.session
        self._pending: dict[ServerEvent, None] = {}
        self._wake = asyncio.Event()
        self.task = asyncio.create_task(self._send())

    def subscribe(self, uri: str) -> None:
        check_number(self.subscriber.uris | {uri})
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


def check_number(uris: set[str]) -> None:
    if len(uris) > MOST_URIS:
        raise MCPError(INVALID_PARAMS, f"[invalid_input] At most {MOST_URIS} resources at once.")
