"""`gearshed audit`: who changed what, when, with which key and program."""

import heapq
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime
from json import dumps
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from db.pool import Pool, create_pool, transaction
from mcp_server import terminal
from mcp_server.accounts import auth
from mcp_server.commands.database import run, running
from mcp_server.errors import InvalidInput
from mcp_server.models.change import Change, ChangeFilter
from mcp_server.models.fields import nfc
from mcp_server.models.period import Since, Until
from mcp_server.models.session import Person
from mcp_server.services import history
from mcp_server.settings import Settings

# Rows in memory, shared by all users, and the largest page of one user.
MOST_ROWS, LARGEST_PAGE = 10_000, 500
# Characters. Rows are printed as they are read, so longer values move the rest of their line.
WIDTHS = {"AT (UTC)": 20, "USER": 12, "KEY": 16, "PROGRAM": 16, "CHANGE": 8, "TOOL": 18}
MOST_TO_SHOW = 10**9


class Entry(NamedTuple):
    """A change and its user. Entries sort like their ids, newest first: ids grow over all users."""

    order: int
    username: str
    change: Change


class Wanted(NamedTuple):
    """Which changes to list: all, or those of one tool, key, program or period."""

    tool: str
    which: ChangeFilter


def show(
    settings: Settings,
    *,
    client: str = "",
    program: str = "",
    tool: str = "",
    since: str = "",
    until: str = "",
    limit: int = 100,
    json: bool = False,
) -> None:
    """Print the newest changes of all users, or of the one that --user names."""
    username = settings.user if "user" in settings.model_fields_set else None
    with running(settings) as url:
        if not 1 <= limit <= MOST_TO_SHOW:
            raise InvalidInput(f"--limit: must be 1 to {MOST_TO_SHOW:,}.")
        which = ChangeFilter(
            client=nfc(client),
            program=nfc(program),
            since=moment("since", since),
            until=moment("until", until),
        )
        run(print_all(url, username, Wanted(tool, which), limit, as_json=json))


def moment(option: str, text: str) -> datetime | None:
    """Return the moment that an option gives, in the forms that list_changes reads."""
    try:
        return TypeAdapter(Since if option == "since" else Until).validate_python(text)
    except ValidationError as exc:
        raise InvalidInput(f"--{option}: {exc.errors()[0]['msg'].removeprefix('Value error, ')}.") from exc


async def print_all(url: str, username: str | None, wanted: Wanted, limit: int, *, as_json: bool) -> None:
    if not as_json:
        terminal.show(in_columns([*WIDTHS, "SUMMARY"]))
    async with create_pool(url) as pool, aclosing(entries(pool, username, wanted, limit)) as found:
        async for entry in found:
            terminal.show(as_object(entry) if as_json else as_line(entry))


async def entries(pool: Pool, username: str | None, wanted: Wanted, limit: int) -> AsyncGenerator[Entry]:
    """Yield the newest entries over all users. Each user's changes are read in pages, as that user."""
    async with pool.connection() as conn:
        if username is not None:
            await auth.get_user(conn, username)
        users = [user for user in await auth.list_people(conn) if username in (None, user.username)]
    page = max(1, min(LARGEST_PAGE, limit, MOST_ROWS // max(1, len(users))))
    streams = [entries_of(pool, user, wanted, page) for user in users]
    heads = [(await anext(stream, None), stream) for stream in streams]
    queue = [(entry, number) for number, (entry, _) in enumerate(heads) if entry]
    heapq.heapify(queue)
    for _ in range(limit):
        if not queue:
            return
        entry, number = queue[0]
        yield entry
        following = await anext(streams[number], None)
        if following:
            heapq.heapreplace(queue, (following, number))
        else:
            heapq.heappop(queue)


async def entries_of(pool: Pool, user: Person, wanted: Wanted, page: int) -> AsyncGenerator[Entry]:
    """Yield one user's entries, newest first."""
    cursor: str | None = ""
    while cursor is not None:
        async with transaction(pool, user.id, read_only=True) as conn:
            await conn.execute("SELECT set_config('statement_timeout', '0', true)")
            found = await history.find(conn, wanted.which, tool=wanted.tool, limit=page, cursor=cursor)
        for change in found.changes:
            yield Entry(-change.id, user.username, change)
        cursor = found.next_cursor


def as_line(entry: Entry) -> str:
    change = entry.change
    at = f"{change.model_dump(mode='json')['at']}"
    cells = (at, entry.username, change.client or "-", change.program or "-", str(change.id), change.tool)
    note = f" (undone by {change.undone_by})" if change.undone_by else ""
    return in_columns([*cells, f"{change.summary}{note}"])


def in_columns(cells: Sequence[str]) -> str:
    """Return a line of the table."""
    padded = (cell.ljust(width) for cell, width in zip(cells, (*WIDTHS.values(), 0), strict=True))
    return "  ".join(padded)


def as_object(entry: Entry) -> str:
    """Return an entry as one line of JSON in ASCII, which contains no control characters."""
    return dumps({"user": entry.username, **entry.change.model_dump(mode="json")})
