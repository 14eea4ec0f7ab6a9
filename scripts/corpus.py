"""Show how the lists in a folder are read, with which mapping and to which totals. Nothing is stored.

    python -m scripts.corpus FOLDER [--weight-unit g]

The exit code is 1 if a list was not read, or not all of its lines.
"""

import argparse
import sys
from io import FileIO
from pathlib import Path
from typing import get_args

from mcp_server.errors import InvalidInput
from mcp_server.formats.columns import Asked, shown
from mcp_server.formats.opening import open_file
from mcp_server.formats.preview import totals
from mcp_server.models.fields import shown_grams
from mcp_server.models.settings import WeightUnit

LISTS = {".csv", ".tsv", ".txt", ".md"}
MOST_SHOWN = 3


def report(file: Path, weight_unit: WeightUnit | None) -> bool:
    """Print what one list holds, and return whether all of it was read."""
    try:
        with open_file(FileIO(file), asked=Asked(weight_unit=weight_unit)) as reader:
            found = totals(reader)
            remarks = reader.remarks
    except InvalidInput as exc:
        print(f"{file.name}: not read: {exc.args[0]}")
        return False
    print(
        f"{file.name}: {reader.format}, {found.lines} items, {shown_grams(found.grams):,} g, "
        f"prices {found.cents / 100:,.2f}, {found.unweighed} unweighed, {found.skipped} skipped, "
        f"{len(found.refused)} refused"
    )
    if reader.columns:
        print(f"  columns: {shown(reader.columns)}")
    for remark in remarks:
        print(f"  {remark.column or 'file'}: {remark.note}")
    for line in found.refused[:MOST_SHOWN]:
        print(f"  line {line.number}: {'; '.join(' '.join(problem) for problem in line.problems)}")
    return not found.refused


def main() -> int:
    parser = argparse.ArgumentParser(description="Show how the lists in a folder are read.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weight-unit", choices=get_args(WeightUnit))
    options = parser.parse_args()
    files = sorted(file for file in options.folder.rglob("*") if file.suffix.lower() in LISTS)
    read = [report(file, options.weight_unit) for file in files]
    print(f"{sum(read)} of {len(read)} lists were read completely")
    return 0 if all(read) else 1


if __name__ == "__main__":
    sys.exit(main())
