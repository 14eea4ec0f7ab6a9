"""Move a collection from the old application's SQLite file to PostgreSQL, as `gearshed migrate-sqlite` does.

See docs/moving-from-sqlite.md.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from mcp_server.cli import run

sys.exit(run(["migrate-sqlite", *sys.argv[1:]]))
