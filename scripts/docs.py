"""Write the generated parts of the documentation; with --check, only report whether they are up to date.

    python -m scripts.docs [--check]

docs/tools.md and the README's list of tools come from the server's own list of tools, the results in
docs/tools.md from calling them: `examples.py`, on an empty embedded PostgreSQL. The table in
docs/configuration.md comes from the settings and the command line.
"""

import inspect
import json
import re
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from typing import Any

import anyio
from mcp import Client
from mcp.types import TextContent, Tool
from pydantic.fields import FieldInfo

from db import migrations
from db.embedded import Embedded
from db.pool import create_pool
from mcp_server.accounts.auth import ensure_user
from mcp_server.cli import parser
from mcp_server.protocol.edge import App
from mcp_server.server import READS, TOOLS, build_server
from mcp_server.settings import Settings
from scripts.examples import EXAMPLES

ROOT = Path(__file__).parents[1]
RESULTS = {entry.name: entry.result for entry in TOOLS}
README, DOCS = ROOT / "README.md", ROOT / "docs"
REFERENCE, CONFIGURATION = DOCS / "tools.md", DOCS / "configuration.md"
# What a time in a result is replaced by, because it differs with each run.
TIME, A_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "2026-07-01T12:00:00Z"
# The token of a link is random.
TOKEN = re.compile(r"(?<=/s/)[\w-]{22}|(?<=/upload/)[\w.-]+", re.ASCII)
INTRODUCTION = """\
# The tools

`make docs` generates this page: arguments and results from the server's own schemas, and one real call of
each tool, in an order in which each finds what earlier ones created.

- Weights go in as text with a unit (`540 g`, `1.2 kg`, `1 lb 3 oz`; a bare number is grams) and come back in
  grams, of one piece. Prices are integer cents.
- An item, category, setup, thread or candidate is given by its id or its name: see
  [Searching and naming](searching.md).
- Unknown values are omitted, never 0. A total with unknown parts reports them: `"unweighed": 3`.
- base = total − worn − consumable, the weight that hikers compare. pack = total − worn, the weight on the
  back.
- `update_settings` sets a weight unit (g, kg, oz, lb) and a currency. Rows then repeat their weights in this
  unit, as `weight`, and `display` repeats prices: see [Weights and prices](figures.md).
- A result comes twice, as text to read and as structured content to parse, each complete and both short: a
  list is a table, a single object is one line of JSON, and fields that are unknown, empty or at their default
  are omitted. If it makes a table a tenth shorter, a category is not a column, but a line such as
  `category: Food` above the rows that have it.
- An answer has at most 256 KB. Longer lists have a `next_cursor`, or say how many rows they leave out, and
  long texts in lists are cut: see [The size of an answer](figures.md#the-size-of-an-answer).
- An error says what was wrong and what to do next: `[not_found] No item 12. Call list_items to find its id.`
  The codes are `not_found`, `invalid_input`, `conflict`, `in_use`, `read_only`, `forbidden`,
  `insufficient_scope`, `busy`, `timeout`, `unavailable`, `storage_full` and `internal`, which is a bug whose
  details are in the log. A call that ends in an error changes nothing, unless the error says that the change
  may be stored, because the database did not confirm it.
- Unknown arguments are refused. Ignored are only those that some clients add to every call: `toolCallId`,
  `sessionId`, `action`, `chatInput`, and names that start with `_`, unless the tool has that argument.
- Every write can be undone: see [Undo](undo.md).
"""


class Incomplete(Exception):
    """Something that the documentation is generated from is missing; the message names it."""


def nouns() -> str:
    """A row for each noun, with its tools."""
    names: dict[str, list[str]] = {}
    for tool in TOOLS:
        noun = tool.function.__module__.rpartition(".")[2]
        names.setdefault(noun, []).append(f"`{tool.function.__name__}`")
    rows = [f"| {noun} | {', '.join(tools)} |" for noun, tools in names.items()]
    return "\n".join(["| noun | tools |", "| --- | --- |", *rows]) + "\n"


def tool_table() -> str:
    """A row for each tool: its name, the first sentence of its description, and whether it writes."""
    rows = ["| tool | what it does | writes |", "| --- | --- | --- |"]
    for tool in TOOLS:
        name = tool.function.__name__
        sentence = (inspect.getdoc(tool.function) or "").splitlines()[0]
        rows.append(f"| [`{name}`](#{name}) | {sentence} | {'' if tool.hints == READS else 'yes'} |")
    return "\n".join(rows) + "\n"


