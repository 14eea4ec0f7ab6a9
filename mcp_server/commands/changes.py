"""`gearshed changes` and `gearshed undo`: the log, and an undo of any size."""

from collections.abc import Callable, Sequence
from datetime import datetime

from psycopg import AsyncConnection

from mcp_server import terminal
from mcp_server.commands.database import run
from mcp_server.commands.lists import undo_command, unhurried
from mcp_server.commands.people import show
from mcp_server.errors import InvalidInput, no_such
from mcp_server.models.change import Author, Change, ChangeFilter, ChangesUndone, Undone
from mcp_server.models.period import to_end, to_start
from mcp_server.services import change, history, summary
from mcp_server.services.undo import undo, undo_many

HIGHEST_ID = 2**63 - 1


def list_changes(
    url: str,
    username: str,
    limit: int = 20,
    tool: str = "",
    client: str = "",
    program: str = "",
    since: str = "",
    until: str = "",
) -> None:
    """Print the newest changes that match."""
    if not 1 <= limit <= 1_000_000:
        raise InvalidInput("--limit: must be from 1 to 1000000.")
    which = ChangeFilter(
        client=client,
        program=program,
        since=moment("--since", since, to_start),
        until=moment("--until", until, to_end),
    )

    async def found() -> list[Change]:
        async with unhurried(url, username) as conn:
            return (await history.find(conn, which, tool=tool, limit=limit)).changes

    def row(each: Change) -> Sequence[object]:
        undone = each.undone_by or ""
        return each.id, each.at, each.tool, each.client or "", each.program or "", undone, each.summary

    show(("ID", "TIME", "TOOL", "CLIENT", "PROGRAM", "UNDONE BY", "SUMMARY"), map(row, run(found())))


def moment(option: str, text: str, parse: Callable[[str], datetime | None]) -> datetime | None:
    try:
        return parse(text)
    except ValueError as exc:
        raise InvalidInput(f"{option}: {exc}.") from exc


def undo_changes(url: str, username: str, change_ids: Sequence[int], dry_run: bool = False) -> None:
    """Undo changes as one change: all of them, or none."""
    for change_id in change_ids:
        if not 1 <= change_id <= HIGHEST_ID:
            raise no_such("change", change_id)

    async def work() -> tuple[ChangesUndone, int | None]:
        async with unhurried(url, username, logged=True) as conn:
            done = await undone(conn, change_ids)
            if dry_run:
                await conn.rollback()
                return done, None
            return done, await record(conn)

    done, undo_id = run(work())
    verb = "Would undo" if dry_run else "Undid"
    show(("ID", "SUMMARY"), [(each.id, each.summary) for each in done.undone])
    count = len(done.undone)
    terminal.show(f"{verb} {count:,} {'change' if count == 1 else 'changes'}: {done.rows:,} rows.")
    if undo_id is not None:
        terminal.show(f"This is change {undo_id}. To redo what it undid: {undo_command(username, undo_id)}")


async def undone(conn: AsyncConnection, change_ids: Sequence[int]) -> ChangesUndone:
    if len(change_ids) > 1:
        return await undo_many(conn, ChangeFilter(), change_ids=change_ids, limited=False)
    one = await undo(conn, change_ids[0], limited=False)
    return ChangesUndone(rows=one.rows, undone=[Undone(id=one.undone, summary=one.summary)])


async def record(conn: AsyncConnection) -> int | None:
    """Log the undo, unless it changed nothing. Return the number of the change."""
    change_id = await change.current(conn)
    effects = await summary.effects(conn, change_id)
    if not effects:
        await change.forget(conn, change_id)
        return None
    await change.record(
        conn,
        change_id,
        tool="undo_changes",
        author=Author(program="gearshed undo"),
        summary=summary.summarize(effects),
        key=None,
        digest=b"",
        result=None,
    )
    return change_id
