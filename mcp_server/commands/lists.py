"""Lists at the command line: files of any size into the collection, and the collection into a file."""

import io
import os
import re
import shlex
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple, TextIO

import xlsxwriter  # pyright: ignore[reportMissingTypeStubs]
from psycopg import AsyncConnection

from db.pool import create_pool, transaction
from mcp_server import terminal
from mcp_server.accounts.auth import ensure_user
from mcp_server.commands.database import run
from mcp_server.errors import AppError, InvalidInput, quoted
from mcp_server.formats.columns import Asked, shown
from mcp_server.formats.opening import open_file
from mcp_server.formats.preview import preview
from mcp_server.formats.reader import Reader
from mcp_server.models.change import Author
from mcp_server.models.csv import ExportFormat, Format, Imported
from mcp_server.models.fields import lean_number, nfc
from mcp_server.models.settings import WeightUnit
from mcp_server.services import change, csv, export, link, listfile, setup, share
from mcp_server.services import settings as units
from mcp_server.services.listfile import ListFile
from mcp_server.settings import Settings
from mcp_server.untrusted import workbook

STDIN = "-"
XLSX, HTML = ".xlsx", ".html"
# Lines below the header that a sheet has room for.
MOST_ROWS = 1_048_575
# Columns of our own and of LighterPack's lists that hold numbers.
FIGURES = frozenset(
    {"weight_grams", "price_cents", "quantity", "setup_quantity", "worn_quantity", "qty", "weight", "price"}
)
DEFAULT_USER = Settings.model_fields["user"].default


class FileWithProgress(io.FileIO):
    """A file that shows at a terminal how much of it has been read."""

    def readinto(self, buffer: object, /) -> int | None:
        count = super().readinto(buffer)  # type: ignore[arg-type]
        if sys.stderr.isatty() and (size := os.fstat(self.fileno()).st_size):
            print("\r", end="", file=sys.stderr)
            terminal.show(f"{self.name}: {100 * self.tell() // size} % read ", sys.stderr, end="")
        return count


@asynccontextmanager
async def unhurried(url: str, username: str, *, logged: bool = False) -> AsyncGenerator[AsyncConnection]:
    """Lend a connection for one transaction on the user's rows without time limits."""
    async with create_pool(url) as pool:
        async with pool.connection() as conn:
            user_id = await ensure_user(conn, username)
        async with transaction(pool, user_id, logged=logged) as conn:
            await conn.execute("""
                SELECT
                    set_config('statement_timeout', '0', true),
                    set_config('idle_in_transaction_session_timeout', '0', true)
            """)
            yield conn


def import_files(
    url: str,
    username: str,
    lists: Sequence[str],
    format: Format | None = None,
    setup_name: str | None = None,
    update_existing: bool = False,
    skip_bad_lines: bool = False,
    dry_run: bool = False,
    columns: Mapping[str, str] | None = None,
    weight_unit: WeightUnit | None = None,
    sheet: str | None = None,
) -> None:
    """Import each file, completely or not at all, as one change that can be undone."""

    async def one(file: str) -> None:
        async with unhurried(url, username) as conn:
            currency = (await units.get(conn)).currency
            saved = await units.remembered(conn)
        # No connection waits for the person.
        asked = Asked(columns or {}, weight_unit, saved, setup_name)
        whole = await fetched(file, sheet) if is_url(file) else whole_file(file, sheet)
        command = Command(file, username, sheet)
        if not dry_run:
            asked = agreed(command, whole, format, currency, asked)
        async with unhurried(url, username, logged=True) as conn:
            with reading(file, whole, format, currency, asked) as reader:
                if is_new(reader, asked) and not dry_run:
                    raise InvalidInput(
                        "This header is not known yet. Check how it is read, and run: "
                        f"{command.text(reader, asked)}"
                    )
                name = setup_name or (nfc(Path(file).stem) if reader.is_list and is_named(file) else None)
                options = csv.ImportOptions(name, update_existing, skip_bad_lines, dry_run)
                imported = await csv.import_lines(conn, reader, options)
            change_id = None if dry_run else await record(conn, file, imported)
            if dry_run:
                await conn.rollback()
        undo = change_id and undo_command(username, change_id)
        report(file, imported, change_id, undo, dry_run=dry_run)

    async def each() -> None:
        for file in lists:
            try:
                await one(file)
            except AppError as exc:
                raise InvalidInput(f"{file}: {as_options(exc.args[0])}") from exc
            except OSError as exc:
                raise InvalidInput(f"{file}: {exc.strerror or exc}.") from exc

    run(each())


