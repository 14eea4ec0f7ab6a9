"""Gearshed as a program. In a wheel, this package also contains `db` and `mcp_server`.

Other projects have packages with those names. In a folder of our own, files of two projects cannot replace
each other, and the folder comes first on the path of this process.
"""

import sys
from pathlib import Path

FOLDER = Path(__file__).parent
# In a checkout, the packages are beside this one.
if (FOLDER / "mcp_server").is_dir():
    sys.path.insert(0, str(FOLDER))


def main() -> None:
    """Run the command line, and exit."""
    from mcp_server.cli import main

    main()
