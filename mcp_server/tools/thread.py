"""Tools for threads."""

from typing import Annotated, Unpack

from mcp.server.mcpserver import Context
from pydantic import BeforeValidator, Field

from mcp_server.models.candidate import NewCandidates
from mcp_server.models.change import Key
from mcp_server.models.decision import Importances, Judgement
from mcp_server.models.fields import (
    INTEGER,
    Count,
    Cursor,
    Flag,
    Limit,
    OptionalRef,
    Quantity,
    Query,
    Ref,
    Text,
    whole_between,
)
from mcp_server.models.purchase import PurchasePlan
from mcp_server.models.thread import (
    NewThread,
    ThreadChanges,
    ThreadCreated,
    ThreadDeleted,
    ThreadList,
    ThreadResolved,
    ThreadShown,
    ThreadStatus,
    ThreadSummary,
)
from mcp_server.protocol.edge import App, Written, principal, read, write
from mcp_server.protocol.schema import spread
from mcp_server.services import candidate, decision, purchase, resolution, thread

Budget = Annotated[int, BeforeValidator(whole_between(0, 10**15 - 1)), INTEGER]


async def list_threads(
    ctx: Context[App],
    status: ThreadStatus | None = None,
    query: Query = "",
    below_target: Flag = False,
    limit: Limit = 200,
    cursor: Cursor = "",
) -> ThreadList:
    """List purchase research threads, active ones first."""
    return await read(ctx).do(
        thread.list_all, status, query=query, below_target=below_target, limit=limit, cursor=cursor
    )


async def get_thread(
    ctx: Context[App],
    thread_id: Ref,
    candidate_id: Annotated[OptionalRef, Field(description="Only this, whole")] = None,
    limit: Limit = 200,
    cursor: Cursor = "",
) -> ThreadShown:
    """Compare a thread's candidates side by side, by rank.

    Per piece: grams and cents above the lightest and cheapest, cents per gram saved over the replaced item.
    For all `pieces` that the purchase replaces: saves_grams and outlay_cents.
    """
    return await read(ctx).do(thread.get, thread_id, candidate_id, limit=limit, cursor=cursor)


@spread
async def create_thread(
    ctx: Context[App],
    candidates: NewCandidates = [],  # noqa: B006
    idempotency_key: Key = None,
    **new: Unpack[NewThread],
) -> Written[ThreadCreated]:
    """Start a thread to research a purchase, with the products to compare."""
    return await write(ctx, key=idempotency_key).do(candidate.start_thread, new, candidates)


async def update_thread(ctx: Context[App], thread_id: Ref, changes: ThreadChanges) -> Written[ThreadSummary]:
    """Change a thread; null clears a field. To resolve it, call resolve_thread."""
    return await write(ctx).do(thread.update, thread_id, changes)


async def delete_thread(ctx: Context[App], thread_id: Ref, dry_run: Flag = False) -> Written[ThreadDeleted]:
    """Delete a thread and its candidates. An item created from it stays."""
    return await write(ctx, dry_run=dry_run).do(thread.delete, thread_id)


async def resolve_thread(
    ctx: Context[App],
    thread_id: Ref,
    candidate_id: Ref,
    swap_in_setups: Annotated[
        list[Ref],
        Field(
            max_length=200,
            description='Setups (or "all") where it replaces the old item',
        ),
    ] = [],  # noqa: B006
    quantity: Annotated[Count, Field(description="Owned pieces; default: as of the old item")] = None,
    why: Annotated[Text, Field(description="The reason, for the record")] = None,
    dry_run: Flag = False,
) -> Written[ThreadResolved]:
    """Decide: the candidate becomes an item. The replaced item stays in the collection. All or nothing.

    Afterwards the thread is a record: its candidates and ranks cannot be changed.
    """
    return await write(ctx, dry_run=dry_run).do(
        resolution.resolve, thread_id, candidate_id, swap_in_setups, quantity, why
    )


async def decide_thread(
    ctx: Context[App],
    thread_id: Ref,
    importance: Importances = [],  # noqa: B006
) -> Judgement:
    """Rank a thread's candidates by its criteria, with reasons, and what would change the winner."""
    return await read(ctx, together=True).do(decision.decide, thread_id, importance)


async def plan_purchases(
    ctx: Context[App],
    budget_cents: Budget,
    threads: Annotated[list[Ref], Field(max_length=100, description="Default: all active ones")] = [],  # noqa: B006
    setup: Annotated[OptionalRef, Field(description="Count pieces in this one only")] = None,
    base_only: Flag = False,
    weight_vs_price: Annotated[
        Quantity, Field(description="Cents a saved gram is worth; default: most grams")
    ] = None,
) -> PurchasePlan:
    """Plan which candidates to buy, at most one for each replaced item: the exact best, and cheaper plans."""
    offers = await read(ctx, together=True).do(
        purchase.gather,
        budget_cents,
        threads=threads,
        setup=setup,
        base_only=base_only,
        weight_vs_price=weight_vs_price,
    )
    return await purchase.plan(offers, principal(ctx).user_id)
