"""`python -m gearshed` is `gearshed`."""

import sys
from pathlib import Path

import gearshed

# `python -m` searches the current folder first, where a module of the user could replace one of ours. In a
# checkout that is not installed, the current folder holds this package and must stay.
CURRENT = str(Path.cwd())
if (
    not sys.flags.safe_path
    and CURRENT in sys.path
    and Path(CURRENT).resolve() != gearshed.FOLDER.resolve().parent
):
    sys.path.remove(CURRENT)

gearshed.main()
