"""Write the generated parts of the documentation; with --check, only say whether they are in step.

The README's list of tools comes from the server's own list, between two markers.
"""

import inspect
import sys
from pathlib import Path

from mcp_server.server import READS, TOOLS

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- tools -->\n", "<!-- /tools -->"


def tool_table() -> str:
    """A row for each tool: its name, the first sentence of what it does, and whether it writes."""
    rows = ["| tool | what it does | writes |", "| --- | --- | --- |"]
    for tool in TOOLS:
        sentence = (inspect.getdoc(tool.function) or "").splitlines()[0]
        rows.append(f"| `{tool.function.__name__}` | {sentence} | {'' if tool.hints == READS else 'yes'} |")
    return "\n".join(rows) + "\n"


def with_tools(text: str) -> str:
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{tool_table()}{END}{after}"


def main() -> int:
    found = README.read_text(encoding="utf-8")
    wanted = with_tools(found)
    if "--check" in sys.argv[1:]:
        if found != wanted:
            print("README.md is out of step with the tools: run make docs", file=sys.stderr)
        return int(found != wanted)
    README.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
