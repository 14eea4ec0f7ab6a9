"""Subscriptions: `subscriptions/listen`, and `resources/subscribe` of the protocol 2025-11-25."""

from contextlib import suppress
from typing import Any

from mcp import MCPError
from mcp.server import Server
from mcp.server.context import ServerRequestContext
from mcp.types import (
    INVALID_REQUEST,
    EmptyResult,
    SubscribeRequestParams,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
    UnsubscribeRequestParams,
)
from mcp.types.version import HANDSHAKE_PROTOCOL_VERSIONS

from mcp_server.attachments.resources import reader_of, refused
from mcp_server.errors import AppError
from mcp_server.protocol.edge import App, principal
from mcp_server.protocol.live import Session


def serve_on(server: Server[App]) -> None:
    """Register the handlers of these requests."""
    server.add_request_handler("subscriptions/listen", SubscriptionsListenRequestParams, listen)
    server.add_request_handler("resources/subscribe", SubscribeRequestParams, subscribe)
    server.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, unsubscribe)


async def listen(
    ctx: ServerRequestContext[App, Any], params: SubscriptionsListenRequestParams
) -> SubscriptionsListenResult:
    return await ctx.lifespan_context.live.listen(principal(ctx).user_id, ctx, params)


async def subscribe(ctx: ServerRequestContext[App, Any], params: SubscribeRequestParams) -> EmptyResult:
    try:
        reader_of(params.uri)
    except AppError as exc:
        raise refused(params.uri, exc) from exc
    session_of(ctx).subscribe(params.uri)
    return EmptyResult()


async def unsubscribe(ctx: ServerRequestContext[App, Any], params: UnsubscribeRequestParams) -> EmptyResult:
    session_of(ctx).unsubscribe(params.uri)
    return EmptyResult()


def subscribe_to_list(ctx: ServerRequestContext[App, Any]) -> None:
    """Subscribe a session that lists the resources to changes of the list. Others use `listen`."""
    if ctx.protocol_version in HANDSHAKE_PROTOCOL_VERSIONS:
        # Without a free subscription the list is still valid. It is only not updated.
        with suppress(MCPError):
            ctx.lifespan_context.live.session(principal(ctx).user_id, ctx)


def session_of(ctx: ServerRequestContext[App, Any]) -> Session:
    session = ctx.lifespan_context.live.session(principal(ctx).user_id, ctx)
    if session is None:
        raise MCPError(
            INVALID_REQUEST,
            "[invalid_input] This connection cannot receive notifications, because it ends with the request. "
            "Connect over SSE, or use subscriptions/listen of the protocol 2026-07-28.",
        )
    return session
