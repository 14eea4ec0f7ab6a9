"""docs/performance.md: one table for each section that was measured, between its markers."""

import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path

from scripts.bench.figures import HEADINGS, Figure, cells
from scripts.bench.rig import ROOT

PAGE = ROOT / "docs" / "performance.md"


def write(section: str, figures: Sequence[Figure]) -> None:
    """Replace the table of a section."""
    page = PAGE.read_text(encoding="utf-8")
    begin, end = f"<!-- {section} -->\n", f"<!-- end of {section} -->\n"
    before, found, rest = page.partition(begin)
    if not found:
        raise LookupError(f"{PAGE.name} has no section {section!r}.")
    after = rest.partition(end)[2]
    PAGE.write_text(f"{before}{begin}{table(figures)}\n{machine()}\n{end}{after}", encoding="utf-8")


def table(figures: Sequence[Figure]) -> str:
    rows = [HEADINGS, ["---", *["---:"] * 2, "---", "---:", "---", "---:"], *map(cells, figures)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def machine() -> str:
    """Describe the machine, and how busy it was."""
    model = re.search(
        r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE
    )
    return (
        f"{os.cpu_count()} cores{f' ({model[1]})' if model else ''}, {platform.system()} "
        f"{platform.machine()}, Python {platform.python_version()}, PostgreSQL 16, "
        f"load {os.getloadavg()[0]:.1f} at the end.\n"
    )
