"""The import of a list: a file, what would become of it, and its import. And a sample of a list."""

import base64
from dataclasses import replace
from importlib.resources import files
from typing import Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from psycopg import AsyncConnection
from starlette.responses import Response

from db.pool import transaction
from mcp_server.errors import AppError, Forbidden, InvalidInput, NotFound
from mcp_server.http.gate import in_time
from mcp_server.http.gear.setups import MOST_LINES
from mcp_server.http.gear.visit import Problem, Visit
from mcp_server.http.oauth.pages import status_of
from mcp_server.models.change import Key
from mcp_server.models.csv import Imported, OptionalUnit
from mcp_server.models.fields import Flag, OptionalName
from mcp_server.models.setup import SetupShown
from mcp_server.protocol.edge import App, Written, principal, write
from mcp_server.protocol.schema import to_tool
from mcp_server.protocol.strict import run
from mcp_server.protocol.watch import count_nothing, watched
from mcp_server.services import csv, listfile, settings, setup
from mcp_server.services.listfile import ListFile
from mcp_server.web import chart

# Bytes of a file. In base64, it is below the largest call.
LARGEST = 3_000_000
SAMPLE = "ultimate-hike-2025"
CHOICES = ("setup_name", "weight_unit")
FLAGS = ("update_existing", "skip_bad_lines")


def packed(data: bytes) -> str:
    """Return a file as a field of the form that confirms its import."""
    if not data:
        raise InvalidInput("The file is empty. Choose another one.")
    if len(data) > LARGEST:
        raise InvalidInput("The file exceeds 3 MB. Import it with `gearshed import`.")
    return base64.urlsafe_b64encode(data).decode()


async def import_list(
    ctx: Context[App],
    file: str,
    name: str,
    setup_name: OptionalName = None,
    update_existing: Flag = False,
    skip_bad_lines: Flag = False,
    weight_unit: OptionalUnit = None,
    dry_run: Flag = False,
    idempotency_key: Key = None,
) -> Written[Imported]:
    """Do what import_csv does, with an uploaded file."""
    try:
        data = base64.urlsafe_b64decode(file)
    except ValueError:
        raise InvalidInput("file: is damaged. Choose it again.") from None
    options = csv.ImportOptions(setup_name, update_existing, skip_bad_lines, dry_run, {}, weight_unit)
    found = await listfile.read_in_turn(data, user_id=principal(ctx).user_id)
    return await write(ctx, key=idempotency_key, dry_run=dry_run, imports=True).do(
        csv.import_file, found, None, options
    )


IMPORT = to_tool(import_list, "", ToolAnnotations(read_only_hint=False))


async def upload(visit: Visit) -> Response:
    """Show the form for a file."""
    return await visit.page("import", **await form_of(visit), result=None)


async def send(visit: Visit) -> Response:
    """Show what would become of a list or, once that is confirmed, import it."""
    stores = visit.sent.get("step") == "import"
    try:
        done = await imported(visit, dry_run=not stores)
    except AppError as exc:
        problem = Problem("import", exc.args[0])
        again = replace(visit, problem=problem)
        return await again.page("import", status_of(exc), **await form_of(visit), result=None)
    if stores:
        setup_id = done.get("setup_id")
        return visit.onward(done, f"/gear/setups/{setup_id}" if setup_id else "/gear/items?sort=newest")
    result = Imported.model_validate({name: done[name] for name in Imported.model_fields if name in done})
    return await visit.page("import", **await form_of(visit), result=result)


async def form_of(visit: Visit) -> dict[str, Any]:
    """Return what the form has: a file that was sent stays chosen."""
    return {
        "file": visit.sent.get("file"),
        "file_name": visit.sent.get("file.name", ""),
        "choices": choices(visit),
        "units": await visit.read(settings.get),
    }


def choices(visit: Visit) -> dict[str, str]:
    """Return what the person chose. By default, a setup is made that has the name of the file."""
    name = visit.sent.get("file.name", "")
    stem = name.rpartition(".")[0] or name
    return {**dict.fromkeys((*CHOICES, *FLAGS), ""), "setup_name": stem, **visit.sent}


async def imported(visit: Visit, *, dry_run: bool) -> dict[str, Any]:
    """Import the sent file in one call, like a client's."""
    off = visit.pages.off.get("import_csv")
    if off:
        raise Forbidden(f"import_csv is turned off: {off}.")
    if "file" not in visit.sent:
        raise InvalidInput("Choose a file first.")
    chosen = choices(visit)
    arguments = {
        "file": visit.sent["file"],
        "name": visit.sent.get("file.name", ""),
        **{name: chosen[name] for name in CHOICES if chosen[name].strip()},
        **{name: True for name in FLAGS if name in visit.sent},
        "dry_run": dry_run,
    }
    if not dry_run and visit.sent.get("key"):
        arguments["idempotency_key"] = visit.sent["key"]
    with watched("import_csv", principal(visit.ctx), writes=not dry_run, count=count_nothing):
        try:
            written: Written[Imported] = await run(IMPORT, arguments, visit.ctx)
        except ToolError as exc:
            raise InvalidInput(str(exc)) from exc
    return written.reply.structured_content or {}


async def sample(visit: Visit) -> Response:
    """Show a sample list as a setup. It is imported in a transaction that is rolled back."""
    text = files("mcp_server").joinpath("data", f"{SAMPLE}.csv").read_text(encoding="utf-8")
    app, user_id = visit.pages.app, visit.person.id
    if not visit.may_write:
        raise Forbidden("The server is read-only, so it cannot show the sample.")
    async with app.turn(user_id, imports=True), transaction(app.pool, user_id) as conn:
        shown = await in_time(import_sample(conn, text))
        await conn.rollback()
    return await visit.page("sample", setup=shown, units=shown.units, donut=chart.donut_of_setup(shown))


async def import_sample(conn: AsyncConnection, text: str) -> SetupShown:
    done = await csv.import_file(conn, ListFile(text), None, csv.ImportOptions(SAMPLE))
    if done.setup_id is None:
        raise NotFound("The sample is not a packing list.")
    return await setup.get(conn, done.setup_id, limit=MOST_LINES)