def settings_table() -> str:
    """A row for each setting: its environment variable, its option, its default and its meaning."""
    options = serve_options()
    rows = ["| variable | option | default | meaning |", "| --- | --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        variable = field.validation_alias or f"GEARSHED_{name.upper()}"
        if not field.description:
            raise Incomplete(f"{variable} has no description in mcp_server/settings.py.")
        option = f"--{name.replace('_', '-')}"
        shown = f"`{option}`" if option in options else ""
        rows.append(f"| `{variable}` | {shown} | {default(field)} | {field.description} |")
    return "\n".join(rows) + "\n"


def serve_options() -> set[str]:
    """Return the options of `gearshed serve`, read from its help."""
    text = StringIO()
    with redirect_stdout(text), suppress(SystemExit):
        parser().parse_args(["serve", "--help"])
    return set(re.findall(r"--[a-z-]+", text.getvalue()))


def default(field: FieldInfo) -> str:
    """The default of a setting, or nothing if it is empty, false or computed."""
    return f"`{field.default}`" if field.default and not field.default_factory else ""


def between(path: Path, marker: str, content: str) -> str:
    """Return the text of a page with *content* between `<!-- marker -->` and `<!-- /marker -->`."""
    begin, end = f"<!-- {marker} -->\n", f"<!-- /{marker} -->"
    text = path.read_text(encoding="utf-8")
    before, found, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        raise Incomplete(f"{path.name} lacks the lines {begin.strip()} and {end}.")
    return f"{before}{begin}{content}{end}{after}"


def reference() -> str:
    """The table of tools, and a section for each: description, arguments, result, and an example."""
    tools, examples = anyio.run(play)
    check_examples((tool.name for tool in tools), [name for name, _ in EXAMPLES])
    sections = (section(tool, examples[tool.name]) for tool in tools)
    return "\n".join([INTRODUCTION, tool_table(), *sections])


def check_examples(tools: Iterable[str], examples: Sequence[str]) -> None:
    if missing := [name for name in tools if name not in examples]:
        raise Incomplete(f"scripts/examples.py has no example of {', '.join(missing)}.")


async def play() -> tuple[list[Tool], dict[str, str]]:
    """Return the tools, and the first example of each: the call and the text of its result."""
    with tempfile.TemporaryDirectory(prefix="gearshed-docs-") as folder, Embedded(Path(folder)) as database:
        migrations.upgrade(database.url)
        async with create_pool(database.url) as pool:
            async with pool.connection() as conn:
                app = App(pool, await ensure_user(conn, "docs"), url="https://gear.example")
            async with Client(build_server(app)) as client:
                examples: dict[str, str] = {}
                for tool, arguments in EXAMPLES:
                    examples.setdefault(tool, await call(client, tool, arguments))
                return (await client.list_tools()).tools, examples


async def call(client: Client, tool: str, arguments: dict[str, Any]) -> str:
    result = await client.call_tool(tool, arguments)
    blocks = [block.text for block in result.content if isinstance(block, TextContent)]
    # A CSV file has the line ends of its format.
    text = "\n".join(blocks).replace("\r\n", "\n")
    asked = json.dumps(arguments, ensure_ascii=False)
    return f"{tool} {asked}\n\n{TOKEN.sub('TOKEN', TIME.sub(A_TIME, text))}"


def section(tool: Tool, example: str) -> str:
    takes = "\n".join(fields(tool.input_schema, required="required")) or "No arguments."
    gives = "\n".join(fields(RESULTS[tool.name]))
    return f"## {tool.name}\n\n{tool.description}\n\n{takes}\n\nResult:\n\n{gives}\n\n```\n{example}\n```\n"


def fields(schema: dict[str, Any], indent: str = "", required: str = "") -> list[str]:
    """`- name (type): description`, a line for each field, followed by its own fields."""
    lines: list[str] = []
    for name, field in schema.get("properties", {}).items():
        needed = f", {required}" if required and name in schema.get("required", ()) else ""
        meaning = f": {field['description']}" if "description" in field else ""
        lines.append(f"{indent}- `{name}` ({kind(field)}{needed}){meaning}")
        lines += fields(field.get("items", field), f"{indent}  ", required)
    return lines


def kind(field: dict[str, Any]) -> str:
    """Describe the type of a field: `integer`, `list of objects`, `"g", "kg"`."""
    if "enum" in field:
        return ", ".join(f'"{value}"' for value in field["enum"])
    if "const" in field:
        return f'"{field["const"]}"'
    if field["type"] == "array":
        return f"list of {kind(field['items'])}s"
    limits = f", at most {field['maximum']}" if "maximum" in field else ""
    default = f", default {field['default']}" if "default" in field else ""
    return f"{field['type']}{limits}{default}"


def main() -> int:
    try:
        wanted = {
            README: between(README, "tools", nouns()),
            CONFIGURATION: between(CONFIGURATION, "settings", settings_table()),
            REFERENCE: reference(),
        }
    except Incomplete as exc:
        print(exc, file=sys.stderr)
        return 1
    if "--check" not in sys.argv[1:]:
        for path, text in wanted.items():
            path.write_text(text, encoding="utf-8")
        return 0
    stale = [path.name for path, text in wanted.items() if path.read_text(encoding="utf-8") != text]
    if stale:
        print(f"{', '.join(stale)}: out of date. Run make docs.", file=sys.stderr)
    return bool(stale)


if __name__ == "__main__":
    sys.exit(main())