def is_url(file: str) -> bool:
    return file.lower().startswith(("http://", "https://"))


def is_named(file: str) -> bool:
    """Whether a file has a name for its setup."""
    return file != STDIN and not is_url(file)


async def fetched(url: str, sheet: str | None) -> ListFile:
    data, note = await link.fetched(url, None)
    return listfile.read(data, sheet, note)


def whole_file(file: str, sheet: str | None) -> ListFile | None:
    """Return a workbook, or None for a text of any size."""
    if file == STDIN:
        return None
    with open(file, "rb") as opened:
        # A pipe can be read only once.
        is_read = opened.seekable() and workbook.is_workbook(opened.read(8))
    if not is_read:
        if sheet is not None:
            raise InvalidInput("sheet: the file is not a workbook. Leave sheet out.")
        return None
    if os.stat(file).st_size > workbook.LARGEST:
        raise InvalidInput(f"The workbook exceeds {workbook.LARGEST >> 20} MB. {workbook.INSTEAD}")
    return listfile.read(Path(file).read_bytes(), sheet)


@contextmanager
def reading(
    file: str, whole: ListFile | None, format: Format | None, currency: str | None, asked: Asked
) -> Generator[Reader]:
    """Lend a reader of a file."""
    if whole:
        yield whole.reader(format, currency, asked)
        return
    raw = FileWithProgress(0 if file == STDIN else file, closefd=file != STDIN)
    with open_file(raw, format, currency, asked) as reader:
        yield reader


def agreed(
    command: "Command", whole: ListFile | None, format: Format | None, currency: str | None, asked: Asked
) -> Asked:
    """Show at a terminal how a spreadsheet with a new header would be read, and ask once.

    Return the mapping that the person agrees to, which the import then remembers.
    """
    # A pipe can be read only once.
    if not (whole or Path(command.file).is_file()) or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return asked
    with reading(command.file, whole, format, currency, asked) as reader:
        if not is_new(reader, asked):
            return asked
        terminal.show(f"{command.file}: a spreadsheet with these columns:")
        for name, field in reader.columns.items():
            terminal.show(f"  {name} → {field}")
        for line in preview(reader):
            terminal.show(line)
        for remark in reader.remarks:
            terminal.show(f"  {remark.column or 'file'}: {remark.note}")
    if input("Import it like this? [Y/n] ").strip().lower() not in ("", "y", "yes"):
        otherwise = command.text(reader, asked)
        raise InvalidInput(f"Nothing was imported. To read it otherwise, change the columns in: {otherwise}")
    return asked._replace(columns=reader.columns)


def is_new(reader: Reader, asked: Asked) -> bool:
    """Whether a list has columns that no program has, and no person has mapped."""
    return reader.format == "spreadsheet" and not reader.remembered and not asked.columns


class Command(NamedTuple):
    """The command that imports a file with the mapping that was found."""

    file: str
    username: str
    sheet: str | None

    def text(self, reader: Reader, asked: Asked) -> str:
        options = {
            "--user": "" if self.username == DEFAULT_USER else self.username,
            "--weight-unit": asked.weight_unit,
            "--setup": asked.setup_name,
            "--sheet": self.sheet,
            "--columns": shown(reader.columns),
        }
        given = [f"{option} {shlex.quote(value)}" for option, value in options.items() if value]
        return f"gearshed import {' '.join(given)} {shlex.quote(self.file)}"


def as_options(message: str) -> str:
    """Replace arguments of the tool by the options of the command."""
    return re.sub(
        r"\b([Gg]ive |or |with |out |Leave )(weight_unit|columns|setup_name|skip_bad_lines|sheet)\b",
        lambda found: f"{found[1]}--{found[2].replace('_', '-').removesuffix('-name')}",
        message,
    )


async def record(conn: AsyncConnection, file: str, imported: Imported) -> int | None:
    """Log the import, unless it changed nothing. Return the number of the change."""
    change_id = await change.current(conn)
    if await change.is_empty(conn, change_id):
        return None
    await change.record(
        conn,
        change_id,
        tool="import_csv",
        author=Author(program="gearshed import"),
        summary=f"Imported {imported.items:,} and changed {imported.changed:,} items: "
        f"{quoted(Path(file).name)}",
        key=None,
        digest=b"",
        result=None,
    )
    return change_id


def undo_command(username: str, change_id: int) -> str:
    """Return the command that undoes a change, however large it is."""
    user = "" if username == DEFAULT_USER else f"--user {shlex.quote(username)} "
    return f"gearshed undo {user}{change_id}"


