"""CSV: lists of other programs become items and setups, and items and setups become lists."""

from dataclasses import dataclass
from typing import Literal

import anyio.to_thread
from psycopg import AsyncConnection

from db.query import fetch_value
from mcp_server.errors import Conflict, InvalidInput, in_list
from mcp_server.formats.reader import Reader, open_text
from mcp_server.formats.text import truncated
from mcp_server.models.csv import Format, Imported, Verdict
from mcp_server.services import category, settings, setup
from mcp_server.services.staging import Different, Staging
from mcp_server.services.verdicts import Verdicts

# Bad lines that a refusal names.
MOST_NAMED = 20


@dataclass(frozen=True)
class ImportOptions:
    """What the person who imports a list wants besides its items."""

    setup_name: str | None = None
    update_existing: bool = False
    skip_bad_lines: bool = False


async def import_text(
    conn: AsyncConnection,
    csv_text: str,
    format: Format | None = None,
    options: ImportOptions = ImportOptions(),
) -> Imported:
    """Import a list; see `import_lines`."""
    currency = (await settings.get(conn)).currency
    # In threads, because a large file takes a second that other calls should not have to wait.
    reader = await anyio.to_thread.run_sync(open_text, csv_text, format, currency)
    return await import_lines(conn, reader, options)


async def import_lines(conn: AsyncConnection, reader: Reader, options: ImportOptions) -> Imported:
    """Create the items of a list that are not there yet and, given a `setup_name`, a setup of them all.

    One bad line refuses all, unless they are to be skipped.
    """
    staging = Staging(conn, reader)
    await staging.load()
    await staging.refuse_repeated_ids()
    check(staging.verdicts, options)
    new_categories = await category.create_missing(conn, await staging.categories())
    await staging.note_kept_icons()
    if options.setup_name is None:
        await staging.note_lost_marks()
    setup_id = None if options.setup_name is None else await find_setup(conn, options.setup_name)
    await staging.recognize(setup_id)
    for different in await staging.differences(setup_id):
        staging.verdicts.add(described(different, "changed" if options.update_existing else "different"))
    counts = await staging.count()
    await staging.insert()
    if options.update_existing:
        await staging.update()
    not_in_list: list[str] = []
    if options.setup_name is not None:
        setup_id = setup_id or await create_setup(conn, options.setup_name)
        not_in_list = await staging.not_in_list(setup_id)
        if await staging.put_in_setup(setup_id, update_existing=options.update_existing):
            await setup.touch(conn, setup_id)
    verdicts = staging.verdicts
    return Imported(
        format=reader.format,
        items=counts.new,
        unchanged=counts.unchanged,
        changed=counts.different if options.update_existing else 0,
        different=0 if options.update_existing else counts.different,
        refused=verdicts.refused,
        skipped=verdicts.skipped,
        new_categories=tuple(new_categories),
        setup_id=setup_id,
        setup_name=options.setup_name,
        not_in_list=tuple(not_in_list),
        verdicts=tuple(sorted(verdicts.shown, key=lambda verdict: verdict.line)),
        verdicts_left_out=verdicts.left_out,
    )


def check(verdicts: Verdicts, options: ImportOptions) -> None:
    """Refuse a list without a line that could be imported, and one with a bad line unless that is skipped."""
    if verdicts.refused and not options.skip_bad_lines:
        bad = [verdict for verdict in verdicts.shown if verdict.verdict == "refused"]
        more = f"; {verdicts.refused} bad lines in all" if len(bad) > MOST_NAMED else ""
        raise InvalidInput(
            f"Nothing was imported. {'; '.join(map(place, bad[:MOST_NAMED]))}{more}. "
            "Mend them, or import the rest with skip_bad_lines."
        )
    if not verdicts.taken:
        raise InvalidInput("Nothing was imported: the list has no lines below its header that could be.")


def place(verdict: Verdict) -> str:
    """`line 3, weight ('heavy'): must be a plain number`."""
    column = f", {verdict.column}" if verdict.column else ""
    value = f" ({verdict.value!r})" if verdict.column and verdict.value else ""
    return f"line {verdict.line}{column}{value}: {verdict.note}"


def described(different: Different, verdict: Literal["changed", "different"]) -> Verdict:
    """`price_cents 24995 → 19995`: what the item says, and what the list says."""
    parts = [
        f"{name} {written(old)} → {written(different.after[name])}"
        for name, old in different.before.items()
        if old != different.after[name]
    ]
    return Verdict(line=different.number, verdict=verdict, note=", ".join(parts))


def written(value: object) -> str:
    return "unknown" if value is None else truncated(str(value))


async def find_setup(conn: AsyncConnection, name: str) -> int | None:
    """Return the setup of this name, or None; of several, nobody can tell which one is meant."""
    cursor = await conn.execute(
        "SELECT id FROM setups WHERE lower(name) = lower(%(name)s) ORDER BY id", {"name": name}
    )
    ids = [row[0] for row in await cursor.fetchall()]
    if len(ids) > 1:
        raise Conflict(f"setup_name: the setups {in_list(ids)} are all called {name!r}. Rename all but one.")
    return ids[0] if ids else None


async def create_setup(conn: AsyncConnection, name: str) -> int:
    return await fetch_value(conn, "INSERT INTO setups (name) VALUES (%(name)s) RETURNING id", {"name": name})
