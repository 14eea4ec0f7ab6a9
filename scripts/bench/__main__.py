"""The project's own figures, each beside its floor: the cost of the same work without Gearshed.

    python -m scripts.bench [SECTION ...] [--items N] [--document]

A figure and its floor are measured in turns, so that noise affects both. p50 is the median of n turns, and
the ratio is that of the medians. A goal limits the ratio, or the figure itself in its own unit. A missed goal
is printed and does not fail the run. --document writes the figures into docs/performance.md.

CPU is from the kernel's accounting, of a server and its descendants, or of PostgreSQL. On a busy machine, it
varies less than time. `stdio` and `http` compare with a server that echoes Gearshed's own answers, and with
the usual stack, `peers/usual.py`, whose packages are installed on demand outside this project.

Everything happens in a throwaway embedded PostgreSQL, filled with the packing list of the demo. Only `pages`,
`migrate` and `csv` create databases of a million items, which takes minutes and several GB of disk.
"""

import tempfile
from argparse import ArgumentParser
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import anyio

from scripts.bench import bytes as bytes_read
from scripts.bench import (
    calls,
    crowd,
    csv,
    databases,
    document,
    http,
    log,
    memory,
    messages,
    migration,
    pages,
    pages_html,
    sizes,
    start,
    stdio,
)
from scripts.bench.figures import HEAD, Figure, as_row
from scripts.bench.rig import Rig, make_rig, stop_leftover

SECTIONS: dict[str, Callable[[Rig], Awaitable[list[Figure]]]] = {
    "calls": calls.measure,
    "pages": pages.measure,
    "pages-html": pages_html.measure,
    "log": log.measure,
    "start": start.measure,
    "databases": databases.measure,
    "bytes": bytes_read.measure,
    "migrate": migration.measure,
    "stdio": stdio.measure,
    "http": http.measure,
    "messages": messages.measure,
    "sizes": sizes.measure,
    "memory": memory.measure,
    "crowd": crowd.measure,
    "csv": csv.measure,
}


def main() -> None:
    parser = ArgumentParser(
        prog="python -m scripts.bench",
        description="Measure Gearshed beside its floors, in a throwaway database.",
    )
    parser.add_argument("section", nargs="*", help=f"what to measure: {', '.join(SECTIONS)} (default: all)")
    parser.add_argument(
        "--items", type=int, default=1_000_000, help="items for migrate and csv (default: %(default)s)"
    )
    parser.add_argument("--document", action="store_true", help="write the figures into docs/performance.md")
    options = parser.parse_args()
    names: list[str] = options.section or list(SECTIONS)
    if unknown := set(names) - SECTIONS.keys():
        parser.error(f"unknown section: {', '.join(sorted(unknown))}; choose from {', '.join(SECTIONS)}")
    with tempfile.TemporaryDirectory(prefix="gearshed-bench-") as folder:
        try:
            anyio.run(bench, Path(folder), options.items, names, options.document)
        finally:
            stop_leftover(Path(folder))


async def bench(folder: Path, items: int, names: Sequence[str], documented: bool) -> None:
    """Print the figures of the sections called *names*, each section as soon as it is done.

    With *documented*, also write them into docs/performance.md.
    """
    rig = await make_rig(folder, items)
    print(HEAD)
    for name in names:
        figures = await SECTIONS[name](rig)
        print("\n".join(map(as_row, figures)), flush=True)
        if documented:
            document.write(name, figures)


if __name__ == "__main__":
    main()
