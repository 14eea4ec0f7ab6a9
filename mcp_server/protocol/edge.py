"""Where the protocol ends and a transaction begins, and where what it did is written down."""

import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver import Context
from mcp.types import CallToolResult, TextContent
from psycopg import AsyncConnection

from db.pool import Pool, transaction
from db.standby import Standby
from mcp_server.errors import Forbidden
from mcp_server.models.auth import READ, READ_WRITE, Principal
from mcp_server.models.change import Author, Note
from mcp_server.models.fields import Row
from mcp_server.protocol.live import Live
from mcp_server.protocol.reply import reply
from mcp_server.services import change, history, summary

Arguments = ParamSpec("Arguments")
Found = TypeVar("Found")
Result = TypeVar("Result", bound=Row)


@dataclass(frozen=True)
class App:
    """What every call needs: the pool, which outlives all sessions, and whose collection is served.

    Clients hear *live* what changes, and may read from a *standby*.

    Without a *user_id* it is that of whoever sends the request. When it is *read_only*, PostgreSQL itself
    refuses whatever would write.
    """

    pool: Pool
    user_id: int | None
    read_only: bool = False
    live: Live = field(default_factory=Live)
    standby: Standby | None = None


class Caller(AuthenticatedUser):
    """A principal, in the form in which the SDK hands on who sent a request, and tells sessions apart."""

    def __init__(self, principal: Principal) -> None:
        super().__init__(
            # Without the token itself: nobody needs it any more.
            AccessToken(
                token="",
                client_id=principal.client or "",
                scopes=list(principal.scopes),
                subject=str(principal.user_id),
            )
        )
        self.principal = principal


def principal(ctx: Context[App] | ServerRequestContext[App, Any]) -> Principal:
    """Return who calls: the one that the server is for or, over HTTP, the sender of this very request."""
    request_context = ctx.request_context if isinstance(ctx, Context) else ctx
    app = request_context.lifespan_context
    if app.user_id is not None:
        return Principal(user_id=app.user_id, scopes=READ if app.read_only else READ_WRITE)
    caller = request_context.request and request_context.request.scope.get("user")
    if not isinstance(caller, Caller):
        raise Forbidden("Nobody is known to have sent this request. Connect with a key.")
    scopes = READ if app.read_only else caller.principal.scopes
    return caller.principal.model_copy(update={"scopes": scopes})


@dataclass(frozen=True)
class Call:
    """What the client asked for, and the id under which the log speaks of it."""

    tool: str
    arguments: Mapping[str, Any]
    id: str = field(default_factory=partial(secrets.token_hex, 4))

    @property
    def digest(self) -> bytes:
        """The same for the same tool and arguments, in whichever order; the key itself is none of them."""
        asked = {name: value for name, value in self.arguments.items() if name != "idempotency_key"}
        return hashlib.sha256(json.dumps([self.tool, asked], sort_keys=True).encode()).digest()


current_call: ContextVar[Call] = ContextVar("current_call")


@dataclass(frozen=True)
class read:
    """One read-only transaction for one call, on the standby if there is one that is up to date."""

    ctx: Context[App]

    async def do(
        self,
        work: Callable[Concatenate[AsyncConnection, Arguments], Awaitable[Found]],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Found:
        app, user_id = self.ctx.request_context.lifespan_context, principal(self.ctx).user_id
        reading = (
            app.standby.reading(app.pool, user_id)
            if app.standby
            else transaction(app.pool, user_id, read_only=True)
        )
        async with reading as conn:
            return await work(conn, *args, **kwargs)


@dataclass(frozen=True)
class Written(Generic[Result]):
    """The reply of a write: its result and its change.

    The type parameter is the result's model. Only the output schema uses it.
    """

    reply: CallToolResult


@dataclass(frozen=True)
class write:
    """One transaction for one call that writes: returning commits and logs a change, raising rolls back.

    With *dry_run*, it tells what it would change and rolls back. With a *key*, it is done once, and whoever
    repeats the call gets the first result.
    """

    ctx: Context[App]
    key: str | None = None
    dry_run: bool = False

    async def do(
        self,
        work: Callable[Concatenate[AsyncConnection, Arguments], Awaitable[Result]],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Written[Result]:
        app, call = self.ctx.request_context.lifespan_context, current_call.get()
        caller = principal(self.ctx)
        async with transaction(app.pool, caller.user_id, read_only=not caller.may_write, logged=True) as conn:
            if self.key and (stored := await change.earlier(conn, self.key, call.digest)):
                return Written(repeat(stored))
            result = await work(conn, *args, **kwargs)
            if self.dry_run:
                return Written(await self._forget(conn, result))
            return Written(await self._record(conn, call, result))

    async def _record(self, conn: AsyncConnection, call: Call, result: Row) -> CallToolResult:
        change_id = await change.current(conn)
        effects = await summary.effects(conn, change_id)
        if not effects:
            await change.forget(conn, change_id)
            return reply(result)
        said = reply(result, Note(change_id=change_id, undo=f"undo_change(change_id={change_id})"))
        await change.record(
            conn,
            change_id,
            tool=call.tool,
            author=self._author(),
            summary=summary.summarize(effects),
            key=self.key,
            digest=call.digest,
            result=said.model_dump(mode="json", include={"content", "structured_content"}),
        )
        return said

    async def _forget(self, conn: AsyncConnection, result: Row) -> CallToolResult:
        rows = await change.rows_of(conn, await change.current(conn))
        await conn.rollback()
        changes = history.readable(rows, dry_run=True)
        note = Note(dry_run=True, changes=changes, changes_left_out=len(rows) - len(changes))
        return reply(history.without_new_ids(result, rows), note)

    def _author(self) -> Author:
        params = self.ctx.session.client_params
        return Author(
            client=principal(self.ctx).client, program=params.client_info.name[:200] if params else None
        )


def repeat(stored: Any) -> CallToolResult:
    """The result of the first call, marked as a repeat."""
    text: str = stored["content"][0]["text"]
    return CallToolResult(
        content=[TextContent(text=f'{{"repeated":true}}\n{text}')],
        structured_content={**stored["structured_content"], "repeated": True},
    )
