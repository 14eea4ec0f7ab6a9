"""From a call to a transaction: the caller, one transaction per call, and the log of changes."""

import asyncio
import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

import psycopg
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver import Context
from mcp.types import CallToolResult
from psycopg import AsyncConnection

from db.pool import Pool, reading, writing
from db.standby import Standby
from mcp_server.errors import Forbidden, Unavailable, from_exception
from mcp_server.models.answer import MOST, size
from mcp_server.models.auth import READ, READ_WRITE, Principal
from mcp_server.models.change import Author, Note
from mcp_server.models.fields import Row
from mcp_server.protocol.live import Live
from mcp_server.protocol.quota import Quota
from mcp_server.protocol.reply import bounded, reply
from mcp_server.protocol.shares import Shares
from mcp_server.services import change, history, page, summary

Arguments = ParamSpec("Arguments")
Found = TypeVar("Found")
Result = TypeVar("Result", bound=Row)


@dataclass(frozen=True)
class App:
    """What every call needs: the pool, which outlives all sessions, and the user whose collection is served.

    Without a *user_id*, the sender of each request is the user. With *read_only*, PostgreSQL refuses writes.
    *live* notifies clients of changes. Reads can run on the *standby*. With *shares*, calls of one user wait
    for their turn. Writes are refused beyond the *quota*. Files may be read below the folders in *files*.
    Over HTTP, *url* is that of the server. Changes are logged as by the tool *logged_as*, if it is given.
    """

    pool: Pool
    user_id: int | None
    read_only: bool = False
    live: Live = field(default_factory=Live)
    standby: Standby | None = None
    shares: Shares | None = None
    quota: Quota | None = None
    files: tuple[Path, ...] = ()
    url: str | None = None
    logged_as: str | None = None

    def turn(self, user_id: int, *, imports: bool = False) -> AbstractAsyncContextManager[None]:
        """Wait for the turn of one call in the database."""
        return self.shares.take(user_id, imports=imports) if self.shares else nullcontext()


class Caller(AuthenticatedUser):
    """A principal as the user object of the SDK, which passes it to handlers and separates sessions by it."""

    def __init__(self, principal: Principal) -> None:
        super().__init__(
            # The token itself is no longer needed.
            AccessToken(
                token="",
                client_id=principal.client or "",
                scopes=list(principal.scopes),
                subject=str(principal.user_id),
            )
        )
        self.principal = principal


def principal(ctx: Context[App] | ServerRequestContext[App, Any]) -> Principal:
    """Return the caller: the user of this server or, over HTTP, the sender of the request."""
    request_context = ctx.request_context if isinstance(ctx, Context) else ctx
    app = request_context.lifespan_context
    if app.user_id is not None:
        return Principal(user_id=app.user_id, scopes=READ if app.read_only else READ_WRITE)
    caller = request_context.request and request_context.request.scope.get("user")
    if not isinstance(caller, Caller):
        raise Forbidden("This request is unauthenticated. Connect with a key.")
    scopes = READ if app.read_only else caller.principal.scopes
    return caller.principal.model_copy(update={"scopes": scopes})


@dataclass(frozen=True)
class Call:
    """A tool call, and its id in the log."""

    tool: str
    arguments: Mapping[str, Any]
    id: str = field(default_factory=partial(secrets.token_hex, 4))

    @property
    def digest(self) -> bytes:
        """A hash of the tool and its arguments in any order, without the idempotency key."""
        asked = {name: value for name, value in self.arguments.items() if name != "idempotency_key"}
        return hashlib.sha256(json.dumps([self.tool, asked], sort_keys=True).encode()).digest()


current_call: ContextVar[Call] = ContextVar("current_call")


