"""Check that the files of a release agree about its version.

    python -m scripts.release_check

The exit code is 1 if they do not, or if the changelog has no date for the version.
"""

import json
import re
import sys
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
CHANGELOG = "CHANGELOG.md"
MANIFESTS = (
    "server.json",
    "plugins/claude/.claude-plugin/plugin.json",
    "plugins/cursor/.cursor-plugin/plugin.json",
    "plugins/mcpb/manifest.json",
)


def problems(root: Path) -> list[str]:
    """Return what is wrong with the release in *root*, and where."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = str(project["version"])
    found = changelog_problems(root, version)
    for name in MANIFESTS:
        manifest: dict[str, Any] = json.loads((root / name).read_text(encoding="utf-8"))
        packages = [package.get("version") for package in manifest.get("packages", [])]
        for other in [manifest.get("version"), *packages]:
            if other != version:
                found.append(f"{name} has version {other}, pyproject.toml {version}.")
    return found


def changelog_problems(root: Path, version: str) -> list[str]:
    text = (root / CHANGELOG).read_text(encoding="utf-8")
    newest = re.search(r"^## (\S+) \((.*)\)$", text, re.MULTILINE)
    if newest is None or newest[1] != version:
        return [f"{CHANGELOG}: the first section is not {version}."]
    try:
        date.fromisoformat(newest[2])
    except ValueError:
        return [f"{CHANGELOG}: {version} has no date, but ({newest[2]})."]
    return []


def main() -> None:
    found = problems(ROOT)
    for problem in found:
        print(problem, file=sys.stderr)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
