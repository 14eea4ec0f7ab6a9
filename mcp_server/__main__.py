"""`python -m mcp_server` is `gearshed`."""

import sys
from pathlib import Path

# `python -m` searches the current folder first, where a db.py of the user would replace ours. In a checkout
# that is not installed, the current folder holds this package and must stay.
if not sys.flags.safe_path and Path(sys.path[0]).resolve() != Path(__file__).resolve().parents[1]:
    del sys.path[0]

from mcp_server.cli import main

main()