@dataclass(frozen=True)
class read:
    """The reads of one call, in one transaction if *together*. They use the standby if it is up to date."""

    ctx: Context[App]
    together: bool = False

    async def do(
        self,
        work: Callable[Concatenate[AsyncConnection, Arguments], Awaitable[Found]],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Found:
        app, user_id = self.ctx.request_context.lifespan_context, principal(self.ctx).user_id
        lent = (
            app.standby.reading(app.pool, user_id, together=self.together)
            if app.standby
            else reading(app.pool, user_id, together=self.together)
        )
        async with app.turn(user_id), lent as conn:
            return await work(conn, *args, **kwargs)


@dataclass(frozen=True)
class Written(Generic[Result]):
    """The reply of a write: its result and its change.

    The type parameter is the result's model. Only the output schema uses it.
    """

    reply: CallToolResult


@dataclass(frozen=True)
class write:
    """One transaction for one call that writes. Returning commits and logs a change; raising rolls back.

    With *dry_run*, the reply contains the changes and the transaction is rolled back. With a *key*, a retry
    gets the result of the first call and has no further effect. One that *imports* runs alone: a user's other
    imports wait.
    """

    ctx: Context[App]
    key: str | None = None
    dry_run: bool = False
    imports: bool = False

    async def do(
        self,
        work: Callable[Concatenate[AsyncConnection, Arguments], Awaitable[Result]],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Written[Result]:
        app, call = self.ctx.request_context.lifespan_context, current_call.get()
        caller, committing = principal(self.ctx), False
        try:
            async with (
                app.turn(caller.user_id, imports=self.imports),
                writing(app.pool, caller.user_id, read_only=not caller.may_write) as conn,
            ):
                if self.key and (stored := await change.earlier(conn, self.key, call.digest)):
                    return Written(repeat(stored))
                if app.quota:
                    await app.quota.check(conn, caller.user_id, call.tool)
                result = await work(conn, *args, **kwargs)
                if self.dry_run:
                    return Written(await self._forget(conn, result))
                committing = True
                return Written(await self._record(conn, call, result))
        except (psycopg.OperationalError, asyncio.CancelledError) as exc:
            if committing and is_unanswered(exc):
                raise self._unconfirmed() from exc
            raise

    def _unconfirmed(self) -> Unavailable:
        """Return the error for a commit whose reply was lost or came too late."""
        if self.key:
            return Unavailable(
                "The database did not confirm the change. "
                "Retry with the same idempotency_key: it is stored once."
            )
        return Unavailable(
            "The database did not confirm the change, so it may be stored. "
            "Look at list_changes before you retry."
        )

    async def _record(self, conn: AsyncConnection, call: Call, result: Row) -> CallToolResult:
        change_id = await change.current(conn)
        effects = await summary.effects(conn, change_id)
        if not effects:
            await change.forget(conn, change_id)
            return reply(result)
        note = Note(change_id=change_id, undo=f"undo_change(change_id={change_id})")
        replied, kept = reply(result, note), result.to_store()
        await change.record(
            conn,
            change_id,
            tool=self.ctx.request_context.lifespan_context.logged_as or call.tool,
            author=self._author(),
            summary=summary.summarize(effects),
            key=self.key,
            digest=call.digest,
            result=self.key and stored(replied if kept is result else reply(kept, note)),
            commit=not effects[0].undoes,
        )
        return replied

    async def _forget(self, conn: AsyncConnection, result: Row) -> CallToolResult:
        found = await history.rows_of(conn, await change.current(conn))
        await conn.rollback()
        result = history.without_new_ids(result, found.rows)
        note = page.fit(
            Note(dry_run=True, changes=history.readable(found.rows, dry_run=True)),
            "changes",
            lambda shown: {"changes_left_out": found.remaining - shown},
            least=0,
            most=MOST - size(result),
        )
        return reply(result, note)

    def _author(self) -> Author:
        params = self.ctx.session.client_params
        return Author(
            client=principal(self.ctx).client, program=params.client_info.name[:200] if params else None
        )


def is_unanswered(error: BaseException) -> bool:
    """Whether the database was asked for something and its answer is unknown."""
    return isinstance(error, asyncio.CancelledError) or isinstance(from_exception(error), Unavailable)


def stored(reply: CallToolResult) -> dict[str, Any]:
    return reply.model_dump(mode="json", include={"content", "structured_content"})


def repeat(stored: Any) -> CallToolResult:
    """Return the result of the first call, marked as repeated."""
    text: str = stored["content"][0]["text"]
    return bounded(f'{{"repeated":true}}\n{text}', {**stored["structured_content"], "repeated": True})
