"""CSV: lists of other programs become items and setups, and items and setups become lists."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import anyio.to_thread
from psycopg import AsyncConnection

from db.query import fetch_value
from mcp_server.errors import Conflict, InvalidInput, in_list, quoted
from mcp_server.formats.columns import Asked
from mcp_server.formats.reader import Reader
from mcp_server.formats.text import interruptible, truncated
from mcp_server.models.csv import Format, Imported, TotalsAfter, Verdict
from mcp_server.models.fields import lean_number
from mcp_server.models.settings import WeightUnit
from mcp_server.services import category, page, settings, setup
from mcp_server.services.listfile import ListFile
from mcp_server.services.staging import MOST_NAMES, Counts, Difference, Missing, Staging
from mcp_server.services.verdicts import Verdicts

# Bad lines that a refusal names.
MOST_NAMED = 20


@dataclass(frozen=True)
class ImportOptions:
    """What to do besides creating the items of a list."""

    setup_name: str | None = None
    update_existing: bool = False
    skip_bad_lines: bool = False
    dry_run: bool = False
    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    weight_unit: WeightUnit | None = None


async def asked(conn: AsyncConnection, options: ImportOptions) -> Asked:
    """Return how to read a spreadsheet: as the options say, or as one with the same header before."""
    saved = await settings.remembered(conn)
    return Asked(options.columns, options.weight_unit, saved, options.setup_name)


async def import_text(
    conn: AsyncConnection,
    csv_text: str,
    format: Format | None = None,
    options: ImportOptions = ImportOptions(),
) -> Imported:
    """Import a list; see `import_lines`."""
    return await import_file(conn, ListFile(csv_text), format, options)


async def import_file(
    conn: AsyncConnection, file: ListFile, format: Format | None, options: ImportOptions
) -> Imported:
    """Import a list that is in memory; see `import_lines`."""
    currency = (await settings.get(conn)).currency
    wishes = await asked(conn, options)
    with interruptible():
        # In a thread, because a large file takes a second, which other calls should not have to wait.
        reader = await anyio.to_thread.run_sync(file.reader, format, currency, wishes)
        return await import_lines(conn, reader, options)


async def import_lines(conn: AsyncConnection, reader: Reader, options: ImportOptions) -> Imported:
    """Create the items of a list that do not exist yet and, with a `setup_name`, a setup of all of them.

    One bad line refuses the list, unless bad lines are to be skipped.
    """
    staging = Staging(conn, reader)
    await staging.load()
    await staging.refuse_repeated_ids()
    check(staging.verdicts, options)
    new_categories = await category.create_missing(conn, await staging.categories())
    await staging.note_kept_icons()
    if options.setup_name is None:
        await staging.note_lost_marks()
    found_id = None if options.setup_name is None else await find_setup(conn, options.setup_name)
    await staging.recognize(found_id)
    counts = await staging.count()
    await compare(staging, counts, found_id, options)
    await store(staging, options)
    setup_id, missing = await fill_setup(conn, staging, found_id, options)
    if reader.to_remember:
        await settings.remember(conn, *reader.to_remember)
    verdicts = staging.verdicts
    imported = Imported(
        format=reader.format,
        columns=dict(reader.columns) or None,
        items=counts.new,
        unchanged=counts.unchanged,
        filled=counts.filled,
        changed=counts.differs if options.update_existing else 0,
        differs=0 if options.update_existing else counts.differs,
        refused=verdicts.refused,
        skipped=verdicts.skipped,
        new_categories=tuple(new_categories[:MOST_NAMES]),
        new_categories_left_out=max(len(new_categories) - MOST_NAMES, 0),
        # After a dry run, a new setup does not exist.
        setup_id=found_id if options.dry_run else setup_id,
        setup_name=options.setup_name,
        setup_totals=None if setup_id is None else await totals_after(conn, setup_id),
        not_in_list=missing.names,
        not_in_list_left_out=missing.left_out,
        verdicts=tuple(sorted(verdicts.shown, key=lambda verdict: verdict.line)),
    )
    counted = verdicts.left_out + len(verdicts.shown)
    return page.fit(imported, "verdicts", lambda shown: {"verdicts_left_out": counted - shown})


async def compare(staging: Staging, counts: Counts, setup_id: int | None, options: ImportOptions) -> None:
    """Add the verdicts on lines whose items exist, and on new items that may be one of those."""
    verdicts = staging.verdicts
    if counts.filled:
        filled = await staging.differences(setup_id, "filled")
        for difference in filled:
            verdicts.add(described(difference, "filled"))
        verdicts.left_out += counts.filled - len(filled)
    if counts.differs:
        differing = await staging.differences(setup_id, "differs")
        for difference in differing:
            verdicts.add(described(difference, "changed" if options.update_existing else "differs"))
        verdicts.left_out += counts.differs - len(differing)
    if counts.new:
        await staging.note_similar()


async def store(staging: Staging, options: ImportOptions) -> None:
    await staging.insert()
    if options.update_existing:
        await staging.update()
    else:
        await staging.fill()


async def fill_setup(
    conn: AsyncConnection, staging: Staging, setup_id: int | None, options: ImportOptions
) -> tuple[int | None, Missing]:
    """Put the lines into the setup. Return its id, and the names of its items that are not in the list."""
    if options.setup_name is None:
        return None, Missing()
    setup_id = setup_id or await create_setup(conn, options.setup_name)
    missing = await staging.not_in_list(setup_id)
    if await staging.put_in_setup(setup_id, update_existing=options.update_existing):
        await setup.touch(conn, setup_id)
    return setup_id, missing


async def totals_after(conn: AsyncConnection, setup_id: int) -> TotalsAfter:
    totals = await setup.summarize(conn, setup_id)
    return TotalsAfter(**{name: getattr(totals, name) for name in TotalsAfter.model_fields})


def check(verdicts: Verdicts, options: ImportOptions) -> None:
    """Refuse a list without a line that can be imported, and one with a bad line unless that is skipped."""
    if verdicts.refused and not options.skip_bad_lines:
        bad = [verdict for verdict in verdicts.shown if verdict.verdict == "refused"]
        more = f"; {verdicts.refused} bad lines in all" if len(bad) > MOST_NAMED else ""
        raise InvalidInput(
            f"Nothing was imported. {'; '.join(map(place, bad[:MOST_NAMED]))}{more}. "
            "Correct them, or import the rest with skip_bad_lines."
        )
    if not verdicts.taken:
        raise InvalidInput("Nothing was imported: the list has no lines below its header to import.")


def place(verdict: Verdict) -> str:
    """`line 3, weight ("heavy") of "Tent": must be a weight`."""
    column = f", {verdict.column}" if verdict.column else ""
    value = f" ({quoted(verdict.value)})" if verdict.column and verdict.value else ""
    item = (
        f"{' of' if column else ','} {quoted(verdict.item)}"
        if verdict.item and verdict.item != verdict.value
        else ""
    )
    return f"line {verdict.line}{column}{value}{item}: {verdict.note}"


def described(difference: Difference, verdict: Literal["filled", "changed", "differs"]) -> Verdict:
    """`weight 476 → 490 g, price_cents 24995 → 19995`: what the item says, and what the list says."""
    parts = [
        change(name, old, difference.after[name])
        for name, old in difference.before.items()
        if old != difference.after[name] and (old is None) == (verdict == "filled")
    ]
    item = truncated(difference.item)
    return Verdict(line=difference.number, item=item, verdict=verdict, note=", ".join(parts))


def change(name: str, old: Any, new: Any) -> str:
    unit = " g" if name.endswith("_grams") else ""
    before, after = (
        "unknown" if value is None else truncated(str(lean_number(value) if unit else value))
        for value in (old, new)
    )
    return f"{name.removesuffix('_grams')} {before} → {after}{unit}"


async def find_setup(conn: AsyncConnection, name: str) -> int | None:
    """Return the setup of this name, or None. Refuse a name that several setups have."""
    cursor = await conn.execute(
        "SELECT id FROM setups WHERE lower(name) = lower(%(name)s) ORDER BY id", {"name": name}
    )
    ids = [row[0] for row in await cursor.fetchall()]
    if len(ids) > 1:
        raise Conflict(
            f"setup_name: the setups {in_list(ids)} are all called {quoted(name)}. Rename all but one."
        )
    return ids[0] if ids else None


async def create_setup(conn: AsyncConnection, name: str) -> int:
    return await fetch_value(conn, "INSERT INTO setups (name) VALUES (%(name)s) RETURNING id", {"name": name})