def report(
    file: str, imported: Imported, change_id: int | None, undo: str | int | None, *, dry_run: bool
) -> None:
    """Print what happened to a file, and to each line that was not simply imported."""
    counts = {
        "imported": imported.items,
        "unchanged": imported.unchanged,
        "filled in": imported.filled,
        "changed": imported.changed,
        "different (not changed without --update-existing)": imported.differs,
        "refused": imported.refused,
        "skipped": imported.skipped,
    }
    done = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count) or "nothing to do"
    parts = [f"{file}: {imported.format}, {done}"]
    if imported.setup_totals:
        totals = imported.setup_totals
        weights = {
            "base": totals.base_grams,
            "worn": totals.worn_grams,
            "consumable": totals.consumable_grams,
            "pack": totals.pack_grams,
            "total": totals.total_grams,
        }
        shown = ", ".join(f"{name} {lean_number(round(grams, 2)):,} g" for name, grams in weights.items())
        parts.append(f"setup {quoted(imported.setup_name or '')}: {shown}")
    if change_id:
        parts.append(f"change {change_id}; to undo it: {undo}")
    if sys.stderr.isatty():
        # Over the progress.
        print("\r", end="")
    note = " (nothing was stored: --dry-run)" if dry_run else ""
    terminal.show(f"{'; '.join(parts)}{note}")
    for verdict in imported.verdicts:
        terminal.show(f"  {verdict.verdict}: {csv.place(verdict)}")
    if imported.verdicts_left_out:
        terminal.show(f"  … and {imported.verdicts_left_out:,} more")


def opened(file: str) -> TextIO:
    """Open a file to write, with line ends as they are."""
    return open(1 if file == STDIN else file, "w", encoding="utf-8", newline="", closefd=file != STDIN)


def export_file(
    url: str,
    username: str,
    file: str = STDIN,
    setup_name: str | None = None,
    format: ExportFormat = "gearshed",
    prices: bool = False,
) -> None:
    """Write the collection, or one setup, to a file or to standard output."""
    suffix = Path(file).suffix.lower()

    async def write() -> None:
        if suffix == HTML:
            await write_page(url, username, file, setup_name, prices=prices)
            return
        lossy = Counter[str]()
        async with unhurried(url, username) as conn:
            setup_id = None if setup_name is None else await setup.resolve(conn, setup_name)
            if suffix == XLSX:
                await write_workbook(file, export.export_cells(conn, setup_id, format, lossy))
            else:
                with opened(file) as out:
                    async for line in export.export_lines(conn, setup_id, format, lossy):
                        out.write(line)
        for loss in export.counted(lossy):
            terminal.warn(f"gearshed: {loss}")

    if suffix == HTML and format != "gearshed":
        raise InvalidInput(f"{file}: a page has no --format. Leave it out.")
    if suffix != HTML and prices:
        raise InvalidInput("--prices is for pages only: other lists have prices. Leave it out.")
    if suffix == XLSX and format == "markdown":
        raise InvalidInput(
            f"{file}: a workbook has the format gearshed or lighterpack. Give another --format."
        )
    try:
        run(write())
    except OSError as exc:
        raise InvalidInput(f"{file}: {exc.strerror or exc}.") from exc


async def write_page(url: str, username: str, file: str, setup_name: str | None, *, prices: bool) -> None:
    """Write the page that a share shows. Without a name, the file is called like the setup."""
    # Imported on use: CSV does not need templates.
    from mcp_server.web.share import page

    name = setup_name or nfc(Path(file).stem)
    async with unhurried(url, username) as conn:
        shown = await share.show_own(conn, name, prices=prices)
    with opened(file) as out:
        out.write(page(shown, prices=prices))


async def write_workbook(file: str, rows: AsyncGenerator[Sequence[str]]) -> None:
    """Write rows as a workbook: text as text, which no spreadsheet runs, and figures as numbers."""
    book = xlsxwriter.Workbook(file, {"constant_memory": True})
    sheet = book.add_worksheet("Gearshed")  # pyright: ignore[reportUnknownMemberType]
    header: Sequence[str] = ()
    number = 0
    async for row in rows:
        header = header or row
        if number > MOST_ROWS:
            raise InvalidInput(f"A workbook has at most {MOST_ROWS:,} lines. Export CSV.")
        for at, cell in enumerate(row):
            if number and header[at] in FIGURES and cell:
                sheet.write_number(number, at, float(cell))
            elif cell:
                sheet.write_string(number, at, cell)
        number += 1
    book.close()
