"""Tools for candidates."""

from typing import Annotated, Unpack

from mcp.server.mcpserver import Context
from pydantic import Field

from mcp_server.models.candidate import (
    CandidateChanges,
    CandidateRemoved,
    CandidatesAdded,
    CandidateShown,
    NewCandidates,
    Preview,
    Ranking,
)
from mcp_server.models.change import Key
from mcp_server.models.fields import Cursor, Flag, OptionalRef, Ref
from mcp_server.protocol.edge import App, Written, read, write
from mcp_server.protocol.schema import spread
from mcp_server.services import candidate, preview


async def preview_candidate(
    ctx: Context[App],
    candidate_id: Ref,
    setup: Annotated[OptionalRef, Field(description="Only this, with or without it")] = None,
    cursor: Cursor = "",
) -> Preview:
    """Show how buying it would change the weight and value of setups that contain the replaced item.

    outlay_cents is what the purchase costs: price × pieces.
    """
    return await read(ctx).do(preview.preview, candidate_id, setup, cursor=cursor)


@spread
async def add_candidate(
    ctx: Context[App],
    thread_id: Ref,
    candidates: NewCandidates = [],  # noqa: B006
    idempotency_key: Key = None,
    **new: Unpack[CandidateChanges],
) -> Written[CandidatesAdded]:
    """Add a product to a thread, or several as `candidates`. New ones are ranked last."""
    candidate.check_new(new, candidates)
    return await write(ctx, key=idempotency_key).do(candidate.add_any, thread_id, new, candidates)


async def update_candidate(
    ctx: Context[App], candidate_id: Ref, changes: CandidateChanges
) -> Written[CandidateShown]:
    """Change fields of a candidate; null clears a field."""
    return await write(ctx).do(candidate.update, candidate_id, changes)


async def remove_candidate(
    ctx: Context[App], candidate_id: Ref, dry_run: Flag = False
) -> Written[CandidateRemoved]:
    """Remove a candidate from its thread."""
    return await write(ctx, dry_run=dry_run).do(candidate.remove, candidate_id)


async def rank_candidates(
    ctx: Context[App],
    thread_id: Ref,
    candidate_ids: Annotated[
        list[Ref], Field(max_length=1000, description="Favourite first; omitted ones follow")
    ],
) -> Written[Ranking]:
    """Rank a thread's candidates."""
    return await write(ctx).do(candidate.rank, thread_id, candidate_ids)
