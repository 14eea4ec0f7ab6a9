"""The path of this installation's `gearshed`, which a client can start for as long as it stays."""

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

# Parts of paths below which `uvx` and `pipx run` keep installations that they delete.
CACHES = (
    ("uv", "archive-v0"),
    ("uv", "environments-v2"),
    ("uv", "cache"),
    (".cache", "uv"),
    ("pipx", ".cache"),
    (".cache", "pipx"),
    ("Caches", "uv"),
)


class NotLasting(Exception):
    """The program is in a folder that is deleted sooner or later. The message says how to install it."""


def program() -> str:
    """Return the path of the `gearshed` script beside this Python, or else of the one on PATH."""
    name = "gearshed.exe" if os.name == "nt" else "gearshed"
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which("gearshed") or "gearshed"


def lasting(path: str, environment: Mapping[str, str]) -> str:
    """Return an absolute path. Raise NotLasting if it is in a cache or among temporary files."""
    absolute = Path(path).absolute()
    caches = [Path(environment[name]) for name in ("UV_CACHE_DIR", "PIPX_CACHE") if environment.get(name)]
    parts = absolute.parts
    is_cached = any(absolute.is_relative_to(cache.absolute()) for cache in caches) or any(
        parts[at : at + len(names)] == names for names in CACHES for at in range(len(parts))
    )
    if is_cached or absolute.is_relative_to(Path(tempfile.gettempdir()).resolve()):
        raise NotLasting(
            f"{absolute} is a temporary installation, which a client would lose. "
            "Install Gearshed first (uv tool install gearshed), then run `gearshed connect` again."
        )
    return str(absolute)
