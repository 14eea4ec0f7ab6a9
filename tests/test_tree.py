"""The tree: who may import whom."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# From the bottom to the top. A room imports from rooms above it in this list, never from those below.
ROOMS = [
    "db",
    "mcp_server.errors",
    "mcp_server.terminal",
    "mcp_server.audit",
    "mcp_server.telemetry",
    "mcp_server.turns",
    "mcp_server.models",
    "mcp_server.settings",
    "mcp_server.clients",
    "mcp_server.untrusted",
    "mcp_server.formats",
    "mcp_server.accounts",
    "mcp_server.services",
    "mcp_server.web",
    "mcp_server.sqlite_migration",
    "mcp_server.protocol",
    "mcp_server.tools",
    "mcp_server.attachments",
    "mcp_server.server",
    "mcp_server.process",
    "mcp_server.http",
    "mcp_server.commands",
    "mcp_server.cli",
    "mcp_server.__main__",
]


def modules(*folders: str) -> dict[str, Path]:
    """Return the Python files of *folders*, by module name."""
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in found
    }


PACKAGES = modules("db", "mcp_server")


def imported(path: Path, known: dict[str, Path] = PACKAGES) -> Iterator[str]:
    """Yield the *known* modules that a file imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            submodules = {f"{node.module}.{alias.name}" for alias in node.names} & known.keys()
            yield from submodules or {node.module} & known.keys()


IMPORTS = {name: set(imported(path)) for name, path in PACKAGES.items()}


def room(module: str) -> str:
    return "db" if module.startswith("db") else ".".join(module.split(".")[:2])


def test_no_modules_import_each_other_in_a_circle() -> None:
    try:
        TopologicalSorter(IMPORTS).prepare()
    except CycleError as exc:
        pytest.fail(" imports ".join(reversed(exc.args[1])))


def test_every_module_is_in_a_room() -> None:
    assert {room(name) for name in PACKAGES} == {*ROOMS, "mcp_server"}


def test_no_module_imports_from_a_room_above_its_own() -> None:
    upward = [
        f"{name} imports {other}"
        for name, others in IMPORTS.items()
        for other in others
        if name != "mcp_server" and ROOMS.index(room(other)) > ROOMS.index(room(name))
    ]
    assert upward == []


@pytest.mark.parametrize(
    ("user", "used"),
    [
        ("mcp_server.services", "mcp_server.accounts"),
        ("mcp_server.services", "mcp_server.settings"),
        ("mcp_server.accounts", "mcp_server.untrusted"),
        ("mcp_server.protocol", "mcp_server.accounts"),
        ("mcp_server.tools", "db"),
    ],
)
def test_rooms_that_do_not_know_each_other(user: str, used: str) -> None:
    assert not [
        f"{name} imports {other}"
        for name, others in IMPORTS.items()
        for other in others
        if room(name) == user and room(other) == used
    ]


def test_only_commands_and_scripts_know_the_migration_from_sqlite() -> None:
    migration = "mcp_server.sqlite_migration"
    users = {room(name) for name, others in IMPORTS.items() if migration in map(room, others)}
    assert users == {migration, "mcp_server.commands"}


def test_scripts_import_nothing_of_tests() -> None:
    scripts, tests = modules("scripts"), modules("tests")
    assert scripts
    assert [name for name, path in scripts.items() if any(imported(path, tests))] == []


def test_the_test_of_the_tree_would_notice() -> None:
    """It sees imports inside functions and of modules by name, such as those of the command line."""
    assert "mcp_server.commands.people" in IMPORTS["mcp_server.cli"]
    assert "mcp_server.errors" in IMPORTS["mcp_server.services.item"]
    assert all(room(lower) != room(upper) for lower, upper in pairwise(ROOMS))
